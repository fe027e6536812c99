#include "replica_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <limits>

#include "eos/core/error.hpp"
#include "eos/kernels/device.hpp"
#include "eos/theory/network_memory.hpp"

namespace eos::sim {

using kernels::StepGate;

namespace {

constexpr int k_steps_in_several = 16;  // of the larger recording: fewer launches from the host
constexpr std::int64_t k_table_bytes = std::int64_t{64} << 20;
constexpr int k_evaluation_rows = 128;

/// Steps for which tables are filled at a time.
int table_steps(int replicas, int batch) {
  const std::int64_t fit = k_table_bytes / (8 * std::int64_t{replicas} * batch);
  return static_cast<int>(std::clamp<std::int64_t>(fit, 16, 1024));
}

bool has_moments(const BatchForm& form) { return form.spec.optimiser.kind == theory::OptimiserKind::adamw; }

/// Whether gates look at scores, and ranks are asked for.
bool is_gated(const BatchForm& form) { return form.selection.gate != theory::Gate::all; }
bool is_ranked(const BatchForm& form) { return form.plasticity.rule == theory::WriteRule::top_k; }

}  // namespace

std::int64_t batch_bytes(const BatchForm& form, const Network& layout, int replicas) {
  const std::int64_t batch = form.spec.batch, outputs = std::int64_t{layout.predictions()} * layout.classes();
  // Weights, gradient, velocity, second moment, accumulator, candidates of the selection.
  const std::int64_t copies = 2 + (form.has_velocity() ? 1 : 0) + (has_moments(form) ? 1 : 0) +
                              (form.plasticity.accumulate ? 1 : 0) + (is_ranked(form) ? 1 : 0);
  const std::int64_t floats =
      copies * layout.parameters() + layout.graph.state + theory::activation_memory(layout.graph, form.spec.batch) +
      theory::gradient_memory(layout.graph, form.spec.batch) + batch * (2 * outputs + 2 * layout.predictions() + 5);
  const std::int64_t gated = is_gated(form) ? batch : 0, ranked = is_ranked(form) ? 8 * layout.layers() : 0;
  const std::int64_t viewed = form.spec.data.augment.any() ? 4 * batch : 0;
  const std::int64_t step = sizeof(kernels::StepControls) + 8 * batch + 4 + gated + ranked + viewed;
  return replicas * (4 * floats + table_steps(replicas, form.spec.batch) * step);
}

int replicas_that_fit(const BatchForm& form, const Network& layout, std::int64_t free) {
  int fit = 0;
  for (int step = 1 << 20; step > 0; step /= 2)
    if (batch_bytes(form, layout, fit + step) <= free) fit += step;
  return fit;
}

ReplicaBatch::ReplicaBatch(const RunSetup& setup, const BatchForm& form, const kernels::Buffer<std::int32_t>& labels,
                           const kernels::Context& context, int replicas)
    : setup_(setup),
      layout_(setup.layout),
      context_(context),
      decision_(form.decision()),
      update_(form.update()),
      clip_(form.spec.optimiser.clip),
      accumulates_(form.plasticity.accumulate),
      has_velocity_(form.has_velocity()),
      trains_(!is_gated(form)),
      runs_(static_cast<std::size_t>(replicas)),
      labels_of_set_(labels.data()) {
  const std::int64_t need = batch_bytes(form, layout_, replicas);
  const auto free = static_cast<std::int64_t>(kernels::free_bytes(context));
  if (context.backend() == kernels::Backend::cuda && need > free)
    throw core::Error(
        "E304",
        fmt::format("{} replicas need {} MiB on {}, where {} MiB are free", replicas, need >> 20, context.device_name(),
                    free >> 20),
        fmt::format("at most {} replicas of this network and batch would fit", replicas_that_fit(form, layout_, free)));
  shape_ = {replicas, form.spec.batch, table_steps(replicas, form.spec.batch), layout_.layers(), layout_.predictions()};
  make_tables();
  make_arrays();
  record();
}

void ReplicaBatch::make_tables() {
  const auto replicas = static_cast<std::size_t>(shape_.replicas),
             steps = replicas * static_cast<std::size_t>(shape_.steps);
  const std::size_t rows = steps * static_cast<std::size_t>(shape_.rows);
  controls_ = {context_, std::vector<kernels::StepControls>(steps)};
  samples_table_ = {context_, rows};
  losses_ = {context_, rows};
  trained_ = {context_, steps};
  if (decision_.gate != StepGate::all) certain_ = {context_, rows};
  if (setup_.inputs.augments()) {
    views_table_ = {context_, rows};
    views_ = {context_, replicas * static_cast<std::size_t>(shape_.rows)};
  }
  if (update_.mask == kernels::Mask::selection)
    fractions_ = {context_, steps * static_cast<std::size_t>(shape_.segments)};
  constants_ = {context_, std::vector<kernels::ReplicaConstants>(replicas)};
  host_states_.resize(replicas);
  states_ = {context_, host_states_};
  host_losses_.resize(static_cast<std::size_t>(shape_.steps) * static_cast<std::size_t>(shape_.rows));
  host_trained_.resize(static_cast<std::size_t>(shape_.steps));
}

void ReplicaBatch::make_arrays() {
  const auto replicas = static_cast<std::size_t>(shape_.replicas);
  const std::size_t parameters = replicas * static_cast<std::size_t>(layout_.parameters());
  const std::size_t segments = replicas * static_cast<std::size_t>(shape_.segments);
  const int capacity = std::max(shape_.replicas * shape_.rows, k_evaluation_rows);
  const auto rows = static_cast<std::size_t>(capacity), predictions = rows * static_cast<std::size_t>(shape_.labels);
  samples_ = {context_, rows};
  labels_ = {context_, predictions};
  row_weights_ = {context_, predictions};
  if (shape_.labels > 1) correct_tokens_ = {context_, rows};
  correct_ = {context_, rows};
  scores_ = {context_, 3 * rows};
  dz_ = {context_, predictions * static_cast<std::size_t>(layout_.classes())};
  if (!setup_.spec.network.output_slope) sent_ = {context_, dz_.size()};
  draws_ = {context_, replicas};
  rules_ = {context_, std::vector<kernels::ReplicaRule>(replicas)};
  counts_ = {context_, segments};
  if (clip_ > 0) clipped_ = {context_, std::vector<kernels::ClipResult>(replicas)};
  totals_ = {context_, segments + replicas};
  if (update_.mask == kernels::Mask::selection) ranks_ = {context_, segments}, selection_ = {context_, segments};
  weights_ = {context_, parameters};
  gradient_ = {context_, parameters};
  if (has_velocity_) velocity_ = {context_, parameters};
  if (update_.method == kernels::UpdateMethod::adamw) second_moment_ = {context_, parameters};
  if (accumulates_) accumulator_ = {context_, parameters};
  statistics_ = {context_, replicas * static_cast<std::size_t>(layout_.graph.state)};
  activations_ = Activations(context_, layout_, shape_.rows, shape_.replicas);
  one_ = Activations(context_, layout_, k_evaluation_rows);
  backward_ = Backward(context_, layout_, shape_.rows, shape_.replicas);
  scorer_ = OutputScorer(context_, setup_.spec.network, layout_, capacity);
}

// The tables are empty, so the first step changes nothing that a run reads: it lets kernels get their working memory.
void ReplicaBatch::record() {
  step();
  const auto calls = [this] { step(); };
  single_ = kernels::Recording(context_, calls);
  several_ = kernels::Recording(context_, calls, k_steps_in_several);
}

void ReplicaBatch::score(bool errors) {
  const int rows = shape_.replicas * shape_.rows;
  const std::ptrdiff_t capacity = static_cast<std::ptrdiff_t>(scores_.size() / 3);
  OutputScores out;
  const bool scores = !errors || trains_;
  if (scores) {
    out.loss = scores_.data();
    out.p_true = scores_.data() + capacity;
    out.residual = scores_.data() + 2 * capacity;
    out.correct = correct_.data();
    out.correct_tokens = correct_tokens_.data();
  }
  if (errors) out.dz = dz_.data();
  if (errors && sent_.size() > 0) out.sent = sent_.data();
  // The weights hold the whole factor of a prediction; the scorer divides by their number.
  scorer_.score(rows, activations_.row(layout_.nodes(), 0), labels_.data(), row_weights_.data(),
                static_cast<float>(shape_.labels), out);
}

void ReplicaBatch::step() {
  const kernels::StepTables tables{controls_.data(), samples_table_.data(), certain_.data(),    fractions_.data(),
                                   labels_of_set_,   constants_.data(),     views_table_.data()};
  const kernels::StepRows rows{samples_.data(), labels_.data(), row_weights_.data(), draws_.data(), views_.data()};
  kernels::begin_step(context_, shape_, tables, decision_.gate, states_.data(), rows);
  setup_.inputs.gather(setup_.train.data(), samples_.data(), shape_.replicas * shape_.rows,
                       {views_.data(), 0, draws_.data(), shape_.rows}, activations_.row(0, 0));
  const Pass pass{
      0, shape_.rows, trains_ ? Mode::train : Mode::score, statistics_.data(), samples_.data(), draws_.data()};
  forward(context_, layout_, weights_.data(), activations_, pass);
  score(trains_);
  const std::ptrdiff_t capacity = static_cast<std::ptrdiff_t>(scores_.size() / 3);
  const bool by_loss = setup_.selection.rank_by == theory::Difficulty::loss;
  const kernels::StepScores scores{scores_.data(), scores_.data() + capacity,
                                   by_loss ? scores_.data() : scores_.data() + 2 * capacity, correct_.data()};
  kernels::decide_step(context_, shape_, tables, layout_.segments(), decision_, scores, rows,
                       {states_.data(), rules_.data(), ranks_.data(), losses_.data(), trained_.data()});
  if (!trains_) score(true);
  backward_.run(context_, layout_, weights_.data(), activations_, pass, dz_.data(),
                sent_.size() > 0 ? sent_.data() : dz_.data(), gradient_.data());
  if (clip_ > 0)
    kernels::clip_gradient(context_, {shape_.replicas, layout_.parameters(), 0}, clip_, gradient_.data(),
                           clipped_.data());
  kernels::replica_update(context_, shape_.replicas, layout_.segments(), update_, rules_.data(),
                          {gradient_.data(), weights_.data(), velocity_.data(), second_moment_.data(),
                           accumulator_.data(), ranks_.data(), selection_.data(), counts_.data(), totals_.data()});
}

void ReplicaBatch::put(int slot, std::unique_ptr<BatchRun> run) {
  const auto parameters = static_cast<std::size_t>(layout_.parameters());
  context_.copy_in(weights_of(slot), run->initial().data(), parameters * sizeof(float));
  for (kernels::Buffer<float>* state : {&velocity_, &second_moment_, &accumulator_})
    if (state->size() > 0) context_.fill_zero(state->data() + slot * layout_.parameters(), parameters * sizeof(float));
  const std::vector<float> statistics = initial_state(layout_);
  context_.copy_in(statistics_.data() + slot * layout_.graph.state, statistics.data(),
                   statistics.size() * sizeof(float));
  const std::size_t totals = static_cast<std::size_t>(shape_.segments) + 1;
  context_.fill_zero(totals_.data() + at(slot) * totals, totals * sizeof(kernels::UpdateCounts));
  const kernels::ReplicaConstants constants = run->form().constants(run->seed());
  context_.copy_in(constants_.data() + slot, &constants, sizeof constants);
  const kernels::ReplicaRule rests;
  context_.copy_in(rules_.data() + slot, &rests, sizeof rests);
  host_states_[at(slot)] = {};
  runs_[at(slot)] = std::move(run);
}

ReplicaResult ReplicaBatch::take(int slot, bool stopped) {
  std::vector<float> weights(static_cast<std::size_t>(layout_.parameters()));
  context_.copy_out(weights.data(), weights_of(slot), weights.size() * sizeof(float));
  const std::unique_ptr<BatchRun> run = std::move(runs_[at(slot)]);
  return run->result(std::move(weights), stopped);
}

// Runs whose evaluations lie close together wait for each other, so that they are evaluated together. Waiting moves
// running statistics, where a network has them.
int ReplicaBatch::window() const {
  int shortest = std::numeric_limits<int>::max(), steps = 0;
  for (const auto& run : runs_)
    if (run) shortest = std::min(shortest, run->left());
  const int latest = layout_.graph.state > 0 ? shortest : shortest + shortest / 20 + 2;
  for (const auto& run : runs_)
    if (run && run->left() <= latest) steps = std::max(steps, run->left());
  return shortest == 0 ? 0 : std::min(steps, shape_.steps);
}

void ReplicaBatch::fill_tables(int steps) {
  const auto n = static_cast<std::size_t>(steps), batch = static_cast<std::size_t>(shape_.rows);
  const auto segments = static_cast<std::size_t>(shape_.segments);
  std::vector<kernels::StepControls> controls;
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    const std::size_t first = r * static_cast<std::size_t>(shape_.steps);
    controls.assign(n, {});
    if (const BatchRun* run = runs_[r].get(); run != nullptr) {
      const PlannedInterval& plan = run->interval();
      const auto done = static_cast<std::size_t>(run->done());
      const std::size_t own = std::min(n, static_cast<std::size_t>(run->left()));
      std::copy_n(plan.controls.begin() + run->done(), own, controls.begin());
      context_.copy_in(samples_table_.data() + first * batch, plan.samples.data() + done * batch,
                       own * batch * sizeof(std::int32_t));
      if (certain_.size() > 0)
        context_.copy_in(certain_.data() + first * batch, plan.certain.data() + done * batch, own * batch);
      if (views_table_.size() > 0)
        context_.copy_in(views_table_.data() + first * batch, plan.views.data() + done * batch,
                         own * batch * sizeof(std::uint32_t));
      if (fractions_.size() > 0)
        context_.copy_in(fractions_.data() + first * segments, plan.fractions.data() + done * segments,
                         own * segments * sizeof(double));
    }
    context_.copy_in(controls_.data() + first, controls.data(), n * sizeof controls[0]);
    host_states_[r].step = 0;
  }
  states_.put(host_states_);
}

