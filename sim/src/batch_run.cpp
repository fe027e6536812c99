#include "batch_run.hpp"

#include <algorithm>

namespace eos::sim {

BatchRun::BatchRun(const BatchForm& form, const Network& layout, const theory::NetworkCounts& counts,
                   std::uint64_t seed)
    : form_(form),
      layout_(layout),
      counts_(counts),
      seed_(seed),
      plan_(form, layout, seed),
      initial_(initial_weights(layout, form.spec.network, seed)),
      layers_(static_cast<std::size_t>(layout.layers())) {
  interval_ = plan_.next();
}

void BatchRun::plan() {
  if (finished_ || left() > 0) return;
  interval_ = plan_.next();
  done_ = 0, chunk_ = 0;
}

// A forward pass over the rows of a chunk: what Replica::note_forward counts, and what its gate counts after it.
void BatchRun::note_chunk(const PlannedChunk& chunk, const StepReport& report, int first_step) {
  position_ = chunk.position;
  ledger_.samples_offered = chunk.position;
  if (chunk.rows == 0) return;
  const std::ptrdiff_t step = chunk.step - first_step;
  const float* losses = report.losses + step * interval_.batch + chunk.first;
  ledger_.samples_seen += chunk.rows;
  ledger_.input_bytes += chunk.rows * counts_.input_bytes;
  ledger_.weight_reads += counts_.parameters;
  double sum = 0;
  for (int i = 0; i < chunk.rows; ++i) {
    if (!(losses[i] < kernels::k_diverged_loss)) diverged_ = true;
    sum += losses[i];
  }
  loss_sum_ += sum;
  forwarded_ += chunk.rows;
  recent_loss_ = sum / chunk.rows;
  if (report.trained[step] < 0) diverged_ = true;
  if (!diverged_) decided_ += chunk.rows;
}

void BatchRun::note(int steps, const StepReport& report, double seconds) {
  const int first = done_, end = done_ + steps;
  for (int step = first; step < end && !diverged_; ++step) {
    for (; chunk_ < interval_.chunks.size() && interval_.chunks[chunk_].step == step && !diverged_; ++chunk_)
      note_chunk(interval_.chunks[chunk_], report, first);
    const std::int32_t trained = report.trained[step - first];
    if (diverged_ || trained <= 0) continue;
    rate_ = interval_.rates[static_cast<std::size_t>(step)];
    trained_ += trained;
    ledger_.steps += 1;
    ledger_.weight_reads += 2 * counts_.parameters;  // backward and write
  }
  done_ = end;
  for (; left() == 0 && !diverged_ && chunk_ < interval_.chunks.size(); ++chunk_)  // without rows
    note_chunk(interval_.chunks[chunk_], report, first);
  seconds_ += seconds;
}

/// Brings the ledger up to date with what the device has counted.
void BatchRun::count(const std::vector<kernels::UpdateCounts>& totals) {
  const bool full = form_.selection.batching == theory::Batching::full;
  const std::int64_t used = full ? decided_ : trained_;  // rows whose forward pass a backward pass uses
  ledger_.samples_backward = trained_;
  ledger_.backward_macs = trained_ * counts_.backward_macs;
  ledger_.forward_macs = used * counts_.forward_macs;
  ledger_.scoring_macs = (decided_ - used) * counts_.forward_macs;
  ledger_.writes = totals.back().writes;
  ledger_.path_length = totals.back().path, ledger_.path_squared = totals.back().squared;
  ledger_.accumulator_updates = form_.plasticity.accumulate ? ledger_.steps * counts_.parameters : 0;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    layers_[l].writes = totals[l].writes;
    layers_[l].path_length = totals[l].path, layers_[l].path_squared = totals[l].squared;
    if (form_.plasticity.accumulate)
      layers_[l].accumulator_updates = ledger_.steps * (layout_.offsets[l + 1] - layout_.offsets[l]);
  }
}

void BatchRun::evaluate(SetScore validation, SetScore test, const std::vector<kernels::UpdateCounts>& totals,
                        const std::vector<float>& weights, bool keep_weights) {
  count(totals);
  const bool full = form_.selection.batching == theory::Batching::full;
  const std::int64_t kept = full ? decided_ : trained_;
  const std::vector<DirectCost> direct = direct_costs(layout_.offsets, initial_, weights);
  rows_.push_back(make_row({epoch(), rate_, seconds_, ledger_, row_ledger_, kept - row_kept_, forwarded_, loss_sum_,
                            counts_.parameters, validation, test, direct}));
  if (keep_weights) weights_at_.push_back(weights);
  row_ledger_ = ledger_;
  loss_sum_ = 0, forwarded_ = 0;
  row_kept_ = kept;
  end_at_goal();
}

void BatchRun::end_at_goal() {
  goal_.note(form_.spec.goal, rows_.back());
  finished_ = diverged_ || goal_.ends() || (interval_.last && left() == 0);
}

RunStatus BatchRun::status() const { return goal_.status(diverged_); }

ReplicaResult BatchRun::result(std::vector<float> weights, bool stopped) {
  ReplicaResult r;
  r.seed = seed_;
  r.status = stopped ? RunStatus::stopped : status();
  r.epochs = rows_;
  r.layers = layers_;
  r.direct = direct_costs(layout_.offsets, initial_, weights);
  r.weights = std::move(weights);
  r.weights_at = std::move(weights_at_);
  return r;
}

}  // namespace eos::sim
