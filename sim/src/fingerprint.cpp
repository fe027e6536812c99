#include "fingerprint.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "eos/core/hash.hpp"
#include "eos/core/philox.hpp"
#include "eos/kernels/device.hpp"

namespace eos::sim {
namespace {

constexpr int k_checkpoint_version = 7;  // raise it when the state of a replica changes

}  // namespace

std::string describe(const theory::NetworkSpec& n, const theory::Graph& graph) {
  std::string nodes;
  for (const theory::Node& node : graph.nodes) {
    const theory::LayerSpec& l = node.spec;
    nodes += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} {},", static_cast<int>(l.kind), node.from, node.with,
                         node.shared, node.out.size(), l.kernel, l.stride, l.padding, l.pool, l.heads, l.causal,
                         static_cast<int>(l.activation), l.rate, l.gain);
  }
  return fmt::format("network [{}] {} {} {} {} {} {} {} {} {} {} {} {}\n", nodes, static_cast<int>(n.activation),
                     n.leak, static_cast<int>(n.output), static_cast<int>(n.loss), n.target_low, n.target_high,
                     n.output_slope, n.biases, n.random_biases, static_cast<int>(n.initialisation), n.init_scale,
                     n.label_smoothing);
}

namespace {

std::string describe(const theory::OptimiserSpec& o) {
  const theory::MuonSpec& m = o.muon;
  return fmt::format("optimiser {} {} {} {} {} {} {} {} {} {} {} {} {} {} ", static_cast<int>(o.kind), o.learning_rate,
                     static_cast<int>(o.law), o.decay, o.warmup_epochs, o.momentum, o.weight_decay, o.beta1, o.beta2,
                     o.epsilon, o.effort_price, o.expected_performance, o.nesterov, o.clip) +
         fmt::format("muon {} {} {} {} {} {} {}\n", m.momentum, m.nesterov, m.steps, m.first, m.output,
                     static_cast<int>(m.rest), m.rest_rate);
}

std::string describe(const theory::SelectionSpec& s) {
  return fmt::format("selection {} {} {} {} {} {} {} {} {} {} {} {} {} {} {} ", static_cast<int>(s.present),
                     static_cast<int>(s.gate), static_cast<int>(s.score), static_cast<int>(s.batching), s.two_forward,
                     s.tau, static_cast<int>(s.tau_law), s.tau_end, s.tau_steepness, s.margin,
                     static_cast<int>(s.rank_by), s.confidence, s.chance_power, s.chance_window, s.flatness) +
         fmt::format("{} {} {} {} {} [{}] {} [{}] [{}] {} {} {} {} ", static_cast<int>(s.fraction_source), s.fraction,
                     static_cast<int>(s.law), s.law_a, s.law_b, fmt::join(s.stored, " "), s.hide,
                     fmt::join(s.milestones, " "), fmt::join(s.hide_factors, " "), s.adaptive_step,
                     s.adaptive_tolerance, static_cast<int>(s.rounding), s.floor) +
         fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {} [{}] {} {}\n", s.revision_epochs, s.revision_share,
                     s.start_epochs, s.infobatch_r, s.spaced_threshold, s.spaced_relative, s.spaced_probability,
                     s.ratio_alpha, s.ratio_exponent, s.minimum_kept, s.refresh_epochs,
                     static_cast<int>(s.rate_compensation), s.shallow_centres, fmt::join(s.proxy_hidden, " "),
                     s.proxy_every, s.proxy_rate) +
         fmt::format("tokens {} {} {}\n", s.token_share, static_cast<int>(s.row_gate), s.row_share);
}

std::string describe(const theory::UnitSpec& u, const theory::FreezeSpec& f, const theory::TopologySpec& t) {
  return fmt::format("units {} {} {} {} {} {} {} {}\nfreeze {} {} [{}]\ntopology {} {} {} {} {} {} {} {}\n",
                     static_cast<int>(u.rule), u.fraction, u.count, u.output_fraction, u.masks, u.smallest, u.unified,
                     u.path, static_cast<int>(f.law), f.first, fmt::join(f.until, " "), static_cast<int>(t.rule),
                     t.density, static_cast<int>(t.law), t.interval, t.drop, t.stop, t.learning_density, t.exploration);
}

