// State which weights an update writes: the weight half of a training policy.
//
// Plain values; defaults are also those of the TOML keys in [plasticity].
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/cache_policy.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/selection_spec.hpp"
#include "eos/theory/structure_spec.hpp"

namespace eos::theory {

/// Which weights are written at an update.
enum class WriteRule {
  all,
  top_k,      ///< the first fraction in the order of `rank`, within each layer or neuron
  threshold,  ///< |update| > theta, one threshold for all layers
  random,     ///< each with probability fraction, drawn anew for every update
  fixed       ///< each with probability fraction, drawn once
};
/// What WriteRule::top_k ranks; all but the first are controls (van Rossum & Pache, PLoS Comput Biol 2024).
enum class RankBy { largest_update, largest_weight, smallest_update, smallest_weight };
/// Among which weights: those of a layer, or those of a neuron (its incoming weights and its bias).
enum class RankWithin { layer, neuron };
/// The fraction is that of every layer, or of the first, and every layer writes as many weights as that one.
enum class LayerShare { equal, matched };
/// theta_0 itself, or the marginal value of a write at a price lambda. A change of -eta g lowers the loss by eta g^2 to
/// first order; its price is lambda eta |g| for path length and lambda for writes, so it pays above |change| = lambda
/// eta and sqrt(lambda eta): one multiplier for all layers and times.
/// energy: that of least energy by the run's price list and what is measured on line, with accumulate
/// (write_economy.hpp).
enum class ThresholdFrom { theta, path_price, write_price, energy };

/// Trigger adaptive: theta(t) = scale sqrt(3 D/c), D the mean squared update per presentation and weight of each layer,
/// or of the whole network, measured on line; eta sqrt(3p/c) where updates are +-eta with probability p
/// (docs/theory.md).
enum class CacheStatistics { layer, network };

struct CacheSpec {
  CacheVariant variant = CacheVariant::none;
  CacheTrigger trigger = CacheTrigger::constant;
  double theta = 0.02;                                  ///< trigger constant
  double scale = 1;                                     ///< trigger adaptive
  CacheStatistics statistics = CacheStatistics::layer;  ///< trigger adaptive
  double window = 1000;                                 ///< presentations over which D forgets exponentially, > 0
  double interval = 0;                                  ///< presentations, trigger clock; 0: 3/(2c)
  double tau = 0;     ///< presentations in which s decays by 1/e; 0: it does not. The weight changes with s
  double upkeep = 0;  ///< c, upkeep of s per presentation / price of path; 0: of the run's price list

  bool on() const { return variant != CacheVariant::none; }
};

struct PlasticitySpec {
  std::string method = "all";
  WriteRule rule = WriteRule::all;
  bool accumulate = false;  ///< error feedback: what is not written stays in an accumulator (Stich et al., 2018)
  FractionSource fraction_source = FractionSource::constant;
  double fraction = 1;
  double theta = 0;             ///< theta_0; 0 with accumulate: 0.13 sqrt(3 eta_0 / B)
  double theta_exponent = 0.5;  ///< theta(t) = theta_0 (eta/eta_0)^exponent
  ThresholdFrom threshold_from = ThresholdFrom::theta;
  double price = 0;  ///< lambda of path_price (loss per unit of path) or write_price (loss per write)
  RankBy rank = RankBy::largest_update;
  RankWithin rank_within = RankWithin::layer;
  LayerShare layer_share = LayerShare::equal;
  CacheSpec cache;        ///< what is written goes to the transient part first
  UnitSpec units;         ///< which units keep their errors, which are plastic
  FreezeSpec freeze;      ///< which layers have stopped to learn
  LayerGate layer_gate = LayerGate::none;
  double depth_share = 0.5;  ///< LayerGate::random: of updates that reach the first layer
  GroupSpec groups;       ///< which groups of units learn at an update
  GrowthSpec growth;      ///< which residual branches exist
  TopologySpec topology;  ///< which connections exist
};

/// Threshold on |update| or |accumulator| at the present rate: theta_0 (eta/eta_0)^exponent, where theta_0 = theta, or
/// 0.13 sqrt(3 eta_0 / B) for an accumulator with theta = 0. The exponent 1/2 balances the writes' energy against the
/// staleness of what is not written (docs/theory.md). From a price: lambda eta or sqrt(lambda eta). From the energy: 0,
/// a run that has measured nothing yet writes everything.
double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch);

/// Fractions of layers with `weights` each: all `fraction`, or min(1, fraction n_0 / n_l) (LayerShare::matched).
std::vector<double> layer_fractions(LayerShare share, double fraction, const std::vector<std::int64_t>& weights);

/// c of caching: `upkeep`, or prices.maintenance / prices.path; 0 without a price of path.
double cache_upkeep(const CacheSpec& cache, const PriceList& prices);
/// theta at a measured D >= 0 and upkeep c of triggers constant and adaptive: constant, or scale sqrt(3 D/c), infinite
/// for c = 0.
double cache_threshold(const CacheSpec& cache, double mean_square, double upkeep);
/// Presentations between consolidations of trigger clock: interval, or 3/(2c) (infinite for c = 0).
double cache_interval(const CacheSpec& cache, double upkeep);

/// Weight presets. Rules: all, top-k, top-k-matched, top-k-per-neuron, top-k-per-neuron-weight, largest-weight,
/// smallest-update, smallest-weight, fixed-mask, threshold, write-price-m0, write-price-m1, random, error-feedback,
/// derived, schedule, schedule-feedback. Caches: cache, cache-local-global, cache-global, cache-adaptive, cache-clock.
/// Structure: random-neurons, fixed-neurons, class-neurons, alternating-neurons, error-gated, activity-gated, meprop,
/// path, random-features, freeze, random-skipping, layer-gate, group-random, group-cyclic, set, rigl, top-kast. Names
/// join with '+' where they set different parts: path+top-k. throws Error E106 with suggestions.
PlasticitySpec plasticity_preset(const std::string& method);
std::vector<std::string> plasticity_presets();

}  // namespace eos::theory
