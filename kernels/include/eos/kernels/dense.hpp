// Dense layer: forward with fused bias and activation, weight gradient, and input gradient with fused activation
// derivative.
//
// Per replica r:  y = act(x w + b);  dw = x^T dz, db = sum_rows dz;  dx = (dz w^T) * act'(x) where x is the
// previous layer's activation output (activation.hpp), or its slopes where that was gelu. Activations, their slopes and
// a summand of y are applied while the rows are in the caches.
// Shapes: x [R][rows][in], w [R][in][out], b [R][out], y and dz [R][rows][out]; replicas of parameters may lie further
// apart (DenseShape::stride). Fast version: on the CPU our own
// AVX2/FMA product with fused epilogues (one thread a product; replicas, or blocks of one product, are spread over
// threads; oneDNN's sgemm in builds without AVX2), cuBLASLt strided-batched with epilogues on CUDA. Plain reference:
// namespace reference below. Guarantees: CPU results are independent of threads(); with AVX2 each element is one chain
// of fused multiply-adds in order of the summed index, so a sample has the same bits alone and anywhere in any batch.
// No allocation after the first calls. Thread-safe. Zeros of x are skipped where that is clearly faster (same bits for
// finite w and dz). FLOPs: 2 R rows in out each for y, dw, dx. NaN passes through. Example:
// tests/kernels/dense_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct DenseShape {
  int replicas = 1;
  int rows = 0;  ///< samples per replica
  int in = 0;
  int out = 0;
  std::int64_t stride = 0;  ///< floats between replicas of w and dw, and of b and db; 0: in * out, and out

  std::int64_t weight_stride() const { return stride > 0 ? stride : std::int64_t{in} * out; }
  std::int64_t bias_stride() const { return stride > 0 ? stride : out; }
};

/// Arrays [R][rows][out] that a forward pass has beside its result.
struct DenseTail {
  const float* summand = nullptr;  ///< y = act(x w + b) + summand
  float* slopes = nullptr;         ///< of gelu, which needs it: act'(x w + b), with the bits of gelu_backward
};

/// throws Error E901 for gelu without slopes.
void dense_forward(const Context& context, DenseShape shape, const float* x, const float* w, const float* b,
                   ActivationSpec activation, float* y, DenseTail tail = {});
/// b may be null (no biases). dw and db are overwritten; db may be null. rows = 0 gives zeros.
void dense_backward_weights(const Context& context, DenseShape shape, const float* x, const float* dz, float* dw,
                            float* db);
/// dx[r][i][k] = sum_o dz[r][i][o] w[r][k][o] * act'(x[r][i][k]); act' from the output value. For gelu x holds the
/// slopes themselves.
void dense_backward_inputs(const Context& context, DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx);

/// Plain loops over host arrays: the specification, accumulating in double.
namespace reference {
void dense_forward(DenseShape shape, const float* x, const float* w, const float* b, ActivationSpec activation,
                   float* y);
void dense_backward_weights(DenseShape shape, const float* x, const float* dz, float* dw, float* db);
void dense_backward_inputs(DenseShape shape, const float* dz, const float* w, const float* x,
                           ActivationSpec activation_of_x, float* dx);
}  // namespace reference

}  // namespace eos::kernels
