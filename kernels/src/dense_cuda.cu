// Dense layer on CUDA: cuBLASLt strided-batched products over the replicas, in single precision (no TF32), with bias
// and rectifier as epilogue where cuBLASLt offers one for the shape and as a kernel where it does not.
#include <algorithm>
#include <cstdint>

#include "activation_formula.hpp"
#include "cuda_state.hpp"
#include "eos/core/error.hpp"

namespace eos::kernels::cuda {

namespace {

enum Kind { forward_identity, forward_relu, backward_weights, backward_inputs };

/// D = op(A) op(B), column-major as cuBLASLt has it; the row-major product of the header is its transpose.
struct Product {
  Kind kind;
  int replicas;
  std::int64_t m, n, k;
  cublasOperation_t op_a, op_b;
  const float* a;
  const float* b;
  float* d;
  const float* bias = nullptr;  ///< [replicas][m], along the columns of D
  /// Floats between replicas.
  std::int64_t a_stride, b_stride, d_stride, bias_stride = 0;
};

bool has_epilogue(const Product& p) { return p.bias != nullptr; }

/// The largest power of two up to 256 that divides all addresses and strides: kernels may use wide loads up to it.
std::uint32_t alignment_of(const Product& p) {
  std::uintptr_t bits = reinterpret_cast<std::uintptr_t>(p.a) | reinterpret_cast<std::uintptr_t>(p.b) |
                        reinterpret_cast<std::uintptr_t>(p.d) | reinterpret_cast<std::uintptr_t>(p.bias) | 256;
  if (p.replicas > 1) {
    for (const std::int64_t stride : {p.a_stride, p.b_stride, p.d_stride, p.bias_stride})
      bits |= static_cast<std::uintptr_t>(stride * 4);
  }
  return static_cast<std::uint32_t>(bits & (~bits + 1));
}

cublasLtMatrixLayout_t make_layout(std::int64_t rows, std::int64_t columns, int replicas, std::int64_t stride) {
  cublasLtMatrixLayout_t layout = nullptr;
  EOS_CUDA_CHECK(cublasLtMatrixLayoutCreate(&layout, CUDA_R_32F, rows, columns, rows));
  EOS_CUDA_CHECK(
      cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &replicas, sizeof replicas));
  EOS_CUDA_CHECK(
      cublasLtMatrixLayoutSetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof stride));
  return layout;
}

template <class T>
void set(cublasLtMatmulDesc_t description, cublasLtMatmulDescAttributes_t attribute, T value) {
  EOS_CUDA_CHECK(cublasLtMatmulDescSetAttribute(description, attribute, &value, sizeof value));
}

void set_epilogue(cublasLtMatmulDesc_t description, const Product& p) {
  const cublasLtEpilogue_t epilogue = p.kind == forward_relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
  set(description, CUBLASLT_MATMUL_DESC_EPILOGUE, epilogue);
  set(description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  if (p.replicas > 1) set(description, CUBLASLT_MATMUL_DESC_BIAS_BATCH_STRIDE, p.bias_stride);
}

/// Asks cuBLASLt for an algorithm; false if it has none. Reductions with atomics are excluded: they are not
/// reproducible.
bool find_algorithm(Context::Cuda& state, MatmulPlan& plan, std::uint32_t alignment) {
  cublasLtMatmulPreference_t preference = nullptr;
  EOS_CUDA_CHECK(cublasLtMatmulPreferenceCreate(&preference));
  const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
    EOS_CUDA_CHECK(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof value));
  };
  prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, Context::Cuda::k_workspace_bytes);
  prefer(CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK,
         static_cast<std::uint32_t>(CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE | CUBLASLT_REDUCTION_SCHEME_OUTPUT_TYPE));
  for (const auto attribute :
       {CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES,
        CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES}) {
    prefer(attribute, alignment);
  }
  cublasLtMatmulHeuristicResult_t result{};
  int found = 0;
  const cublasStatus_t status = cublasLtMatmulAlgoGetHeuristic(state.blas, plan.description, plan.a, plan.b, plan.d,
                                                               plan.d, preference, 1, &result, &found);
  EOS_CUDA_CHECK(cublasLtMatmulPreferenceDestroy(preference));
  plan.algorithm = result.algo;
  return status == CUBLAS_STATUS_SUCCESS && found > 0 && result.state == CUBLAS_STATUS_SUCCESS;
}

