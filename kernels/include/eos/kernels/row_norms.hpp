// Lengths of the rows of a matrix: how large the error of each token, or sample, is at a layer; and other lengths.
//
//   row_norms:  norms[i] = sqrt(sum_c values[i][c]^2)        values [rows][columns], norms [rows]
//   scale_rows: values[i][c] *= factors[i]                   factors [rows]
//
// Squares are summed in double over 32 lanes and then as a tree: same bits on every backend, for any threads, and
// wherever a row lies. A norm is 0 exactly where all values of the row are, NaN where one of them is. Thread-safe,
// allocates nothing. Example: tests/kernels/row_norms_test.cpp.
#pragma once

#include "eos/kernels/context.hpp"

namespace eos::kernels {

void row_norms(const Context& context, int rows, int columns, const float* values, float* norms);
void scale_rows(const Context& context, int rows, int columns, const float* factors, float* values);

namespace reference {
/// Sums one after the other: equal to rounding.
void row_norms(int rows, int columns, const float* values, float* norms);
}  // namespace reference

}  // namespace eos::kernels
