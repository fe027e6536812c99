// Matrix products on CUDA for dense and convolutional layers: cuBLASLt, strided-batched over the replicas, in single
// precision, TF32 or bfloat16 (device.hpp), with bias and rectifier as epilogue where cuBLASLt offers one for the shape
// and as a kernel where it does not.
#pragma once

#include "cuda_state.hpp"

namespace eos::kernels::cuda {

/// D = op(A) op(B), column-major as cuBLASLt has it: the transpose of a row-major product. D is [m][n], the sums have
/// length k.
struct Product {
  int replicas;
  std::int64_t m, n, k;
  cublasOperation_t op_a, op_b;
  const float* a;
  const float* b;
  float* d;
  const float* bias = nullptr;  ///< [replicas][m], along the columns of D
  /// Floats between replicas.
  std::int64_t a_stride, b_stride, d_stride, bias_stride = 0;
  bool relu = false;        ///< after the bias
  bool accumulate = false;  ///< adds to D; neither with bias nor with relu
};

/// throws Error E303 where cuBLASLt has no algorithm.
void multiply(Context::Cuda& state, const Product& p);

}  // namespace eos::kernels::cuda
