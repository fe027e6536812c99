// Which presented samples are back-propagated.
#pragma once

#include <cstdint>
#include <vector>

#include "open_loop.hpp"
#include "rows.hpp"
#include "running_means.hpp"

namespace eos::sim {

/// Energy of the parts of training that the feedback law weighs, from prices and the network's counts.
struct UnitCosts {
  double scored = 0;   ///< J to present and forward one sample that is then dropped, without weight reads
  double trained = 0;  ///< further J when it is back-propagated instead, without writes and weight reads
  double read = 0;     ///< J to read all weights once
};
UnitCosts unit_costs(const theory::PriceList& prices, const theory::NetworkCounts& counts);

/// When a decision is taken.
struct Moment {
  std::int64_t position = 0;   ///< of the stream
  double fraction = 1;         ///< of Gate::ranked
  std::uint32_t decision = 0;  ///< counts decisions: the address of their draws
};

/// Decides from scores, whoever made them and when: it does not know the network.
class Gate {
 public:
  Gate(const theory::SelectionSpec& selection, const OpenLoop& open_loop, UnitCosts costs, std::uint64_t seed);

  /// Share of further rows that will be kept, as far as can be known at a stream position; for planning chunks.
  /// `fraction` is that of Gate::ranked there.
  double expected_keep(std::int64_t position, double fraction, const RunningMeans& means) const;
  void set_costs(UnitCosts costs) { costs_ = costs; }
  /// Flags the rows to keep.
  void decide(const std::vector<Row>& rows, const Scores& scores, Moment now, const RunningMeans& means,
              std::vector<std::uint8_t>& keep);
  /// Benefit of training a sample, residual^q.
  double benefit(float residual) const;
  /// Residual^q above which Gate::ratio keeps a sample.
  double ratio_threshold(const RunningMeans& means) const;
  /// Joules of presenting one more sample, weight reads included; 0 before any was presented.
  double presenting_cost(const RunningMeans& means) const {
    return means.seen > 0 ? means.forward_cost / means.seen : 0.0;
  }
  /// Gate::ratio: joules that training a sample yields beyond its cost (theory::training_surplus).
  double surplus(float residual, const RunningMeans& means) const;
  /// True when a second decision about a row that was kept once would be another draw, not another look.
  bool draws() const { return selection_.gate == theory::Gate::chance; }

  /// Gate::chance: the recent losses, a ring; must survive a checkpoint.
  struct Window {
    std::vector<float> losses;
    std::int64_t next = 0;
  } window;

 private:
  double training_cost(const RunningMeans& means) const;
  bool keeps(const Scores& scores, std::size_t row, double bar) const;
  void decide_ranked(const std::vector<Row>& rows, const Scores& scores, Moment now, std::vector<std::uint8_t>& keep);
  void decide_by_chance(const std::vector<Row>& rows, const Scores& scores, Moment now,
                        std::vector<std::uint8_t>& keep);

  theory::SelectionSpec selection_;
  const OpenLoop* open_loop_;
  UnitCosts costs_;
  std::uint64_t seed_;
  std::vector<std::int32_t> candidates_;
};

}  // namespace eos::sim
