#include "outputs.hpp"

#include <algorithm>
#include <cmath>

#include "eos/kernels/mask.hpp"
#include "eos/kernels/softmax_xent.hpp"
#include "eos/kernels/squared_error.hpp"
#include "eos/kernels/token_scores.hpp"

namespace eos::sim {

void score_outputs(const kernels::Context& context, const theory::NetworkSpec& network, int rows, int classes,
                   const float* outputs, const std::int32_t* labels, const float* weight, float scale,
                   OutputScores scores) {
  if (network.loss == theory::Loss::cross_entropy) {
    kernels::softmax_xent(context, {1, rows, classes}, outputs, labels, weight, scale,
                          {scores.loss, scores.p_true, scores.residual, scores.correct, scores.dz},
                          static_cast<float>(network.label_smoothing));
    return;
  }
  kernels::squared_error(context, {1, rows, classes},
                         {static_cast<float>(network.target_low), static_cast<float>(network.target_high)},
                         network.output, outputs, labels, weight, scale,
                         {scores.loss, scores.p_true, scores.residual, scores.correct, scores.dz, scores.sent});
}

OutputScorer::OutputScorer(const kernels::Context& context, const theory::NetworkSpec& spec, const Network& network,
                           int capacity)
    : context_(context),
      spec_(spec),
      classes_(network.classes()),
      tokens_(network.predictions()),
      capacity_(capacity * tokens_) {
  if (tokens_ == 1) return;
  values_ = kernels::Buffer<float>(context, 3 * static_cast<std::size_t>(capacity_));
  correct_ = kernels::Buffer<std::uint8_t>(context, static_cast<std::size_t>(capacity_));
  ones_.assign(static_cast<std::size_t>(capacity_), 1.0f);
}

void OutputScorer::score(int rows, const float* outputs, const std::int32_t* labels, const float* weight, float scale,
                         OutputScores scores) {
  if (tokens_ == 1) return score_outputs(context_, spec_, rows, classes_, outputs, labels, weight, scale, scores);
  OutputScores token;
  token.loss = values_.data();
  token.residual = values_.data() + capacity_;
  token.correct = correct_.data();
  token.dz = scores.dz;
  score_outputs(context_, spec_, rows * tokens_, classes_, outputs, labels, weight, scale / static_cast<float>(tokens_),
                token);
  kernels::token_scores(context_, {1, rows, tokens_}, {token.loss, token.residual, token.correct},
                        {scores.loss, scores.p_true, scores.residual, scores.correct_tokens});
}

void OutputScorer::score_hardest(int rows, const float* outputs, const std::int32_t* labels, double share, float* dz) {
  const int tokens = rows * tokens_;
  const auto kept = std::clamp<std::int64_t>(std::llround(share * tokens), 1, tokens);
  OutputScores token;
  token.loss = values_.data();
  score_outputs(context_, spec_, tokens, classes_, outputs, labels, nullptr, 1.0f, token);
  float* weight = values_.data() + 2 * std::int64_t{capacity_};
  context_.copy_in(weight, ones_.data(), static_cast<std::size_t>(tokens) * sizeof(float));
  kernels::keep_ranked(context_, {1, tokens}, values_.data(), {kernels::Keep::largest, kept, false}, weight);
  OutputScores errors;
  errors.dz = dz;
  score_outputs(context_, spec_, tokens, classes_, outputs, labels, weight, 1.0f / static_cast<float>(kept), errors);
}

}  // namespace eos::sim
