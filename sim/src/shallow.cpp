#include "shallow.hpp"

#include <algorithm>
#include <cmath>

#include "stream.hpp"

namespace eos::sim {
namespace {

double squared_distance(const float* a, const float* b, int width) {
  double sum = 0;
  for (int k = 0; k < width; ++k) {
    const double d = static_cast<double>(a[k]) - b[k];
    sum += d * d;
  }
  return sum;
}

}  // namespace

ShallowDensity::ShallowDensity(std::uint64_t seed, int centres, std::int64_t samples, int width) : width_(width) {
  samples_ = epoch_order(seed, 0xFFFFFFFFu, samples);
  samples_.resize(std::min(samples_.size(), static_cast<std::size_t>(centres)));
}

void ShallowDensity::put_centres(std::vector<float> features) {
  features_ = std::move(features);
  const std::size_t n = samples_.size(), w = static_cast<std::size_t>(width_);
  double sum = 0;
  for (std::size_t i = 0; i < n; ++i)
    for (std::size_t j = 0; j < i; ++j) sum += squared_distance(&features_[i * w], &features_[j * w], width_);
  bandwidth_squared_ = n > 1 ? sum / (static_cast<double>(n) * static_cast<double>(n - 1) / 2) : 0.0;
}

void ShallowDensity::score(const std::vector<float>& features, std::size_t rows, Scores& scores) const {
  const auto w = static_cast<std::size_t>(width_);
  scores.resize(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    double density = 0;
    for (std::size_t j = 0; j < samples_.size(); ++j) {
      const double d = squared_distance(&features[i * w], &features_[j * w], width_);
      // Centres that coincide have no scale: everything is as dense.
      density += bandwidth_squared_ > 0 ? std::exp(-d / (2 * bandwidth_squared_)) : 1.0;
    }
    scores.loss[i] = scores.residual[i] = static_cast<float>(1 / std::max(density, 1e-30));
    scores.p_true[i] = 0, scores.correct[i] = 0;
  }
}

}  // namespace eos::sim
