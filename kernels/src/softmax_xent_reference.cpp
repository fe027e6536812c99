// Softmax cross-entropy in double, one sample after the other.
#include <cmath>
#include <vector>

#include "eos/kernels/softmax_xent.hpp"

namespace eos::kernels::reference {

void softmax_xent(SoftmaxShape shape, const float* logits, const std::int32_t* labels, const float* weight, float scale,
                  SoftmaxOutputs out) {
  const std::int64_t samples = static_cast<std::int64_t>(shape.replicas) * shape.rows;
  const int classes = shape.classes;
  std::vector<double> p(static_cast<std::size_t>(classes));
  for (std::int64_t i = 0; i < samples; ++i) {
    const float* z = logits + i * classes;
    const int label = labels[i];
    int winner = 0;
    for (int c = 1; c < classes; ++c) winner = z[c] > z[winner] ? c : winner;
    const double top = z[winner];
    double rest = 0, others = 0, squares = 0;  // without the winner, without the true class
    for (int c = 0; c < classes; ++c) {
      p[c] = std::exp(z[c] - top);
      rest += c == winner ? 0 : p[c];
      others += c == label ? 0 : p[c];
      squares += c == label ? 0 : p[c] * p[c];
    }
    const double sum = 1 + rest;  // the winner's term is 1; NaN reaches rest or top
    if (out.loss != nullptr) out.loss[i] = static_cast<float>(std::log1p(rest) + (top - z[label]));
    if (out.p_true != nullptr) out.p_true[i] = static_cast<float>(p[label] / sum);
    if (out.residual != nullptr) out.residual[i] = static_cast<float>(std::sqrt(squares + others * others) / sum);
    if (out.correct != nullptr) out.correct[i] = winner == label;
    if (out.dz == nullptr) continue;
    const double factor = static_cast<double>(scale) * (weight != nullptr ? weight[i] : 1.0f) / sum;
    for (int c = 0; c < classes; ++c)
      out.dz[i * classes + c] = static_cast<float>(factor * (c == label ? -others : p[c]));
  }
}

}  // namespace eos::kernels::reference
