#include "replica.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/kernels/replica_step.hpp"
#include "eos/theory/network_memory.hpp"

namespace eos::sim {

using theory::Batching;

namespace {

constexpr int k_least_chunk = 8;  // rows; a smaller forward costs as much, because it reads all weights

/// What is known only with the data at hand.
void check_sequences(const theory::SelectionSpec& s, const Network& network) {
  const bool sequences = network.predictions() > 1;
  if (!sequences && s.token_share < 1)
    throw core::Error("E107", "selection.token_share < 1 chooses tokens, but these data have one label a sample",
                      "choose samples instead: selection.gate = \"ranked\" with a fraction");
  if (sequences && (s.gate == theory::Gate::gap || s.score == theory::Score::proxy))
    throw core::Error("E107",
                      "selection.gate = \"gap\" and selection.score = \"proxy\" look at one label a sample, but these "
                      "data are sequences",
                      "choose another gate, e.g. ranked or threshold");
}

}  // namespace

theory::NetworkCounts network_counts(const theory::TopologySpec& topology, const Network& network) {
  const theory::TopologySpec dense;
  if (topology.rule != dense.rule) return theory::sparse_counts(topology, network.widths, network.biases);
  return theory::graph_counts(network.graph, network.inputs());
}

ResidentInputs::ResidentInputs(const kernels::Context& context, const LabelledSet& set) : set_(&set) {
  if (context.backend() == kernels::Backend::cpu) return;
  copy_ = kernels::Buffer<std::uint8_t>(context, set.inputs);
  context.synchronise();
}

RunSetup::RunSetup(const theory::TrainingSpec& s, const TaskData& data, const kernels::Context& context)
    : spec(s),
      selection(effective_selection(s)),
      plasticity(effective_plasticity(s)),
      layout(s.network, checked(data).shape()),
      counts(network_counts(plasticity.topology, layout)),
      open_loop(s, data.train.samples),
      train(context, data.train),
      validation(context, data.validation),
      test(context, data.test),
      inputs(context, s.data, data) {
  check_sequences(selection, layout);
}

void Replica::Pending::clear() {
  samples.clear(), labels.clear(), weights.clear(), views.clear();
  loss = 0, in_place = true, forwarded_in_place = 0;
}

Replica::Replica(const RunSetup& setup, const kernels::Context& context, std::uint64_t seed)
    : setup_(setup),
      context_(context),
      seed_(seed),
      counts_(setup.counts),
      gate_(setup.selection, setup.open_loop, unit_costs(setup.spec.prices, setup.counts), seed),
      stream_(setup.selection, setup.open_loop, gate_, seed),
      structure_(context, setup.plasticity, setup.layout, setup.spec.batch, setup.spec.epochs, seed),
      row_gate_(context, setup.selection, setup.layout, setup.spec.batch, seed),
      layer_gate_(context, setup.spec, setup.plasticity, setup.layout, seed),
      plasticity_(context, setup.spec.optimiser, setup.plasticity,
                  theory::cache_upkeep(setup.plasticity.cache, setup.spec.prices), setup.layout, seed,
                  structure_.learning() != nullptr),
      write_law_(setup.spec, setup.plasticity, setup.open_loop.reference_rate(), setup.layout),
      online_(context, setup.spec.optimiser, setup.plasticity, setup.layout, setup.spec.batch),
      initial_(initial_weights(setup.layout, setup.spec.network, seed)),
      weights_(context, initial_),
      gradient_(context, static_cast<std::size_t>(setup.layout.parameters())),
      state_(context, initial_state(setup.layout)),
      draws_(context, std::vector<kernels::DropoutDraw>(1)),
      layer_ledgers_(static_cast<std::size_t>(setup.layout.layers())) {
  if (!structure_.plain()) {
    structure_.start(weights_);
    initial_ = weights_.get();
  }
  const int batch = setup.spec.batch, capacity = theory::chunk_rows(setup.layout.graph, batch);
  const auto rows = static_cast<std::size_t>(capacity);
  batch_ = Activations(context, setup.layout, batch);
  chunk_ = Activations(context, setup.layout, capacity);
  backward_ = Backward(context, setup.layout, batch);
  scorer_ = OutputScorer(context, setup.spec.network, setup.layout, capacity);
  const auto predictions = static_cast<std::size_t>(setup.layout.predictions());
  if (predictions > 1) correct_tokens_ = kernels::Buffer<std::int32_t>(context, rows);
  scores_ = kernels::Buffer<float>(context, 3 * rows);
  correct_ = kernels::Buffer<std::uint8_t>(context, rows);
  dz_ = kernels::Buffer<float>(context, static_cast<std::size_t>(batch) * predictions * setup.layout.classes());
  if (!setup.spec.network.output_slope) sent_ = kernels::Buffer<float>(context, dz_.size());
  sample_weights_ = kernels::Buffer<float>(context, rows * predictions);
  labels_ = kernels::Buffer<std::int32_t>(context, rows * predictions);
  index_ = kernels::Buffer<std::int32_t>(context, rows);
  if (setup.inputs.augments()) views_ = kernels::Buffer<std::uint32_t>(context, rows);
  score_words_.resize(3 * rows);
  plasticity_.start(weights_);
  note_growth();
  const theory::SelectionSpec& selection = setup.selection;
  if (selection.score == theory::Score::proxy)
    proxy_.emplace(context, setup.spec, setup.layout.inputs(), setup.layout.classes(), capacity, seed);
  if (selection.score == theory::Score::shallow)
    density_.emplace(seed, selection.shallow_centres, setup.open_loop.samples(), setup.layout.widths[1]);
}

// The number of rows to present next. While a full batch is collected: so many that about the missing ones will be
// kept. Too many are handed back and forwarded twice; too few cost another pass over the weights.
int Replica::chunk_size() const {
  const int batch = setup_.spec.batch;
  if (!full_batches()) return batch;
  // Online, a sample is judged by the weights that the one before it has left; ranks need company.
  if (batch == 1 && setup_.selection.gate != theory::Gate::ranked) return 1;
  const int missing = batch - pending_.size();
  const double keep = gate_.expected_keep(stream_.state.position, stream_.data_fraction(), means_);
  if (keep >= 1) return missing;
  // A transient part may decay between batches, not within: then no row is forwarded before its batch.
  const int most = plasticity_.caches() ? missing : chunk_.capacity();
  // The ranked gate keeps at most ceil(fraction * rows): rounding down here never keeps too many.
  if (setup_.selection.gate == theory::Gate::ranked && setup_.selection.confidence == 0)
    return std::clamp(static_cast<int>(missing / keep), 1, most);
  return std::clamp(static_cast<int>(std::ceil(missing / keep)), std::min(k_least_chunk, most), most);
}

void Replica::gather(const ResidentInputs& inputs, const std::vector<std::int32_t>& samples,
                     const std::vector<std::uint32_t>& views, float* to) {
  context_.copy_in(index_.data(), samples.data(), samples.size() * sizeof(std::int32_t));
  const bool augmented = setup_.inputs.augments() && !views.empty();
  if (augmented) context_.copy_in(views_.data(), views.data(), views.size() * sizeof(std::uint32_t));
  setup_.inputs.gather(inputs.data(), index_.data(), static_cast<int>(samples.size()),
                       {augmented ? views_.data() : nullptr, seed_}, to);
}

void Replica::upload_labels(const std::vector<std::int32_t>& labels, const std::vector<float>& weights) {
  context_.copy_in(labels_.data(), labels.data(), labels.size() * sizeof(std::int32_t));
  if (!scores_weights()) return;
  const auto predictions = static_cast<std::size_t>(setup_.layout.predictions());
  prediction_weights_.clear();
  for (const float weight : weights) prediction_weights_.insert(prediction_weights_.end(), predictions, weight);
  context_.copy_in(sample_weights_.data(), prediction_weights_.data(), prediction_weights_.size() * sizeof(float));
}

// index_ must hold the samples of the rows.
Pass Replica::pass_of(int first, int rows, Mode mode) {
  if (mode == Mode::train && setup_.layout.graph.trains_differently()) {
    const kernels::DropoutDraw draw{seed_, 0, static_cast<std::uint32_t>(ledger_.steps)};
    context_.copy_in(draws_.data(), &draw, sizeof draw);
  }
  return {first, rows, mode, state_.data(), index_.data(), draws_.data(), structure_.growth().depth()};
}

void Replica::forward_chunk(bool in_place) {
  load_samples(rows_);
  Activations& a = in_place ? batch_ : chunk_;
  const int first = in_place ? pending_.size() : 0;
  gather(setup_.train, row_samples_, row_views_, a.row(0, first));
  if (passed_.empty())
    forward(context_, setup_.layout, forward_weights(), a,
            pass_of(first, static_cast<int>(rows_.size()), in_place ? Mode::train : Mode::score));
  else
    forward_from_features(first);
  upload_labels(row_labels_, row_weights_);
  score(a, first, in_place);
}

void Replica::score(Activations& a, int first, bool in_place) {
  const auto rows = static_cast<int>(rows_.size());
  const std::size_t capacity = score_words_.size() / 3;
  const std::int64_t outputs = std::int64_t{setup_.layout.predictions()} * setup_.layout.classes();
  OutputScores out;
  out.loss = scores_.data();
  out.p_true = scores_.data() + capacity;
  out.residual = scores_.data() + 2 * capacity;
  out.correct = correct_.data();
  out.correct_tokens = correct_tokens_.data();
  // Rows that are certain to be trained get their dz at once.
  if (in_place) out.dz = dz_.data() + first * outputs;
  if (in_place && sent_.size() > 0) out.sent = sent_.data() + first * outputs;
  const bool mean_of_kept = setup_.selection.batching == Batching::shrink_mean;
  const float scale = 1.0f / static_cast<float>(mean_of_kept ? rows : setup_.spec.batch);
  scorer_.score(rows, a.row(setup_.layout.nodes(), first), labels_.data(),
                scores_weights() ? sample_weights_.data() : nullptr, scale, out);
  take_scores(rows_.size());
  if (setup_.selection.gate == theory::Gate::gap) score_gaps(a.row(setup_.layout.nodes(), first));
}

// Brings the scores of the first rows to the host. A sequence counts as right if more than half of its tokens are.
void Replica::take_scores(std::size_t rows) {
  const std::size_t capacity = score_words_.size() / 3;
  host_scores_.resize(rows);
  context_.copy_out(score_words_.data(), scores_.data(), score_words_.size() * sizeof(float));
  std::copy_n(score_words_.data(), rows, host_scores_.loss.data());
  std::copy_n(score_words_.data() + capacity, rows, host_scores_.p_true.data());
  std::copy_n(score_words_.data() + 2 * capacity, rows, host_scores_.residual.data());
  if (correct_tokens_.size() == 0) return context_.copy_out(host_scores_.correct.data(), correct_.data(), rows);
  correct_counts_.resize(rows);
  context_.copy_out(correct_counts_.data(), correct_tokens_.data(), rows * sizeof(std::int32_t));
  for (std::size_t i = 0; i < rows; ++i)
    host_scores_.correct[i] = 2 * correct_counts_[i] > setup_.layout.predictions() ? 1 : 0;
}

// Counts of a forward pass over rows_, and what the stream remembers of it.
void Replica::note_forward() {
  const auto n = static_cast<std::int64_t>(rows_.size());
  count_presented(n - prescored_);
  count_reads();
  ++chunks_;
  double sum = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const float loss = host_scores_.loss[i];
    if (!(loss < kernels::k_diverged_loss)) diverged_ = true;
    sum += loss;
    stream_.remember(rows_[i], host_scores_, i, means_);
  }
  loss_sum_ += sum;
  forwarded_since_row_ += n;
  recent_loss_ = sum / static_cast<double>(n);
}

