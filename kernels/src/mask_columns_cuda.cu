// Ranked masks by column on CUDA: a thread block has 32 columns, and eight groups of 32 threads share the rows.
#include <cstdint>

#include "cuda_state.hpp"
#include "select_key.hpp"

namespace eos::kernels::cuda {

namespace {

constexpr int k_columns = 32, k_groups = k_threads / k_columns;

__device__ std::uint32_t rank_of(float value, Keep keep) {
  const std::uint32_t key = magnitude_key(value);
  return keep == Keep::largest ? key : k_magnitude_mask - key;
}

/// Sums over groups [0, group] of this thread's column; `total` over all groups.
__device__ std::int64_t inclusive_sum(std::int64_t value, std::int64_t& total) {
  __shared__ std::int64_t sums[k_groups][k_columns];
  const int lane = threadIdx.x % k_columns, group = threadIdx.x / k_columns;
  sums[group][lane] = value;
  __syncthreads();
  std::int64_t before = 0;
  total = 0;
  for (int g = 0; g < k_groups; ++g) {
    total += sums[g][lane];
    if (g <= group) before += sums[g][lane];
  }
  __syncthreads();
  return before;
}

/// The keys may be the values: every thread reads and writes its own entries, after the threshold is complete.
__global__ void keep_kernel(RowShape shape, const float* keys, Ranking ranking, float* values) {
  const std::int64_t column = std::int64_t{blockIdx.x} * k_columns + threadIdx.x % k_columns;
  const bool inside = column < shape.width;
  const std::int64_t rows = shape.rows, group = threadIdx.x / k_columns, a_group = (rows + k_groups - 1) / k_groups;
  const std::int64_t begin = group * a_group < rows ? group * a_group : rows;
  const std::int64_t end = !inside ? begin : begin + a_group < rows ? begin + a_group : rows;
  std::uint32_t threshold = 0;  // the largest with at least k ranks at or above it, bit by bit
  std::int64_t total = 0;
  for (int bit = 30; bit >= 0; --bit) {
    const std::uint32_t candidate = threshold | 1u << bit;
    std::int64_t reached = 0;
    for (std::int64_t i = begin; i < end; ++i)
      reached += rank_of(keys[i * shape.width + column], ranking.keep) >= candidate;
    inclusive_sum(reached, total);
    if (total >= ranking.k) threshold = candidate;
  }
  std::int64_t above = 0, ties = 0;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t rank = rank_of(keys[i * shape.width + column], ranking.keep);
    above += rank > threshold, ties += rank == threshold;
  }
  inclusive_sum(above, total);
  std::int64_t all_ties = 0;
  std::int64_t left = ranking.k - total - (inclusive_sum(ties, all_ties) - ties);  // after the groups before
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t rank = rank_of(keys[i * shape.width + column], ranking.keep);
    const bool tie = rank == threshold && left > 0;
    left -= rank == threshold;
    if (rank <= threshold && !tie) values[i * shape.width + column] = 0.0f;
  }
}

}  // namespace

void keep_ranked_columns(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (ranking.k == 0) {
    const auto size = static_cast<std::size_t>(shape.rows * shape.width);
    EOS_CUDA_CHECK(cudaMemsetAsync(values, 0, size * sizeof *values, state.stream));
    return;
  }
  const auto blocks = static_cast<unsigned>((shape.width + k_columns - 1) / k_columns);
  keep_kernel<<<blocks, k_threads, 0, state.stream>>>(shape, keys, ranking, values);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
