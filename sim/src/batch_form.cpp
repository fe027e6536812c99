#include "batch_form.hpp"

#include <fmt/format.h>

namespace eos::sim {

using kernels::Mask;
using kernels::StepGate;
using kernels::UpdateMethod;
using theory::Gate;
using theory::OptimiserKind;
using theory::WriteRule;

BatchForm::BatchForm(const theory::TrainingSpec& s, int train_samples, int predictions_of_a_row)
    : spec(s),
      selection(effective_selection(s)),
      plasticity(effective_plasticity(s)),
      open_loop(s, train_samples),
      predictions(predictions_of_a_row) {}

namespace {

StepGate gate_of(Gate gate) {
  switch (gate) {
    case Gate::threshold:
      return StepGate::threshold;
    case Gate::errors:
      return StepGate::errors;
    case Gate::ranked:
      return StepGate::ranked;
    default:
      return StepGate::all;
  }
}

Mask mask_of(WriteRule rule) {
  switch (rule) {
    case WriteRule::top_k:
      return Mask::selection;
    case WriteRule::threshold:
      return Mask::threshold;
    default:
      return Mask::all;
  }
}

}  // namespace

kernels::StepDecision BatchForm::decision() const {
  const bool shrinks = selection.batching != theory::Batching::full;
  return {gate_of(selection.gate), shrinks ? selection.minimum_kept : 1};
}

kernels::ReplicaUpdate BatchForm::update() const {
  const theory::OptimiserSpec& o = spec.optimiser;
  const UpdateMethod sgd = o.nesterov ? UpdateMethod::nesterov : UpdateMethod::sgd;
  return {o.kind == OptimiserKind::adamw ? UpdateMethod::adamw : sgd, mask_of(plasticity.rule)};
}

kernels::ReplicaConstants BatchForm::constants(std::uint64_t seed) const {
  const theory::OptimiserSpec& o = spec.optimiser;
  kernels::ReplicaConstants c;
  c.seed = seed;
  c.momentum = static_cast<float>(o.momentum), c.weight_decay = static_cast<float>(o.weight_decay);
  c.beta1 = static_cast<float>(o.beta1), c.beta2 = static_cast<float>(o.beta2);
  c.epsilon = static_cast<float>(o.epsilon);
  return c;
}

std::string BatchForm::shape() const {
  const kernels::StepDecision d = decision();
  const kernels::ReplicaUpdate u = update();
  return fmt::format(
      "batch {} gate {} {} by {} update {} {} velocity {} accumulate {} clip {} centred {} noise {} {} "
      "augment {} {} {}\n",
      spec.batch, static_cast<int>(d.gate), d.least_kept, static_cast<int>(selection.rank_by),
      static_cast<int>(u.method), static_cast<int>(u.mask), has_velocity(), plasticity.accumulate, spec.optimiser.clip,
      spec.data.centred, spec.data.input_noise, spec.data.seed(), spec.data.augment.flip, spec.data.augment.translate,
      spec.data.augment.cutout);
}

bool BatchForm::has_velocity() const {
  return spec.optimiser.kind == OptimiserKind::adamw || spec.optimiser.momentum > 0;
}

namespace {

std::string reason_in_selection(const theory::SelectionSpec& s) {
  const bool gated = s.gate != Gate::all;
  if (s.present != theory::Present::all && s.present != theory::Present::random)
    return "which samples are presented depends on their last losses";
  if (s.score != theory::Score::current) return "scores come from elsewhere than the present forward pass";
  if (s.fraction_source == theory::FractionSource::adaptive) return "the fraction follows the training accuracy";
  if (gated && gate_of(s.gate) == StepGate::all) return "the gate looks at more than the scores of one step";
  if (gated && s.batching == theory::Batching::full) return "kept samples are collected into full batches";
  if (s.confidence > 0) return "the gate ranks with a confidence";
  if (s.two_forward) return "kept samples are forwarded twice";
  if (s.row_gate != theory::RowGate::none) return "rows of layers are selected by their errors";
  return s.token_share < 1 ? "tokens are selected" : "";
}

std::string reason_in_plasticity(const theory::PlasticitySpec& p) {
  if (p.rule == WriteRule::random || p.rule == WriteRule::fixed) return "writes are drawn at random";
  const bool plain_rank = p.rank == theory::RankBy::largest_update && p.rank_within == theory::RankWithin::layer;
  if (p.rule == WriteRule::top_k && !plain_rank) return "writes are ranked otherwise than by update within layers";
  if (p.threshold_from == theory::ThresholdFrom::energy)
    return "the threshold follows what updates are measured to cost";
  if (p.cache.on()) return "weights have a transient part";
  if (p.units.rule != theory::UnitRule::all || p.units.path > 0) return "units are masked";
  if (p.topology.rule != theory::TopologyRule::dense) return "the topology is sparse";
  if (p.growth.on()) return "the network grows";
  if (p.layer_gate != theory::LayerGate::none) return "backward passes stop at different layers";
  return p.freeze.law != theory::FreezeLaw::never ? "layers freeze" : "";
}

}  // namespace

std::string reason_against_batch(const theory::TrainingSpec& spec) {
  if (spec.optimiser.kind == OptimiserKind::muon) return "Muon moves matrices by products of their own";
  if (spec.optimiser.law == theory::RateLaw::effort) return "the learning rate follows the training accuracy";
  if (spec.record_every > 0) return "single updates are recorded";
  const std::string reason = reason_in_selection(effective_selection(spec));
  return reason.empty() ? reason_in_plasticity(effective_plasticity(spec)) : reason;
}

std::string reason_against_batch(const BatchForm& form, const Network& layout) {
  const bool gated = form.selection.gate != Gate::all;
  if (gated && layout.predictions() > 1) return "sequences are selected";
  if (!layout.graph.trains_differently()) return "";
  if (gated) return "the network trains in another pass than it scores in";
  const bool whole = form.selection.present == theory::Present::all &&
                     form.open_loop.samples() % form.spec.batch == 0 &&
                     form.open_loop.positions() % form.spec.batch == 0;
  return whole ? "" : "the network trains on whole batches, and the samples of an epoch are no multiple of the batch";
}

}  // namespace eos::sim
