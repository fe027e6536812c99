// What re-checks of samples found, by how easy these had been: from it the probability to present the next one.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>

#include "eos/theory/inspection.hpp"

namespace eos::sim {

/// The growth g of theory/inspection.hpp by class of the residual at the last look: sum of the surpluses found over sum
/// of the ages, ages in epochs. Both forget exponentially over an epoch of positions, in which every sample of a class
/// has grown older by one: the ages of a class then sum to its number of samples.
struct Inspection {
  static constexpr int k_classes = 28;  ///< one for each factor 2 of residual^2: 2^-27 and below ... 1 to 2
  /// A class starts as if so many checks, each after one epoch, had found a surplus that just pays for looking: what is
  /// not known is presented. They are not forgotten, so that nothing is ever lost sight of.
  static constexpr double k_prior = 1;

  std::array<double, k_classes> surplus{}, age{};

  static std::size_t class_of(float residual) {
    const int exponent = std::ilogb(static_cast<double>(residual) * residual);
    return static_cast<std::size_t>(std::clamp(std::max(exponent, -k_classes) + k_classes - 1, 0, k_classes - 1));
  }
  void note(float last_residual, double found, double epochs) {
    const std::size_t k = class_of(last_residual);
    surplus[k] += found, age[k] += epochs;
  }
  void forget(double epochs) {
    const double f = std::exp(-epochs);
    for (auto* sums : {&surplus, &age})
      for (double& sum : *sums) sum *= f;
  }
  /// Of presenting a sample in an epoch; `cost`: of doing so.
  double probability(float last_residual, double cost) const {
    const std::size_t k = class_of(last_residual);
    return theory::inspection_probability((surplus[k] + k_prior * cost) / (age[k] + k_prior), cost);
  }
};

}  // namespace eos::sim
