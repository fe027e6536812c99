// Muon's passes over entries on CUDA.
#include <cstdint>

#include "cuda_state.hpp"
#include "muon_formula.hpp"
#include "norm_cuda.cuh"

namespace eos::kernels::cuda {

namespace {

/// body(replica, entry of its matrix); grid: (blocks, replicas)
template <class Body>
__global__ void for_matrix_entries(std::int64_t size, Body body) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    body(static_cast<int>(blockIdx.y), i);
  }
}

template <class Body>
void launch(Context::Cuda& state, int replicas, std::int64_t size, Body body) {
  const dim3 grid(grid_size(size), static_cast<unsigned>(replicas));
  for_matrix_entries<<<grid, k_threads, 0, state.stream>>>(size, body);
  EOS_CUDA_CHECK(cudaGetLastError());
}

struct Direction {
  SgdParameters p;
  std::int64_t size, distance;
  const float* gradient;
  float* velocity;
  float* x;
  __device__ void operator()(int replica, std::int64_t i) const {
    const std::int64_t at = replica * distance + i;
    const float g = gradient[at], v = formula::sgd_velocity(p, g, 0.0f, velocity[at]);
    velocity[at] = v;
    x[replica * size + i] = formula::sgd_direction(p, g, 0.0f, v);
  }
};

struct StoreFactor {
  float* factors;
  __device__ void operator()(int replica, double squares) const { factors[replica] = formula::muon_factor(squares); }
};

struct Multiply {
  std::int64_t size;
  const float* factors;
  float* x;
  __device__ void operator()(int replica, std::int64_t i) const { x[replica * size + i] *= factors[replica]; }
};

struct Polynomial {
  int side;
  const float* gram;
  float* square;
  __device__ void operator()(int replica, std::int64_t i) const {
    const std::int64_t at = replica * std::int64_t{side} * side + i;
    square[at] = formula::muon_polynomial(gram[at], square[at], i % (side + 1) == 0);
  }
};

struct Finish {
  MuonParameters p;
  float scale;
  std::int64_t size, distance;
  const float* x;
  const float* weights;
  float* delta;
  __device__ void operator()(int replica, std::int64_t i) const {
    const std::int64_t at = replica * distance + i;
    delta[at] = formula::muon_change(p, scale, x[replica * size + i], weights[at]);
  }
};

}  // namespace

void muon_direction(const Context& context, MuonShape shape, MuonParameters p, const float* gradient, float* velocity,
                    float* x) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = shape.size();
  launch(state, shape.replicas, size,
         Direction{formula::muon_momentum(p), size, shape.distance(), gradient, velocity, x});
  auto* factors = static_cast<float*>(
      state.scratch(Scratch::muon_factors, static_cast<std::size_t>(shape.replicas) * sizeof(float)));
  squared_norms(state, shape.replicas, size, size, x, StoreFactor{factors});
  launch(state, shape.replicas, size, Multiply{size, factors, x});
}

void muon_polynomial(const Context& context, int replicas, int side, const float* gram, float* square) {
  launch(*context.cuda_state(), replicas, std::int64_t{side} * side, Polynomial{side, gram, square});
}

void muon_finish(const Context& context, MuonShape shape, MuonParameters p, const float* x, const float* weights,
                 float* delta) {
  launch(*context.cuda_state(), shape.replicas, shape.size(),
         Finish{p, formula::muon_scale(shape), shape.size(), shape.distance(), x, weights, delta});
}

}  // namespace eos::kernels::cuda
