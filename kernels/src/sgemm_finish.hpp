// Eight neighbouring sums of a matrix product: loads and stores up to an edge, and the epilogue.
#pragma once

#include <immintrin.h>

#include "sgemm.hpp"

namespace eos::kernels {

template <bool full>
[[gnu::always_inline]] inline __m256 load_lanes(const float* from, __m256i mask) {
  if constexpr (full) return _mm256_loadu_ps(from);
  return _mm256_maskload_ps(from, mask);
}

template <bool full>
[[gnu::always_inline]] inline void store_lanes(float* to, __m256i mask, __m256 value) {
  if constexpr (full) return _mm256_storeu_ps(to, value);
  _mm256_maskstore_ps(to, mask, value);
}

/// The sum where the gate is positive, else 0.
template <bool full>
[[gnu::always_inline]] inline __m256 keep_where_positive(const float* gate, __m256i mask, __m256 sum) {
  return _mm256_and_ps(sum, _mm256_cmp_ps(load_lanes<full>(gate, mask), _mm256_setzero_ps(), _CMP_GT_OQ));
}

/// Bias, rectifier and gate of the sums at `place` of C, in columns from `column`.
template <bool full>
[[gnu::always_inline]] inline __m256 finish_sum(const Sgemm& p, std::int64_t place, std::int64_t column, __m256i mask,
                                                __m256 sum) {
  const __m256 zero = _mm256_setzero_ps();
  if (p.bias != nullptr) sum = _mm256_add_ps(sum, load_lanes<full>(p.bias + column, mask));
  if (p.relu) sum = _mm256_max_ps(zero, sum);  // the second operand wins when it is NaN
  return p.gate != nullptr ? keep_where_positive<full>(p.gate + place, mask, sum) : sum;
}

}  // namespace eos::kernels
