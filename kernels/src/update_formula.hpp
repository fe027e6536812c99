// The update rules for one parameter, in single precision, on host and device: the one place where they are written.
//
// No contraction happens on either side (-ffp-contract=off, --fmad=false), so every backend gives the same bits.
#pragma once

#include <cmath>
#include <cstdint>

#include "eos/core/philox.hpp"
#include "eos/kernels/update.hpp"

namespace eos::kernels::formula {

/// v' = momentum v + (g + decay w). T is float or a vector of floats.
template <class T>
EOS_HD inline T sgd_velocity(SgdParameters p, T g, T w, T v) {
  return p.momentum * v + (g + p.weight_decay * w);
}

/// The change of the weight is -eta times this; v is the new velocity.
template <class T>
EOS_HD inline T sgd_direction(SgdParameters p, T g, T w, T v) {
  return p.nesterov ? (g + p.weight_decay * w) + p.momentum * v : v;
}

/// AdamW with the bias corrections c1 = 1 / (1 - beta1^t), c2 = 1 / (1 - beta2^t).
struct AdamCorrection {
  float first, second;
};

/// base^n for n >= 0 by repeated squaring: the same bits on host and device.
EOS_HD inline double power(double base, std::int64_t n) {
  double result = 1;
  for (; n > 0; n /= 2, base *= base) {
    if (n % 2 == 1) result *= base;
  }
  return result;
}

EOS_HD inline AdamCorrection adam_correction(const AdamParameters& p) {
  return {static_cast<float>(1 / (1 - power(p.beta1, p.step))), static_cast<float>(1 / (1 - power(p.beta2, p.step)))};
}

EOS_HD inline float adamw_step(const AdamParameters& p, AdamCorrection c, float g, float w, float& m, float& v) {
  m = p.beta1 * m + (1.0f - p.beta1) * g;
  v = p.beta2 * v + (1.0f - p.beta2) * (g * g);
  return -p.learning_rate * ((m * c.first) / (sqrtf(v * c.second) + p.epsilon) + p.weight_decay * w);
}

/// Draws below the limit select: (word >> 8 + 1/2) 2^-24 < probability, as an exact integer comparison.
inline std::uint32_t draw_limit(float probability) {
  const double limit = std::ceil(static_cast<double>(probability) * 16777216.0 - 0.5);
  return limit <= 0 ? 0u : limit >= 16777216.0 ? 16777216u : static_cast<std::uint32_t>(limit);
}

/// Where an entry of the whole array draws: parameter j of its replica uses word j % 4 at index j / 4.
struct MaskDraw {
  std::uint32_t run, index, word;
};

EOS_HD inline MaskDraw mask_draw(const MaskedUpdate& u, std::int64_t position) {
  const std::int64_t replica = u.replica_stride > 0 ? position / u.replica_stride : 0;
  const std::int64_t parameter = u.replica_stride > 0 ? position % u.replica_stride : position;
  return {u.run + static_cast<std::uint32_t>(replica), static_cast<std::uint32_t>(parameter / 4),
          static_cast<std::uint32_t>(parameter % 4)};
}

EOS_HD inline core::Words mask_words(const MaskedUpdate& u, std::uint32_t run, std::uint32_t index) {
  return core::draw(u.seed, {run, u.step, core::Purpose::weight_mask, index});
}

}  // namespace eos::kernels::formula
