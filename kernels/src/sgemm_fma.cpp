// Matrix products with AVX2 and FMA: blocks of up to 6 rows and 16 columns of C are kept in registers.
//
// Method: Goto & van de Geijn, "Anatomy of high-performance matrix multiplication", ACM TOMS 34(3), 2008, reduced to
// what a layer needs. A panel of 16 columns of op(B) is packed so that it stays in the L1 cache while rows of op(A)
// pass by; op(A) is packed too if it is transposed, because a stride of a power of two would evict it. 12 accumulators
// cover the latency of two FMA units. Batches are larger than the caches: while one part of a product is computed, the
// operands of the next are asked for.
#include "sgemm.hpp"

#if defined(__AVX2__) && defined(__FMA__)

#include <immintrin.h>

#include <algorithm>

#include "host_scratch.hpp"
#include "product_blocks.hpp"
#include "sgemm_finish.hpp"

namespace eos::kernels {

namespace {

constexpr int k_rows = k_block_rows, k_columns = k_panel_columns;
constexpr std::int64_t k_depth = 400;  ///< longest panel: 400 x 16 floats are 25 kB, of 32 kB L1
/// The same where op(A) is transposed: shorter, so that the next slab of both operands fits the L2 cache as well.
constexpr std::int64_t k_transposed_depth = 192;
constexpr std::int64_t k_rows_floats = 100 * 1024;  ///< rows of op(A) at a time, sized for the L2 cache
/// Where all of op(B) is packed at once: rows at a time, and the most floats of op(B), sized for the L2 cache.
constexpr std::int64_t k_few_rows = 48, k_packed_b_floats = 76 * 1024;

/// Lanes of the two registers that lie inside a panel of `width` columns.
struct PanelMask {
  __m256i low, high;
};

PanelMask panel_mask(std::int64_t width) {
  const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const int columns = static_cast<int>(width);
  return {_mm256_cmpgt_epi32(_mm256_set1_epi32(columns), lane),
          _mm256_cmpgt_epi32(_mm256_set1_epi32(columns - 8), lane)};
}

/// One block of C: where its operands lie and whether it begins or ends its sums.
struct Block {
  std::int64_t k;  ///< length of the partial sums
  const float* a;  ///< op(A): rows a_row apart; steps in k are 1 apart, or `rows` apart when packed
  std::int64_t a_row;
  const float* b;            ///< packed panel [k][16]
  std::int64_t row, column;  ///< place in C
  bool first, last;
  PanelMask mask;
};

/// Bias, rectifier and gate of a block's sums; each is asked for once, not once a register.
template <int rows, bool full>
[[gnu::always_inline]] inline void finish(const Sgemm& p, const Block& block, __m256 (&sum)[rows][2]) {
  const __m256 zero = _mm256_setzero_ps();
  if (p.bias != nullptr) {
    const __m256 low = load_lanes<full>(p.bias + block.column, block.mask.low);
    const __m256 high = load_lanes<full>(p.bias + block.column + 8, block.mask.high);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i)
      sum[i][0] = _mm256_add_ps(sum[i][0], low), sum[i][1] = _mm256_add_ps(sum[i][1], high);
  }
  if (p.relu) {  // the second operand wins when it is NaN
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i)
      sum[i][0] = _mm256_max_ps(zero, sum[i][0]), sum[i][1] = _mm256_max_ps(zero, sum[i][1]);
  }
  if (p.gate != nullptr) {
    const float* gate = p.gate + block.row * p.ldc + block.column;
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i, gate += p.ldc) {
      sum[i][0] = keep_where_positive<full>(gate, block.mask.low, sum[i][0]);
      sum[i][1] = keep_where_positive<full>(gate + 8, block.mask.high, sum[i][1]);
    }
  }
}

template <int rows, bool packed, bool full>
void multiply_block(const Sgemm& p, const Block& block) {
  constexpr int k_step = packed ? rows : 1;
  const std::int64_t ldc = p.ldc;
  float* c = p.c + block.row * ldc + block.column;
  __m256 sum[rows][2];
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    sum[i][0] = block.first ? _mm256_setzero_ps() : load_lanes<full>(c + i * ldc, block.mask.low);
    sum[i][1] = block.first ? _mm256_setzero_ps() : load_lanes<full>(c + i * ldc + 8, block.mask.high);
  }
  const float* a = block.a;
  const float* b = block.b;
