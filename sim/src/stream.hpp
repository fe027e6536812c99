// The data stream: which sample comes next, and whether it is presented.
#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "open_loop.hpp"
#include "running_means.hpp"

namespace eos::sim {

/// One presented sample.
struct Row {
  std::int32_t sample = 0;
  float weight = 1;   ///< of its loss
  bool sure = false;  ///< kept whatever the gate says: a phase on all data
};

/// Permutation of [0, samples) for an epoch: Fisher & Yates (Durstenfeld 1964) with addressed draws.
std::vector<std::int32_t> epoch_order(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples);
/// Independent uniform draws from [0, samples), as many.
std::vector<std::int32_t> epoch_draws(std::uint64_t seed, std::uint32_t epoch, std::int64_t samples);

/// Walks the positions of the stream. What must survive a checkpoint is public and plain.
class Stream {
 public:
  Stream(const theory::SelectionSpec& selection, const OpenLoop& open_loop, std::uint64_t seed);

  /// Appends up to `count` presented rows: first those handed back, then positions of the current epoch only.
  void take(int count, const RunningMeans& means, std::vector<Row>& rows);
  /// Rows that will be presented again before anything else, in this order.
  void hand_back(const std::vector<Row>& rows);
  bool exhausted() const { return state.position >= open_loop_->positions() && state.returned.empty(); }
  /// Remembers what a forward pass found.
  void remember(std::int32_t sample, float loss, float residual);

  struct State {
    std::int64_t position = 0;      ///< positions passed
    double quota = 0;               ///< Present::random: sum of fractions over this epoch's positions, plus its offset
    double mean_loss = 0;           ///< Present::infobatch: mean of the stale losses at the start of this epoch
    std::deque<Row> returned;       ///< handed back
    std::vector<float> last_score;  ///< [samples] last loss (infobatch) or residual^2 (spaced); infinity: never seen
  } state;

 private:
  bool present(std::int64_t position, std::int32_t sample, const RunningMeans& means, Row& row);
  void begin_epoch();

  theory::SelectionSpec selection_;
  const OpenLoop* open_loop_;
  std::uint64_t seed_;
  std::int64_t order_epoch_ = -1;
  std::vector<std::int32_t> order_;
};

}  // namespace eos::sim
