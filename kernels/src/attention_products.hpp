// Small matrix products for one head of attention: C += A B with up to 6 rows and 16 columns of C in registers.
//
// The method of sgemm_fma.cpp where operands are small, lie in the caches already and are used a few times: B is read
// where it is, eight columns at a time, and so is A, by rows or by columns. Each element of C is one chain of
// multiply-adds (fused where the build has them) in order of k.
#pragma once

#include <cstdint>

#include "product_blocks.hpp"
#include "simd.hpp"

namespace eos::kernels::attention {

using simd::Floats;
using simd::k_lanes;

/// Where A lies: element (i, t) at a[i * row + t * step].
struct Factors {
  const float* a;
  std::int64_t row, step;
};

[[gnu::always_inline]] inline Floats multiply_add(float factor, Floats b, Floats sum) {
#if defined(__AVX2__) && defined(__FMA__)
  return (Floats)_mm256_fmadd_ps(_mm256_set1_ps(factor), (__m256)b, (__m256)sum);
#else
  return sum + factor * b;
#endif
}

/// `rows` x 8 `registers` sums over k, added to C or written there. B is [k][ldb]; `by_rows` tells that A's step is 1,
/// else its row is 1.
template <int rows, int registers, bool by_rows, bool adds>
void multiply_block(Factors from, const float* b, std::int64_t ldb, std::int64_t k, float* c, std::int64_t ldc) {
  const std::int64_t row = by_rows ? from.row : 1, step = by_rows ? 1 : from.step;
  Floats sum[rows][registers];
#pragma GCC unroll 6
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j) sum[i][j] = adds ? simd::load(c + i * ldc + j * k_lanes) : Floats{};
  }
  const float* a = from.a;
#pragma GCC unroll 4
  for (std::int64_t t = 0; t < k; ++t, a += step, b += ldb) {
    Floats column[registers];
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j) column[j] = simd::load(b + j * k_lanes);
#pragma GCC unroll 6
    for (int i = 0; i < rows; ++i) {
      const float factor = a[i * row];
#pragma GCC unroll 2
      for (int j = 0; j < registers; ++j) sum[i][j] = multiply_add(factor, column[j], sum[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j) simd::store(c + i * ldc + j * k_lanes, sum[i][j]);
  }
}

template <int registers, bool by_rows, bool adds>
void multiply_rows(int rows, Factors from, const float* b, std::int64_t ldb, std::int64_t k, float* c,
                   std::int64_t ldc) {
  switch (rows) {
    case 6:
      return multiply_block<6, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
    case 5:
      return multiply_block<5, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
    case 4:
      return multiply_block<4, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
    case 3:
      return multiply_block<3, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
    case 2:
      return multiply_block<2, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
    default:
      return multiply_block<1, registers, by_rows, adds>(from, b, ldb, k, c, ldc);
  }
}

/// `rows` rows of C, `columns` (a multiple of 8) wide, B [k][ldb].
template <bool by_rows, bool adds>
void multiply(int rows, Factors from, const float* b, std::int64_t ldb, std::int64_t k, std::int64_t columns, float* c,
              std::int64_t ldc) {
  std::int64_t column = 0;
  for (; column + k_panel_columns <= columns; column += k_panel_columns)
    multiply_rows<2, by_rows, adds>(rows, from, b + column, ldb, k, c + column, ldc);
  if (column < columns) multiply_rows<1, by_rows, adds>(rows, from, b + column, ldb, k, c + column, ldc);
}

/// The same with B in panels [ceil(columns / 16)][k][16]; `columns` is rounded up to a multiple of 8.
inline void multiply_panels(int rows, Factors from, const float* panels, std::int64_t k, std::int64_t columns, float* c,
                            std::int64_t ldc) {
  std::int64_t column = 0;
  for (; column + k_lanes < columns; column += k_panel_columns, panels += k * k_panel_columns)
    multiply_rows<2, true, false>(rows, from, panels, k_panel_columns, k, c + column, ldc);
  if (column < columns) multiply_rows<1, true, false>(rows, from, panels, k_panel_columns, k, c + column, ldc);
}

}  // namespace eos::kernels::attention
