// Muon's formulas for one entry: the one place where they are written.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "eos/kernels/muon.hpp"
#include "update_formula.hpp"

namespace eos::kernels::formula {

/// Coefficients of the quintic whose slope at 0 is largest while values stay near 1 (Jordan et al. 2024).
inline constexpr double k_muon_a = 3.4445, k_muon_b = -4.7750, k_muon_c = 2.0315;
inline constexpr double k_muon_epsilon = 1e-7;

/// Momentum as that of SGD; the decay is decoupled, so the gradient does not see the weights.
inline SgdParameters muon_momentum(const MuonParameters& p) { return {p.learning_rate, p.momentum, 0, p.nesterov}; }

/// sqrt(max(1, outputs / inputs)), what the update is multiplied by.
inline float muon_scale(MuonShape shape) {
  return static_cast<float>(std::sqrt(std::max(1.0, static_cast<double>(shape.columns) / shape.rows)));
}

EOS_HD inline float muon_factor(double squared_norm) {
  return static_cast<float>(1 / (sqrt(squared_norm) + k_muon_epsilon));
}

/// An entry of a I + b A + c A^2.
EOS_HD inline float muon_polynomial(float a_entry, float square_entry, bool diagonal) {
  const float value = static_cast<float>(k_muon_b) * a_entry + static_cast<float>(k_muon_c) * square_entry;
  return diagonal ? value + static_cast<float>(k_muon_a) : value;
}

EOS_HD inline float muon_change(const MuonParameters& p, float scale, float x, float w) {
  return -p.learning_rate * (scale * x + p.weight_decay * w);
}

}  // namespace eos::kernels::formula