void ReplicaBatch::run_steps(int steps) {
  int left = steps;
  for (; left >= k_steps_in_several; left -= k_steps_in_several) several_.replay();
  for (; left > 0; --left) single_.replay();
}

void ReplicaBatch::report(int steps, double seconds) {
  if (steps > 0) context_.copy_out(host_states_.data(), states_.data(), host_states_.size() * sizeof host_states_[0]);
  std::vector<kernels::ReplicaRule> rules;
  if (update_.mask == kernels::Mask::selection) rules = rules_.get();
  for (std::size_t r = 0; r < runs_.size(); ++r) {
    if (!runs_[r]) continue;
    const int own = std::min(steps, runs_[r]->left());
    const auto n = static_cast<std::size_t>(own), first = r * static_cast<std::size_t>(shape_.steps);
    const auto batch = static_cast<std::size_t>(shape_.rows);
    if (own > 0) {
      context_.copy_out(host_losses_.data(), losses_.data() + first * batch, n * batch * sizeof(float));
      context_.copy_out(host_trained_.data(), trained_.data() + first, n * sizeof(std::int32_t));
    }
    runs_[r]->note(own, {host_losses_.data(), host_trained_.data()}, seconds);
    if (!rules.empty() && rules[r].refused != 0) runs_[r]->diverge();
  }
}