// Applies the gate's flags: kept rows up to a full batch join it, further kept rows are handed back to the stream.
void Replica::collect(bool in_place) {
  const UnitCosts costs = unit_costs(setup_.spec.prices, counts_);
  const int room = full_batches() ? setup_.spec.batch - pending_.size() : static_cast<int>(rows_.size());
  kept_.clear(), returned_.clear();
  int decided = 0;
  means_.forget_seen(static_cast<int>(rows_.size()));
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const bool keep = keep_[i] != 0;
    if (keep && static_cast<int>(kept_.size()) == room) {
      returned_.push_back(rows_[i]);
      returned_.back().sure = rows_[i].sure || gate_.draws();
      continue;
    }
    const float residual = host_scores_.residual[i];
    const double benefit = gate_.benefit(residual);
    ++decided;
    means_.correct += host_scores_.correct[i];
    means_.squared += static_cast<double>(residual) * residual;
    means_.benefit += benefit;
    if (!keep) continue;
    means_.kept += 1;
    means_.kept_benefit += benefit;
    kept_.push_back(static_cast<std::int32_t>(i));
  }
  means_.seen += decided;
  means_.forward_cost += static_cast<double>(rows_.size()) * costs.scored + costs.read;
  stream_.hand_back(returned_);
  const auto kept = static_cast<std::int64_t>(kept_.size()), all = static_cast<std::int64_t>(rows_.size());
  kept_since_row_ += kept, kept_since_step_ += kept;
  const bool reused = in_place || !forwards_again();
  ledger_.forward_macs += (reused ? kept : 0) * counts_.forward_macs;
  ledger_.scoring_macs += (reused ? all - kept : all) * counts_.forward_macs;
  if (in_place)
    pending_.forwarded_in_place += static_cast<int>(kept);
  else if (kept > 0)
    collect_kept();
  for (const std::int32_t i : kept_) {
    const auto row = static_cast<std::size_t>(i);
    pending_.samples.push_back(row_samples_[row]);
    const auto label = row_labels_.begin() + static_cast<std::ptrdiff_t>(row) * setup_.layout.predictions();
    pending_.labels.insert(pending_.labels.end(), label, label + setup_.layout.predictions());
    pending_.weights.push_back(row_weights_[row]);
    pending_.views.push_back(row_views_[row]);
    pending_.loss += host_scores_.loss[row];
  }
}

