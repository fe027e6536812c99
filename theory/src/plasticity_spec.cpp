#include "eos/theory/plasticity_spec.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/theory/synaptic_cache.hpp"
#include "spec_checks.hpp"

namespace eos::theory {

namespace {

void check_cache(const TrainingSpec& s, Checker& c) {
  const CacheSpec& cache = s.plasticity.cache;
  c.at_least("plasticity.cache.theta", cache.theta, 0);
  c.at_least("plasticity.cache.scale", cache.scale, 0);
  c.at_least("plasticity.cache.window", cache.window, 0, true);
  c.at_least("plasticity.cache.interval", cache.interval, 0);
  c.at_least("plasticity.cache.tau", cache.tau, 0);
  c.at_least("plasticity.cache.upkeep", cache.upkeep, 0);
  if (!cache.on()) return;
  if (s.plasticity.accumulate) {
    c.add("E107",
          "plasticity.accumulate keeps what is not written outside the weights, plasticity.cache inside them: a change "
          "cannot wait in both",
          "set accumulate = false, or plasticity.cache.variant = \"none\"");
  }
  const bool adaptive = cache.trigger == CacheTrigger::adaptive;
  const bool best_clock = cache.trigger == CacheTrigger::clock && cache.interval == 0;
  if ((adaptive || best_clock) && !(cache_upkeep(cache, s.prices) > 0)) {
    c.add("E107",
          adaptive
              ? "plasticity.cache.trigger = \"adaptive\" follows sqrt(3 D/c), but the upkeep c is 0"
              : "plasticity.cache.trigger = \"clock\" consolidates every 3/(2c) presentations, but the upkeep c is 0",
          "set plasticity.cache.upkeep, or choose a price list with path and maintenance, e.g. metabolic-cache");
  }
}

}  // namespace

void check_plasticity(const TrainingSpec& s, Checker& c) {
  const PlasticitySpec& w = s.plasticity;
  c.range("plasticity.fraction", w.fraction, 0, 1, true);
  c.at_least("plasticity.theta", w.theta, 0);
  c.at_least("plasticity.theta_exponent", w.theta_exponent, 0);
  c.at_least("plasticity.price", w.price, 0);
  if (w.accumulate && w.rule == WriteRule::all) {
    c.add("E107", "plasticity.accumulate keeps what is not written, but plasticity.rule = \"all\" writes everything",
          "set accumulate = false or choose another rule");
  }
  if (w.threshold_from == ThresholdFrom::energy && (w.rule != WriteRule::threshold || !w.accumulate)) {
    c.add("E107",
          "plasticity.threshold_from = \"energy\" derives how much an accumulator holds back: it needs rule = "
          "\"threshold\" and accumulate = true",
          "set both, or method = \"derived\"");
  }
  if (w.fraction_source != FractionSource::constant && w.fraction_source != FractionSource::schedule) {
    c.add("E107", "plasticity.fraction_source must be \"constant\" or \"schedule\"");
  }
  const bool ranks_updates = w.rank == RankBy::largest_update && w.rank_within == RankWithin::layer;
  if (w.accumulate && w.rule == WriteRule::top_k && !ranks_updates) {
    c.add("E107", "plasticity.accumulate with rule \"top-k\" ranks what has accumulated, by layer",
          "set rank = \"largest-update\" and rank_within = \"layer\", or accumulate = false");
  }
  check_cache(s, c);
}

double write_threshold(const PlasticitySpec& plasticity, double initial_rate, double rate, int batch) {
  if (plasticity.threshold_from == ThresholdFrom::path_price) return plasticity.price * rate;
  if (plasticity.threshold_from == ThresholdFrom::write_price) return std::sqrt(plasticity.price * rate);
  if (plasticity.threshold_from == ThresholdFrom::energy) return 0;
  if (initial_rate <= 0) return plasticity.theta;
  const double theta0 =
      plasticity.theta == 0 && plasticity.accumulate ? 0.13 * std::sqrt(3 * initial_rate / batch) : plasticity.theta;
  return theta0 * std::pow(rate / initial_rate, plasticity.theta_exponent);
}

std::vector<double> layer_fractions(LayerShare share, double fraction, const std::vector<std::int64_t>& weights) {
  std::vector<double> fractions(weights.size(), fraction);
  if (share == LayerShare::matched)
    for (std::size_t l = 1; l < weights.size(); ++l)
      fractions[l] = std::min(1.0, fraction * static_cast<double>(weights[0]) / static_cast<double>(weights[l]));
  return fractions;
}

double cache_upkeep(const CacheSpec& cache, const PriceList& prices) {
  if (cache.upkeep > 0) return cache.upkeep;
  return prices.path > 0 ? prices.maintenance / prices.path : 0.0;
}

double cache_threshold(const CacheSpec& cache, double mean_square, double upkeep) {
  if (cache.trigger == CacheTrigger::constant) return cache.theta;
  if (upkeep <= 0) return std::numeric_limits<double>::infinity();
  return mean_square > 0 ? cache.scale * DriftingCache{mean_square, upkeep}.best_threshold() : 0.0;
}

double cache_interval(const CacheSpec& cache, double upkeep) {
  if (cache.interval > 0) return cache.interval;
  return upkeep > 0 ? ClockedCache{1, upkeep}.best_interval() : std::numeric_limits<double>::infinity();
}

}  // namespace eos::theory