MatmulPlan make_plan(Context::Cuda& state, const Product& p, std::uint32_t alignment) {
  MatmulPlan plan;
  EOS_CUDA_CHECK(cublasLtMatmulDescCreate(&plan.description, CUBLAS_COMPUTE_32F, CUDA_R_32F));
  set(plan.description, CUBLASLT_MATMUL_DESC_TRANSA, p.op_a);
  set(plan.description, CUBLASLT_MATMUL_DESC_TRANSB, p.op_b);
  const bool a_plain = p.op_a == CUBLAS_OP_N, b_plain = p.op_b == CUBLAS_OP_N;
  plan.a = make_layout(a_plain ? p.m : p.k, a_plain ? p.k : p.m, p.replicas, p.a_stride);
  plan.b = make_layout(b_plain ? p.k : p.n, b_plain ? p.n : p.k, p.replicas, p.b_stride);
  plan.d = make_layout(p.m, p.n, p.replicas, p.d_stride);
  if (has_epilogue(p)) {
    set_epilogue(plan.description, p);
    // The heuristic is not told the alignment of the bias: epilogues that load four values at once need 16 bytes.
    plan.fused = alignment >= 16 && find_algorithm(state, plan, alignment);
    if (plan.fused) return plan;
    set(plan.description, CUBLASLT_MATMUL_DESC_EPILOGUE, CUBLASLT_EPILOGUE_DEFAULT);
  }
  if (find_algorithm(state, plan, alignment)) return plan;
  throw core::Error("E303", "cuBLASLt has no algorithm for a product of " + std::to_string(p.m) + " x " +
                                std::to_string(p.n) + " x " + std::to_string(p.k) + ", " + std::to_string(p.replicas) +
                                " replicas");
}

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

void multiply(Context::Cuda& state, const Product& p) {
  const std::uint32_t alignment = alignment_of(p);
  const MatmulKey key{p.kind + (has_epilogue(p) ? 16 : 0), p.replicas, p.m, p.n, p.k, alignment, p.a_stride, p.b_stride, p.d_stride, p.bias_stride};
  auto found = state.plans.find(key);
  if (found == state.plans.end()) found = state.plans.emplace(key, make_plan(state, p, alignment)).first;
  const MatmulPlan& plan = found->second;
  if (plan.fused) set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  const float one = 1, zero = 0;
  EOS_CUDA_CHECK(cublasLtMatmul(state.blas, plan.description, &one, p.a, plan.a, p.b, plan.b, &zero, p.d, plan.d, p.d,
                                plan.d, &plan.algorithm, state.workspace, Context::Cuda::k_workspace_bytes,
                                state.stream));
  const bool left_over = has_epilogue(p) || p.kind == forward_relu;  // a rectifier without bias is never fused
  if (plan.fused || !left_over) return;
  const std::int64_t size = p.replicas * p.m * p.n;
  add_bias_and_activate<<<grid_size(size), k_threads, 0, state.stream>>>(size, p.m * p.n, p.m, p.bias, p.bias_stride,
                                                                         p.kind == forward_relu, p.d);
  EOS_CUDA_CHECK(cudaGetLastError());
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
    multiply(state, {relu ? forward_relu : forward_identity, shape.replicas, shape.out, shape.rows, shape.in,
                     CUBLAS_OP_N, CUBLAS_OP_N, w, x, y, b, shape.weight_stride(), product_of(1, shape.rows, shape.in),
                     product_of(1, shape.rows, shape.out), shape.bias_stride()});
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
  if (db != nullptr) sum_rows<<<blocks, k_threads, 0, state.stream>>>(shape.rows, shape.out, dz, db, shape.bias_stride());
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
  multiply(state, {backward_weights, shape.replicas, shape.out, shape.in, shape.rows, CUBLAS_OP_N, CUBLAS_OP_T, dz, x,
                   dw, nullptr, product_of(1, shape.rows, shape.out), product_of(1, shape.rows, shape.in),
                   shape.weight_stride()});
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
  multiply(state, {backward_inputs, shape.replicas, shape.in, shape.rows, shape.out, CUBLAS_OP_T, CUBLAS_OP_N, w, dz, dx,
                   nullptr, shape.weight_stride(), product_of(1, shape.rows, shape.out),
                   product_of(1, shape.rows, shape.in)});
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
