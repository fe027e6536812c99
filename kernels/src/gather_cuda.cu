// Sample movement on CUDA.
#include <cstdint>

#include "cuda_state.hpp"
#include "noise_formula.hpp"

namespace eos::kernels::cuda {

namespace {

constexpr int k_flags_a_block = 4 * k_threads;

__global__ void gather_kernel(std::int64_t size, const std::uint8_t* source, int columns, const std::int32_t* index,
                              float scale, float shift, float* out) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t row = i / columns, column = i % columns;
    out[i] = scale * static_cast<float>(source[std::int64_t{index[row]} * columns + column]) - shift;
  }
}

/// One thread block a row at a time; every thread draws the row's offset itself.
__global__ void gather_noisy_kernel(int rows, const std::uint8_t* source, int columns, const std::int32_t* index,
                                    InputTransform transform, float* out) {
  const InputNoise& noise = transform.noise;
  for (std::int64_t row = blockIdx.x; row < rows; row += gridDim.x) {
    const std::uint8_t* from = source + std::int64_t{index[row]} * columns;
    const std::int64_t offset = formula::noise_offset(noise, index[row]);
    for (int c = static_cast<int>(threadIdx.x); c < columns; c += k_threads) {
      const float value = transform.scale * static_cast<float>(from[c]) - transform.shift;
      out[row * columns + c] = value + noise.sigma * noise.pool[(offset + c) % noise.pool_size];
    }
  }
}

__global__ void compact_kernel(std::int64_t size, const float* in, int columns, const std::int32_t* index, float* out) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    out[i] = in[std::int64_t{index[i / columns]} * columns + i % columns];
  }
}

__global__ void scatter_kernel(std::int64_t size, const float* in, int columns, const std::int32_t* index, float* out) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    out[std::int64_t{index[i / columns]} * columns + i % columns] = in[i];
  }
}

/// Sums over the threads before this one, in thread order; total is the sum over the block.
__device__ int exclusive_sum(int value, int& total) {
  __shared__ int sums[k_threads];
  const int t = threadIdx.x;
  sums[t] = value;
  __syncthreads();
  for (int offset = 1; offset < k_threads; offset *= 2) {
    const int more = t >= offset ? sums[t - offset] : 0;
    __syncthreads();
    sums[t] += more;
    __syncthreads();
  }
  const int before = sums[t] - value;
  total = sums[k_threads - 1];
  __syncthreads();
  return before;
}

/// Kept rows among the four flags of this thread.
__device__ int kept_here(const std::uint8_t* keep, int rows, int first) {
  int kept = 0;
  for (int i = first; i < first + 4 && i < rows; ++i) kept += keep[i] != 0;
  return kept;
}

__global__ void count_flags(const std::uint8_t* keep, int rows, int* block_counts) {
  int total = 0;
  exclusive_sum(
      kept_here(keep, rows, static_cast<int>(blockIdx.x) * k_flags_a_block + static_cast<int>(threadIdx.x) * 4), total);
  if (threadIdx.x == 0) block_counts[blockIdx.x] = total;
}

/// One block: counts become places; the total goes behind them.
__global__ void place_blocks(int blocks, int* block_counts) {
  int before_all = 0;
  for (int base = 0; base < blocks; base += k_threads) {
    const int b = base + static_cast<int>(threadIdx.x);
    int total = 0;
    const int before = exclusive_sum(b < blocks ? block_counts[b] : 0, total);
    if (b < blocks) block_counts[b] = before_all + before;
    before_all += total;
  }
  if (threadIdx.x == 0) block_counts[blocks] = before_all;
}

__global__ void write_indices(const std::uint8_t* keep, int rows, const int* block_places, std::int32_t* index) {
  const int first = static_cast<int>(blockIdx.x) * k_flags_a_block + static_cast<int>(threadIdx.x) * 4;
  int total = 0;
  int place = block_places[blockIdx.x] + exclusive_sum(kept_here(keep, rows, first), total);
  for (int i = first; i < first + 4 && i < rows; ++i) {
    if (keep[i] != 0) index[place++] = i;
  }
}

}  // namespace

void gather_rows(const Context& context, const std::uint8_t* source, int columns, const std::int32_t* index, int rows,
                 InputTransform transform, float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = std::int64_t{rows} * columns;
  if (size == 0) return;
  if (transform.noise.sigma != 0) {
    const unsigned blocks = static_cast<unsigned>(rows < 4096 ? rows : 4096);
    gather_noisy_kernel<<<blocks, k_threads, 0, state.stream>>>(rows, source, columns, index, transform, out);
  } else {
    gather_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, source, columns, index, transform.scale,
                                                                   transform.shift, out);
  }
  EOS_CUDA_CHECK(cudaGetLastError());
}

void compact_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int rows,
                  float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = std::int64_t{rows} * columns;
  if (size == 0) return;
  compact_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, in, columns, index, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void scatter_rows(const Context& context, const float* in, int columns, const std::int32_t* index, int kept, int rows,
                  float* out) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t all = std::int64_t{rows} * columns, size = std::int64_t{kept} * columns;
  if (all == 0) return;
  EOS_CUDA_CHECK(cudaMemsetAsync(out, 0, static_cast<std::size_t>(all) * sizeof *out, state.stream));
  if (size == 0) return;
  scatter_kernel<<<grid_size(size), k_threads, 0, state.stream>>>(size, in, columns, index, out);
  EOS_CUDA_CHECK(cudaGetLastError());
}

int compact_flags(const Context& context, const std::uint8_t* keep, int rows, std::int32_t* index) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (rows == 0) return 0;
  const int blocks = (rows + k_flags_a_block - 1) / k_flags_a_block;
  auto* places =
      static_cast<int*>(state.scratch(Scratch::compact_counts, (static_cast<std::size_t>(blocks) + 1) * sizeof(int)));
  count_flags<<<static_cast<unsigned>(blocks), k_threads, 0, state.stream>>>(keep, rows, places);
  EOS_CUDA_CHECK(cudaGetLastError());
  place_blocks<<<1, k_threads, 0, state.stream>>>(blocks, places);
  EOS_CUDA_CHECK(cudaGetLastError());
  write_indices<<<static_cast<unsigned>(blocks), k_threads, 0, state.stream>>>(keep, rows, places, index);
  EOS_CUDA_CHECK(cudaGetLastError());
  int kept = 0;
  copy_out(state, &kept, places + blocks, sizeof kept);
  return kept;
}

}  // namespace eos::kernels::cuda