// Moves the activations of kept rows to the batch. The inputs are not moved: gathering the bytes again is cheaper.
void Replica::collect_kept() {
  pending_.in_place = false;
  if (forwards_again()) return;
  context_.copy_in(index_.data(), kept_.data(), kept_.size() * sizeof(std::int32_t));
  const auto rows = static_cast<int>(kept_.size());
  for (int level = 1; level < chunk_.levels(); ++level) {
    kernels::compact_rows(context_, chunk_.row(level, 0), static_cast<int>(chunk_.level_size(level)), index_.data(),
                          rows, batch_.row(level, pending_.size()));
    if (const auto saved = static_cast<int>(chunk_.saved_size(level)); saved > 0)
      kernels::compact_rows(context_, chunk_.saved(level, 0), saved, index_.data(), rows,
                            batch_.saved(level, pending_.size()));
  }
}

void Replica::finish_chunk() {
  if (full_batches()) {
    if (pending_.size() == setup_.spec.batch)
      update();
    else if (pending_.size() == 0)
      pass();
    return;
  }
  if (pending_.size() >= setup_.selection.minimum_kept) {
    update();
    return;
  }
  // Too few: no optimiser step at all, and the kept rows' forward was only scoring.
  const std::int64_t forward = std::int64_t{pending_.size()} * counts_.forward_macs;
  if (pending_.in_place || !forwards_again()) ledger_.forward_macs -= forward, ledger_.scoring_macs += forward;
  kept_since_row_ -= pending_.size(), kept_since_step_ -= pending_.size();
  pending_.clear();
  batch_begin_ = stream_.state.position;
  grow();
  pass();
}

