// Squared norms on CUDA, in the order of norm_formula.hpp.
#pragma once

#include <cstdint>

#include "cuda_state.hpp"
#include "norm_formula.hpp"

namespace eos::kernels::cuda {

static_assert(k_threads == formula::k_norm_lanes, "a thread is a lane");

/// The tree over the lanes of a block; valid in thread 0.
__device__ inline double add_lanes(double value) {
  __shared__ double lanes[k_threads];
  lanes[threadIdx.x] = value;
  __syncthreads();
  for (int half = k_threads / 2; half > 0; half /= 2) {
    if (threadIdx.x < half) lanes[threadIdx.x] += lanes[threadIdx.x + half];
    __syncthreads();
  }
  const double total = lanes[0];
  __syncthreads();
  return total;
}

/// grid: (blocks, replicas); sums [replicas][blocks]
static __global__ void square_blocks(std::int64_t size, std::int64_t stride, const float* values, double* sums) {
  const float* mine = values + blockIdx.y * stride;
  const std::int64_t begin = std::int64_t{blockIdx.x} * formula::k_norm_block;
  const std::int64_t end = begin + formula::k_norm_block < size ? begin + formula::k_norm_block : size;
  double sum = 0;
  for (std::int64_t i = begin + threadIdx.x; i < end; i += k_threads) {
    const double value = mine[i];
    sum += value * value;
  }
  const double total = add_lanes(sum);
  if (threadIdx.x == 0) sums[std::int64_t{blockIdx.y} * gridDim.x + blockIdx.x] = total;
}

/// grid: replicas; calls finish(replica, squared norm) in one thread of each.
template <class Finish>
__global__ void finish_norms(std::int64_t blocks, const double* sums, Finish finish) {
  double sum = 0;
  for (std::int64_t b = threadIdx.x; b < blocks; b += k_threads) sum += sums[blockIdx.x * blocks + b];
  const double total = add_lanes(sum);
  if (threadIdx.x == 0) finish(static_cast<int>(blockIdx.x), total);
}

/// finish(replica, squared norm of its first `size` values) on the device; pre: replicas > 0.
template <class Finish>
void squared_norms(Context::Cuda& state, int replicas, std::int64_t size, std::int64_t stride, const float* values,
                   Finish finish) {
  const std::int64_t blocks = formula::norm_blocks(size);
  const auto count = static_cast<std::size_t>(blocks) * static_cast<std::size_t>(replicas);
  auto* sums = static_cast<double*>(state.scratch(Scratch::norm_blocks, (count + 1) * sizeof(double)));
  if (blocks > 0) {
    const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(replicas));
    square_blocks<<<grid, k_threads, 0, state.stream>>>(size, stride, values, sums);
    EOS_CUDA_CHECK(cudaGetLastError());
  }
  finish_norms<<<static_cast<unsigned>(replicas), k_threads, 0, state.stream>>>(blocks, sums, finish);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
