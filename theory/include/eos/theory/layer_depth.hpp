// How deep the backward pass of an update should reach, and how often to reach deeper to see whether that has changed.
//
// Statement. An update that stops at block k makes the progress R_k = sum_{l >= k} s_l at the cost C_k in joules: the
// forward pass, the backward pass down to k, the writes of the blocks from k on. On a free horizon the best depth has
// the largest R_k / C_k (the Hamiltonian vanishes, as for the gate of samples, feedback_law.hpp). Against the best
// depth k that skips anything, where progress is worth C_k / R_k joules a unit, the full pass has the surplus S = R_0
// C_k / R_k - C_0: it is taken where S >= 0. What skipped blocks could do changes unseen. If S changes by g joules an
// update, a full pass with probability p costs p c + g / p, c = C_0 - C_k, as in inspection.hpp, so that p = min(1,
// sqrt(g / c)). Guarantees: pure, thread-safe.
#pragma once

#include <vector>

namespace eos::theory {

struct LayerDepth {
  int block = 0;       ///< k: blocks below it are skipped
  double surplus = 0;  ///< S of the pass down to `first`, J
  double extra = 0;    ///< c, J
};

/// The depth in (first, blocks) with the largest R_k / C_k, the deepest of equals, against the full pass down to
/// `first`. progress [blocks]: s_l >= 0; cost [blocks]: C_k >= 0 in J, not rising with k. Where no depth skips
/// anything, costs anything or gains anything: `first`, surplus 0.
LayerDepth best_depth(const std::vector<double>& progress, const std::vector<double>& cost, int first);

}  // namespace eos::theory
