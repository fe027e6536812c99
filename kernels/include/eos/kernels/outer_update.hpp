// One sample's SGD step of a dense layer, written straight to the weights: the gradient x dz^T is never stored.
//
//   c = -eta x_k dz_o for weight (k, o), -eta dz_o for bias o;  where written: w' = w + c
//   counts over weights and biases: writes = #{w' != w} (M_0), path = sum |w' - w| (M_1), squared = sum (w' - w)^2
//   (M_2)
//
// Does for one sample what dense_backward_weights and sgd_update_dense (or sgd_delta and masked_update with
// Mask::threshold) do in several passes, without momentum and decay. Rows with x_k = 0 are skipped. Shapes: x [R][in],
// dz [R][out], w [R][in][out], b [R][out] or null, counts [R]. Guarantees: weights and `writes` have the bits of those
// passes (for finite x and dz, and no weight of -0) on every backend; path and squared have a relative error below 1e-5
// and are independent of threads(). No allocation after the first calls. Thread-safe. Bytes: 8 per weight with x_k !=
// 0; FLOPs: 3 for the update, 4 to count it. Example: tests/kernels/outer_update_test.cpp.
#pragma once

#include "eos/kernels/dense.hpp"
#include "eos/kernels/update.hpp"

namespace eos::kernels {

struct OuterUpdate {
  float learning_rate = 0;
  bool all = true;      ///< every weight is written
  float threshold = 0;  ///< else where |c| > threshold >= 0
};

/// shape.rows must be 1. throws Error E901 otherwise.
void outer_update(const Context& context, DenseShape shape, OuterUpdate update, const float* x, const float* dz,
                  float* w, float* b, UpdateCounts* counts);

namespace reference {
void outer_update(DenseShape shape, OuterUpdate update, const float* x, const float* dz, float* w, float* b,
                  UpdateCounts* counts);
}  // namespace reference

}  // namespace eos::kernels
