// The squared norm of an array in an order that is the same on every backend: within blocks of 4096 entries, lane t of
// 256 adds entries t, t + 256, ...; then halves are added to halves. Sums of blocks are added up by the same rule.
// Squares of floats are exact in double, so equal order means equal bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "eos/core/host_device.hpp"

namespace eos::kernels::formula {

inline constexpr std::int64_t k_norm_block = 4096;
inline constexpr int k_norm_lanes = 256;

inline std::int64_t norm_blocks(std::int64_t size) { return (size + k_norm_block - 1) / k_norm_block; }

/// The tree that ends a block; `lanes` [256] is used up.
inline double add_lanes(double* lanes) {
  for (int half = k_norm_lanes / 2; half > 0; half /= 2) {
    for (int t = 0; t < half; ++t) lanes[t] += lanes[t + half];
  }
  return lanes[0];
}

/// Sum of value(i) over i < count in that order.
template <class Value>
double sum_in_lanes(std::int64_t count, Value value) {
  constexpr int k_together = 16;  // lanes that fit into registers
  double lanes[k_norm_lanes];
  const std::int64_t whole = count / k_norm_lanes * k_norm_lanes;
  for (int first = 0; first < k_norm_lanes; first += k_together) {
    double sums[k_together] = {};
    for (std::int64_t i = first; i < whole; i += k_norm_lanes) {
      for (int t = 0; t < k_together; ++t) sums[t] += value(i + t);
    }
    for (int t = 0; t < k_together; ++t) lanes[first + t] = sums[t];
  }
  for (int t = 0; whole + t < count; ++t) lanes[t] += value(whole + t);
  return add_lanes(lanes);
}

/// min(1, limit / (norm + 1e-6)); NaN for a norm that is none.
EOS_HD inline float clip_factor(double norm, double limit) {
  const double factor = limit / (norm + 1e-6);
  return static_cast<float>(factor > 1 ? 1.0 : factor);
}

}  // namespace eos::kernels::formula
