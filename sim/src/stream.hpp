// The data stream: which sample comes next, and whether it is presented.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "gate.hpp"
#include "inspection.hpp"
#include "open_loop.hpp"
#include "rows.hpp"
#include "running_means.hpp"
#include "sample_memory.hpp"

namespace eos::sim {

/// Permutation of [0, samples) for an epoch: Fisher & Yates (Durstenfeld 1964) with addressed draws.
std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples);
/// Independent uniform draws from [0, samples), as many.
std::vector<std::int32_t> epoch_draws(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples);

/// Walks the positions of the stream. What must survive a checkpoint is public and plain.
///
/// Decisions that need no forward are taken here: random subsets, rules on the last loss, and, with stale scores, the
/// gate's verdict on every sample at the start of an epoch.
class Stream {
 public:
  Stream(const theory::SelectionSpec& selection, const OpenLoop& open_loop, Gate& gate, std::uint64_t seed);

  /// Appends up to `count` presented rows: first those handed back, then positions of the current epoch only.
  void take(int count, const RunningMeans& means, std::vector<Row>& rows);
  /// Rows that will be presented again before anything else, in this order.
  void hand_back(const std::vector<Row>& rows);
  bool exhausted() const { return state.position >= open_loop_->positions() && state.returned.empty(); }
  /// Remembers what a forward pass found about a presented sample: entry `index` of `scores`.
  void remember(const Row& row, const Scores& scores, std::size_t index, const RunningMeans& means);
  /// fraction(t), wherever it comes from; `position` is in the present epoch.
  double data_fraction(std::int64_t position) const;
  double data_fraction() const { return data_fraction(state.position); }
  /// Factor on the learning rate of a batch that began at `position`, for what is hidden.
  double rate_factor(std::int64_t position) const;
  /// True when the last take() completed an epoch after which hidden samples are forwarded.
  bool refresh_due() const { return refresh_due_; }
  /// Samples that the present epoch hid.
  std::vector<std::int32_t> hidden() const;

  struct State {
    std::int64_t position = 0;       ///< positions passed
    double quota = 0;                ///< Present::random: sum of fractions over this epoch's positions, plus its offset
    double mean_loss = 0;            ///< Present::infobatch: mean of the stale losses at the start of this epoch
    std::deque<Row> returned;        ///< handed back
    SampleMemory memory;             ///< last scores, where a rule needs them
    std::vector<std::uint8_t> plan;  ///< [samples] Score::stale: presented in this epoch
    Inspection inspection;           ///< Present::inspected: what re-checks found
    double rate_factor = 1;          ///< of this epoch
    double adaptive = 1;             ///< FractionSource::adaptive: the fraction
    double accuracy = -1;            ///< of the epoch before, -1: none yet
    std::int64_t forwarded = 0, right = 0;  ///< rows of this epoch, and those classified correctly
  } state;

 private:
  bool present(std::int64_t position, std::int32_t sample, const RunningMeans& means, Row& row);
  bool inspects() const { return selection_.present == theory::Present::inspected; }
  void note_recheck(const Row& row, float residual, const RunningMeans& means);
  bool present_random(std::int64_t position, double fraction);
  void begin_epoch();
  void adapt(std::uint32_t epoch);
  void make_plan(std::uint32_t epoch);

  theory::SelectionSpec selection_;
  const OpenLoop* open_loop_;
  Gate* gate_;
  std::uint64_t seed_;
  std::int64_t order_epoch_ = -1;
  bool refresh_due_ = false;
  std::vector<std::int32_t> order_;
};

}  // namespace eos::sim
