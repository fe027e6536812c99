// Rows of the tables of a replica: updates, and evaluation on held-out data, which is not charged and has no influence
// on anything that follows.
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

SetScore Replica::evaluate_set(const ResidentInputs& inputs) {
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
  const SetScore validation = evaluate_set(setup_.validation), test = evaluate_set(setup_.test);
  const std::vector<DirectCost> direct = direct_costs(setup_.layout.offsets, initial_, weights_.get());
  EpochRow row = make_row({epoch(), rate_, seconds_, ledger_, row_ledger_, kept_since_row_, forwarded_since_row_,
                           loss_sum_, setup_.counts.parameters, validation, test, direct});
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

ReplicaResult Replica::result(RunStatus run_status) {
  ReplicaResult r;
  r.seed = seed_;
  r.status = run_status;
  r.epochs = epoch_rows_;
  r.steps = step_rows_;
  r.layers = layer_ledgers_;
  r.direct = direct_costs(setup_.layout.offsets, initial_, weights_.get());
  const std::vector<theory::Ledger> rest = plasticity_.rest(weights_);
  for (std::size_t l = 0; l < rest.size(); ++l) r.layers[l] += rest[l];
  r.weights = weights_.get();
  r.weights_at = weights_at_;
  return r;
}

void Replica::record_step(double rate, double theta, double loss) {
  const int every = setup_.spec.record_every;
  if (every == 0 || ledger_.steps % every != 0) return;
  const theory::Ledger& last = step_ledger_;
  const auto seen = static_cast<double>(ledger_.samples_seen - last.samples_seen);
  StepRow row;
  row.step = ledger_.steps;
  row.epoch = epoch();
  row.learning_rate = rate;
  row.theta = theta;
  row.cache_theta = plasticity_.cache_threshold();
  row.loss = loss;
  row.data_fraction = static_cast<double>(kept_since_step_) / std::max(1.0, seen);
  row.weight_fraction =
      static_cast<double>(ledger_.writes - last.writes) /
      (static_cast<double>(ledger_.steps - last.steps) * static_cast<double>(setup_.counts.parameters));
  step_rows_.push_back(row);
  step_ledger_ = ledger_;
  kept_since_step_ = 0;
}

}  // namespace eos::sim
