// What the outputs of a network say: losses and scores of samples, and the errors that go back.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::sim {

/// Arrays in the context's memory; any may be null.
struct OutputScores {
  float* loss = nullptr;
  float* p_true = nullptr;
  float* residual = nullptr;
  std::uint8_t* correct = nullptr;
  float* dz = nullptr;    ///< scale * weight * d loss / d sums of the output units
  float* sent = nullptr;  ///< NetworkSpec::output_slope = false: the error that hidden layers see; else unused
};

/// Scores `rows` samples under the network's loss: softmax cross-entropy or squared error. `weight` may be null.
void score_outputs(const kernels::Context& context, const theory::NetworkSpec& network, int rows, int classes,
                   const float* outputs, const std::int32_t* labels, const float* weight, float scale,
                   OutputScores scores);

}  // namespace eos::sim
