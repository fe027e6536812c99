// The exact Gaussian error linear unit with its slopes over a range of values on the CPU, for kernels that apply it
// piece by piece.
#pragma once

#include <algorithm>
#include <cstdint>

#include "gelu_formula.hpp"

namespace eos::kernels {

/// y = gelu(z), and each z becomes the slope there. Results pass through small arrays, which cannot overlap others.
inline void gelu_with_slopes(std::int64_t size, float* z, float* y) {
  constexpr std::int64_t k_chunk = 512;
  alignas(64) float distance[k_chunk], values[k_chunk], slopes[k_chunk];
  for (std::int64_t begin = 0; begin < size; begin += k_chunk) {
    const std::int64_t count = std::min(k_chunk, size - begin);
    for (std::int64_t i = 0; i < count; ++i) distance[i] = formula::distance_from_zero(z[begin + i]);
    for (std::int64_t i = 0; i < count; ++i) values[i] = formula::gelu_with_slope(z[begin + i], distance[i], slopes[i]);
    std::copy_n(values, count, y + begin);
    std::copy_n(slopes, count, z + begin);
  }
}

}  // namespace eos::kernels
