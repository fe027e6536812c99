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

}  // namespace

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
