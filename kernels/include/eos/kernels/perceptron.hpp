// Train online perceptrons on random patterns and count what their plasticity costs, with and without synaptic caches.
//
// Model and order of events: theory/perceptron_spec.hpp. Without decay of the transient part the course of the weights
// does not depend on how updates are cached, so one run carries any number of caches; with decay it carries one.
// All lengths are in units of eta. With x_i = xi_i - m (xi = +-1, m the mean of all N P entries), the weights of an
// uncached perceptron are w_i = a_i - m b with whole numbers a_i and b, so that without decay the forward pass
// d y = d (sum xi a - m (b sum xi + sum a) + N m^2 b) is exact, however the sums are ordered (up to 2^24).
// Strict comparisons |s| > theta allow for a rounding of 1e-9: whole numbers are compared as such.
// Backends: one core a run, or one warp a run on CUDA, from the same source (src/perceptron_formula.hpp); 32 partial
// sums in a fixed order make the results bit-identical. Cost of a presentation: N multiply-adds and N bytes of
// patterns; of an update: N per cache. Results never depend on threads or on how runs and caches are packed.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/kernels/context.hpp"
#include "eos/theory/perceptron_spec.hpp"

namespace eos::kernels {

/// Bits of 128 consecutive entries of a pattern, or of 128 targets: bit k % 32 of word k / 32 is set for +1.
EOS_HD inline core::Words pattern_words(std::uint64_t seed, std::uint32_t pattern, std::uint32_t block) {
  return core::draw(seed, {0, pattern, core::Purpose::patterns, block});
}
EOS_HD inline core::Words target_words(std::uint64_t seed, std::uint32_t block) {
  return core::draw(seed, {0, 0, core::Purpose::targets, block});
}
EOS_HD inline int sign_of(std::uint32_t bits, int k) { return static_cast<int>((bits >> k) & 1u) * 2 - 1; }

/// How one synaptic cache works.
struct PerceptronCache {
  theory::CacheVariant variant = theory::CacheVariant::local_local;  ///< not `none`
  theory::CacheTrigger trigger = theory::CacheTrigger::constant;
  double threshold = std::numeric_limits<double>::infinity();  ///< theta/eta; adaptive: at p = 1
  std::int64_t interval = 1;                                   ///< clock: presentations
  bool quantised = false;
};

/// One run: a seed, its patterns, and the caches that watch it.
struct PerceptronRun {
  std::uint64_t seed = 1;
  int inputs = 1000, patterns = 1000, max_epochs = 10000;
  bool subtract_mean = true;
  double retention = 1;   ///< factor of s per presentation; below 1 there is exactly one cache
  int window = 1000;      ///< of the running mean of errors
  int course_epochs = 0;  ///< epochs whose counts are kept
  std::vector<PerceptronCache> caches;
};

/// What a cache did in one epoch.
struct PerceptronCachePower {
  double consolidated = 0;  ///< sum |dl|
  double held = 0;          ///< sum over presentations of sum |s|
  double changed = 0;       ///< sum |ds| of updates that were not consolidated at once
};

/// What a cache did in a run.
struct PerceptronCacheTotals {
  PerceptronCachePower power;       ///< whole run, final clean-up included
  double cleanup = 0;               ///< part of power.consolidated: what was left in s at the end
  std::int64_t consolidations = 0;  ///< synapses whose s was moved, final clean-up included
};
struct PerceptronCacheCounts : PerceptronCacheTotals {
  std::vector<PerceptronCachePower> course;  ///< [min(epochs, course_epochs)], without clean-up
};

struct PerceptronTotals {
  double mean = 0;          ///< m
  std::int32_t epochs = 0;  ///< passes over all patterns, the last one without error if converged
  bool converged = false;
  std::int64_t updates = 0;      ///< K
  std::int64_t changes[2][2]{};  ///< updates of single weights by target (+1, -1) and input sign (+1, -1)
  std::int64_t positive = 0;     ///< updates with target +1: potentiations of the bias
};
struct PerceptronCounts : PerceptronTotals {
  std::vector<double> weights;       ///< final w/eta, [inputs + 1], bias last
  std::vector<std::int32_t> errors;  ///< [min(epochs, course_epochs)]
  std::vector<PerceptronCacheCounts> caches;
};

/// A run carries at most so many caches; more caches mean more runs of the same seed.
inline constexpr std::size_t k_most_caches = 16;

/// Runs them all. On the CPU in order, on CUDA at once. pre: every run is as its fields say (checked as bugs, E901).
std::vector<PerceptronCounts> train_perceptrons(const Context& context, std::span<const PerceptronRun> runs);

}  // namespace eos::kernels