#pragma GCC unroll 8
  for (std::int64_t t = 0; t < block.k; ++t) {
    const __m256 b_low = _mm256_load_ps(b), b_high = _mm256_load_ps(b + 8);
#pragma GCC unroll 8
    for (int i = 0; i < rows; ++i) {
      const __m256 factor = _mm256_broadcast_ss(a + (packed ? i : i * block.a_row));
      sum[i][0] = _mm256_fmadd_ps(factor, b_low, sum[i][0]);
      sum[i][1] = _mm256_fmadd_ps(factor, b_high, sum[i][1]);
    }
    a += k_step;
    b += k_columns;
  }
  if (block.last) finish<rows, full>(p, block, sum);
#pragma GCC unroll 8
  for (int i = 0; i < rows; ++i) {
    store_lanes<full>(c + i * ldc, block.mask.low, sum[i][0]);
    store_lanes<full>(c + i * ldc + 8, block.mask.high, sum[i][1]);
  }
}

template <bool packed, bool full>
void multiply_rows(int rows, const Sgemm& p, const Block& block) {
  switch (rows) {
    case 6:
      return multiply_block<6, packed, full>(p, block);
    case 5:
      return multiply_block<5, packed, full>(p, block);
    case 4:
      return multiply_block<4, packed, full>(p, block);
    case 3:
      return multiply_block<3, packed, full>(p, block);
    case 2:
      return multiply_block<2, packed, full>(p, block);
    default:
      return multiply_block<1, packed, full>(p, block);
  }
}

/// [k][16] from op(B) stored [k][n]; asks for the next panel meanwhile, whose rows are too far apart to be foreseen.
/// The sums of the columns, where wanted, take one addition more a row.
template <bool full>
void pack_panel(std::int64_t k, const float* b, std::int64_t ldb, const PanelMask& mask, float* panel, float* sums) {
  __m256 low_sum = _mm256_setzero_ps(), high_sum = low_sum;
  if (sums != nullptr) low_sum = load_lanes<full>(sums, mask.low), high_sum = load_lanes<full>(sums + 8, mask.high);
  for (std::int64_t t = 0; t < k; ++t, b += ldb, panel += k_columns) {
    const __m256 low = load_lanes<full>(b, mask.low), high = load_lanes<full>(b + 8, mask.high);
    if (full) _mm_prefetch(b + k_columns, _MM_HINT_T1);
    _mm256_store_ps(panel, low), _mm256_store_ps(panel + 8, high);
    low_sum = _mm256_add_ps(low_sum, low), high_sum = _mm256_add_ps(high_sum, high);
  }
  if (sums != nullptr) store_lanes<full>(sums, mask.low, low_sum), store_lanes<full>(sums + 8, mask.high, high_sum);
}

/// Blocks [k][rows] of op(A) stored [k][m], one after the other. Eight steps of k at a time, so that few cache lines
/// are open even where rows lie a power of two apart. Eight floats are copied where fewer are wanted, while this stays
/// in both matrices: the next step overwrites what is too much.
void pack_rows_transposed(std::int64_t m, std::int64_t k, const float* a, std::int64_t lda, float* packed) {
  constexpr std::int64_t k_steps = 8;
  for (std::int64_t t0 = 0; t0 < k; t0 += k_steps) {
    const std::int64_t t1 = std::min(t0 + k_steps, k);
    for (std::int64_t i = 0; i < m;) {
      const int rows = next_rows(m - i);
      const float* from = a + t0 * lda + i;
      float* to = packed + i * k + t0 * rows;
      const std::int64_t wide = lda < 8 ? 0 : std::min(t1, k - 7 / rows);  // t rows + 8 <= k rows
      std::int64_t t = t0;
      for (; t < wide; ++t, from += lda, to += rows) _mm256_storeu_ps(to, _mm256_loadu_ps(from));
      for (; t < t1; ++t, from += lda, to += rows) std::copy_n(from, rows, to);
      i += rows;
    }
  }
}

