// Which presented samples are back-propagated.
#pragma once

#include <cstdint>
#include <vector>

#include "open_loop.hpp"
#include "running_means.hpp"
#include "stream.hpp"

namespace eos::sim {

/// What the forward pass said about the rows of a chunk, on the host.
struct Scores {
  std::vector<float> loss, p_true, residual;
  std::vector<std::uint8_t> correct;
  void resize(std::size_t rows);
};

/// Energy of the parts of training that the feedback law weighs, from prices and the network's counts.
struct UnitCosts {
  double scored = 0;   ///< J to present and forward one sample that is then dropped, without weight reads
  double trained = 0;  ///< further J when it is back-propagated instead, without writes and weight reads
  double read = 0;     ///< J to read all weights once
};
UnitCosts unit_costs(const theory::PriceList& prices, const theory::NetworkCounts& counts);

class Gate {
 public:
  Gate(const theory::SelectionSpec& selection, const OpenLoop& open_loop, UnitCosts costs, std::uint64_t seed);

  /// Share of further rows that will be kept, as far as can be known at a stream position; for planning chunks.
  double expected_keep(std::int64_t position, const RunningMeans& means) const;
  /// Flags the rows to keep. `fraction` is that of Gate::ranked, `chunk` numbers the decisions.
  void decide(const std::vector<Row>& rows, const Scores& scores, double fraction, std::uint32_t chunk,
              const RunningMeans& means, std::vector<std::uint8_t>& keep);
  /// Benefit of training a sample, residual^q.
  double benefit(float residual) const;
  /// Residual^q above which Gate::ratio keeps a sample.
  double ratio_threshold(const RunningMeans& means) const;

 private:
  void decide_ranked(const std::vector<Row>& rows, const Scores& scores, double fraction, std::uint32_t chunk,
                     std::vector<std::uint8_t>& keep);

  theory::SelectionSpec selection_;
  const OpenLoop* open_loop_;
  UnitCosts costs_;
  std::uint64_t seed_;
  std::vector<std::int32_t> candidates_;
};

}  // namespace eos::sim
