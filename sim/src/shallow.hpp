// How sparsely the surroundings of a sample are populated in the space of a network's first hidden layer
// (Score::shallow): what lies alone is worth the rest of the forward pass, what has many neighbours is redundant.
//
// Statement: score(x) = 1 / sum_j exp(-|f(x) - f(c_j)|^2 / (2 h^2)) with fixed training samples c_j as centres and h^2
// the mean squared distance between them. After Partial Forward Blocking (ICCV 2025, arXiv:2506.23674): inverse kernel
// density of shallow features over about 100 centres; which samples are centres and the bandwidth are choices of ours.
#pragma once

#include <cstdint>
#include <vector>

#include "rows.hpp"

namespace eos::sim {

class ShallowDensity {
 public:
  ShallowDensity() = default;
  /// The first `centres` samples of a permutation that no epoch uses.
  ShallowDensity(std::uint64_t seed, int centres, std::int64_t samples, int width);

  const std::vector<std::int32_t>& centres() const { return samples_; }
  /// Takes the features of the centres, [centres][width].
  void put_centres(std::vector<float> features);
  const std::vector<float>& features() const { return features_; }
  /// Fills loss and residual with the score; nothing is known about labels. features [rows][width].
  void score(const std::vector<float>& features, std::size_t rows, Scores& scores) const;

  /// Multiply-adds of scoring one row, and of the bandwidth.
  std::int64_t row_macs() const { return static_cast<std::int64_t>(samples_.size()) * width_; }
  std::int64_t bandwidth_macs() const {
    const auto n = static_cast<std::int64_t>(samples_.size());
    return n * (n - 1) / 2 * width_;
  }

 private:
  int width_ = 0;
  double bandwidth_squared_ = 0;
  std::vector<std::int32_t> samples_;
  std::vector<float> features_;
};

}  // namespace eos::sim
