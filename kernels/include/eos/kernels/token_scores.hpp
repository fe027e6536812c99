// Scores of sequences from the losses of their tokens: what sample selection and statistics need of a language model.
//
// Of the T tokens of a sequence: loss = mean of the losses, p_true = e^-loss (the geometric mean of the probabilities
// of the true tokens, 1 / perplexity), residual = sqrt(mean of squared residuals), correct = number of tokens answered
// rightly. Use: softmax_xent with shape {R, rows * T, classes} gives the token values and, with a `weight` of one entry
// a token, dz: 0 or 1 there keeps or drops a token (token-level selection), a common value per sequence weights
// samples, and scale carries 1 / (rows T). Weights change dz alone: the scores here are of all tokens. Shapes: token
// values [R][rows][T], scores [R][rows]. Guarantees: sums in double; a sequence has the same bits alone and anywhere in
// a batch, for any number of threads. NaN reaches the scores of its sequence. T = 0 gives loss 0, p_true 1, residual 0.
// Thread-safe, allocates nothing. Example: tests/kernels/token_scores_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct TokenShape {
  int replicas = 1;
  int rows = 0;    ///< sequences per replica
  int tokens = 0;  ///< T
};

/// What softmax_xent wrote, one entry a token. A member may be null if no score needs it.
struct TokenValues {
  const float* loss = nullptr;  ///< for loss and p_true
  const float* residual = nullptr;
  const std::uint8_t* correct = nullptr;
};

/// Any pointer may be null.
struct TokenScores {
  float* loss = nullptr;
  float* p_true = nullptr;
  float* residual = nullptr;
  std::int32_t* correct = nullptr;
};

void token_scores(const Context& context, TokenShape shape, TokenValues values, TokenScores scores);

namespace reference {
void token_scores(TokenShape shape, TokenValues values, TokenScores scores);
}  // namespace reference

}  // namespace eos::kernels