// Completes batch_ and dz_ when rows came from chunks in which not all were kept.
void Replica::load_batch(int rows, float scale) {
  if (pending_.in_place) return;
  gather(setup_.train, pending_.samples, pending_.views, batch_.row(0, 0));
  if (forwards_again()) {
    forward(context_, setup_.layout, forward_weights(), batch_, pass_of(0, rows, Mode::train));
    ledger_.forward_macs += (rows - pending_.forwarded_in_place) * counts_.forward_macs;
    ledger_.scoring_macs += pending_.forwarded_in_place * counts_.forward_macs;
    ledger_.weight_reads += structure_.forward_reads();
  }
  upload_labels(pending_.labels, pending_.weights);
  OutputScores out;
  out.dz = dz_.data();
  out.sent = sent_.data();
  scorer_.score(rows, batch_.row(setup_.layout.nodes(), 0), labels_.data(),
                scores_weights() ? sample_weights_.data() : nullptr, scale, out);
}

void Replica::write_gradient(const WriteControls& controls) {
  if (!structure_.topology().sparse()) return plasticity_.apply(gradient_.data(), controls, weights_.data());
  structure_.shape(weights_, gradient_.data(), plasticity_.state());
  if (structure_.skips_write())
    plasticity_.skip();
  else
    plasticity_.apply(gradient_.data(), controls, weights_.data());
  structure_.finish(weights_, plasticity_.state());
}

