// Softmax cross-entropy, accumulating in double, one sample after the other.
#include <cmath>
#include <vector>

#include "eos/kernels/softmax_xent.hpp"

namespace eos::kernels::reference {

template <class Real>
void softmax_xent(SoftmaxShape shape, const Real* logits, const std::int32_t* labels, const Real* weight, Real scale,
                  SoftmaxOutputsOf<Real> out, double smoothing) {
  const std::int64_t samples = static_cast<std::int64_t>(shape.replicas) * shape.rows;
  const int classes = shape.classes;
  std::vector<double> p(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < samples; ++i) {
    const Real* z = logits + i * classes;
    const int label = labels[i];
    int winner = 0;
    for (int c = 1; c < classes; ++c) winner = z[c] > z[winner] ? c : winner;
    const double top = z[winner];
    double rest = 0, others = 0, squares = 0;  // without the winner, without the true class
    double below = 0;                          // mean distance of the logits from the largest
    for (int c = 0; c < classes; ++c) {
      p[c] = std::exp(z[c] - top);
      below += (z[c] - top) / classes;
      rest += c == winner ? 0 : p[c];
      others += c == label ? 0 : p[c];
      squares += c == label ? 0 : p[c] * p[c];
    }
    const double sum = 1 + rest;  // the winner's term is 1; NaN reaches rest or top
    if (out.loss != nullptr) {
      out.loss[i] = static_cast<Real>(std::log1p(rest) + (1 - smoothing) * (top - z[label]) - smoothing * below);
    }
    if (out.p_true != nullptr) out.p_true[i] = static_cast<Real>(p[label] / sum);
    if (out.residual != nullptr) out.residual[i] = static_cast<Real>(std::sqrt(squares + others * others) / sum);
    if (out.correct != nullptr) out.correct[i] = winner == label;
    if (out.dz == nullptr) continue;
    const double factor = static_cast<double>(scale) * (weight != nullptr ? weight[i] : Real{1});
    for (int c = 0; c < classes; ++c) {  // p - q = (p - onehot) + epsilon (onehot - 1 / classes)
      const double error = c == label ? -others / sum : p[c] / sum;
      out.dz[i * classes + c] = static_cast<Real>(factor * (error + smoothing * ((c == label) - 1.0 / classes)));
    }
  }
}

template void softmax_xent(SoftmaxShape, const float*, const std::int32_t*, const float*, float,
                           SoftmaxOutputsOf<float>, double);
template void softmax_xent(SoftmaxShape, const double*, const std::int32_t*, const double*, double,
                           SoftmaxOutputsOf<double>, double);

}  // namespace eos::kernels::reference
