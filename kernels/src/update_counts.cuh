// Counting writes in kernels: sums over a thread block in a fixed order.
#pragma once

#include <cstdint>

#include "cuda_state.hpp"
#include "eos/kernels/cache.hpp"

namespace eos::kernels::cuda {

__device__ inline void add(UpdateCounts& total, const UpdateCounts& more) {
  total.writes += more.writes;
  total.path += more.path;
  total.squared += more.squared;
}

__device__ inline void add(CacheCounts& total, const CacheCounts& more) {
  add(total.consolidated, more.consolidated);
  total.additions += more.additions;
  total.transient += more.transient;
  total.held += more.held;
}

__device__ inline void count_change(UpdateCounts& counts, float before, float after) {
  const double moved = static_cast<double>(after) - static_cast<double>(before);
  counts.writes += after != before;
  counts.path += fabs(moved);
  counts.squared += moved * moved;
}

/// Sum over the threads of the block by add(), in a fixed tree; valid in thread 0.
template <class T>
__device__ T sum_over_block(T value) {
  __shared__ T shared[k_threads];
  shared[threadIdx.x] = value;
  __syncthreads();
  for (int half = k_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) add(shared[threadIdx.x], shared[threadIdx.x + half]);
    __syncthreads();
  }
  const T total = shared[0];
  __syncthreads();
  return total;
}

}  // namespace eos::kernels::cuda
