// Optimiser rules on the CPU: loops over independent entries that the compiler vectorises.
#include <algorithm>

#include "cuda_backend.hpp"
#include "eos/core/parallel.hpp"
#include "update_formula.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_chunk = 65536;  ///< entries a thread takes at a time

/// Calls body(begin, end) on pieces of [0, size).
template <class Body>
void for_chunks(const Context& context, std::int64_t size, Body body) {
  if (context.threads() == 1 || size < 2 * k_chunk) return body(std::int64_t{0}, size);
  core::parallel_for(static_cast<std::size_t>((size + k_chunk - 1) / k_chunk), context.threads(), [&](std::size_t i) {
    const std::int64_t begin = static_cast<std::int64_t>(i) * k_chunk;
    body(begin, std::min(begin + k_chunk, size));
  });
}

}  // namespace

void sgd_delta(const Context& context, std::int64_t size, SgdParameters p, const float* gradient, const float* weights,
               float* velocity, float* delta) {
  if (context.backend() == Backend::cuda) return cuda::sgd_delta(context, size, p, gradient, weights, velocity, delta);
  for_chunks(context, size, [=](std::int64_t begin, std::int64_t end) {
    const float* __restrict g = gradient;
    const float* __restrict w = weights;
    float* __restrict d = delta;
    if (velocity == nullptr) {
      for (std::int64_t i = begin; i < end; ++i) d[i] = -p.learning_rate * formula::sgd_velocity(p, g[i], w[i], 0.0f);
      return;
    }
    float* __restrict v = velocity;
    for (std::int64_t i = begin; i < end; ++i) {
      v[i] = formula::sgd_velocity(p, g[i], w[i], v[i]);
      d[i] = -p.learning_rate * formula::sgd_direction(p, g[i], w[i], v[i]);
    }
  });
}

void adamw_delta(const Context& context, std::int64_t size, AdamParameters p, const float* gradient,
                 const float* weights, float* first_moment, float* second_moment, float* delta) {
  if (context.backend() == Backend::cuda) {
    return cuda::adamw_delta(context, size, p, gradient, weights, first_moment, second_moment, delta);
  }
  const formula::AdamCorrection correction = formula::adam_correction(p);
  for_chunks(context, size, [=](std::int64_t begin, std::int64_t end) {
    const float* __restrict g = gradient;
    const float* __restrict w = weights;
    float* __restrict m = first_moment;
    float* __restrict v = second_moment;
    float* __restrict d = delta;
    for (std::int64_t i = begin; i < end; ++i) d[i] = formula::adamw_step(p, correction, g[i], w[i], m[i], v[i]);
  });
}

void accumulate(const Context& context, std::int64_t size, const float* delta, float* accumulator) {
  if (context.backend() == Backend::cuda) return cuda::accumulate(context, size, delta, accumulator);
  for_chunks(context, size, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) accumulator[i] += delta[i];
  });
}

}  // namespace eos::kernels
