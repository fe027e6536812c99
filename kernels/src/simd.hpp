// Eight floats at a time through the compiler's vector types: AVX where the build has it, correct everywhere.
#pragma once

#include <cstdint>
#include <cstring>

#if defined(__AVX__)
#include <immintrin.h>
#endif

namespace eos::kernels::simd {

inline constexpr std::int64_t k_lanes = 8;
typedef float Floats __attribute__((vector_size(32)));
typedef std::int32_t Ints __attribute__((vector_size(32)));  ///< also the type of a comparison: -1 true, 0 false

[[gnu::always_inline]] inline Floats load(const float* from) {
  Floats value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
[[gnu::always_inline]] inline Ints load(const std::int32_t* from) {
  Ints value;
  std::memcpy(&value, from, sizeof value);
  return value;
}
[[gnu::always_inline]] inline void store(float* to, Floats value) { std::memcpy(to, &value, sizeof value); }

[[gnu::always_inline]] inline Floats broadcast(float value) {
  return Floats{value, value, value, value, value, value, value, value};
}
/// a b + c, in one rounding where the build has FMA.
[[gnu::always_inline]] inline Floats multiply_add(Floats a, Floats b, Floats c) {
#if defined(__AVX2__) && defined(__FMA__)
  return (Floats)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  return a * b + c;
#endif
}

[[gnu::always_inline]] inline Ints bits(Floats value) {
  Ints words;
  std::memcpy(&words, &value, sizeof words);
  return words;
}
[[gnu::always_inline]] inline Floats magnitude(Floats value) {
  const Ints words = bits(value) & 0x7FFFFFFF;
  Floats result;
  std::memcpy(&result, &words, sizeof result);
  return result;
}

[[gnu::always_inline]] inline bool any(Ints mask) {
#if defined(__AVX__)
  __m256i words;
  std::memcpy(&words, &mask, sizeof words);
  return _mm256_testz_si256(words, words) == 0;
#else
  bool found = false;
  for (int lane = 0; lane < k_lanes; ++lane) found |= mask[lane] != 0;
  return found;
#endif
}

/// Sum of the lanes in order, in double.
inline double sum(Floats value) {
  double total = 0;
  for (int lane = 0; lane < k_lanes; ++lane) total += static_cast<double>(value[lane]);
  return total;
}
inline std::int64_t sum(Ints value) {
  std::int64_t total = 0;
  for (int lane = 0; lane < k_lanes; ++lane) total += value[lane];
  return total;
}

}  // namespace eos::kernels::simd
