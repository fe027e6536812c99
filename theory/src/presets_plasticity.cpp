// The named weight methods of the literature as combinations of the orthogonal fields of PlasticitySpec.
#include "eos/theory/plasticity_spec.hpp"
#include "preset_table.hpp"

namespace eos::theory {
namespace {

const Preset<PlasticitySpec> k_plasticity[] = {
    {"all", [](PlasticitySpec&) {}},
    {"top-k",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
     }},
    {"top-k-matched",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.03;
       p.layer_share = LayerShare::matched;
     }},
    {"top-k-per-neuron",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
       p.rank_within = RankWithin::neuron;
     }},
    {"top-k-per-neuron-weight",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
       p.rank = RankBy::largest_weight;
       p.rank_within = RankWithin::neuron;
     }},
    {"largest-weight",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
       p.rank = RankBy::largest_weight;
     }},
    {"smallest-update",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
       p.rank = RankBy::smallest_update;
     }},
    {"smallest-weight",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction = 0.1;
       p.rank = RankBy::smallest_weight;
     }},
    {"fixed-mask",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::fixed;
       p.fraction = 0.1;
       p.layer_share = LayerShare::matched;
     }},
    {"threshold",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.theta = 2e-4;
       p.theta_exponent = 0;
     }},
    {"write-price-m0",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.threshold_from = ThresholdFrom::write_price;
       p.price = 4e-6;  // a threshold of 2e-4 at the rate 0.01
     }},
    {"write-price-m1",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.threshold_from = ThresholdFrom::path_price;
       p.price = 0.02;  // a threshold of 2e-4 at the rate 0.01
     }},
    {"random",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::random;
       p.fraction = 0.1;
     }},
    {"error-feedback",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.accumulate = true;
     }},
    {"derived",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::threshold;
       p.accumulate = true;
       p.threshold_from = ThresholdFrom::energy;
     }},
    {"schedule",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction_source = FractionSource::schedule;
     }},
    {"schedule-feedback",
     [](PlasticitySpec& p) {
       p.rule = WriteRule::top_k;
       p.fraction_source = FractionSource::schedule;
       p.accumulate = true;
     }},
    // Thresholds and decay of Li & van Rossum (2020), Fig. 5B; that of `cache-global` is ours.
    {"cache",
     [](PlasticitySpec& p) {
       p.cache.variant = CacheVariant::local_local;
       p.cache.tau = 1000;
     }},
    {"cache-local-global",
     [](PlasticitySpec& p) {
       p.cache.variant = CacheVariant::local_global;
       p.cache.theta = 0.04;
       p.cache.tau = 1000;
     }},
    {"cache-global",
     [](PlasticitySpec& p) {
       p.cache.variant = CacheVariant::global_global;
       p.cache.theta = 4;
       p.cache.tau = 1000;
     }},
    {"cache-adaptive",
     [](PlasticitySpec& p) {
       p.cache.variant = CacheVariant::local_local;
       p.cache.trigger = CacheTrigger::adaptive;
     }},
    {"cache-clock",
     [](PlasticitySpec& p) {
       p.cache.variant = CacheVariant::local_local;
       p.cache.trigger = CacheTrigger::clock;
     }},
    {"random-neurons",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::random;
       p.units.fraction = 0.3;
     }},
    {"fixed-neurons",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::fixed;
       p.units.fraction = 0.3;
     }},
    {"class-neurons",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::by_class;
       p.units.fraction = 0.3;
     }},
    {"alternating-neurons",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::alternating;
       p.units.fraction = 0.3;
     }},
    {"error-gated",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::error;
       p.units.fraction = 0.3;
     }},
    {"activity-gated",
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::activity;
       p.units.fraction = 0.3;
     }},
    {"meprop",  // Sun et al.'s MNIST network keeps 80 of 500
     [](PlasticitySpec& p) {
       p.units.rule = UnitRule::error;
       p.units.fraction = 0.16;
     }},
    {"path", [](PlasticitySpec& p) { p.units.path = 100; }},
    {"random-features",
     [](PlasticitySpec& p) {
       p.freeze.law = FreezeLaw::shares;
       p.freeze.until = {0};
     }},
    {"freeze", [](PlasticitySpec& p) { p.freeze.law = FreezeLaw::linear; }},
    {"growth",
     [](PlasticitySpec& p) {
       p.growth.depths = {0.25, 0.5};
     }},
    {"growth-half", [](PlasticitySpec& p) { p.growth.depths = {0.5}; }},
    {"random-skipping", [](PlasticitySpec& p) { p.layer_gate = LayerGate::random; }},
    {"layer-gate", [](PlasticitySpec& p) { p.layer_gate = LayerGate::ratio; }},
    {"group-random", [](PlasticitySpec& p) { p.groups.rule = GroupRule::random; }},
    {"group-cyclic", [](PlasticitySpec& p) { p.groups.rule = GroupRule::cyclic; }},
    {"set", [](PlasticitySpec& p) { p.topology.rule = TopologyRule::set; }},
    {"rigl", [](PlasticitySpec& p) { p.topology.rule = TopologyRule::rigl; }},
    {"top-kast",
     [](PlasticitySpec& p) {
       p.topology.rule = TopologyRule::top_kast;
       p.topology.law = DensityLaw::uniform;
     }},
};

std::string clash(const PlasticitySpec& a, const PlasticitySpec& b) {
  if (a.rule != WriteRule::all && b.rule != WriteRule::all) return "which weights are written";
  if (a.cache.on() && b.cache.on()) return "what consolidates transient changes";
  const bool units = a.units.rule != UnitRule::all && b.units.rule != UnitRule::all;
  if (units || (a.units.path > 0 && b.units.path > 0)) return "which units learn";
  if (a.groups.rule != GroupRule::all && b.groups.rule != GroupRule::all) return "which groups of units learn";
  if (a.layer_gate != LayerGate::none && b.layer_gate != LayerGate::none) return "where backward passes stop";
  if (a.freeze.law != FreezeLaw::never && b.freeze.law != FreezeLaw::never) return "when layers freeze";
  if (a.growth.on() && b.growth.on()) return "when branches appear";
  const bool sparse = a.topology.rule != TopologyRule::dense && b.topology.rule != TopologyRule::dense;
  if (sparse) return "which connections exist";
  return "";
}

}  // namespace

PlasticitySpec plasticity_preset(const std::string& method) {
  return joined_preset(k_plasticity, method, "plasticity", clash);
}
std::vector<std::string> plasticity_presets() { return preset_names(k_plasticity); }

}  // namespace eos::theory
