// Philox4x32-10 for eight neighbouring indices at a time.
#include "mask_draws.hpp"

#include <algorithm>
#include <cstring>

#include "update_formula.hpp"

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace eos::kernels {

namespace {

constexpr std::int64_t k_draws = 32;  ///< eight indices of four words

#if defined(__AVX2__)

/// High and low halves of eight 32 x 32 bit products.
struct Product {
  __m256i high, low;
};

Product multiply(__m256i factors, int constant) {
  const __m256i c = _mm256_set1_epi32(constant);
  const __m256i even = _mm256_mul_epu32(factors, c), odd = _mm256_mul_epu32(_mm256_srli_epi64(factors, 32), c);
  return {_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA),
          _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA)};
}

/// The four words of each of eight lanes, lane after lane.
void store_by_lane(const __m256i (&word)[4], std::int32_t* draws) {
  const __m256i a = _mm256_unpacklo_epi32(word[0], word[1]), b = _mm256_unpackhi_epi32(word[0], word[1]);
  const __m256i c = _mm256_unpacklo_epi32(word[2], word[3]), d = _mm256_unpackhi_epi32(word[2], word[3]);
  const __m256i lanes_04 = _mm256_unpacklo_epi64(a, c), lanes_15 = _mm256_unpackhi_epi64(a, c);
  const __m256i lanes_26 = _mm256_unpacklo_epi64(b, d), lanes_37 = _mm256_unpackhi_epi64(b, d);
  auto* to = reinterpret_cast<__m256i*>(draws);
  _mm256_storeu_si256(to, _mm256_permute2x128_si256(lanes_04, lanes_15, 0x20));
  _mm256_storeu_si256(to + 1, _mm256_permute2x128_si256(lanes_26, lanes_37, 0x20));
  _mm256_storeu_si256(to + 2, _mm256_permute2x128_si256(lanes_04, lanes_15, 0x31));
  _mm256_storeu_si256(to + 3, _mm256_permute2x128_si256(lanes_26, lanes_37, 0x31));
}

/// The rounds of core::philox4x32_10 on eight counters (index + lane, step, purpose, run).
void draw_eight(const MaskedUpdate& u, std::uint32_t run, std::uint32_t index, std::int32_t* draws) {
  __m256i c[4] = {
      _mm256_add_epi32(_mm256_set1_epi32(static_cast<int>(index)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
      _mm256_set1_epi32(static_cast<int>(u.step)), _mm256_set1_epi32(static_cast<int>(core::Purpose::weight_mask)),
      _mm256_set1_epi32(static_cast<int>(run))};
  auto key0 = static_cast<std::uint32_t>(u.seed), key1 = static_cast<std::uint32_t>(u.seed >> 32);
  for (int round = 0; round < 10; ++round) {
    const Product p0 = multiply(c[0], static_cast<int>(0xD2511F53u)),
                  p1 = multiply(c[2], static_cast<int>(0xCD9E8D57u));
    c[0] = _mm256_xor_si256(_mm256_xor_si256(p1.high, c[1]), _mm256_set1_epi32(static_cast<int>(key0)));
    c[1] = p1.low;
    c[2] = _mm256_xor_si256(_mm256_xor_si256(p0.high, c[3]), _mm256_set1_epi32(static_cast<int>(key1)));
    c[3] = p0.low;
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  for (__m256i& word : c) word = _mm256_srli_epi32(word, 8);
  store_by_lane(c, draws);
}

#else

void draw_eight(const MaskedUpdate& u, std::uint32_t run, std::uint32_t index, std::int32_t* draws) {
  for (std::uint32_t i = 0; i < 8; ++i) {
    const core::Words words = formula::mask_words(u, run, index + i);
    for (std::uint32_t j = 0; j < 4; ++j) draws[4 * i + j] = static_cast<std::int32_t>(words.v[j] >> 8);
  }
}

#endif

}  // namespace

void draw_mask(const MaskedUpdate& u, std::int64_t begin, std::int64_t size, std::int32_t* draws) {
  std::int32_t group[k_draws];
  for (std::int64_t i = 0; i < size;) {
    const formula::MaskDraw d = formula::mask_draw(u, begin + i);
    draw_eight(u, d.run, d.index, group);
    std::int64_t count = std::min(k_draws - d.word, size - i);
    if (u.replica_stride > 0) count = std::min(count, u.replica_stride - (begin + i) % u.replica_stride);
    std::memcpy(draws + i, group + d.word, static_cast<std::size_t>(count) * sizeof *draws);
    i += count;
  }
}

}  // namespace eos::kernels
