// Gradient clipping on CUDA: the factor never leaves the device.
#include <cstdint>

#include "cuda_state.hpp"
#include "norm_cuda.cuh"

namespace eos::kernels::cuda {

namespace {

struct StoreFactor {
  double limit;
  ClipResult* results;
  __device__ void operator()(int replica, double squares) const {
    const double norm = sqrt(squares);
    results[replica] = {norm, formula::clip_factor(norm, limit)};
  }
};

/// grid: (blocks, replicas)
__global__ void scale_gradient(std::int64_t size, std::int64_t stride, const ClipResult* results, float* gradient) {
  const float factor = results[blockIdx.y].factor;
  if (factor == 1) return;
  float* mine = gradient + blockIdx.y * stride;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    mine[i] *= factor;
  }
}

}  // namespace

void clip_gradient(const Context& context, ClipShape shape, double limit, float* gradient, ClipResult* results) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.replicas == 0) return;
  squared_norms(state, shape.replicas, shape.size, shape.stride, gradient, StoreFactor{limit, results});
  const dim3 grid(grid_size(shape.size), static_cast<unsigned>(shape.replicas));
  scale_gradient<<<grid, k_threads, 0, state.stream>>>(shape.size, shape.stride, results, gradient);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
