// What updates on CUDA share: counts of blocks of 4096 entries, and the sum over a segment that takes ties in order.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cuda_state.hpp"
#include "select_key.hpp"
#include "update_counts.cuh"

namespace eos::kernels::cuda {

inline constexpr int k_block = 4096;  ///< entries of a thread block, fixed so that sums are

struct BlockResult {
  UpdateCounts counts;
  std::int64_t ties;  ///< entries whose key equals the segment's threshold
};

__device__ inline std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

__device__ inline void add(BlockResult& total, const BlockResult& more) {
  add(total.counts, more.counts);
  total.ties += more.ties;
}

/// Where changes are, and what they change. `accumulator` may be null; else it holds the changes.
struct Changed {
  const float* delta;
  float* accumulator;
  float* weights;
};

/// Writes the first `left` tied entries of one block of 4096 in index order; returns what they add to the counts.
__device__ inline UpdateCounts write_ties(Changed arrays, std::uint32_t threshold, std::int64_t begin, std::int64_t end,
                                          std::int64_t left) {
  __shared__ int ties_before[k_threads + 1];
  UpdateCounts counts{};
  for (std::int64_t base = begin; base < end && left > 0; base += k_threads) {
    const std::int64_t i = base + threadIdx.x;
    float* acc = arrays.accumulator;
    const float change = i >= end ? 0.0f : acc != nullptr ? acc[i] : arrays.delta[i];
    const bool tie = i < end && magnitude_key(change) == threshold;
    ties_before[threadIdx.x + 1] = tie;
    if (threadIdx.x == 0) ties_before[0] = 0;
    __syncthreads();
    if (threadIdx.x == 0) {
      for (int t = 0; t < k_threads; ++t) ties_before[t + 1] += ties_before[t];
    }
    __syncthreads();
    if (tie && ties_before[threadIdx.x] < left) {
      const float before = arrays.weights[i], after = before + change;
      arrays.weights[i] = after;
      if (acc != nullptr) acc[i] = 0.0f;
      count_change(counts, before, after);
    }
    left -= ties_before[k_threads];
    __syncthreads();
  }
  return counts;
}

/// Sum over the blocks of the segment [begin, end) by a whole thread block, after the ties of a selection (null: none)
/// were written. Valid in thread 0.
__device__ inline UpdateCounts finish_segment(Changed arrays, std::int64_t begin, std::int64_t end,
                                              const Selection* selected, const BlockResult* mine) {
  const std::int64_t blocks = (end - begin + k_block - 1) / k_block;
  BlockResult sum{};
  for (std::int64_t b = threadIdx.x; b < blocks; b += k_threads) add(sum.counts, mine[b].counts);
  if (selected != nullptr) {
    const Selection selection = *selected;
    // A change of zero is never written: see update.hpp.
    std::int64_t left = selection.threshold == 0 || selection.threshold > k_magnitude_mask ? 0 : selection.ties;
    for (std::int64_t b = 0; b < blocks && left > 0; ++b) {
      if (mine[b].ties == 0) continue;
      const std::int64_t from = begin + b * k_block;
      add(sum.counts, write_ties(arrays, selection.threshold, from, smaller(from + k_block, end), left));
      left -= smaller(left, mine[b].ties);
    }
  }
  return sum_over_block(sum).counts;
}

inline std::int64_t blocks_of_largest(Segments segments) {
  std::int64_t largest = 1;
  for (int s = 0; s < segments.count; ++s) largest = std::max(largest, segments.offsets[s + 1] - segments.offsets[s]);
  return (largest + k_block - 1) / k_block;
}

}  // namespace eos::kernels::cuda