void Replica::update() {
  const int rows = pending_.size();
  const bool mean_of_kept = setup_.selection.batching == Batching::shrink_mean;
  structure_.begin({ledger_.steps + 1, setup_.open_loop.progress(batch_begin_), ledger_.samples_backward},
                   pending_.labels);
  choose_depth(rows);
  load_batch(rows, 1.0f / static_cast<float>(mean_of_kept ? rows : setup_.spec.batch));
  if (setup_.selection.token_share < 1) {
    upload_labels(pending_.labels, pending_.weights);
    scorer_.score_hardest(rows, batch_.row(setup_.layout.nodes(), 0), labels_.data(), setup_.selection.token_share,
                          dz_.data());
  }
  const float* sent = sent_.size() > 0 ? sent_.data() : dz_.data();
  WriteControls controls;
  controls.step = ++ledger_.steps;
  controls.learning_rate = rate_ =
      setup_.open_loop.learning_rate(batch_begin_, stream_.state.position, means_.accuracy()) *
      stream_.rate_factor(batch_begin_);
  const UpdateMoment now{rate_, means_.mean_squared()};
  controls.theta = write_law_.threshold(now);
  controls.plain = write_law_.measures() && controls.theta == 0;
  controls.weight_fraction = setup_.open_loop.weight_fraction(batch_begin_);
  controls.first_layer = structure_.first_layer();
  controls.learning = structure_.learning();
  controls.resting = &structure_.growth().resting();
  if (structure_.plain() && !row_gate_.on() && !layer_gate_.on() && online_.takes(rows)) {
    online_.run(batch_, dz_.data(), sent, controls, weights_.data());
    plasticity_.note(online_.counts(), controls);
  } else {
    if (setup_.layout.graph.trains_differently())  // dropout draws by sample
      context_.copy_in(index_.data(), pending_.samples.data(), pending_.samples.size() * sizeof(std::int32_t));
    const Pass pass{0, rows, Mode::train, state_.data(), index_.data(), draws_.data(), structure_.growth().depth()};
    BackwardScope scope = structure_.scope(batch_);
    if (row_gate_.on()) scope.rows = &row_gate_;
    row_gate_.begin(ledger_.steps, setup_.open_loop.all_data(batch_begin_));
    backward_.run(context_, setup_.layout, forward_weights(), batch_, pass, dz_.data(), sent, gradient_.data(), scope);
    write_gradient(controls);
  }
  plasticity_.settle(true, take_presentations(), weights_.data());
  if (layer_gate_.on()) layer_gate_.note(gradient_.data(), plasticity_.changes());
  write_law_.note(now, controls.theta, rows, plasticity_.norms(), count_update(rows), ledger_);
  record_step(rate_, controls.theta, pending_.loss / rows);
  pending_.clear();
  batch_begin_ = stream_.state.position;
  grow();
}

