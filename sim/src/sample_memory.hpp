// What a run remembers of every training sample from the last time it was forwarded.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eos/theory/selection_spec.hpp"
#include "rows.hpp"

namespace eos::sim {

class SampleMemory {
 public:
  SampleMemory() = default;
  /// Keeps what the rules of `selection` look back at: nothing for most.
  SampleMemory(const theory::SelectionSpec& selection, std::int64_t samples);

  bool empty() const { return last.loss.empty(); }
  bool seen(std::size_t sample) const;
  void remember(std::size_t sample, const Scores& scores, std::size_t row);
  /// Mean of the last losses of the samples seen, 0 if there are none.
  double mean_loss() const;
  /// Once an epoch, before decisions: the last losses become the newest of the history, and curvature follows.
  void pass_epoch();

  Scores last;  ///< [samples]; loss is infinite where nothing was seen
  /// Gate::flat: [5][samples] losses of the last epochs, newest first.
  std::vector<std::vector<float>> history;

  /// Present::inspected: [samples] Row::view of the last presentation.
  std::vector<std::int64_t> view;

  /// Every array of floats by name, for checkpoints.
  std::vector<std::pair<std::string, std::vector<float>*>> arrays();
};

}  // namespace eos::sim
