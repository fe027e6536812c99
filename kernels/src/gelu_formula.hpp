// The Gaussian error linear unit and its slope for one sum, in single precision, the same bits on host and device, and
// simple enough to vectorise.
#pragma once

#include <cmath>

#include "exp_formula.hpp"

namespace eos::kernels::formula {

/// e^(t^2/2) (1 - Phi(t)) for t >= 0, Phi the standard normal distribution: a quotient of polynomials with positive
/// coefficients (nothing cancels), our own minimax fit on [0, 13.5] with a relative error of 5.1e-9 before rounding.
EOS_HD inline float scaled_normal_tail(float t) {
  float p = 4.036985327910086e-3f;
  p = fmaf(p, t, 4.009797344267787e-2f);
  p = fmaf(p, t, 1.816455742584626e-1f);
  p = fmaf(p, t, 4.361459011487684e-1f);
  p = fmaf(p, t, 0.5f);
  float q = 1.0119082723759111e-2f;
  q = fmaf(q, t, 1.0051792388330895e-1f);
  q = fmaf(q, t, 4.652745469692628e-1f);
  q = fmaf(q, t, 1.195895130768303f);
  q = fmaf(q, t, 1.6701767316850984f);
  q = fmaf(q, t, 1.0f);
  return p / q;
}

/// |z|, no further out than where gaussian() is 0; NaN stays.
EOS_HD inline float distance_from_zero(float z) {
  const float size = fabsf(z);
  return 13.27f < size ? 13.27f : size;
}

/// e^(-t^2/2) for 0 <= t <= 13.27, where it is 0. The method and coefficients of exp_of_nonpositive, fused, with what
/// rounding takes from the square: without it 40 units in the last place would be lost at t = 13.
EOS_HD inline float gaussian(float t) {
  constexpr float k_round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  const float square = t * t;
  const float lost = fmaf(t, t, -square);
  const float shifted = fmaf(square, -0.72134752f, k_round);
  const float n = shifted - k_round;
  float r = fmaf(n, -0.693359375f, -0.5f * square);  // ln 2 in two parts
  r = fmaf(n, 2.12194440e-4f, r);
  r = fmaf(lost, -0.5f, r);
  float y = 1.9875691500e-4f;
  y = fmaf(y, r, 1.3981999507e-3f);
  y = fmaf(y, r, 8.3334519073e-3f);
  y = fmaf(y, r, 4.1665795894e-2f);
  y = fmaf(y, r, 1.6666665459e-1f);
  y = fmaf(y, r, 5.0000001201e-1f);
  y = fmaf(y, r * r, r) + 1.0f;
  std::uint32_t bits;
  memcpy(&bits, &shifted, sizeof bits);
  bits = (bits << 23) + 0x3F800000u;  // 2^n; 0 for n = -127
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return y * scale;
}

/// z Phi(z).
EOS_HD inline float gelu(float z) {
  const float t = distance_from_zero(z);
  return (z < 0.0f ? 0.0f : z) - t * scaled_normal_tail(t) * gaussian(t);
}

/// Phi(z) + z phi(z), phi the standard normal density.
EOS_HD inline float gelu_slope(float z) {
  const float t = distance_from_zero(z);
  const float of_negative = gaussian(t) * (scaled_normal_tail(t) - 0.398942280f * t);
  return z < 0.0f ? of_negative : 1.0f - of_negative;
}

/// Both, which share most of their work; t is distance_from_zero(z), taken before, because several choices would become
/// branches and keep the compiler from vectorising. So the slope goes by the sign bit.
EOS_HD inline float gelu_with_slope(float z, float t, float& slope) {
  const float density = gaussian(t), tail = scaled_normal_tail(t);
  std::uint32_t bits;
  memcpy(&bits, &z, sizeof bits);
  bits = 0x3F800000u & ((bits >> 31) - 1u);  // 1, or 0 for negative z
  float positive;
  memcpy(&positive, &bits, sizeof positive);
  slope = fmaf(1.0f - 2.0f * positive, density * (tail - 0.398942280f * t), positive);
  return (z < 0.0f ? 0.0f : z) - t * tail * density;
}

/// 2 sqrt(2/pi) (z + 0.044715 z^3): z Phi(z) is about z / (1 + e^-this).
EOS_HD inline float gelu_tanh_argument(float z) { return z * fmaf(0.0713548163f, z * z, 1.59576912f); }

/// z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2.
EOS_HD inline float gelu_tanh(float z) {
  const float t = distance_from_zero(z);
  const float e = exp_of_nonpositive(-gelu_tanh_argument(t));
  const float share = 1.0f / (1.0f + e);
  return (z < 0.0f ? 0.0f : z) - t * share * e;
}

EOS_HD inline float gelu_tanh_slope(float z) {
  const float t = distance_from_zero(z);
  const float e = exp_of_nonpositive(-gelu_tanh_argument(t));
  const float share = 1.0f / (1.0f + e), tail = e * share;
  const float argument_slope = fmaf(0.214064449f, t * t, 1.59576912f);
  const float of_negative = tail * (1.0f - t * argument_slope * share);
  return z < 0.0f ? of_negative : 1.0f - of_negative;
}

}  // namespace eos::kernels::formula
