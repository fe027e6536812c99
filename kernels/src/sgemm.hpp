// Matrix products for the dense layer on the CPU: C = op(A) op(B) on one thread, with a fused epilogue.
//
// Own AVX2 and FMA kernel where the build targets them, oneDNN's sgemm otherwise. Why not oneDNN everywhere: its bits
// depend on the CPU and on where a row lies in the batch, so a sample scored alone and in a batch would differ; and it
// is slower for op(A) = A^T (bench/results/cpu-kernels.md). Here each element of C is one chain of fused multiply-adds
// in order of k, started at 0: the bits depend on nothing else, so work may be split anywhere.
#pragma once

#include <cstdint>

namespace eos::kernels {

/// Row-major. op(A) is [m][k], op(B) is [k][n]; a transposed operand is stored [k][m] or [n][k].
struct Sgemm {
  bool transpose_a = false, transpose_b = false;
  std::int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  std::int64_t lda = 0;
  const float* b = nullptr;
  std::int64_t ldb = 0;
  float* c = nullptr;
  std::int64_t ldc = 0;
  const float* bias = nullptr;  ///< [n], added after the sum
  bool relu = false;            ///< negative results become 0
  const float* gate = nullptr;  ///< [m][n] with stride ldc: results become 0 where the gate is not positive

  /// Called with rows of C when they are complete, as long as they are in the caches: what follows row by row. Each row
  /// comes once. A part of the columns of a product must not have it.
  void (*then)(const void* what, std::int64_t row, std::int64_t rows) = nullptr;
  const void* what = nullptr;
  std::int64_t first_row = 0;  ///< of a block, in the product it was taken from

  float* b_sums = nullptr;  ///< [n], sums of the columns of op(B) in order of k, which is not transposed then

  /// The block of C with `rows` rows from `row` and `columns` columns from `column`; that of row 0 has the sums.
  Sgemm block(std::int64_t row, std::int64_t rows, std::int64_t column, std::int64_t columns) const {
    Sgemm part = *this;
    part.m = rows, part.n = columns, part.first_row += row;
    part.a += transpose_a ? row : row * lda;
    part.b += transpose_b ? column * ldb : column;
    part.c += row * ldc + column;
    if (bias != nullptr) part.bias += column;
    if (gate != nullptr) part.gate += row * ldc + column;
    if (b_sums != nullptr) part.b_sums = row == 0 ? b_sums + column : nullptr;
    return part;
  }
  void finish_rows() const {
    if (then != nullptr) then(what, first_row, m);
  }
};

void sgemm(const Sgemm& p);
/// Only the sums of the columns, if wanted.
void sgemm_sum_columns(const Sgemm& p);

/// The kernel that computes every term.
void sgemm_all_terms(const Sgemm& p);
/// The variant that skips zeros of op(A), with the same bits: a term with a zero factor leaves a chain of fused
/// multiply-adds as it is (for finite op(B)). sgemm() takes it where sgemm_zeros_pay() has looked at op(A) and says so.
bool sgemm_zeros_pay(const Sgemm& p);
/// pre: p.transpose_b is false, p.gate is null, p.n is a multiple of 64.
void sgemm_zeros(const Sgemm& p);
/// One row (p.m is 1, p.transpose_a is false) with the same bits: op(B) is read once, where it is, and zeros of the row
/// are skipped.
void sgemm_row(const Sgemm& p);

/// Whether results are independent of how C is split into blocks (not so for oneDNN).
bool sgemm_is_splittable();

/// The oneDNN variant: what builds without AVX2 and FMA use, and the peer of the benchmark. throws Error E306.
void sgemm_onednn(const Sgemm& p);

}  // namespace eos::kernels
