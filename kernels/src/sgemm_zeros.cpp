// Matrix products that skip the zeros of op(A): images on dark ground and rectified activations are half zero or more.
//
// Each row of op(A) is compressed to its non-zero values and their places; 64 columns of C stay in 8 registers, which
// covers the latency of two FMA units, while the row's values run over a packed panel of op(B) in the L1 cache. The
// terms that remain are added in the order of sgemm_fma.cpp. bench/kernels/zeros_bench.cpp has times by density.
#include "sgemm.hpp"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include <algorithm>

#include "host_scratch.hpp"
#include "nonzeros.hpp"
#include "transpose8.hpp"

namespace eos::kernels {

namespace {

constexpr std::int32_t k_columns = 64;          ///< columns of a register block: 8 AVX registers
constexpr std::int64_t k_depth = 112;           ///< longest panel: 112 x 64 floats are 28 kB, of 32 kB L1
constexpr std::int64_t k_stride = k_depth + 8;  ///< of compressed rows; their last store may reach 8 beyond the end

/// Non-zero values of rows of op(A) within a slab of k, and where in the panel their rows of op(B) begin.
struct Compressed {
  float* value;         ///< [m][k_stride]
  std::int32_t* place;  ///< [m][k_stride]
  std::int64_t* count;  ///< [m]
};

/// [m][k_depth] from op(A) stored [k][m].
void turn(const float* a, std::int64_t lda, std::int64_t k, std::int64_t m, float* to) {
  for (std::int64_t i0 = 0; i0 < m; i0 += 8) {
    for (std::int64_t t0 = 0; t0 < k; t0 += 8) {
      if (i0 + 8 <= m && t0 + 8 <= k) {
        __m256 row[8];
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) row[j] = _mm256_loadu_ps(a + (t0 + j) * lda + i0);
        transpose(row);
#pragma GCC unroll 8
        for (int j = 0; j < 8; ++j) _mm256_storeu_ps(to + (i0 + j) * k_depth + t0, row[j]);
        continue;
      }
      for (std::int64_t i = i0; i < std::min(i0 + 8, m); ++i) {
        for (std::int64_t t = t0; t < std::min(t0 + 8, k); ++t) to[i * k_depth + t] = a[t * lda + i];
      }
    }
  }
}

void compress_slab(const Sgemm& p, std::int64_t k0, std::int64_t k, Compressed rows) {
  float* turned = nullptr;
  if (p.transpose_a) {
    turned = host_scratch<struct TurnedTag, float>(static_cast<std::size_t>(p.m * k_depth));
    turn(p.a + k0 * p.lda, p.lda, k, p.m, turned);
  }
  for (std::int64_t i = 0; i < p.m; ++i) {
    const float* row = p.transpose_a ? turned + i * k_depth : p.a + i * p.lda + k0;
    rows.count[i] = list_nonzeros(row, k, k_columns, rows.value + i * k_stride, rows.place + i * k_stride);
  }
}

/// Adds one row's products within a slab to 64 columns of C; `first` and `last` slab begin and finish the sums.
void multiply_row(const Sgemm& p, const Compressed& rows, std::int64_t row, std::int64_t column, const float* panel,
                  bool first, bool last) {
  const float* value = rows.value + row * k_stride;
  const std::int32_t* place = rows.place + row * k_stride;
  float* c = p.c + row * p.ldc + column;
  __m256 sum[8];
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) sum[j] = first ? _mm256_setzero_ps() : _mm256_loadu_ps(c + 8 * j);
#pragma GCC unroll 2
  for (std::int64_t s = 0; s < rows.count[row]; ++s) {
    const __m256 factor = _mm256_broadcast_ss(value + s);
    const float* b = panel + place[s];
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) sum[j] = _mm256_fmadd_ps(factor, _mm256_load_ps(b + 8 * j), sum[j]);
  }
