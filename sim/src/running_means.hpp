// Running means over what was recently presented, from which feedback laws set their thresholds.
#pragma once

#include <algorithm>
#include <cmath>

namespace eos::sim {

/// Exponentially forgetting sums over presented samples; ratios of them are means without a start-up bias.
struct RunningMeans {
  /// Memory in presented samples: long against a batch, short against the time in which residuals fall.
  static constexpr double k_window = 4096;

  double seen = 0;          ///< presented samples
  double kept = 0;          ///< of them, back-propagated
  double correct = 0;       ///< of them, classified correctly
  double squared = 0;       ///< residual^2
  double benefit = 0;       ///< residual^q
  double kept_benefit = 0;  ///< residual^q of the kept
  double forward_cost = 0;  ///< joules of presenting them
  double scored = 0;        ///< rows scored by something cheaper than the network
  double passed = 0;        ///< of them, kept
  double updated = 0;       ///< samples in recent updates
  double update_cost = 0;   ///< joules of those updates beyond the backward pass: writes, accumulator, weight reads

  void forget_seen(int rows) {
    const double f = std::exp(-rows / k_window);
    for (double* sum : {&seen, &kept, &correct, &squared, &benefit, &kept_benefit, &forward_cost}) *sum *= f;
  }
  void forget_updated(int rows) {
    const double f = std::exp(-rows / k_window);
    for (double* sum : {&updated, &update_cost}) *sum *= f;
  }
  void note_scored(int rows, int now_passed) {
    const double f = std::exp(-rows / k_window);
    scored = f * scored + rows, passed = f * passed + now_passed;
  }
  double pass_fraction() const { return scored > 0 ? passed / scored : 1.0; }
  double keep_fraction() const { return seen > 0 ? kept / seen : 1.0; }
  /// Before 128 samples were seen, the missing ones count as wrong: one lucky sample is no accuracy.
  double accuracy() const { return correct / std::max(seen, 128.0); }
  double mean_squared() const { return seen > 0 ? squared / seen : 0.0; }
};

}  // namespace eos::sim