/// Memory that comes next: a few cache lines of it are asked for with every block, while the block is computed.
class Ahead {
 public:
  Ahead() = default;
  /// `rows` rows of `width` floats, during `blocks` blocks; nothing where rows lie far apart.
  Ahead(const float* from, std::int64_t rows, std::int64_t width, std::int64_t stride, std::int64_t blocks) {
    if (rows <= 0 || stride > 2 * width) return;
    const std::int64_t bytes = ((rows - 1) * stride + width) * static_cast<std::int64_t>(sizeof *from);
    at_ = reinterpret_cast<const char*>(from), end_ = at_ + bytes;
    lines_ = bytes / (k_line * blocks) + 1;
  }
  void step() {
    for (std::int64_t i = 0; i < lines_ && at_ < end_; ++i, at_ += k_line) _mm_prefetch(at_, _MM_HINT_T1);
  }

 private:
  static constexpr std::int64_t k_line = 64;
  const char *at_ = nullptr, *end_ = nullptr;
  std::int64_t lines_ = 0;  ///< with a block
};

/// The panel of `column`, steps [k_begin, k_begin + k); adds to the sums of its columns, where wanted.
void pack_b(const Sgemm& p, std::int64_t k_begin, std::int64_t k, std::int64_t column, float* panel) {
  const std::int64_t width = std::min<std::int64_t>(k_columns, p.n - column);
  if (p.transpose_b) return pack_panel_transposed(k, p.b + column * p.ldb + k_begin, p.ldb, width, panel);
  const float* b = p.b + k_begin * p.ldb + column;
  float* sums = p.b_sums == nullptr ? nullptr : p.b_sums + column;
  const PanelMask mask = panel_mask(width);
  width == k_columns ? pack_panel<true>(k, b, p.ldb, mask, panel, sums)
                     : pack_panel<false>(k, b, p.ldb, mask, panel, sums);
}

/// Steps [begin, begin + k) of all sums.
struct Slab {
  std::int64_t begin, k;
  const float* a;       ///< op(A) from `begin` on; packed if it is transposed
  const float* panels;  ///< op(B), packed; null: panels are packed one by one
};

/// Adds the products of a slab to C, for all columns of p and all its rows.
void multiply_slab(const Sgemm& p, const Slab& slab, Ahead& a_ahead, Ahead& other_ahead) {
  const std::int64_t k = slab.k;
  float* own = host_scratch<struct PanelTag, float>(k_depth * k_columns);
  for (std::int64_t column = 0; column < p.n; column += k_columns) {
    const bool full = p.n - column >= k_columns;
    if (slab.panels == nullptr) pack_b(p, slab.begin, k, column, own);
    const float* panel = slab.panels == nullptr ? own : slab.panels + column * k;
    const PanelMask mask = panel_mask(p.n - column);
    for (std::int64_t row = 0; row < p.m;) {
      const int rows = next_rows(p.m - row);
      a_ahead.step(), other_ahead.step();
      const Block block{k,
                        slab.a + row * (p.transpose_a ? k : p.lda),
                        p.lda,
                        panel,
                        row,
                        column,
                        slab.begin == 0,
                        slab.begin + k == p.k,
                        mask};
      if (p.transpose_a) {
        full ? multiply_rows<true, true>(rows, p, block) : multiply_rows<true, false>(rows, p, block);
      } else {
        full ? multiply_rows<false, true>(rows, p, block) : multiply_rows<false, false>(rows, p, block);
      }
      row += rows;
    }
  }
}

std::int64_t round_up(std::int64_t size, std::int64_t unit) { return (size + unit - 1) / unit * unit; }
std::int64_t blocks_of(std::int64_t m, std::int64_t n) {
  return round_up(m, k_rows) / k_rows * (round_up(n, k_columns) / k_columns);
}

/// Depth of equal slabs of at most `most` steps.
std::int64_t slab_depth(std::int64_t k, std::int64_t most) {
  const std::int64_t slabs = (k + most - 1) / most;
  return (k + slabs - 1) / slabs;
}

