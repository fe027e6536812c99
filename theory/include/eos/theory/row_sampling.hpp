// Estimate a sum of gradients from some of its terms: with which probability each is worth computing.
//
// Statement. A batch of N rows has the gradient G = sum_i g_i. Row i is drawn with probability p_i and then counts
// 1 / p_i times: G' is unbiased. At the best learning rate the progress of an update is proportional to |G|^2 squared
// over the second moment of its gradient, and a row costs `forward`, `train` more if it is drawn, so progress per cost
// is largest where
//
//   (N forward + train sum_i p_i) (A + sum_i |g_i|^2 / p_i),     A = |G|^2 - sum_i |g_i|^2,
//
// is least. Stationarity in each p_i gives p_i = min(1, lambda |g_i|): sizes beyond 1/lambda are certain, c of them,
// and
//
//   lambda^2 = (N forward + c train) / (train (A + sum_certain |g_i|^2)),
//
// infinite (every row) where that is not positive: rows that add up incoherently are each worth their cost, and the
// more alike they are, the fewer are needed. Nothing is tuned. Sources: probabilities proportional to sizes: Neyman, J.
// R. Stat. Soc. 97:558 (1934); of rows of a backward pass: Wang et al., VCAS, ICLR 2024, with a tuned bound on the
// variance in place of the cost. Guarantees: pure, thread-safe.
#pragma once

#include <vector>

namespace eos::theory {

/// lambda. sizes: |g_i| >= 0 of all N rows, in any order; coherent: A; costs in any one unit, forward >= 0, train > 0.
double sampling_scale(std::vector<double> sizes, double coherent, double forward, double train);

}  // namespace eos::theory
