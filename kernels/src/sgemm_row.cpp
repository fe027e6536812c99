// One row times a matrix with AVX2 and FMA: what a network does with a single sample. Every weight is used once, so
// nothing is packed: up to 13 registers of sums pass over the rows of op(B) whose factor is not zero.
#include "sgemm.hpp"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include <algorithm>

#include "host_scratch.hpp"
#include "nonzeros.hpp"
#include "sgemm_finish.hpp"
#include "transpose8.hpp"

namespace eos::kernels {

namespace {

constexpr int k_most_registers = 13;  ///< of sums; with the factor, a mask and one to spare these are all there are

/// Lanes below `count`.
__m256i lanes_below(std::int64_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

/// Non-zero entries of the row.
struct Factors {
  const float* value;
  const std::int32_t* place;
  std::int64_t count;
};

/// `registers` times 8 columns from `column`, of which the last 8 may be cut by the mask.
template <int registers, bool full>
void multiply_columns(const Sgemm& p, const Factors& row, std::int64_t column, __m256i mask) {
  __m256 sum[registers];
#pragma GCC unroll 13
  for (int j = 0; j < registers; ++j) sum[j] = _mm256_setzero_ps();
  const float* panel = p.b + column;
  for (std::int64_t s = 0; s < row.count; ++s) {
    const __m256 factor = _mm256_broadcast_ss(row.value + s);
    const float* b = panel + row.place[s] * p.ldb;
#pragma GCC unroll 13
    for (int j = 0; j + 1 < registers; ++j) sum[j] = _mm256_fmadd_ps(factor, _mm256_loadu_ps(b + 8 * j), sum[j]);
    constexpr int last = registers - 1;
    sum[last] = _mm256_fmadd_ps(factor, load_lanes<full>(b + 8 * last, mask), sum[last]);
  }
#pragma GCC unroll 13
  for (int j = 0; j < registers; ++j) {
    const std::int64_t at = column + 8 * j;
    if (j + 1 < registers) {
      _mm256_storeu_ps(p.c + at, finish_sum<true>(p, at, at, mask, sum[j]));
    } else {
      store_lanes<full>(p.c + at, mask, finish_sum<full>(p, at, at, mask, sum[j]));
    }
  }
}

template <int registers>
void multiply_columns(int wanted, const Sgemm& p, const Factors& row, std::int64_t column) {
  if (wanted < registers) {
    if constexpr (registers > 1) multiply_columns<registers - 1>(wanted, p, row, column);
    return;
  }
  const std::int64_t left = p.n - column - 8 * (registers - 1);
  if (left >= 8) return multiply_columns<registers, true>(p, row, column, _mm256_setzero_si256());
  multiply_columns<registers, false>(p, row, column, lanes_below(left));
}

void multiply_row(const Sgemm& p) {
  const auto room = static_cast<std::size_t>(p.k + 8);
  float* value = host_scratch<struct RowValueTag, float>(room);
  auto* place = host_scratch<struct RowPlaceTag, std::int32_t>(room);
  const Factors row{value, place, list_nonzeros(p.a, p.k, 1, value, place)};
  const std::int64_t registers = (p.n + 7) / 8, passes = (registers + k_most_registers - 1) / k_most_registers;
  for (std::int64_t pass = 0; pass < passes; ++pass) {
    const std::int64_t first = registers * pass / passes, next = registers * (pass + 1) / passes;
    multiply_columns<k_most_registers>(static_cast<int>(next - first), p, row, 8 * first);
  }
}

/// op(B) stored [n][k]: sums of 8 rows of B in one register, 8 steps of k turned at a time.
template <bool full>
void multiply_rows(const Sgemm& p, std::int64_t row, __m256i mask) {
  const std::int64_t rows = full ? 8 : p.n - row;
  const float* b = p.b + row * p.ldb;
  __m256 sum = _mm256_setzero_ps();
  for (std::int64_t t = 0; t < p.k; t += 8) {
    const std::int64_t steps = std::min<std::int64_t>(8, p.k - t);
    const __m256i lanes = lanes_below(steps);
    const __m256 factors = _mm256_maskload_ps(p.a + t, lanes);
    if (_mm256_movemask_ps(_mm256_cmp_ps(factors, _mm256_setzero_ps(), _CMP_NEQ_UQ)) == 0) continue;
    __m256 turned[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      if (!full && i >= rows) {
        turned[i] = _mm256_setzero_ps();
      } else {
        turned[i] = steps == 8 ? _mm256_loadu_ps(b + i * p.ldb + t) : _mm256_maskload_ps(b + i * p.ldb + t, lanes);
      }
    }
    transpose(turned);
#pragma GCC unroll 8
    for (int u = 0; u < 8; ++u) {
      if (u < steps) sum = _mm256_fmadd_ps(_mm256_broadcast_ss(p.a + t + u), turned[u], sum);
    }
  }
  store_lanes<full>(p.c + row, mask, finish_sum<full>(p, row, row, mask, sum));
}

}  // namespace

void sgemm_row(const Sgemm& p) {
  if (!p.transpose_b) return multiply_row(p);
  std::int64_t row = 0;
  for (; row + 8 <= p.n; row += 8) multiply_rows<true>(p, row, _mm256_setzero_si256());
  if (row < p.n) multiply_rows<false>(p, row, lanes_below(p.n - row));
}

}  // namespace eos::kernels

#endif