#pragma GCC unroll 8
  for (int j = 0; j < 8; ++j) {
    if (last && p.bias != nullptr) sum[j] = _mm256_add_ps(sum[j], _mm256_loadu_ps(p.bias + column + 8 * j));
    if (last && p.relu) sum[j] = _mm256_max_ps(_mm256_setzero_ps(), sum[j]);  // the second wins when it is NaN
    _mm256_storeu_ps(c + 8 * j, sum[j]);
  }
}

/// [k][64] from op(B) stored [k][n].
void pack_panel(std::int64_t k, const float* b, std::int64_t ldb, float* panel) {
  for (std::int64_t t = 0; t < k; ++t, b += ldb, panel += k_columns) {
#pragma GCC unroll 8
    for (int j = 0; j < 8; ++j) _mm256_store_ps(panel + 8 * j, _mm256_loadu_ps(b + 8 * j));
  }
}

}  // namespace

namespace {

/// Of every `step`-th stored row of op(A).
double share_of_nonzeros(const Sgemm& p, std::int64_t step) {
  const std::int64_t stored = p.transpose_a ? p.k : p.m, length = p.transpose_a ? p.m : p.k;
  std::int64_t nonzero = 0, seen = 0;
  for (std::int64_t i = 0; i < stored; i += step, seen += length) {
    std::int32_t of_row = 0;
    for (std::int64_t j = 0; j < length; ++j) of_row += p.a[i * p.lda + j] != 0 ? 1 : 0;
    nonzero += of_row;
  }
  return static_cast<double>(nonzero) / static_cast<double>(seen);
}

// Cycles by a model fitted to measurements: a non-zero costs 5 per 64 columns (9 loads on two ports at best), a row of
// a slab 60 (sums in and out of C, one mispredicted branch), an element of op(A) 1.5 to compress and as much to
// transpose; the dense kernel does 14 multiply-adds a cycle. A clear gain is asked for, because this kernel lives on
// the L1 cache and suffers more when neighbours share it.
bool zeros_pay(const Sgemm& p, double share) {
  const auto m = static_cast<double>(p.m), n = static_cast<double>(p.n), k = static_cast<double>(p.k);
  const auto slabs = static_cast<double>((p.k + k_depth - 1) / k_depth);
  const double skipping = m * (n / k_columns) * (5 * k * share + 60 * slabs) + (p.transpose_a ? 3.0 : 1.5) * m * k;
  return skipping < 0.85 * m * n * k / 14;
}

}  // namespace

// Every eighth stored row tells; of many rows a few say already when there is no hope.
bool sgemm_zeros_pay(const Sgemm& p) {
  if (p.transpose_b || p.gate != nullptr || p.n % k_columns != 0 || p.n == 0 || p.m < 8 || p.k == 0) return false;
  if ((p.transpose_a ? p.k : p.m) >= 1024 && !zeros_pay(p, 0.7 * share_of_nonzeros(p, 64))) return false;
  return zeros_pay(p, share_of_nonzeros(p, 8));
}

void sgemm_zeros(const Sgemm& p) {
  const auto entries = static_cast<std::size_t>(p.m * k_stride);
  const Compressed rows{host_scratch<struct ValueTag, float>(entries),
                        host_scratch<struct PlaceTag, std::int32_t>(entries),
                        host_scratch<struct CountTag, std::int64_t>(static_cast<std::size_t>(p.m))};
  float* panel = host_scratch<struct ZerosPanelTag, float>(k_depth * k_columns);
  const std::int64_t slabs = (p.k + k_depth - 1) / k_depth;
  const std::int64_t depth = ((p.k + slabs - 1) / slabs + 7) / 8 * 8;
  for (std::int64_t k0 = 0; k0 < p.k; k0 += depth) {
    const std::int64_t k = std::min(depth, p.k - k0);
    compress_slab(p, k0, k, rows);
    for (std::int64_t column = 0; column < p.n; column += k_columns) {
      pack_panel(k, p.b + k0 * p.ldb + column, p.ldb, panel);
      for (std::int64_t i = 0; i < p.m; ++i) multiply_row(p, rows, i, column, panel, k0 == 0, k0 + k == p.k);
    }
  }
}

}  // namespace eos::kernels

#endif
