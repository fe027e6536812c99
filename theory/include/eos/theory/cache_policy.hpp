// When the transient part s of weights is consolidated: the words that perceptrons and networks share.
//
// Synaptic caching: Li & van Rossum, eLife 9:e50804 (2020); the laws behind adaptive thresholds and clocks are in
// synaptic_cache.hpp.
#pragma once

namespace eos::theory {

/// Where the threshold is looked for, and what is consolidated when it is passed.
enum class CacheVariant {
  none,          ///< every update is written at once
  local_local,   ///< |s_i| > theta: synapse i
  local_global,  ///< any |s_i| > theta: all synapses of the neuron
  global_global  ///< sum |s_i| > theta: all synapses of the neuron
};
/// What decides that the moment has come. Comparisons are strict.
enum class CacheTrigger {
  constant,  ///< theta
  adaptive,  ///< theta = scale eta sqrt(3 p/c) with the measured probability p of an update (AdaptiveThreshold)
  clock      ///< everything every n presentations, whatever the variant; n = 3/(2c) unless given (ClockedCache)
};

}  // namespace eos::theory
