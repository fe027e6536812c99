// Sums of arrays on the CPU.
#include "cuda_backend.hpp"
#include "eos/kernels/elementwise.hpp"
#include "for_values.hpp"
#include "simd.hpp"

namespace eos::kernels {

void add(const Context& context, std::int64_t size, const float* a, const float* b, float* y) {
  if (context.backend() == Backend::cuda) return cuda::add(context, size, a, b, y);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    std::int64_t i = begin;
    for (; i + simd::k_lanes <= end; i += simd::k_lanes) simd::store(y + i, simd::load(a + i) + simd::load(b + i));
    for (; i < end; ++i) y[i] = a[i] + b[i];
  });
}

}  // namespace eos::kernels
