// What a step of a replica is, on host and device: the one place where it is written.
#pragma once

#include <cmath>
#include <cstdint>

#include "eos/core/philox.hpp"
#include "eos/kernels/replica_step.hpp"

namespace eos::kernels::formula {

EOS_HD inline SgdParameters sgd_parameters(UpdateMethod method, const ReplicaRule& rule) {
  SgdParameters p;
  p.learning_rate = rule.learning_rate, p.momentum = rule.momentum, p.weight_decay = rule.weight_decay;
  p.nesterov = method == UpdateMethod::nesterov;
  return p;
}

EOS_HD inline AdamParameters adam_parameters(const ReplicaRule& rule) {
  AdamParameters p;
  p.learning_rate = rule.learning_rate, p.weight_decay = rule.weight_decay;
  p.beta1 = rule.beta1, p.beta2 = rule.beta2, p.epsilon = rule.epsilon;
  p.step = rule.update;
  return p;
}

/// Adds the counts of the segments to their totals, and their sum to the total behind them.
EOS_HD inline void add_counts(int segments, const UpdateCounts* counts, UpdateCounts* totals) {
  UpdateCounts sum;
  for (int l = 0; l < segments; ++l) {
    for (UpdateCounts* to : {&sum, &totals[l]}) {
      to->writes += counts[l].writes;
      to->path += counts[l].path;
      to->squared += counts[l].squared;
    }
  }
  totals[segments].writes += sum.writes;
  totals[segments].path += sum.path;
  totals[segments].squared += sum.squared;
}

EOS_HD inline bool is_bad(float loss) { return !(loss < k_diverged_loss); }

/// Whether a gate that looks at one row keeps row i.
EOS_HD inline bool keeps(StepGate gate, double tau, const StepScores& scores, std::int64_t i) {
  const bool wrong = scores.correct[i] == 0;
  if (gate == StepGate::threshold) return tau == 0 ? wrong : static_cast<double>(scores.p_true[i]) < tau;
  return wrong || static_cast<double>(scores.p_true[i]) < tau;
}

/// How many of the rows [0, rows) that are not certain come before row i in order of falling difficulty.
EOS_HD inline int harder_rows(const float* difficulty, const std::uint8_t* certain, int rows, int i) {
  int harder = 0;
  const float own = difficulty[i];
  for (int j = 0; j < rows; ++j) {
    if (certain != nullptr && certain[j] != 0) continue;
    const float other = difficulty[j];
    harder += other > own || (other == own && j < i);
  }
  return harder;
}

/// Entries of segment l to write at an update, rounded without bias.
EOS_HD inline std::int64_t rank_of(double fraction, std::int64_t size, std::uint64_t seed, std::int64_t update, int l) {
  const double offset = core::uniform(
      seed, {1, static_cast<std::uint32_t>(update), core::Purpose::weight_mask, static_cast<std::uint32_t>(l)});
  return static_cast<std::int64_t>(floor(fraction * static_cast<double>(size) + offset));
}

/// The rule of an update, or of a rest.
EOS_HD inline ReplicaRule rule_of(const StepControls& controls, const ReplicaConstants& constants, bool writes,
                                  std::int64_t update) {
  ReplicaRule rule;
  rule.writes = writes ? 1 : 0;
  rule.update = update;
  rule.learning_rate = controls.learning_rate;
  rule.momentum = constants.momentum, rule.weight_decay = constants.weight_decay;
  rule.beta1 = constants.beta1, rule.beta2 = constants.beta2, rule.epsilon = constants.epsilon;
  rule.threshold = controls.theta;
  return rule;
}

}  // namespace eos::kernels::formula
