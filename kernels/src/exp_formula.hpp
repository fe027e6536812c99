// exp for arguments of at most 0, in single precision, the same bits on host and device, and simple enough to
// vectorise.
#pragma once

#include <cstdint>
#include <cstring>

#include "eos/core/philox.hpp"

namespace eos::kernels::formula {

/// e^x for x <= 0. Method and coefficients: Cephes expf (S. L. Moshier, Methods and Programs for Mathematical
/// Functions, 1989): x = n ln 2 + r, a polynomial in r, times 2^n. Within 2 units in the last place of the exact value
/// down to x = -87.3; below that 0, where e^x is no longer a normal number. NaN gives NaN.
EOS_HD inline float exp_of_nonpositive(float x) {
  constexpr float k_round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  constexpr std::uint32_t k_lowest = 0xC2AE999Au, k_minus_infinity = 0xFF800000u;  // bits of -87.3 and below
  std::uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  // Masks, because a choice would become a branch and keep the compiler from vectorising.
  const std::uint32_t vanishes = 0u - static_cast<std::uint32_t>(bits - k_lowest <= k_minus_infinity - k_lowest);
  bits = (vanishes & k_lowest) | (~vanishes & bits);
  memcpy(&x, &bits, sizeof x);
  const float shifted = x * 1.44269504f + k_round;
  const float n = shifted - k_round;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;  // ln 2 in two parts
  float y = 1.9875691500e-4f;
  y = y * r + 1.3981999507e-3f;
  y = y * r + 8.3334519073e-3f;
  y = y * r + 4.1665795894e-2f;
  y = y * r + 1.6666665459e-1f;
  y = y * r + 5.0000001201e-1f;
  y = y * (r * r) + r + 1.0f;
  memcpy(&bits, &shifted, sizeof bits);
  bits = ~vanishes & ((bits << 23) + 0x3F800000u);  // 2^n, or 0
  float scale;
  memcpy(&scale, &bits, sizeof scale);
  return y * scale;
}

}  // namespace eos::kernels::formula
