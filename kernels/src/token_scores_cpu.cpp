// Scores of sequences on the CPU: one pass over the tokens of a sequence for each value.
#include <cmath>

#include "cuda_backend.hpp"
#include "eos/kernels/token_scores.hpp"
#include "exp_formula.hpp"
#include "for_values.hpp"

namespace eos::kernels {

namespace {

/// Sum of f(values[t]) in double, four sums side by side.
template <class F>
double sum_of(const float* values, int count, F f) {
  double sums[4] = {};
  int t = 0;
  for (; t + 4 <= count; t += 4) {
    for (int j = 0; j < 4; ++j) sums[j] += f(static_cast<double>(values[t + j]));
  }
  for (; t < count; ++t) sums[0] += f(static_cast<double>(values[t]));
  return (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

void score(TokenShape shape, TokenValues values, TokenScores scores, std::int64_t i) {
  const std::int64_t first = i * shape.tokens;
  const double size = std::max(1, shape.tokens);
  if (scores.loss != nullptr || scores.p_true != nullptr) {
    const double mean = sum_of(values.loss + first, shape.tokens, [](double v) { return v; }) / size;
    if (scores.loss != nullptr) scores.loss[i] = static_cast<float>(mean);
    if (scores.p_true != nullptr) scores.p_true[i] = formula::exp_of_nonpositive(static_cast<float>(-mean));
  }
  if (scores.residual != nullptr) {
    const double squares = sum_of(values.residual + first, shape.tokens, [](double v) { return v * v; });
    scores.residual[i] = static_cast<float>(std::sqrt(squares / size));
  }
  if (scores.correct != nullptr) {
    std::int32_t correct = 0;
    for (int t = 0; t < shape.tokens; ++t) correct += values.correct[first + t];
    scores.correct[i] = correct;
  }
}

}  // namespace

void token_scores(const Context& context, TokenShape shape, TokenValues values, TokenScores scores) {
  if (context.backend() == Backend::cuda) return cuda::token_scores(context, shape, values, scores);
  const std::int64_t rows_a_task = std::max(1, 16 * 1024 / std::max(1, shape.tokens));
  for_pieces(context, std::int64_t{shape.replicas} * shape.rows, rows_a_task,
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t i = begin; i < end; ++i) score(shape, values, scores, i);
             });
}

}  // namespace eos::kernels
