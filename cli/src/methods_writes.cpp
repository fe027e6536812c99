#include "methods.hpp"

namespace eos::cli {

namespace {

constexpr const char* k_competitive =
    "van Rossum & Pache, Competitive plasticity to reduce the energetic costs of learning, PLoS Comput Biol "
    "20(10):e1012553 (2024)";
constexpr const char* k_caching = "Li & van Rossum, Energy efficient synaptic plasticity, eLife 9:e50804 (2020)";

}  // namespace

std::vector<MethodExplanation> write_rule_explanations() {
  return {
      {"plasticity", "top-k-matched",
       "As top-k, with the fraction of the first layer; every other layer writes as many weights as the first, or all.",
       "kappa_l = min(1, kappa n_1 / n_l)        (kappa = 0.03; algorithm 2020, there min(78.4 kappa, 1))",
       k_competitive, "kappa n_1 writes per layer and update",
       "Small layers learn at full rate while the large one is thinned; at equal writes better than equal fractions "
       "when kappa is very small."},
      {"plasticity", "top-k-per-neuron",
       "For each post-synaptic neuron, the largest fraction of the updates of its incoming weights is written.",
       "write i  <=>  |dw_i| among the largest kappa n of its neuron        (kappa = 0.1; algorithm 40)", k_competitive,
       "kappa writes per parameter and update", "Competition that a neuron can settle by itself, without its layer."},
      {"plasticity", "top-k-per-neuron-weight", "For each neuron, the updates of its largest weights are written.",
       "write i  <=>  |w_i| among the largest kappa n of its neuron        (kappa = 0.1; algorithm 41)", k_competitive,
       "kappa writes per parameter and update",
       "The control for top-k-per-neuron: large weights instead of large updates."},
      {"plasticity", "largest-weight", "Per layer, the updates of the largest weights are written.",
       "write i  <=>  |w_i| among the largest kappa n of its layer        (kappa = 0.1; algorithm 21)", k_competitive,
       "kappa writes per parameter and update", "A control: nearly a fixed mask, and learns like one."},
      {"plasticity", "smallest-update", "Per layer, the smallest fraction of the updates is written.",
       "write i  <=>  |dw_i| among the smallest kappa n of its layer        (kappa = 0.1; algorithm 22)", k_competitive,
       "at most kappa writes per parameter and update",
       "A control that hardly learns. Updates of zero are the smallest: inputs that are exactly 0 leave nothing to "
       "write, so centre the data as the published program does."},
      {"plasticity", "smallest-weight", "Per layer, the updates of the smallest weights are written.",
       "write i  <=>  |w_i| among the smallest kappa n of its layer        (kappa = 0.1; algorithm 23)", k_competitive,
       "kappa writes per parameter and update", "A control."},
      {"plasticity", "fixed-mask",
       "A random set of weights, drawn once, learns; the others stay as they began. Layers write equally many.",
       "write i  <=>  u_i < kappa_l,  kappa_l = min(1, kappa n_1 / n_l)        (kappa = 0.1; algorithm 104)",
       k_competitive, "kappa n_1 writes per layer and update",
       "The control for re-ranked rules: it loses accuracy that they keep."},
      {"plasticity", "write-price-m0",
       "A weight is written when the loss that the write removes exceeds its price: one multiplier for all layers.",
       "write i  <=>  eta g_i^2 > lambda,  i.e. |dw_i| > sqrt(lambda eta)        (lambda = 4e-6)",
       "eos: equal marginal value per joule, for prices of writes", "falls by itself as gradients shrink",
       "Where a write costs the same whatever its size. Instead of a fraction to tune there is a price."},
      {"plasticity", "write-price-m1",
       "A weight is written when the loss that the change removes exceeds the price of its path.",
       "write i  <=>  |g_i| > lambda,  i.e. |dw_i| > lambda eta        (lambda = 0.02)",
       "eos: equal marginal value per joule, for prices of path length", "falls by itself as gradients shrink",
       "Where a write costs its size |dw|. Both rules are the same threshold while the rate is constant."},
      {"plasticity", "cache",
       "Synaptic caching, local/local: changes go into a transient part s of each weight, which costs upkeep and "
       "decays; a synapse whose |s| exceeds a threshold is consolidated.",
       "w = l + s;  s <- s + dw;  l <- l + s, s <- 0  <=>  |s_i| > theta        (theta = 0.02, tau = 1000)", k_caching,
       "|s| path when consolidated, c |s| upkeep per presentation of the rest; up to ten times less than writing at "
       "once",
       "On-line learning where path length is what costs. For mini-batches the updates have averaged already and the "
       "saving is small. Price list: metabolic-cache."},
      {"plasticity", "cache-local-global",
       "Caching, local/global: any |s| above the threshold consolidates all incoming synapses of its neuron.",
       "consolidate neuron n  <=>  max_i |s_ni| > theta        (theta = 0.04, tau = 1000)", k_caching, "as cache",
       "Consolidation that needs a cell-wide signal only. Best threshold about twice that of cache."},
      {"plasticity", "cache-global",
       "Caching, global/global: a neuron whose summed |s| exceeds the threshold consolidates all its synapses.",
       "consolidate neuron n  <=>  sum_i |s_ni| > theta        (theta = 4, tau = 1000)", k_caching, "as cache",
       "The threshold scales with the number of synapses: tune it for every width."},
      {"plasticity", "cache-adaptive", "Caching with a threshold that follows the measured size of changes; no decay.",
       "theta(t) = scale sqrt(3 D(t)/c),  D = running mean of dw^2 per presentation and weight",
       "eos: the optimal threshold eta sqrt(3p/c) of random updates +-eta with probability p, for updates of any size",
       "as cache", "No threshold to scan: c is the ratio of prices. The formula ignores decay."},
      {"plasticity", "cache-clock", "Caching in which everything is consolidated every n presentations; no decay.",
       "l <- l + s, s <- 0 every n presentations,  n = 3/(2c)",
       "eos: the optimal interval of a random walk, which does not depend on its size", "as cache",
       "No threshold, no comparison per synapse. It is not mini-batching: the network computes with l + s throughout."},
  };
}

}  // namespace eos::cli
