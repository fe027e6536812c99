// Gaussian error linear units on CUDA.
#include "gelu_formula.hpp"
#include "map_values.cuh"

namespace eos::kernels::cuda {

namespace {

struct Gelu {
  __device__ float operator()(float z) const { return formula::gelu(z); }
  __device__ float operator()(float z, float dy) const { return dy * formula::gelu_slope(z); }
};
struct GeluTanh {
  __device__ float operator()(float z) const { return formula::gelu_tanh(z); }
  __device__ float operator()(float z, float dy) const { return dy * formula::gelu_tanh_slope(z); }
};

__global__ void gelu_and_slope(std::int64_t size, float* z, float* y) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    float slope;
    y[i] = formula::gelu_with_slope(z[i], formula::distance_from_zero(z[i]), slope);
    z[i] = slope;
  }
}

}  // namespace

void gelu_forward_with_slopes(const Context& context, std::int64_t size, float* z, float* y) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (size <= 0) return;
  gelu_and_slope<<<grid_size(size), k_threads, 0, state.stream>>>(size, z, y);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void gelu_forward(const Context& context, std::int64_t size, const float* z, float* y) {
  map_values(context, size, y, Gelu{}, z);
}
void gelu_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz) {
  map_values(context, size, dz, Gelu{}, z, dy);
}
void gelu_tanh_forward(const Context& context, std::int64_t size, const float* z, float* y) {
  map_values(context, size, y, GeluTanh{}, z);
}
void gelu_tanh_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz) {
  map_values(context, size, dz, GeluTanh{}, z, dy);
}

}  // namespace eos::kernels::cuda
