// Keep the first entries of every column of a matrix and set the others to zero: the synapses of a neuron, where W is
// [in][out] and a neuron's synapses are a column.
//
// keep_ranked_columns: values[i][o] stays where i is among the k entries of column o of keys with the largest
//                      (smallest) magnitude, ties by index; else 0. keys may be the values themselves or another array,
//                      e.g. the weights where the values are their changes.
// With the bias stored behind W it is one more row: shape {in + 1, out}. mask.hpp has the same for rows. Guarantees:
// bit-identical on every backend and for any number of threads. A NaN ranks above infinity. No allocation after the
// first calls. Thread-safe. Method: bisection over the bits of magnitudes, eight columns at a time, until exactly k
// entries lie at or above the threshold. Source of the rule: van Rossum & Pache, PLoS Comput Biol 20(10):e1012553
// (2024). Example: tests/kernels/mask_columns_test.cpp.
#pragma once

#include "eos/kernels/mask.hpp"

namespace eos::kernels {

/// ranking.k is clamped to [0, rows]; ranking.one_for_all is not used.
void keep_ranked_columns(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values);

namespace reference {
void keep_ranked_columns(RowShape shape, const float* keys, Ranking ranking, float* values);
}

}  // namespace eos::kernels
