// State an experiment with online perceptrons completely: patterns, learning rule, energies, synaptic caching.
//
// A perceptron with N inputs and an always-on bias learns P patterns of random signs, one after the other in fixed
// order, until an epoch passes without error: if d y <= 0, then w += eta d x (Li & van Rossum, "Energy efficient
// synaptic plasticity", eLife 9:e50804, 2020, eq. 8 and code). Plasticity costs M_alpha = sum |dw|^alpha (eq. 1). With
// a cache every update goes into a transient part s, which decays, costs c |s| per presentation, and is moved into the
// persistent part when the trigger fires (Methods; synaptic_cache.hpp has the closed forms).
// Order within a presentation: decay s; charge c sum |s|; forward with l + s; if wrong, s += dw; trigger.
// Plain values: io/ reads them from TOML, sim/ executes them. Every list is an axis: all combinations are run.
// Units: weights in those of eta, energy in path length of the persistent weights (M_1), time in presentations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/cache_policy.hpp"

namespace eos::theory {

struct PerceptronCacheSpec {
  CacheVariant variant = CacheVariant::none;
  CacheTrigger trigger = CacheTrigger::constant;
  std::vector<double> thresholds{5};       ///< trigger constant: theta >= 0; 0: no cache, 1e9: never before the end
  std::vector<double> scales{1};           ///< trigger adaptive: factors of the threshold, > 0
  std::vector<std::int64_t> intervals{0};  ///< trigger clock: n presentations; 0: the best one, 3/(2c)
  std::vector<double> decays{0};           ///< tau of s in presentations, s *= 1 - 1/tau; > 1, or 0: no decay
  std::vector<double> maintenance{0};      ///< c >= 0 per unit of |s| and presentation
  double change_price = 0;                 ///< b >= 0 per unit of |ds| of updates that are not consolidated at once
  int window = 1000;                       ///< presentations over which p is averaged
  /// Only whole multiples of theta are moved, the rest stays in s; variant local_local with trigger constant.
  bool quantised = false;

  bool on() const { return variant != CacheVariant::none; }
  /// Name and values of the axis that the trigger adds: "threshold", "scale" or "interval".
  std::string setting_name() const;
  std::vector<double> settings() const;
};

struct PerceptronSpec {
  std::string title;
  int inputs = 1000;                         ///< N, without the bias
  std::vector<std::int64_t> patterns{1000};  ///< P
  double rate = 1;                           ///< eta
  int max_epochs = 10000;                    ///< a run that still errs after them has not converged
  std::uint64_t seed = 1;                    ///< of the first replica; the others follow
  int replicas = 1;
  bool subtract_mean = true;      ///< the mean of all N P entries is subtracted, as in the published code
  std::vector<double> alphas{1};  ///< exponents of M_alpha, >= 0
  int course_epochs = 100;        ///< so many epochs of error rate and power are kept, 0: none
  PerceptronCacheSpec cache;

  /// throws Error with one diagnostic per problem.
  void check() const;
};

/// One point of the grid of a spec.
struct PerceptronCell {
  std::int64_t patterns = 0;
  double decay = 0, setting = 0, maintenance = 0;  ///< 0 without a cache
};
/// All cells; patterns vary slowest, then decay, setting and maintenance.
std::vector<PerceptronCell> cells_of(const PerceptronSpec& spec);
/// Presentations between two ticks of the clock: `interval`, or 3/(2c) rounded, at least 1, when it is 0.
std::int64_t clock_interval(std::int64_t interval, double maintenance);
/// Barrier at which a walk with steps of eta is absorbed by the strict comparison: eta (floor(theta/eta) + 1).
double effective_threshold(double theta, double rate);

}  // namespace eos::theory
