// The non-zero entries of a row and their places: what kernels that skip zeros walk over.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace eos::kernels {

#if defined(__AVX2__)
/// For each mask of 8 lanes the lanes that are set, in order.
struct LaneTable {
  alignas(32) std::array<std::array<std::int32_t, 8>, 256> lanes{};
  constexpr LaneTable() {
    for (std::size_t mask = 0; mask < 256; ++mask) {
      std::size_t count = 0;
      for (int lane = 0; lane < 8; ++lane) {
        if ((mask >> lane & 1) != 0) lanes[mask][count++] = lane;
      }
    }
  }
};
inline constexpr LaneTable k_lane_table;
#endif

/// Writes the non-zeros of row[0, size) and step times their index; returns their number. Both arrays need room for 8
/// entries beyond the last. NaN is not zero.
inline std::int64_t list_nonzeros(const float* row, std::int64_t size, std::int32_t step, float* value,
                                  std::int32_t* place) {
  std::int64_t count = 0, t = 0;
#if defined(__AVX2__)
  const __m256i ahead = _mm256_set1_epi32(8 * step);
  __m256i at = _mm256_mullo_epi32(_mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7), _mm256_set1_epi32(step));
  for (; t + 8 <= size; t += 8, at = _mm256_add_epi32(at, ahead)) {
    const __m256 v = _mm256_loadu_ps(row + t);
    const int mask = _mm256_movemask_ps(_mm256_cmp_ps(v, _mm256_setzero_ps(), _CMP_NEQ_UQ));
    const auto bits = static_cast<std::size_t>(mask);
    const __m256i lanes = _mm256_load_si256(reinterpret_cast<const __m256i*>(k_lane_table.lanes[bits].data()));
    _mm256_storeu_ps(value + count, _mm256_permutevar8x32_ps(v, lanes));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(place + count), _mm256_permutevar8x32_epi32(at, lanes));
    count += std::popcount(bits);
  }
#endif
  for (; t < size; ++t) {
    value[count] = row[t];
    place[count] = static_cast<std::int32_t>(t) * step;
    count += row[t] != 0 ? 1 : 0;
  }
  return count;
}

}  // namespace eos::kernels
