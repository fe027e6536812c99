#include "cuda_backend.hpp"

namespace eos::kernels {

void sgd_delta(const Context& context, std::int64_t size, SgdParameters p, const float* gradient, const float* weights,
               float* velocity, float* delta) {
  if (context.backend() == Backend::cuda) return cuda::sgd_delta(context, size, p, gradient, weights, velocity, delta);
  reference::sgd_delta(size, p, gradient, weights, velocity, delta);
}

void adamw_delta(const Context& context, std::int64_t size, AdamParameters p, const float* gradient, const float* weights,
                 float* first_moment, float* second_moment, float* delta) {
  if (context.backend() == Backend::cuda) {
    return cuda::adamw_delta(context, size, p, gradient, weights, first_moment, second_moment, delta);
  }
  reference::adamw_delta(size, p, gradient, weights, first_moment, second_moment, delta);
}

void sgd_update_dense(const Context& context, Segments segments, SgdParameters p, const float* gradient, float* weights,
                      float* velocity, UpdateCounts* counts) {
  if (context.backend() == Backend::cuda) {
    return cuda::sgd_update_dense(context, segments, p, gradient, weights, velocity, counts);
  }
  std::vector<float> delta(static_cast<std::size_t>(segments.offsets[segments.count]));
  reference::sgd_delta(segments.offsets[segments.count], p, gradient, weights, velocity, delta.data());
  reference::masked_update(segments, delta.data(), MaskedUpdate{}, weights, counts);
}

void masked_update(const Context& context, Segments segments, const float* delta, MaskedUpdate update, float* weights,
                   UpdateCounts* counts) {
  if (context.backend() == Backend::cuda) return cuda::masked_update(context, segments, delta, update, weights, counts);
  reference::masked_update(segments, delta, update, weights, counts);
}

void accumulate(const Context& context, std::int64_t size, const float* delta, float* accumulator) {
  if (context.backend() == Backend::cuda) return cuda::accumulate(context, size, delta, accumulator);
  for (std::int64_t i = 0; i < size; ++i) accumulator[i] += delta[i];
}

}  // namespace eos::kernels
