// When a residual network should grow: the depth of least energy at each loss, by dynamic programming.
//
// Statement. Trained with its first branches alone, a network loses loss at a rate of its own and at a price of its own
// per sample. Let n_d(L) be the samples after which depth d has reached loss L, and e_d the joules of a sample. Growth
// keeps the function (a branch appears as zero), so training goes on from the same loss, and from L down to a target
// the energy is
//   E = int e_{d(L)} |n'_{d(L)}(L)| dL,        d(L) may only rise as L falls,
// which dynamic programming minimises over d(L): V_d(L) = min( e_d dn_d + V_d(L - dL), V_{d+1}(L) ). Where growth is
// not held back by its order, d(L) is the depth whose loss falls fastest per joule: a network pays for depth when depth
// pays. Assumption: the loss is all that a shallow network hands on to a deeper one.
// Curves: ln L is linear in ln n between measured points and beyond them (a power law at both ends).
// Guarantees: pure function, thread-safe.
#pragma once

#include <vector>

namespace eos::theory {

/// Losses that a network of some depth reached after training on so many samples.
struct DepthCurve {
  double depth = 1;             ///< share of the residual branches
  double energy = 0;            ///< J per sample
  std::vector<double> samples;  ///< increasing, at least two
  std::vector<double> loss;     ///< falling, as many
};

struct GrowthPlan {
  std::vector<double> depths;   ///< of the stages, rising; only those with samples
  std::vector<double> losses;   ///< at which each of them ends; the last is the target
  std::vector<double> samples;  ///< of each
  double energy = 0;            ///< J, all stages

  double total() const;               ///< samples
  std::vector<double> until() const;  ///< shares of the samples at which all stages but the last end
};

/// From `start` (> target > 0) down to `target` at the least energy; curves in the order of their depth. throws Error
/// E104 when a curve does not fall, or sizes or signs are wrong.
GrowthPlan plan_growth(const std::vector<DepthCurve>& curves, double start, double target);

}  // namespace eos::theory
