#include "replica_plan.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/philox.hpp"

namespace eos::sim {

using theory::Batching;

namespace {
constexpr int k_steps_at_a_time = 4096;  ///< memory of a plan: its batch times 4 bytes each
}

ReplicaPlan::ReplicaPlan(const BatchForm& form, const Network& layout, std::uint64_t seed)
    : form_(form),
      seed_(seed),
      gate_(form.selection, form.open_loop, UnitCosts{}, seed),
      stream_(form.selection, form.open_loop, gate_, seed) {
  for (int l = 0; l < layout.layers(); ++l) sizes_.push_back(layout.offsets[l + 1] - layout.offsets[l]);
}

// Gate::ranked, as Gate decides: of the rows that are not certain, the fraction, rounded without bias.
int ReplicaPlan::ranked_rows(std::int64_t position) {
  if (form_.selection.gate != theory::Gate::ranked) return 0;
  const auto candidates = std::count_if(rows_.begin(), rows_.end(), [](const Row& row) { return !row.sure; });
  const double fraction = stream_.data_fraction(position);
  const double offset = core::uniform(seed_, {0, static_cast<std::uint32_t>(chunks_), core::Purpose::selection, 0});
  return std::min(static_cast<int>(fraction * static_cast<double>(candidates) + offset), static_cast<int>(candidates));
}

void ReplicaPlan::add_chunk(PlannedInterval& to) {
  const std::int64_t position = stream_.state.position;
  const bool full = form_.selection.batching == Batching::full;
  rows_.clear();
  stream_.take(full ? to.batch - static_cast<int>(pending_.size()) : to.batch, RunningMeans{}, rows_);
  const int first = static_cast<int>(pending_.size()), rows = static_cast<int>(rows_.size());
  if (rows > 0) {
    ++chunks_;
    keep_ = ranked_rows(position);
    tau_ = form_.selection.gate == theory::Gate::errors ? form_.selection.margin : form_.open_loop.tau(position);
  }
  to.chunks.push_back({to.steps(), first, rows, stream_.state.position});
  pending_.insert(pending_.end(), rows_.begin(), rows_.end());
  const bool complete = full ? static_cast<int>(pending_.size()) == to.batch || stream_.exhausted() : true;
  if (complete && !pending_.empty()) close_step(to, true);
}

void ReplicaPlan::close_step(PlannedInterval& to, bool trains) {
  const theory::TrainingSpec& spec = form_.spec;
  const int rows = static_cast<int>(pending_.size());
  kernels::StepControls c;
  c.rows = rows, c.keep = keep_, c.tau = tau_;
  c.trains = trains ? 1 : 0;
  const bool counts_kept = form_.selection.batching == Batching::shrink_mean;
  if (!counts_kept || form_.selection.gate == theory::Gate::all)
    c.scale = 1.0f / static_cast<float>(counts_kept ? rows : spec.batch) / static_cast<float>(form_.predictions);
  const double rate =
      form_.open_loop.learning_rate(batch_begin_, stream_.state.position, 0) * stream_.rate_factor(batch_begin_);
  c.learning_rate = static_cast<float>(rate);
  c.theta =
      static_cast<float>(theory::write_threshold(form_.plasticity, form_.open_loop.reference_rate(), rate, spec.batch));
  to.controls.push_back(c);
  to.rates.push_back(rate);
  for (int i = 0; i < to.batch; ++i) to.samples.push_back(i < rows ? pending_[static_cast<std::size_t>(i)].sample : 0);
  for (int i = 0; i < to.batch && form_.selection.gate != theory::Gate::all; ++i)
    to.certain.push_back(i < rows && pending_[static_cast<std::size_t>(i)].sure ? 1 : 0);
  for (int i = 0; i < to.batch && spec.data.augment.any(); ++i)
    to.views.push_back(i < rows ? pending_[static_cast<std::size_t>(i)].view : 0);
  if (form_.plasticity.rule == theory::WriteRule::top_k) {
    const std::vector<double> fractions =
        theory::layer_fractions(form_.plasticity.layer_share, form_.open_loop.weight_fraction(batch_begin_), sizes_);
    to.fractions.insert(to.fractions.end(), fractions.begin(), fractions.end());
  }
  if (!trains) return;
  pending_.clear();
  batch_begin_ = stream_.state.position;
}

/// Whether an evaluation is due at a chunk's end, as Replica::evaluate_if_due says.
bool ReplicaPlan::due(std::int64_t position) {
  const double every = form_.spec.evaluate_every * static_cast<double>(form_.open_loop.samples());
  bool is_due = false;
  while (std::llround(static_cast<double>(evaluations_ + 1) * every) <= position) {
    ++evaluations_;
    is_due = true;
  }
  return is_due;
}

PlannedInterval ReplicaPlan::next() {
  PlannedInterval interval;
  interval.batch = form_.spec.batch, interval.segments = static_cast<int>(sizes_.size());
  const auto planned = [&] { return interval.steps() >= k_steps_at_a_time && pending_.empty(); };
  do {
    add_chunk(interval);
    interval.last = stream_.exhausted();
    interval.evaluates = interval.last || due(stream_.state.position);
  } while (!interval.evaluates && !planned());
  interval.position = stream_.state.position;
  // Rows that wait for the rest of their batch were forwarded before the evaluation: they are scored, and come again.
  if (interval.evaluates && !pending_.empty()) close_step(interval, false);
  return interval;
}

}  // namespace eos::sim
