// Sums and products of arrays on CUDA.
#include "map_values.cuh"

namespace eos::kernels::cuda {

namespace {
struct Sum {
  __device__ float operator()(float a, float b) const { return a + b; }
};
struct Product {
  __device__ float operator()(float a, float b) const { return a * b; }
};
}  // namespace

void add(const Context& context, std::int64_t size, const float* a, const float* b, float* y) {
  map_values(context, size, y, Sum{}, a, b);
}
void multiply(const Context& context, std::int64_t size, const float* a, const float* b, float* y) {
  map_values(context, size, y, Product{}, a, b);
}

}  // namespace eos::kernels::cuda
