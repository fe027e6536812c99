#include <cstdint>

#include "cuda_backend.hpp"
#include "cuda_state.hpp"
#include "warp.cuh"

namespace eos::kernels::cuda {

namespace {

constexpr int k_rows_a_block = k_threads / k_warp;

/// One warp a row.
__global__ void norms_kernel(int rows, int columns, const float* values, float* norms) {
  const int lane = static_cast<int>(threadIdx.x) % k_warp;
  const int row = static_cast<int>(blockIdx.x) * k_rows_a_block + static_cast<int>(threadIdx.x) / k_warp;
  if (row >= rows) return;  // all lanes of the warp
  const float* mine = values + std::int64_t{row} * columns;
  double sum = 0;
  for (int c = lane; c < columns; c += k_warp) sum += double{mine[c]} * double{mine[c]};
  for (int half = k_warp / 2; half > 0; half /= 2) sum += __shfl_down_sync(k_all_lanes, sum, half);
  if (lane == 0) norms[row] = static_cast<float>(sqrt(sum));
}

__global__ void scale_kernel(std::int64_t size, int columns, const float* factors, float* values) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    values[i] *= factors[i / columns];
  }
}

}  // namespace

void row_norms(const Context& context, int rows, int columns, const float* values, float* norms) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (rows <= 0) return;
  const auto blocks = static_cast<unsigned>((rows + k_rows_a_block - 1) / k_rows_a_block);
  norms_kernel<<<blocks, k_threads, 0, state.stream>>>(rows, columns, values, norms);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void scale_rows(const Context& context, int rows, int columns, const float* factors, float* values) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = std::int64_t{rows} * columns;
  if (size <= 0) return;
  scale_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, columns, factors, values);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
