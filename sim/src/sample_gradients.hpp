// Scores and gradients of samples at given weights, for any network: what a calibration measures captures with.
//
// Inputs are those that evaluation sees (no augmentation, no dropout). Gradients are of sum_i loss_i, where the loss of
// a sequence is the mean over its tokens; nothing is divided by a batch.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/sim/data.hpp"
#include "eos/theory/training_spec.hpp"
#include "input_map.hpp"
#include "network.hpp"
#include "outputs.hpp"

namespace eos::sim {

class SampleGradients {
 public:
  /// References are kept. Passes run over up to `capacity` samples at a time; results depend on it by rounding alone.
  SampleGradients(const theory::TrainingSpec& spec, const TaskData& data, const Network& network,
                  const std::vector<float>& weights, int capacity = 32);

  struct Scores {
    std::vector<float> loss, residual;              ///< [samples]
    std::vector<float> confidence;                  ///< largest probability of each prediction [samples][predictions]
    std::vector<std::uint8_t> agrees;               ///< whether that is the label's, [samples][predictions]
    std::vector<float> token_loss, token_residual;  ///< [samples][predictions]
  };
  Scores score(const LabelledSet& set, const std::vector<std::int32_t>& samples);

  /// gradient [parameters] += the gradient of the samples' summed losses. `weight` [samples][predictions] multiplies
  /// the loss of every prediction; empty: 1.
  void add(const LabelledSet& set, const std::vector<std::int32_t>& samples, const std::vector<float>& weight,
           std::vector<float>& gradient);

 private:
  void forward_rows(const LabelledSet& set, const std::int32_t* samples, int rows);

  const theory::TrainingSpec& spec_;
  const Network& network_;
  const std::vector<float>& weights_;
  int capacity_;
  kernels::Context context_;
  InputMap inputs_;
  Activations activations_;
  Backward backward_;
  std::vector<float> dz_, sent_, part_;
  std::vector<std::int32_t> labels_;
};

}  // namespace eos::sim