// Between batches: rows that wait for their update were forwarded by the network that will learn from them.
void Replica::grow() {
  if (structure_.growth().advance(setup_.open_loop.progress(batch_begin_))) note_growth();
}

void Replica::note_growth() {
  const Growth& growth = structure_.growth();
  counts_ = setup_.counts;
  counts_.forward_macs -= growth.saved_forward();
  counts_.backward_macs -= growth.saved_backward();
  counts_.parameters -= growth.saved_parameters();
  gate_.set_costs(unit_costs(setup_.spec.prices, counts_));
}

/// Samples presented since the last batch ended.
std::int64_t Replica::take_presentations() {
  const std::int64_t n = ledger_.samples_seen - presented_;
  presented_ = ledger_.samples_seen;
  return n;
}

// A batch ended without an update. Time has passed for transient weights all the same.
void Replica::pass() {
  if (!plasticity_.caches()) return;
  plasticity_.settle(false, take_presentations(), weights_.data());
  ledger_ += count_layers();
}

/// Adds what the last update or pass changed to the ledgers of the layers; returns its sum.
theory::Ledger Replica::count_layers() {
  theory::Ledger change;
  for (std::size_t l = 0; l < layer_ledgers_.size(); ++l) {
    layer_ledgers_[l] += plasticity_.changes()[l];
    change += plasticity_.changes()[l];
  }
  return change;
}

/// Returns what the update counts.
theory::Ledger Replica::count_update(int rows) {
  theory::Ledger change = count_layers();
  for (std::size_t l = 0; l < layer_ledgers_.size(); ++l) {
    const kernels::UpdateCounts& rewired = structure_.counts()[l];
    theory::Ledger layer;
    layer.writes = rewired.writes, layer.path_length = rewired.path, layer.path_squared = rewired.squared;
    layer_ledgers_[l] += layer;
    change += layer;
  }
  change.weight_reads = structure_.update_reads();
  means_.forget_updated(rows);
  means_.updated += rows;
  means_.update_cost +=
      theory::energy(change, setup_.spec.prices).total() - setup_.spec.prices.maintenance * change.maintenance;
  change.samples_backward = rows;
  change.backward_macs = structure_.backward_macs(rows) - row_gate_.saved_macs();
  ledger_ += change;
  return change;
}

// Rows that are certain to be trained are forwarded where they stay. If training is another pass than scoring, that
// takes a whole batch at once.
bool Replica::fills_batch_in_place(bool all_sure) const {
  if (setup_.selection.gate != theory::Gate::all && !all_sure) return false;
  const auto rows = static_cast<int>(rows_.size());
  const int room = full_batches() ? setup_.spec.batch - pending_.size() : setup_.spec.batch;
  if (rows > room) return false;
  return !setup_.layout.graph.trains_differently() ||
         (pending_.size() == 0 && (rows == room || !full_batches() || stream_.exhausted()));
}

void Replica::advance() {
  const auto begin = std::chrono::steady_clock::now();
  Moment now;
  now.position = stream_.state.position;
  rows_.clear();
  stream_.take(chunk_size(), means_, rows_);
  ledger_.samples_offered = stream_.state.position;
  if (proxy_ || density_) prefilter(now);
  if (!rows_.empty()) {
    const bool all_sure = std::all_of(rows_.begin(), rows_.end(), [](const Row& r) { return r.sure; });
    const bool in_place = fills_batch_in_place(all_sure);
    forward_chunk(in_place);
    note_forward();
    if (!diverged_) {
      now.fraction = stream_.data_fraction(now.position), now.decision = static_cast<std::uint32_t>(chunks_);
      gate_.decide(rows_, host_scores_, now, means_, keep_);
      collect(in_place);
      finish_chunk();
    }
  }
  if (stream_.refresh_due() && !diverged_) refresh_hidden();
  // The end: rows that fill no whole batch are trained with the weight 1/B that every other row had.
  if (stream_.exhausted() && !diverged_ && pending_.size() > 0) update();
  finished_ = diverged_ || stream_.exhausted();
  context_.synchronise();
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  evaluate_if_due();
}

}  // namespace eos::sim
