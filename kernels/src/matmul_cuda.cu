#include <string>

#include "eos/core/error.hpp"
#include "matmul_cuda.hpp"

namespace eos::kernels::cuda {

namespace {

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
  const cublasLtEpilogue_t epilogue = p.relu ? CUBLASLT_EPILOGUE_RELU_BIAS : CUBLASLT_EPILOGUE_BIAS;
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

/// Tensor cores pay for matrices of at least one of their tiles.
cublasComputeType_t compute_type(const Context::Cuda& state, const Product& p) {
  constexpr std::int64_t k_tile = 16;
  if (p.m < k_tile || p.n < k_tile || p.k < k_tile) return CUBLAS_COMPUTE_32F;
  switch (state.products) {
    case Products::tf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case Products::bf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    case Products::fp32:
      break;
  }
  return CUBLAS_COMPUTE_32F;
}

MatmulPlan make_plan(Context::Cuda& state, const Product& p, std::uint32_t alignment) {
  MatmulPlan plan;
  EOS_CUDA_CHECK(cublasLtMatmulDescCreate(&plan.description, compute_type(state, p), CUDA_R_32F));
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

/// For D in columns of `out` sums each; b may be null.
__global__ void add_bias_and_activate(const Product p, std::int64_t size) {
  for (std::int64_t i = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; i < size;
       i += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t r = i / (p.m * p.n), at = r * p.d_stride + i % (p.m * p.n);
    const float z = p.bias == nullptr ? p.d[at] : p.d[at] + p.bias[r * p.bias_stride + i % p.m];
    p.d[at] = p.relu && z < 0 ? 0.0f : z;
  }
}

MatmulKey key_of(const Product& p, std::uint32_t alignment) {
  const int kind =
      (p.op_a == CUBLAS_OP_N ? 0 : 1) | (p.op_b == CUBLAS_OP_N ? 0 : 2) | (has_epilogue(p) ? 4 : 0) | (p.relu ? 8 : 0);
  return {kind, p.replicas, p.m, p.n, p.k, alignment, p.a_stride, p.b_stride, p.d_stride, p.bias_stride};
}

}  // namespace

void multiply(Context::Cuda& state, const Product& p) {
  const std::uint32_t alignment = alignment_of(p);
  const MatmulKey key = key_of(p, alignment);
  auto found = state.plans.find(key);
  if (found == state.plans.end()) found = state.plans.emplace(key, make_plan(state, p, alignment)).first;
  const MatmulPlan& plan = found->second;
  if (plan.fused) set(plan.description, CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.bias);
  const float one = 1, old = p.accumulate ? 1.0f : 0.0f;
  EOS_CUDA_CHECK(cublasLtMatmul(state.blas, plan.description, &one, p.a, plan.a, p.b, plan.b, &old, p.d, plan.d, p.d,
                                plan.d, &plan.algorithm, state.workspace, Context::Cuda::k_workspace_bytes,
                                state.stream));
  const bool left_over = has_epilogue(p) || p.relu;  // a rectifier without bias is never fused
  if (plan.fused || !left_over) return;
  const std::int64_t size = p.replicas * p.m * p.n;
  add_bias_and_activate<<<grid_size(size), k_threads, 0, state.stream>>>(p, size);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
