// [plasticity]: which weights are written.
#include "toml_schema.hpp"

namespace eos::io {

namespace {

void bind_cache(Binder& b, theory::CacheSpec& c) {
  b.choice({"variant", "",
            "what a synapse's |s| > theta, any |s| > theta of a neuron, or a neuron's sum |s| > theta consolidates"},
           c.variant, {"none", "local-local", "local-global", "global-global"});
  b.choice({"trigger", "", "theta constant; scale sqrt(3 D/c) with D measured on line; or everything by the clock"},
           c.trigger, {"constant", "adaptive", "clock"});
  b.number({"theta", "1", "trigger constant"}, c.theta, k_not_negative);
  b.number({"scale", "1", "trigger adaptive"}, c.scale, k_not_negative);
  b.choice({"statistics", "", "D of each layer, or one for the network"}, c.statistics, {"layer", "network"});
  b.number({"window", "presentations", "over which D forgets"}, c.window, k_positive);
  b.number({"interval", "presentations", "trigger clock, 0: 3/(2c)"}, c.interval, k_not_negative);
  b.number({"tau", "presentations", "in which s decays by 1/e, 0: it does not"}, c.tau, k_not_negative);
  b.number({"upkeep", "1", "c: upkeep of s per presentation / price of path, 0: of the price list"}, c.upkeep,
           k_not_negative);
}

}  // namespace

void bind(Binder& b, theory::PlasticitySpec& p) {
  b.choice({"rule", "",
            "which weights are written: all, the first fraction by rank, above theta, a random fraction, a fixed "
            "random one"},
           p.rule, {"all", "top-k", "threshold", "random", "fixed"});
  b.flag({"accumulate", "", "error feedback: what is not written stays in an accumulator"}, p.accumulate);
  std::size_t source = p.fraction_source == theory::FractionSource::schedule ? 1 : 0;  // the only two for weights
  b.word({"fraction_source", "", "where the fraction of rules top-k, random and fixed comes from"}, source,
         {"constant", "schedule"});
  p.fraction_source = source == 1 ? theory::FractionSource::schedule : theory::FractionSource::constant;
  b.number({"fraction", "1", "fraction_source constant"}, p.fraction, k_share);
  b.number({"theta", "1", "rule threshold, at the first learning rate; 0 with accumulate: 0.13 sqrt(3 eta / batch)"},
           p.theta, k_not_negative);
  b.number({"theta_exponent", "1", "theta follows the learning rate to this power"}, p.theta_exponent, k_not_negative);
  b.choice(
      {"threshold_from", "",
       "rule threshold: theta, price lambda of path (lambda eta) or of writes (sqrt(lambda eta)), or, with accumulate, "
       "that of least energy by the price list"},
      p.threshold_from, {"theta", "path-price", "write-price", "energy"});
  b.number({"price", "loss", "lambda: loss that a unit of path, or a write, must be worth"}, p.price, k_not_negative);
  b.choice({"rank", "", "order of rule top-k"}, p.rank,
           {"largest-update", "largest-weight", "smallest-update", "smallest-weight"});
  b.choice({"rank_within", "", "rule top-k: among the weights of a layer, or of a neuron (incoming, with its bias)"},
           p.rank_within, {"layer", "neuron"});
  b.choice({"layer_share", "",
            "the fraction is that of each layer, or of the first, and every layer writes as many weights"},
           p.layer_share, {"equal", "matched"});
  b.choice({"layer_gate", "",
            "where the backward pass of an update stops: nowhere, at a random layer, or where progress per joule is "
            "largest; what is below is not computed"},
           p.layer_gate, {"none", "random", "ratio"});
  b.number({"depth_share", "1", "layer_gate random: share of updates that reach the first layer"}, p.depth_share,
           k_unit);
  b.table({"cache", "", "synaptic caching: changes go into a transient part s of each weight, later into the rest"},
          [&](Binder& t) { bind_cache(t, p.cache); });
  b.table({"units", "", "which units keep their errors, which are plastic"}, [&](Binder& t) { bind(t, p.units); });
  b.table({"freeze", "", "which layers have stopped to learn"}, [&](Binder& t) { bind(t, p.freeze); });
  b.table({"groups", "", "which groups of units get a weight gradient"}, [&](Binder& t) { bind(t, p.groups); });
  b.table({"growth", "", "which residual branches exist, and from when on"}, [&](Binder& t) { bind(t, p.growth); });
  b.table({"topology", "", "which connections exist"}, [&](Binder& t) { bind(t, p.topology); });
}

}  // namespace eos::io