/// op(A) is transposed: its rows are packed, slab by slab.
void multiply_transposed(const Sgemm& p, std::int64_t depth) {
  float* packed = host_scratch<struct RowsTag, float>(static_cast<std::size_t>(p.m * depth));
  const std::int64_t blocks = blocks_of(p.m, p.n);
  for (std::int64_t k0 = 0; k0 < p.k; k0 += depth) {
    const std::int64_t k = std::min(depth, p.k - k0), next = k0 + k, left = std::min(depth, p.k - next);
    pack_rows_transposed(p.m, k, p.a + k0 * p.lda, p.lda, packed);
    Ahead a(p.a + next * p.lda, left, p.m, p.lda, blocks), b(p.b + next * p.ldb, left, p.n, p.ldb, blocks);
    multiply_slab(p, {k0, k, packed, nullptr}, a, b);
  }
}

/// Packs one panel of op(B) after the other.
void multiply_panels(const Sgemm& p, std::int64_t depth) {
  Ahead nothing;
  for (std::int64_t k0 = 0; k0 < p.k; k0 += depth)
    multiply_slab(p, {k0, std::min(depth, p.k - k0), p.a + k0, nullptr}, nothing, nothing);
}

/// Packs all of op(B); then a few rows at a time, so that op(A) and C pass once through the caches.
void multiply_many_rows(const Sgemm& p) {
  const std::int64_t depth = slab_depth(p.k, k_depth), columns = round_up(p.n, k_columns);
  float* panels = host_scratch<struct PanelsTag, float>(static_cast<std::size_t>(columns * p.k));
  for (std::int64_t k0 = 0; k0 < p.k; k0 += depth) {
    const std::int64_t k = std::min(depth, p.k - k0);
    for (std::int64_t column = 0; column < p.n; column += k_columns)
      pack_b(p, k0, k, column, panels + columns * k0 + column * k);
  }
  for (std::int64_t row = 0; row < p.m; row += k_few_rows) {
    const std::int64_t rows = std::min(k_few_rows, p.m - row), left = std::min(k_few_rows, p.m - row - rows);
    const Sgemm part = p.block(row, rows, 0, p.n);
    const std::int64_t blocks = blocks_of(rows, p.n) * ((p.k + depth - 1) / depth);
    Ahead a(part.a + rows * p.lda, left, p.k, p.lda, blocks), c(part.c + rows * p.ldc, left, p.n, p.ldc, blocks);
    for (std::int64_t k0 = 0; k0 < p.k; k0 += depth)
      multiply_slab(part, {k0, std::min(depth, p.k - k0), part.a + k0, panels + columns * k0}, a, c);
    part.finish_rows();
  }
}

}  // namespace

void sgemm(const Sgemm& p) {
  const bool row = p.m == 1 && !p.transpose_a;
  if (!row && !sgemm_zeros_pay(p)) return sgemm_all_terms(p);
  sgemm_sum_columns(p);
  row ? sgemm_row(p) : sgemm_zeros(p);
  p.finish_rows();
}

void sgemm_all_terms(const Sgemm& p) {
  if (p.k == 0 || p.m == 0) {  // sets zero and applies the epilogue
    sgemm_onednn(p);
    return p.finish_rows();
  }
  if (p.b_sums != nullptr) std::fill_n(p.b_sums, p.n, 0.0f);
  if (!p.transpose_a && p.m >= 4 * k_few_rows && p.k * p.n <= k_packed_b_floats) return multiply_many_rows(p);
  const std::int64_t depth = slab_depth(p.k, p.transpose_a ? k_transposed_depth : k_depth);
  const std::int64_t chunk = std::max<std::int64_t>(k_rows, k_rows_floats / depth / k_rows * k_rows);
  for (std::int64_t row = 0; row < p.m; row += chunk) {
    const Sgemm part = p.block(row, std::min(chunk, p.m - row), 0, p.n);  // the sums come with the first rows
    p.transpose_a ? multiply_transposed(part, depth) : multiply_panels(part, depth);
    part.finish_rows();
  }
}

bool sgemm_is_splittable() { return true; }

}  // namespace eos::kernels

#else

namespace eos::kernels {

void sgemm(const Sgemm& p) {
  sgemm_onednn(p);
  p.finish_rows();
}
void sgemm_all_terms(const Sgemm& p) { sgemm_onednn(p); }
bool sgemm_zeros_pay(const Sgemm&) { return false; }
void sgemm_zeros(const Sgemm& p) { sgemm_onednn(p); }
void sgemm_row(const Sgemm& p) { sgemm_onednn(p); }
bool sgemm_is_splittable() { return false; }

}  // namespace eos::kernels

#endif
