// exp of eight values at a time.
#pragma once

#include "simd.hpp"

namespace eos::kernels::simd {

/// e^x for x <= 0 (and up to 1). Method and coefficients of formula::exp_of_nonpositive with fused multiply-adds:
/// within 2 units in the last place of the exact value down to x = -87.3; 0 below -87.7. NaN gives NaN.
[[gnu::always_inline]] inline Floats exp_of_nonpositive(Floats x) {
  constexpr float k_round = 12582912.0f;    // 1.5 * 2^23: adding it rounds to an integer, held in the low bits
  const Floats lowest = broadcast(-88.0f);  // n is -127 here
  x = lowest > x ? lowest : x;              // keeps NaN
  const Floats shifted = multiply_add(x, broadcast(1.44269504f), broadcast(k_round));
  const Floats n = shifted - k_round;
  Floats r = multiply_add(n, broadcast(-0.693359375f), x);  // ln 2 in two parts
  r = multiply_add(n, broadcast(2.12194440e-4f), r);
  Floats y = multiply_add(broadcast(1.9875691500e-4f), r, broadcast(1.3981999507e-3f));
  y = multiply_add(y, r, broadcast(8.3334519073e-3f));
  y = multiply_add(y, r, broadcast(4.1665795894e-2f));
  y = multiply_add(y, r, broadcast(1.6666665459e-1f));
  y = multiply_add(y, r, broadcast(5.0000001201e-1f));
  y = multiply_add(y, r, broadcast(1.0f));
  y = multiply_add(y, r, broadcast(1.0f));
  const Ints power = (bits(shifted) << 23) + 0x3F800000;  // 2^n; 0 for n = -127
  Floats scale;
  std::memcpy(&scale, &power, sizeof scale);
  return y * scale;
}

}  // namespace eos::kernels::simd
