// Two sums over the rows of a matrix for each of its columns, in double and in an order that the shape alone fixes:
// for normalisation layers on CUDA.
#pragma once

#include <cstdint>

#include "cuda_state.hpp"

namespace eos::kernels::cuda {

inline constexpr int k_columns_a_block = 32;
inline constexpr int k_row_lanes = k_threads / k_columns_a_block;

struct ColumnShape {
  int replicas;
  std::int64_t rows;
  int columns;
};

struct TwoSums {
  double first = 0, second = 0;
};

/// Adds up what the row lanes of a block hold, in order of the lanes. Row lane 0 gets the result.
__device__ inline TwoSums sum_over_row_lanes(TwoSums mine) {
  __shared__ double first[k_threads], second[k_threads];
  first[threadIdx.x] = mine.first, second[threadIdx.x] = mine.second;
  __syncthreads();
  if (threadIdx.x >= k_columns_a_block) return {};
  TwoSums sum;
  for (int lane = 0; lane < k_row_lanes; ++lane) {
    sum.first += first[lane * k_columns_a_block + threadIdx.x];
    sum.second += second[lane * k_columns_a_block + threadIdx.x];
  }
  return sum;
}

/// partial [R][gridDim.y][2][columns]: block y sums its rows. term(replica, row, column) gives TwoSums.
template <class Term>
__global__ void partial_column_sums(ColumnShape shape, std::int64_t rows_a_block, Term term, double* partial) {
  const int column = blockIdx.x * k_columns_a_block + threadIdx.x % k_columns_a_block;
  const int replica = blockIdx.z;
  const std::int64_t begin = blockIdx.y * rows_a_block;
  const std::int64_t end = begin + rows_a_block < shape.rows ? begin + rows_a_block : shape.rows;
  TwoSums sum;
  if (column < shape.columns) {
    for (std::int64_t row = begin + threadIdx.x / k_columns_a_block; row < end; row += k_row_lanes) {
      const TwoSums more = term(replica, row, column);
      sum.first += more.first, sum.second += more.second;
    }
  }
  sum = sum_over_row_lanes(sum);
  if (threadIdx.x >= k_columns_a_block || column >= shape.columns) return;
  double* out = partial + (replica * std::int64_t{gridDim.y} + blockIdx.y) * 2 * shape.columns + column;
  out[0] = sum.first, out[shape.columns] = sum.second;
}

/// Calls finish(replica, column, sums) once a column.
template <class Finish>
__global__ void finish_column_sums(ColumnShape shape, int blocks, const double* partial, Finish finish) {
  const int column = blockIdx.x * k_columns_a_block + threadIdx.x % k_columns_a_block;
  const int replica = blockIdx.z;
  TwoSums sum;
  if (column < shape.columns) {
    for (int block = threadIdx.x / k_columns_a_block; block < blocks; block += k_row_lanes) {
      const double* in = partial + (std::int64_t{replica} * blocks + block) * 2 * shape.columns + column;
      sum.first += in[0], sum.second += in[shape.columns];
    }
  }
  sum = sum_over_row_lanes(sum);
  if (threadIdx.x < k_columns_a_block && column < shape.columns) finish(replica, column, sum);
}

/// No rows give sums of zero.
template <class Term, class Finish>
void column_sums(Context::Cuda& state, ColumnShape shape, Term term, Finish finish) {
  if (shape.replicas == 0 || shape.columns == 0) return;
  constexpr std::int64_t k_least_rows = 64, k_most_blocks = 512;
  std::int64_t rows_a_block = (shape.rows + k_most_blocks - 1) / k_most_blocks;
  if (rows_a_block < k_least_rows) rows_a_block = k_least_rows;
  const std::int64_t blocks = (shape.rows + rows_a_block - 1) / rows_a_block;
  const auto columns = static_cast<unsigned>((shape.columns + k_columns_a_block - 1) / k_columns_a_block);
  const auto replicas = static_cast<unsigned>(shape.replicas);
  const auto entries = static_cast<std::size_t>(shape.replicas) * blocks * 2 * shape.columns;
  auto* partial = static_cast<double*>(state.scratch(Scratch::column_sums, entries * sizeof(double)));
  if (blocks > 0) {
    const dim3 grid(columns, static_cast<unsigned>(blocks), replicas);
    partial_column_sums<<<grid, k_threads, 0, state.stream>>>(shape, rows_a_block, term, partial);
    EOS_CUDA_CHECK(cudaGetLastError());
  }
  finish_column_sums<<<dim3(columns, 1, replicas), k_threads, 0, state.stream>>>(shape, static_cast<int>(blocks),
                                                                                 partial, finish);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
