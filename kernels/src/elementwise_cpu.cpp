// Sums and products of arrays on the CPU.
#include "cuda_backend.hpp"
#include "elementwise_pass.hpp"
#include "eos/kernels/elementwise.hpp"
#include "for_values.hpp"

namespace eos::kernels {

void add(const Context& context, std::int64_t size, const float* a, const float* b, float* y) {
  if (context.backend() == Backend::cuda) return cuda::add(context, size, a, b, y);
  for_values(context, size,
             [=](std::int64_t begin, std::int64_t end) { add_values(end - begin, a + begin, b + begin, y + begin); });
}

void multiply(const Context& context, std::int64_t size, const float* a, const float* b, float* y) {
  if (context.backend() == Backend::cuda) return cuda::multiply(context, size, a, b, y);
  for_values(context, size, [=](std::int64_t begin, std::int64_t end) {
    multiply_values(end - begin, a + begin, b + begin, y + begin);
  });
}

}  // namespace eos::kernels