std::string describe(const theory::PlasticitySpec& p) {
  return fmt::format("groups {} {} {} depth {} {}\n", static_cast<int>(p.groups.rule), p.groups.fraction,
                     p.groups.width, static_cast<int>(p.layer_gate), p.depth_share) +
         fmt::format("plasticity {} {} {} {} {} {} {} {} {} {} {}\n", static_cast<int>(p.rule), p.accumulate,
                     static_cast<int>(p.fraction_source), p.fraction, p.theta, p.theta_exponent,
                     static_cast<int>(p.threshold_from), p.price, static_cast<int>(p.rank),
                     static_cast<int>(p.rank_within), static_cast<int>(p.layer_share));
}

std::string describe(const theory::CacheSpec& c) {
  return fmt::format("cache {} {} {} {} {} {} {} {} {}\n", static_cast<int>(c.variant), static_cast<int>(c.trigger),
                     c.theta, c.scale, static_cast<int>(c.statistics), c.window, c.interval, c.tau, c.upkeep);
}

std::string describe(const theory::Schedule& s) {
  return fmt::format("schedule [{}] [{}] [{}] [{}] {} {}\n", fmt::join(s.edges, " "), fmt::join(s.data_fraction, " "),
                     fmt::join(s.weight_fraction, " "), fmt::join(s.learning_rate, " "), static_cast<int>(s.data_rule),
                     static_cast<int>(s.weight_rule));
}

std::string describe(const theory::PriceList& p) {
  return fmt::format("prices {} {} {} {} {} {} {} {} {} {} {}\n", p.mac, p.scoring_mac, p.write, p.path, p.path_squared,
                     p.transient_path, p.accumulator, p.maintenance, p.weight_read, p.input_byte, p.sample);
}

void add_set(core::Sha256& hash, const LabelledSet& set) {
  hash.update(set.inputs.data(), set.inputs.size());
  hash.update(set.labels.data(), set.labels.size() * sizeof(std::int32_t));
}

}  // namespace

std::string run_fingerprint(const RunSetup& setup, const kernels::Context& context) {
  const theory::TrainingSpec& s = setup.spec;
  core::Sha256 hash;
  hash.update(fmt::format("eos checkpoint {} draws {} device {} {}\n", k_checkpoint_version,
                          core::k_philox_layout_version, static_cast<int>(context.backend()),
                          kernels::to_string(kernels::products(context))));
  // fmt prints the shortest decimal text that reads back as the same double, so equal text is equal numbers.
  hash.update(describe(s.network, setup.layout.graph));
  hash.update(fmt::format("stream {} {} {} {} {} {} {} {}\n", static_cast<int>(s.data.order), s.data.centred,
                          s.data.input_noise, s.data.input_noise > 0 ? s.data.seed() : 0, s.data.standardise,
                          s.data.augment.flip, s.data.augment.translate, s.data.augment.cutout));
  hash.update(fmt::format("goal {} {} {}\n", s.goal.accuracy, s.goal.on_test, s.goal.patience));
  hash.update(describe(s.optimiser));
  hash.update(describe(s.selection));
  hash.update(describe(s.plasticity));
  hash.update(describe(s.plasticity.cache));
  hash.update(describe(s.plasticity.units, s.plasticity.freeze, s.plasticity.topology));
  hash.update(describe(s.schedule));
  hash.update(describe(s.prices));
  hash.update(fmt::format("run {} {} {} {}\n", s.batch, s.epochs, s.evaluate_every, s.record_every));
  for (const ResidentInputs* inputs : {&setup.train, &setup.validation, &setup.test}) add_set(hash, inputs->set());
  return hash.hex();
}

}  // namespace eos::sim
