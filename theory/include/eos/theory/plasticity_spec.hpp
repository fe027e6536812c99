// State which weights an update writes: the weight half of a training policy.
//
// Plain values; defaults are also those of the TOML keys in [plasticity].
#pragma once

#include <string>
#include <vector>

#include "eos/theory/selection_spec.hpp"

namespace eos::theory {

/// Which weights are written at an update.
enum class WriteRule {
  all,
  top_k,      ///< the largest fraction per layer
  threshold,  ///< |update| > theta, one threshold for all layers
  random      ///< each with probability fraction
};
struct PlasticitySpec {
  std::string method = "all";
  WriteRule rule = WriteRule::all;
  bool accumulate = false;  ///< error feedback: what is not written stays in an accumulator (Stich et al., 2018)
  FractionSource fraction_source = FractionSource::constant;
  double fraction = 1;
  double theta = 0;             ///< theta_0; 0 with accumulate: 0.13 sqrt(3 eta_0 / B)
  double theta_exponent = 0.5;  ///< theta(t) = theta_0 (eta/eta_0)^exponent
};

/// Threshold on |update| or |accumulator| at the present rate: theta_0 (eta/eta_0)^exponent, where theta_0 = theta, or
/// 0.13 sqrt(3 eta_0 / B) for an accumulator with theta = 0. The exponent 1/2 balances the writes' energy against the
/// staleness of what is not written (docs/theory.md).
double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch);

/// Weight presets: all, top-k, threshold, random, error-feedback, schedule, schedule-feedback.
/// throws Error E106 with suggestions.
PlasticitySpec plasticity_preset(const std::string& method);
std::vector<std::string> plasticity_presets();

}  // namespace eos::theory