void ReplicaBatch::advance() {
  const auto begin = std::chrono::steady_clock::now();
  const int steps = window();
  if (steps > 0) {
    fill_tables(steps);
    run_steps(steps);
    context_.synchronise();
  }
  report(steps, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  std::vector<int> due;
  for (int slot = 0; slot < slots(); ++slot)
    if (run(slot) != nullptr && run(slot)->wants_evaluation()) due.push_back(slot);
  evaluate(due);
  for (const auto& run : runs_)
    if (run) run->plan();
}

void ReplicaBatch::evaluate(const std::vector<int>& due) {
  const bool together = slots() > 1 && static_cast<int>(due.size()) == slots();
  std::vector<SetScore> validation, test;
  if (together)
    validation = evaluate_set(setup_.validation, activations_, 0), test = evaluate_set(setup_.test, activations_, 0);
  const auto parameters = static_cast<std::size_t>(layout_.parameters());
  const std::size_t segments = static_cast<std::size_t>(shape_.segments) + 1;
  std::vector<float> weights(parameters);
  std::vector<kernels::UpdateCounts> totals(segments);
  for (const int slot : due) {
    const SetScore v = together ? validation[at(slot)] : evaluate_set(setup_.validation, one_, slot).front();
    const SetScore t = together ? test[at(slot)] : evaluate_set(setup_.test, one_, slot).front();
    context_.copy_out(totals.data(), totals_.data() + at(slot) * segments, segments * sizeof totals[0]);
    context_.copy_out(weights.data(), weights_of(slot), parameters * sizeof(float));
    runs_[at(slot)]->evaluate(v, t, totals, weights, setup_.keep_weights);
  }
}

/// Adds the losses and right answers of rows [begin, begin + rows) of a set.
void ReplicaBatch::score_rows(const ResidentInputs& inputs, Activations& a, int first, int begin, int rows,
                              std::vector<SetScore>& sums) {
  const std::size_t replicas = sums.size(), n = static_cast<std::size_t>(rows),
                    labels = static_cast<std::size_t>(shape_.labels);
  host_samples_.resize(replicas * n);
  host_labels_.clear();
  const auto label = inputs.set().labels.begin() + std::ptrdiff_t{begin} * shape_.labels;
  for (std::size_t r = 0; r < replicas; ++r) {
    for (std::size_t i = 0; i < n; ++i) host_samples_[r * n + i] = begin + static_cast<std::int32_t>(i);
    host_labels_.insert(host_labels_.end(), label, label + static_cast<std::ptrdiff_t>(n * labels));
  }
  context_.copy_in(samples_.data(), host_samples_.data(), replicas * n * sizeof(std::int32_t));
  context_.copy_in(labels_.data(), host_labels_.data(), host_labels_.size() * sizeof(std::int32_t));
  setup_.inputs.gather(inputs.data(), samples_.data(), static_cast<int>(replicas) * rows, {}, a.row(0, 0));
  const Pass pass{
      0, rows, Mode::score, statistics_.data() + first * layout_.graph.state, samples_.data(), draws_.data()};
  forward(context_, layout_, weights_of(first), a, pass);
  OutputScores out;
  out.loss = scores_.data();
  out.correct = correct_.data();
  out.correct_tokens = correct_tokens_.data();
  scorer_.score(static_cast<int>(replicas) * rows, a.row(layout_.nodes(), 0), labels_.data(), nullptr, 1.0f, out);
  std::vector<float> losses(replicas * n);
  std::vector<std::uint8_t> correct(replicas * n);
  std::vector<std::int32_t> tokens(shape_.labels > 1 ? replicas * n : 0);
  context_.copy_out(losses.data(), scores_.data(), losses.size() * sizeof(float));
  if (tokens.empty())
    context_.copy_out(correct.data(), correct_.data(), correct.size());
  else
    context_.copy_out(tokens.data(), correct_tokens_.data(), tokens.size() * sizeof(std::int32_t));
  for (std::size_t i = 0; i < losses.size(); ++i) {
    sums[i / n].loss += losses[i];
    sums[i / n].accuracy += tokens.empty() ? correct[i] : tokens[i];
  }
}

/// Of the replicas that the activations hold, from slot `first` on.
std::vector<SetScore> ReplicaBatch::evaluate_set(const ResidentInputs& inputs, Activations& a, int first) {
  const LabelledSet& set = inputs.set();
  const auto replicas = static_cast<std::size_t>(a.replicas());
  std::vector<SetScore> sums(replicas);
  for (int begin = 0; begin < set.samples; begin += a.capacity()) {
    const int rows = std::min(a.capacity(), set.samples - begin);
    score_rows(inputs, a, first, begin, rows, sums);
  }
  const double samples = set.samples, predictions = samples * shape_.labels;
  for (SetScore& sum : sums) sum = {sum.loss / samples, sum.accuracy / predictions};  // 0 / 0 without samples: NaN
  return sums;
}

}  // namespace eos::sim
