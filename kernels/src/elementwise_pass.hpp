// Sums and products of arrays over a range of values on the CPU, for kernels that apply them piece by piece.
#pragma once

#include <cstdint>

#include "simd.hpp"

namespace eos::kernels {

/// y[i] = f(a[i], b[i]); y may be a or b.
template <class F>
[[gnu::always_inline]] inline void combine(std::int64_t size, const float* a, const float* b, float* y, F f) {
  std::int64_t i = 0;
  for (; i + simd::k_lanes <= size; i += simd::k_lanes) simd::store(y + i, f(simd::load(a + i), simd::load(b + i)));
  for (; i < size; ++i) y[i] = f(a[i], b[i]);
}

inline void add_values(std::int64_t size, const float* a, const float* b, float* y) {
  combine(size, a, b, y, [](auto left, auto right) { return left + right; });
}
inline void multiply_values(std::int64_t size, const float* a, const float* b, float* y) {
  combine(size, a, b, y, [](auto left, auto right) { return left * right; });
}

}  // namespace eos::kernels
