// Synaptic caching: keep what updates add to a weight in a transient part, and consolidate it when it has grown.
//
// A weight is w = l + s; s = w - l is not stored. Without decay the weights therefore have the same bits whatever
// fires. One step, after an update has moved w from `previous`:
//   fires       synapse: |s| > theta;  neuron: any |s_i| > theta, or sum_i |s_i| > theta, over its incoming; or all
//   where fired      writes += l != w, path += |w - l|, squared += (w - l)^2;  l = w
//   where not        additions += w != previous, transient += |w - previous|, held += |s|;  w = l + keep s
//   then        previous = w
// Source: Li & van Rossum, "Energy efficient synaptic plasticity", eLife 9:e50804 (2020), Methods; the three triggers
// are their local/local, local/global and global/global.
// Shapes: w, l, previous [parameters]; segments (layers) tile them; entry i of a segment belongs to neuron
// (i - begin) % neurons, so W [in][out] followed by b [out] has `out` neurons, each with its bias.
// Guarantees: weights, persistent parts, `writes` and `additions` have the same bits on every backend. Sums are float
// within fixed blocks of 4096 entries and double across them: independent of threads(), relative error below 1e-5; the
// sums of Trigger::neuron_sum are float within blocks of 64 rows and over these. No allocation after the first calls on
// the CPU. Thread-safe. Bytes per parameter: 24, 8 more for the triggers of neurons. Example:
// tests/kernels/cache_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/update.hpp"

namespace eos::kernels {

enum class Trigger { synapse, neuron_any, neuron_sum, all };

struct CacheStep {
  Trigger trigger = Trigger::synapse;
  const float* theta = nullptr;           ///< host, [segments]; infinite: nothing fires. Not read by Trigger::all
  const std::int64_t* neurons = nullptr;  ///< host, [segments], >= 1 and a divisor of the segment's size
  float keep = 1;                         ///< factor of what stays in s; 1: no decay, w is not touched
};

struct CacheCounts {
  UpdateCounts consolidated;   ///< changes of l
  std::int64_t additions = 0;  ///< transient parts that the update changed and that stayed
  double transient = 0;        ///< sum of their |change|
  double held = 0;             ///< sum of |s| after consolidation, before decay
};

/// counts [segments] in the context's memory, overwritten. throws Error E901 for neurons that do not divide a segment.
void cache_step(const Context& context, Segments segments, CacheStep step, float* weights, float* persistent,
                float* previous, CacheCounts* counts);

namespace reference {
void cache_step(Segments segments, CacheStep step, float* weights, float* persistent, float* previous,
                CacheCounts* counts);
}

}  // namespace eos::kernels
