// Dense layer on CUDA: the products of matmul_cuda.hpp over the replicas.
#include <algorithm>
#include <cstdint>

#include "activation_formula.hpp"
#include "matmul_cuda.hpp"

namespace eos::kernels::cuda {

namespace {

/// b may be null.
__global__ void add_bias_and_activate(std::int64_t size, std::int64_t per_replica, std::int64_t out, const float* b,
                                      std::int64_t b_stride, bool relu, float* y) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const float z = b == nullptr ? y[i] : y[i] + b[i / per_replica * b_stride + i % out];
    y[i] = relu && z < 0 ? 0.0f : z;
  }
}

template <Activation kind>
__global__ void activate(std::int64_t size, float leak, float* y) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    y[i] = formula::activate<kind>(y[i], leak);
  }
}

template <Activation kind>
__global__ void multiply_by_slope(std::int64_t size, float leak, const float* x, float* dx) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    dx[i] *= formula::slope<kind>(x[i], leak);
  }
}

__global__ void gate_by_output(std::int64_t size, const float* x, float* dx) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    if (!(x[i] > 0)) dx[i] = 0.0f;
  }
}

/// Column sums of dz: one block per replica and 32 columns; 8 rows of threads, added in order.
__global__ void sum_rows(int rows, int out, const float* dz, float* db, std::int64_t db_stride) {
  __shared__ float partial[8][32];
  const int lane = threadIdx.x % 32, part = threadIdx.x / 32;
  const int column = blockIdx.x * 32 + lane;
  const float* from = dz + std::int64_t{blockIdx.y} * rows * out;
  float sum = 0;
  for (int i = part; column < out && i < rows; i += 8) sum += from[std::int64_t{i} * out + column];
  partial[part][lane] = sum;
  __syncthreads();
  if (part != 0 || column >= out) return;
  for (int p = 1; p < 8; ++p) sum += partial[p][lane];
  db[blockIdx.y * db_stride + column] = sum;
}

std::int64_t product_of(int a, int b, int c) { return std::int64_t{a} * b * c; }

}  // namespace

void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   ActivationSpec activation, float* y) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = product_of(shape.replicas, shape.rows, shape.out);
  if (size == 0) return;
  const bool relu = activation.kind == Activation::relu;
  if (shape.in == 0) {
    EOS_CUDA_CHECK(cudaMemsetAsync(y, 0, static_cast<std::size_t>(size) * sizeof *y, state.stream));
    add_bias_and_activate<<<grid_size(size), k_threads, 0, state.stream>>>(size, product_of(1, shape.rows, shape.out),
                                                                           shape.out, b, shape.bias_stride(), relu, y);
    EOS_CUDA_CHECK(cudaGetLastError());
  } else {  // y^T = w^T x^T
    multiply(state, {shape.replicas, shape.out, shape.rows, shape.in, CUBLAS_OP_N, CUBLAS_OP_N, w, x, y, b,
                     shape.weight_stride(), product_of(1, shape.rows, shape.in), product_of(1, shape.rows, shape.out),
                     shape.bias_stride(), relu});
  }
  if (relu || activation.kind == Activation::identity) return;
  formula::with_kind(activation.kind, [&](auto constant) {
    activate<decltype(constant)::kind><<<grid_size(size), k_threads, 0, state.stream>>>(size, activation.leak, y);
  });
  EOS_CUDA_CHECK(cudaGetLastError());
}

void dense_backward_weights(const Context& context, DenseShape shape, const float* x, const float* dz, float* dw,
                            float* db) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.replicas == 0 || shape.out == 0) return;
  const dim3 blocks(static_cast<unsigned>((shape.out + 31) / 32), static_cast<unsigned>(shape.replicas));
  if (db != nullptr)
    sum_rows<<<blocks, k_threads, 0, state.stream>>>(shape.rows, shape.out, dz, db, shape.bias_stride());
  EOS_CUDA_CHECK(cudaGetLastError());
  const std::int64_t size = product_of(shape.replicas, shape.in, shape.out);
  if (size == 0) return;
  if (shape.rows == 0) {
    const auto bytes = static_cast<std::size_t>(product_of(1, shape.in, shape.out)) * sizeof *dw;
    for (int r = 0; r < shape.replicas; ++r)
      EOS_CUDA_CHECK(cudaMemsetAsync(dw + r * shape.weight_stride(), 0, bytes, state.stream));
    return;
  }
  // dw^T = dz^T x
  multiply(state, {shape.replicas, shape.out, shape.in, shape.rows, CUBLAS_OP_N, CUBLAS_OP_T, dz, x, dw, nullptr,
                   product_of(1, shape.rows, shape.out), product_of(1, shape.rows, shape.in), shape.weight_stride()});
}

void dense_backward_inputs(const Context& context, DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t size = product_of(shape.replicas, shape.rows, shape.in);
  if (size == 0) return;
  if (shape.out == 0) {
    EOS_CUDA_CHECK(cudaMemsetAsync(dx, 0, static_cast<std::size_t>(size) * sizeof *dx, state.stream));
    return;
  }
  // dx^T = w dz^T
  multiply(state, {shape.replicas, shape.in, shape.rows, shape.out, CUBLAS_OP_T, CUBLAS_OP_N, w, dz, dx, nullptr,
                   shape.weight_stride(), product_of(1, shape.rows, shape.out), product_of(1, shape.rows, shape.in)});
  if (activation_of_x.kind == Activation::identity) return;
  if (activation_of_x.kind == Activation::relu) {  // assigned, not multiplied: 0 also where the gradient is infinite
    gate_by_output<<<grid_size(size), k_threads, 0, state.stream>>>(size, x, dx);
  } else {
    formula::with_kind(activation_of_x.kind, [&](auto constant) {
      multiply_by_slope<decltype(constant)::kind>
          <<<grid_size(size), k_threads, 0, state.stream>>>(size, activation_of_x.leak, x, dx);
    });
  }
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
