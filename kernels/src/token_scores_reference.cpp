#include <cmath>

#include "eos/kernels/token_scores.hpp"

namespace eos::kernels::reference {

void token_scores(TokenShape shape, TokenValues values, TokenScores scores) {
  for (std::int64_t i = 0; i < std::int64_t{shape.replicas} * shape.rows; ++i) {
    double loss = 0, squares = 0;
    std::int32_t correct = 0;
    for (std::int64_t t = i * shape.tokens; t < (i + 1) * shape.tokens; ++t) {
      if (values.loss != nullptr) loss += values.loss[t];
      if (values.residual != nullptr) squares += std::pow(values.residual[t], 2.0);
      if (values.correct != nullptr) correct += values.correct[t];
    }
    const double size = shape.tokens > 0 ? shape.tokens : 1;
    if (scores.loss != nullptr) scores.loss[i] = static_cast<float>(loss / size);
    if (scores.p_true != nullptr) scores.p_true[i] = static_cast<float>(std::exp(-loss / size));
    if (scores.residual != nullptr) scores.residual[i] = static_cast<float>(std::sqrt(squares / size));
    if (scores.correct != nullptr) scores.correct[i] = correct;
  }
}

}  // namespace eos::kernels::reference
