// Gradient clipping on the CPU.
#include <fmt/format.h>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/clip.hpp"
#include "norm_cpu.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_chunk = 65536;  ///< entries a thread takes at a time

void scale(const Context& context, std::int64_t size, float factor, float* values) {
  core::parallel_for(static_cast<std::size_t>((size + k_chunk - 1) / k_chunk), context.threads(), [=](std::size_t i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * k_chunk, end = std::min(begin + k_chunk, size);
    for (std::int64_t j = begin; j < end; ++j) values[j] *= factor;
  });
}

}  // namespace

void clip_gradient(const Context& context, ClipShape shape, double limit, float* gradient, ClipResult* results) {
  if (shape.replicas < 0 || shape.size < 0 || shape.stride < 0 || !(limit > 0)) {
    throw core::Error("E901", fmt::format("clip_gradient was given replicas {}, size {}, stride {}, limit {}",
                                          shape.replicas, shape.size, shape.stride, limit));
  }
  if (shape.stride == 0) shape.stride = shape.size;
  if (context.backend() == Backend::cuda) return cuda::clip_gradient(context, shape, limit, gradient, results);
  for (int r = 0; r < shape.replicas; ++r) {
    float* mine = gradient + r * shape.stride;
    const double norm = std::sqrt(squared_norm(context.threads(), shape.size, mine));
    results[r] = {norm, formula::clip_factor(norm, limit)};
    if (results[r].factor != 1) scale(context, shape.size, results[r].factor, mine);
  }
}

}  // namespace eos::kernels
