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

/// What becomes of the sums: written to C, added to it, or written times a factor for each row.
enum class Result { write, add, scale };

struct Sums {
  float* c;
  std::int64_t row;                ///< from one row of C to the next
  const float* factors = nullptr;  ///< of the rows, for Result::scale
};

/// `rows` x 8 `registers` sums over k. B is [k][ldb]; `by_rows` tells that A's step is 1, else its row is 1.
template <int rows, int registers, bool by_rows, Result result>
[[gnu::always_inline]] inline void multiply_block(Factors from, const float* b, std::int64_t ldb, std::int64_t k,
                                                  Sums to) {
  const std::int64_t row = by_rows ? from.row : 1, step = by_rows ? 1 : from.step;
  Floats sum[rows][registers];
#pragma GCC unroll 6
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j)
      sum[i][j] = result == Result::add ? simd::load(to.c + i * to.row + j * k_lanes) : Floats{};
  }
  const float *a = from.a, *high = rows > 3 ? a + 3 * row : a;  // two pointers and one distance reach six rows
#pragma GCC unroll 4
  for (std::int64_t t = 0; t < k; ++t, a += step, high += step, b += ldb) {
    Floats column[registers];
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j) column[j] = simd::load(b + j * k_lanes);
#pragma GCC unroll 6
    for (int i = 0; i < rows; ++i) {
      const Floats factor = simd::broadcast(i < 3 ? a[i * row] : high[(i - 3) * row]);
#pragma GCC unroll 2
      for (int j = 0; j < registers; ++j) sum[i][j] = simd::multiply_add(factor, column[j], sum[i][j]);
    }
  }
#pragma GCC unroll 6
  for (int i = 0; i < rows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < registers; ++j) {
      if (result == Result::scale) sum[i][j] *= simd::broadcast(to.factors[i]);
      simd::store(to.c + i * to.row + j * k_lanes, sum[i][j]);
    }
  }
}

/// `columns` (a multiple of 8) columns of C. From one 16 columns to the next, B moves by `panel`.
template <int rows, bool by_rows, Result result>
void multiply_rows(Factors from, const float* b, std::int64_t ldb, std::int64_t panel, std::int64_t k,
                   std::int64_t columns, Sums to) {
  for (; columns >= k_panel_columns; columns -= k_panel_columns, b += panel, to.c += k_panel_columns)
    multiply_block<rows, 2, by_rows, result>(from, b, ldb, k, to);
  if (columns > 0) multiply_block<rows, 1, by_rows, result>(from, b, ldb, k, to);
}

template <bool by_rows, Result result>
void multiply_rows(int rows, Factors from, const float* b, std::int64_t ldb, std::int64_t panel, std::int64_t k,
                   std::int64_t columns, Sums to) {
  switch (rows) {
    case 6:
      return multiply_rows<6, by_rows, result>(from, b, ldb, panel, k, columns, to);
    case 5:
      return multiply_rows<5, by_rows, result>(from, b, ldb, panel, k, columns, to);
    case 4:
      return multiply_rows<4, by_rows, result>(from, b, ldb, panel, k, columns, to);
    case 3:
      return multiply_rows<3, by_rows, result>(from, b, ldb, panel, k, columns, to);
    case 2:
      return multiply_rows<2, by_rows, result>(from, b, ldb, panel, k, columns, to);
    default:
      return multiply_rows<1, by_rows, result>(from, b, ldb, panel, k, columns, to);
  }
}

/// `rows` rows of C, `columns` (a multiple of 8) wide, B [k][ldb].
template <bool by_rows, Result result>
void multiply(int rows, Factors from, const float* b, std::int64_t ldb, std::int64_t k, std::int64_t columns, Sums to) {
  multiply_rows<by_rows, result>(rows, from, b, ldb, k_panel_columns, k, columns, to);
}

/// The same with A by rows and B in panels [ceil(columns / 16)][k][16].
inline void multiply_panels(int rows, Factors from, const float* panels, std::int64_t k, std::int64_t columns,
                            Sums to) {
  multiply_rows<true, Result::write>(rows, from, panels, k_panel_columns, k * k_panel_columns, k, columns, to);
}

}  // namespace eos::kernels::attention
