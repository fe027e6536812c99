// Evaluation of a replica on held-out data: not charged, and without influence on anything that follows.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "replica.hpp"

namespace eos::sim {

void Replica::evaluate_if_due() {
  const std::int64_t position = stream_.state.position;
  // Rows handed back may still be waiting when the last position has been passed: the end is one row, after them.
  const bool ending = position >= setup_.open_loop.positions() && !finished_;
  const double every = setup_.spec.evaluate_every * static_cast<double>(setup_.open_loop.samples());
  bool due = finished_;
  while (!ending && std::llround(static_cast<double>(evaluations_ + 1) * every) <= position) {
    ++evaluations_;
    due = true;
  }
  if (due) evaluate();
}

std::pair<double, double> Replica::evaluate_set(const ResidentInputs& inputs) {
  const LabelledSet& set = inputs.set();
  constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
  if (set.samples == 0) return {k_nan, k_nan};
  double loss = 0;
  std::int64_t correct = 0;
  const int capacity = chunk_.capacity(), predictions = setup_.layout.predictions();
  for (int first = 0; first < set.samples; first += capacity) {
    const int rows = std::min(capacity, set.samples - first);
    const auto n = static_cast<std::size_t>(rows);
    row_samples_.resize(n);
    std::iota(row_samples_.begin(), row_samples_.end(), first);
    gather(inputs, row_samples_, {}, chunk_.row(0, 0));
    forward(context_, setup_.layout, forward_weights(), chunk_, pass_of(0, rows, Mode::score));
    context_.copy_in(labels_.data(), set.labels.data() + std::ptrdiff_t{first} * predictions,
                     n * static_cast<std::size_t>(predictions) * sizeof(std::int32_t));
    OutputScores out;
    out.loss = scores_.data();
    out.correct = correct_.data();
    out.correct_tokens = correct_tokens_.data();
    scorer_.score(rows, chunk_.row(setup_.layout.nodes(), 0), labels_.data(), nullptr, 1.0f, out);
    take_scores(n);
    for (std::size_t i = 0; i < n; ++i) {
      loss += host_scores_.loss[i];
      correct += predictions > 1 ? correct_counts_[i] : host_scores_.correct[i];
    }
  }
  return {loss / set.samples, static_cast<double>(correct) / (static_cast<double>(set.samples) * predictions)};
}

void Replica::evaluate() {
  const theory::Ledger& last = row_ledger_;
  const auto seen = static_cast<double>(ledger_.samples_seen - last.samples_seen);
  const auto offered = static_cast<double>(ledger_.samples_offered - last.samples_offered);
  const auto steps = static_cast<double>(ledger_.steps - last.steps);
  const auto ratio = [](double part, double whole) { return whole > 0 ? part / whole : 0.0; };
  EpochRow row;
  row.epoch = epoch();
  row.step = static_cast<double>(ledger_.steps);
  row.train_loss = forwarded_since_row_ > 0 ? loss_sum_ / static_cast<double>(forwarded_since_row_)
                                            : std::numeric_limits<double>::quiet_NaN();
  std::tie(row.validation_loss, row.validation_accuracy) = evaluate_set(setup_.validation);
  std::tie(row.test_loss, row.test_accuracy) = evaluate_set(setup_.test);
  row.data_fraction = ratio(static_cast<double>(kept_since_row_), seen);
  row.present_fraction = ratio(seen, offered);
  row.weight_fraction =
      ratio(static_cast<double>(ledger_.writes - last.writes), steps * static_cast<double>(setup_.counts.parameters));
  row.learning_rate = rate_;
  for (const DirectCost& layer : direct_costs())
    row.direct_writes += static_cast<double>(layer.writes), row.direct_path += layer.path;
  row.seconds = seconds_;
  row.ledger = ledger_;
  for (const theory::Ledger& layer : plasticity_.rest(weights_)) row.ledger += layer;  // as if training ended here
  epoch_rows_.push_back(row);
  if (setup_.keep_weights) weights_at_.push_back(weights_.get());
  row_ledger_ = ledger_;
  loss_sum_ = 0;
  forwarded_since_row_ = 0;
  kept_since_row_ = 0;
  end_at_goal();
}

// A reached goal, or patience at its end, ends the run; rows kept for the next update are then not trained.
void Replica::end_at_goal() {
  goal_.note(setup_.spec.goal, epoch_rows_.back());
  finished_ = finished_ || goal_.ends();
}

RunStatus Replica::status() const { return goal_.status(diverged_); }

std::vector<DirectCost> Replica::direct_costs() const {
  const std::vector<float> now = weights_.get();
  std::vector<DirectCost> layers(layer_ledgers_.size());
  for (std::size_t l = 0; l < layers.size(); ++l) {
    for (auto i = static_cast<std::size_t>(setup_.layout.offsets[l]);
         i < static_cast<std::size_t>(setup_.layout.offsets[l + 1]); ++i) {
      layers[l].writes += now[i] != initial_[i] ? 1 : 0;
      layers[l].path += std::abs(static_cast<double>(now[i]) - initial_[i]);
    }
  }
  return layers;
}

ReplicaResult Replica::result(RunStatus run_status) {
  ReplicaResult r;
  r.seed = seed_;
  r.status = run_status;
  r.epochs = epoch_rows_;
  r.steps = step_rows_;
  r.layers = layer_ledgers_;
  r.direct = direct_costs();
  const std::vector<theory::Ledger> rest = plasticity_.rest(weights_);
  for (std::size_t l = 0; l < rest.size(); ++l) r.layers[l] += rest[l];
  r.weights = weights_.get();
  r.weights_at = weights_at_;
  return r;
}

}  // namespace eos::sim
