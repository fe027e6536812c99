// Softmax cross-entropy with everything that selection needs: per-sample loss, probability of the true class, residual
// norm.
//
// p = softmax(z), loss = -ln p_y, residual = |p - onehot(y)|_2, correct = argmax z == y (first maximum wins),
// dz = scale * weight_i * (p - onehot(y)). With label smoothing epsilon (Szegedy, Vanhoucke, Ioffe, Shlens & Wojna,
// CVPR 2016, section 7) the targets q = (1 - epsilon) onehot(y) + epsilon / classes take the place of onehot(y) in dz,
// and loss = -sum_c q_c ln p_c, as PyTorch's cross_entropy; p_true, residual and correct stay those of the true class,
// so that scores compare. epsilon = 0 has the bits of no smoothing. For language models the rows are tokens: `weight`
// may hold keep flags of tokens, and token_scores.hpp makes scores of sequences. Shapes: logits and dz
// [R][rows][classes], labels [R][rows], outputs [R][rows]. Source: standard; computed with the maximum subtracted. The
// exponential is our own polynomial, within 2 units in the last place; terms below e^-87.3 count as 0, residuals below
// 1e-18 may become 0. Guarantees: 1 - p keeps its digits when p rounds to 1 (residual, loss and dz of well-learned
// samples are accurate); NaN and infinite logits make the loss NaN. CPU results are independent of threads(), and those
// of one sample of the others in the batch. Thread-safe; no allocation after the first calls. Example:
// tests/kernels/softmax_xent_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct SoftmaxShape {
  int replicas = 1;
  int rows = 0;
  int classes = 0;
};

/// Any output pointer may be null. `weight` [R][rows] may be null (all 1). `dz` may alias `logits`. `smoothing` is
/// epsilon in [0, 1]; throws Error E901 outside.
template <class Real>
struct SoftmaxOutputsOf {
  Real* loss = nullptr;
  Real* p_true = nullptr;
  Real* residual = nullptr;
  std::uint8_t* correct = nullptr;
  Real* dz = nullptr;
};
using SoftmaxOutputs = SoftmaxOutputsOf<float>;

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out, float smoothing = 0.0f);

namespace reference {
template <class Real>
void softmax_xent(SoftmaxShape shape, const Real* logits, const std::int32_t* labels, const Real* weight, Real scale,
                  SoftmaxOutputsOf<Real> out, double smoothing = 0);
}  // namespace reference

}  // namespace eos::kernels
