// What the outputs of a network say: losses and scores of samples, and the errors that go back.
#pragma once

#include <cstdint>

#include "network.hpp"

namespace eos::sim {

/// Arrays in the context's memory; any may be null. Of sequences: means over their tokens (kernels/token_scores.hpp).
struct OutputScores {
  float* loss = nullptr;
  float* p_true = nullptr;
  float* residual = nullptr;
  std::uint8_t* correct = nullptr;         ///< plain samples
  std::int32_t* correct_tokens = nullptr;  ///< sequences
  float* dz = nullptr;                     ///< scale * weight * d loss / d sums of the output units
  float* sent = nullptr;  ///< NetworkSpec::output_slope = false: the error that hidden layers see; else unused
};

/// Scores `rows` plain samples under the network's loss: softmax cross-entropy or squared error. `weight` may be null.
void score_outputs(const kernels::Context& context, const theory::NetworkSpec& network, int rows, int classes,
                   const float* outputs, const std::int32_t* labels, const float* weight, float scale,
                   OutputScores scores);

/// The same for plain samples and sequences of up to `capacity` rows.
class OutputScorer {
 public:
  OutputScorer() = default;
  OutputScorer(const kernels::Context& context, const theory::NetworkSpec& spec, const Network& network, int capacity);

  /// labels and weight [rows][predictions]; scale is per sample.
  void score(int rows, const float* outputs, const std::int32_t* labels, const float* weight, float scale,
             OutputScores scores);
  /// dz of the hardest tokens of the batch alone, a share of all, as a mean over those that are kept.
  void score_hardest(int rows, const float* outputs, const std::int32_t* labels, double share, float* dz);

 private:
  kernels::Context context_;
  theory::NetworkSpec spec_;
  int classes_ = 0, tokens_ = 1, capacity_ = 0;
  kernels::Buffer<float> values_;  ///< of tokens: loss, residual, weight: [3][capacity * tokens]
  kernels::Buffer<std::uint8_t> correct_;
  std::vector<float> ones_;
};

}  // namespace eos::sim
