// Optimiser rules on CUDA: one thread an entry.
#include <cstdint>

#include "cuda_state.hpp"
#include "update_formula.hpp"

namespace eos::kernels::cuda {

namespace {

template <class Body>
__global__ void for_entries(std::int64_t size, Body body) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    body(i);
  }
}

template <class Body>
void launch(const Context& context, std::int64_t size, Body body) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (size == 0) return;
  for_entries<<<grid_size(size), k_threads, 0, state.stream>>>(size, body);
  EOS_CUDA_CHECK(cudaGetLastError());
}

struct SgdDelta {
  SgdParameters p;
  const float* gradient;
  const float* weights;
  float* velocity;
  float* delta;
  __device__ void operator()(std::int64_t i) const {
    const float v = formula::sgd_velocity(p, gradient[i], weights[i], velocity != nullptr ? velocity[i] : 0.0f);
    if (velocity != nullptr) velocity[i] = v;
    delta[i] = -p.learning_rate * formula::sgd_direction(p, gradient[i], weights[i], v);
  }
};

struct AdamWDelta {
  AdamParameters p;
  formula::AdamCorrection correction;
  const float* gradient;
  const float* weights;
  float* first_moment;
  float* second_moment;
  float* delta;
  __device__ void operator()(std::int64_t i) const {
    delta[i] = formula::adamw_step(p, correction, gradient[i], weights[i], first_moment[i], second_moment[i]);
  }
};

struct Accumulate {
  const float* delta;
  float* accumulator;
  __device__ void operator()(std::int64_t i) const { accumulator[i] += delta[i]; }
};

}  // namespace

void sgd_delta(const Context& context, std::int64_t size, SgdParameters p, const float* gradient, const float* weights,
               float* velocity, float* delta) {
  launch(context, size, SgdDelta{p, gradient, weights, velocity, delta});
}

void adamw_delta(const Context& context, std::int64_t size, AdamParameters p, const float* gradient,
                 const float* weights, float* first_moment, float* second_moment, float* delta) {
  launch(context, size,
         AdamWDelta{p, formula::adam_correction(p), gradient, weights, first_moment, second_moment, delta});
}

void accumulate(const Context& context, std::int64_t size, const float* delta, float* accumulator) {
  launch(context, size, Accumulate{delta, accumulator});
}

}  // namespace eos::kernels::cuda
