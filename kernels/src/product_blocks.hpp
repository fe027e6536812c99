// What the matrix products of this room share: the height of register blocks and the packing of a transposed panel.
#pragma once

#include <algorithm>
#include <cstdint>

#if defined(__AVX2__)
#include "transpose8.hpp"
#endif

namespace eos::kernels {

inline constexpr int k_block_rows = 6;      ///< rows of a register block
inline constexpr int k_panel_columns = 16;  ///< columns of a register block: two AVX registers

/// Rows of the next block: 6, but the rest is shared out so that no block is too thin to cover the FMA latency.
inline int next_rows(std::int64_t left) {
  if (left <= 5) return static_cast<int>(left);
  if (left == 7 || left == 8) return 4;
  if (left == 9 || left == 10) return 5;
  return k_block_rows;
}

/// [k][16] from op(B) stored [n][k]; columns from `width` on become 0.
inline void pack_panel_transposed(std::int64_t k, const float* b, std::int64_t ldb, std::int64_t width, float* panel) {
  std::int64_t t = 0;
#if defined(__AVX2__)
  for (; width >= k_panel_columns && t + 8 <= k; t += 8) {
    for (int half = 0; half < 2; ++half) {
      __m256 row[8];
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) row[i] = _mm256_loadu_ps(b + (half * 8 + i) * ldb + t);
      transpose(row);
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) _mm256_store_ps(panel + (t + i) * k_panel_columns + half * 8, row[i]);
    }
  }
#endif
  if (width < k_panel_columns) std::fill_n(panel, k * k_panel_columns, 0.0f);
  for (std::int64_t j = 0; j < std::min<std::int64_t>(width, k_panel_columns); ++j) {
    for (std::int64_t s = t; s < k; ++s) panel[s * k_panel_columns + j] = b[j * ldb + s];
  }
}

}  // namespace eos::kernels
