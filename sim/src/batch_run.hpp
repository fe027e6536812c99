// One run of a batch on the host: its plan, and from what the device reports, its counts and the rows of its table.
//
// Counts are those of Replica, in the same order of additions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/kernels/update.hpp"
#include "eos/sim/train.hpp"
#include "epoch_row.hpp"
#include "goal_watch.hpp"
#include "replica_plan.hpp"

namespace eos::sim {

/// What the device reports of the steps that one replica has made.
struct StepReport {
  const float* losses = nullptr;          ///< [steps][batch]
  const std::int32_t* trained = nullptr;  ///< [steps] rows back-propagated; -1: it has diverged
};

class BatchRun {
 public:
  BatchRun(const BatchForm& form, const Network& layout, const theory::NetworkCounts& counts, std::uint64_t seed);

  const BatchForm& form() const { return form_; }
  std::uint64_t seed() const { return seed_; }
  const std::vector<float>& initial() const { return initial_; }
  const PlannedInterval& interval() const { return interval_; }
  /// Steps of the interval that have been made, and that are left.
  int done() const { return done_; }
  int left() const { return diverged_ ? 0 : interval_.steps() - done_; }

  /// `steps` more steps of the interval were made in `seconds`.
  void note(int steps, const StepReport& report, double seconds);
  bool diverged() const { return diverged_; }
  void diverge() { diverged_ = true; }
  /// True when an evaluation comes before the next step.
  bool wants_evaluation() const { return diverged_ || (left() == 0 && interval_.evaluates); }
  /// An evaluation; totals [segments + 1] as replica_update left them, weights as they are now.
  void evaluate(SetScore validation, SetScore test, const std::vector<kernels::UpdateCounts>& totals,
                const std::vector<float>& weights, bool keep_weights);
  /// Plans on when the interval is done.
  void plan();
  bool finished() const { return finished_; }
  double epoch() const { return form_.open_loop.epoch(position_); }
  double recent_loss() const { return recent_loss_; }
  ReplicaResult result(std::vector<float> weights, bool stopped);

 private:
  void note_chunk(const PlannedChunk& chunk, const StepReport& report, int first_step);
  void count(const std::vector<kernels::UpdateCounts>& totals);
  void end_at_goal();
  RunStatus status() const;

  const BatchForm& form_;
  const Network& layout_;
  theory::NetworkCounts counts_;
  std::uint64_t seed_;
  ReplicaPlan plan_;
  PlannedInterval interval_;
  std::vector<float> initial_;
  int done_ = 0;
  std::size_t chunk_ = 0;  ///< of the interval, the next to be counted
  std::int64_t position_ = 0;

  theory::Ledger ledger_, row_ledger_;
  std::vector<theory::Ledger> layers_;
  std::vector<EpochRow> rows_;
  std::vector<std::vector<float>> weights_at_;
  std::int64_t decided_ = 0, trained_ = 0;  ///< rows that a gate looked at, and that were back-propagated
  std::int64_t row_kept_ = 0;               ///< at the last row
  std::int64_t forwarded_ = 0;              ///< since the last row
  double loss_sum_ = 0, recent_loss_ = 0, rate_ = 0, seconds_ = 0;
  GoalWatch goal_;
  bool diverged_ = false, finished_ = false;
};

}  // namespace eos::sim
