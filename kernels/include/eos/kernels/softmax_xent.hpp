// Softmax cross-entropy with everything that selection needs: per-sample loss, probability of the true class, residual
// norm.
//
// p = softmax(z), loss = -ln p_y, residual = |p - onehot(y)|_2, correct = argmax z == y (first maximum wins),
// dz = scale[r] * weight_i * (p - onehot(y)). Shapes: logits and dz [R][rows][classes], labels [R][rows], outputs
// [R][rows]. Source: standard; computed with the maximum subtracted. The exponential is our own polynomial, within 2
// units in the last place; terms below e^-87.3 count as 0, residuals below 1e-18 may become 0. Guarantees: 1 - p keeps
// its digits when p rounds to 1 (residual, loss and dz of well-learned samples are accurate); NaN and infinite logits
// make the loss NaN. CPU results are independent of threads(), and those of one sample of the others in the batch.
// Thread-safe; no allocation after the first calls. Example: tests/kernels/softmax_xent_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct SoftmaxShape {
  int replicas = 1;
  int rows = 0;
  int classes = 0;
};

/// Any output pointer may be null. `weight` [R][rows] may be null (all 1). `dz` may alias `logits`.
struct SoftmaxOutputs {
  float* loss = nullptr;
  float* p_true = nullptr;
  float* residual = nullptr;
  std::uint8_t* correct = nullptr;
  float* dz = nullptr;
};

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out);

namespace reference {
void softmax_xent(SoftmaxShape shape, const float* logits, const std::int32_t* labels, const float* weight, float scale,
                  SoftmaxOutputs out);
}  // namespace reference

}  // namespace eos::kernels
