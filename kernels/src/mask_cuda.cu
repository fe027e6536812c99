// Row masks on CUDA.
#include <cstdint>

#include "cuda_state.hpp"
#include "select_key.hpp"

namespace eos::kernels::cuda {

namespace {

__global__ void mask_kernel(RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row, const float* in,
                            float* out) {
  const std::int64_t size = shape.rows * shape.width;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t row = i / shape.width, mask = mask_of_row == nullptr ? 0 : mask_of_row[row];
    out[i] = masks[mask * shape.width + (i - row * shape.width)] != 0 ? in[i] : 0.0f;
  }
}

__global__ void add_kernel(RowShape shape, const std::uint8_t* mask, float scale, const float* in, float* out) {
  const std::int64_t size = shape.rows * shape.width;
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    if (mask[i % shape.width] != 0) out[i] += scale * in[i];
  }
}

__device__ std::uint32_t rank_key(float value, Keep keep) {
  const std::uint32_t key = magnitude_key(value);
  return keep == Keep::largest ? key : k_magnitude_mask - key;
}

__device__ std::int64_t block_sum(std::int64_t value) {
  __shared__ std::int64_t sums[k_threads];
  sums[threadIdx.x] = value;
  __syncthreads();
  for (int half = k_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) sums[threadIdx.x] += sums[threadIdx.x + half];
    __syncthreads();
  }
  const std::int64_t total = sums[0];
  __syncthreads();
  return total;
}

/// The largest threshold with at least k keys at or above it, bit by bit.
__device__ std::uint32_t threshold_of_rank(std::int64_t width, const float* keys, Keep keep, std::int64_t k) {
  std::uint32_t threshold = 0;
  for (int bit = 30; bit >= 0; --bit) {
    const std::uint32_t candidate = threshold | 1u << bit;
    std::int64_t reached = 0;
    for (std::int64_t i = threadIdx.x; i < width; i += k_threads) reached += rank_key(keys[i], keep) >= candidate;
    if (block_sum(reached) >= k) threshold = candidate;
  }
  return threshold;
}

/// One block a row. The keys may be the values: thread t reads and writes entry i of the row in the same turn, and the
/// threshold is complete before the first write.
__global__ void keep_kernel(std::int64_t width, const float* keys, Ranking ranking, float* values) {
  __shared__ int ties_before[k_threads + 1];
  const std::int64_t row = blockIdx.x;
  const float* key = keys + (ranking.one_for_all ? 0 : row * width);
  const std::uint32_t threshold = threshold_of_rank(width, key, ranking.keep, ranking.k);
  std::int64_t above = 0;
  for (std::int64_t i = threadIdx.x; i < width; i += k_threads) above += rank_key(key[i], ranking.keep) > threshold;
  std::int64_t left = ranking.k - block_sum(above);
  for (std::int64_t base = 0; base < width; base += k_threads) {
    const std::int64_t i = base + threadIdx.x;
    const std::uint32_t rank = i < width ? rank_key(key[i], ranking.keep) : 0;
    const bool tie = i < width && rank == threshold;
    ties_before[threadIdx.x + 1] = tie;
    if (threadIdx.x == 0) ties_before[0] = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int t = 0; t < k_threads; ++t) ties_before[t + 1] += ties_before[t];
    }
    __syncthreads();
    const bool kept = rank > threshold || (tie && ties_before[threadIdx.x] < left);
    if (i < width && !kept) values[row * width + i] = 0.0f;
    left -= ties_before[k_threads];
    __syncthreads();
  }
}

__global__ void magnitudes_kernel(RowShape shape, const float* values, float* sums) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < shape.width;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    float sum = 0;
    for (int r = 0; r < shape.rows; ++r) sum += fabsf(values[r * shape.width + i]);
    sums[i] = sum;
  }
}

}  // namespace

void apply_masks(const Context& context, RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row,
                 const float* in, float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = shape.rows * shape.width;
  if (size == 0) return;
  mask_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(shape, masks, mask_of_row, in, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void add_masked(const Context& context, RowShape shape, const std::uint8_t* mask, float scale, const float* in,
                float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = shape.rows * shape.width;
  if (size == 0) return;
  add_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(shape, mask, scale, in, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void keep_ranked(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.rows == 0 || shape.width == 0) return;
  keep_kernel<<<static_cast<unsigned>(shape.rows), k_threads, 0, state.stream>>>(shape.width, keys, ranking, values);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void column_magnitudes(const Context& context, RowShape shape, const float* values, float* sums) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.width == 0) return;
  magnitudes_kernel<<<grid_size(shape.width), k_threads, 0, state.stream>>>(shape, values, sums);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
