// Whether a run has reached its goal or stopped getting better, from its evaluations.
#pragma once

#include <algorithm>

#include "eos/sim/train.hpp"

namespace eos::sim {

struct GoalWatch {
  double best_accuracy = 0;           ///< of the goal's set
  std::int64_t without_progress = 0;  ///< evaluations since then
  bool reached = false, stalled = false;

  void note(const theory::GoalSpec& goal, const EpochRow& row) {
    const double accuracy = goal.on_test ? row.test_accuracy : row.validation_accuracy;
    reached = goal.accuracy > 0 && accuracy >= goal.accuracy;
    without_progress = accuracy > best_accuracy ? 0 : without_progress + 1;
    best_accuracy = std::max(best_accuracy, accuracy);
    stalled = !reached && goal.patience > 0 && without_progress >= goal.patience;
  }
  bool ends() const { return reached || stalled; }
  RunStatus status(bool diverged) const {
    if (diverged) return RunStatus::diverged;
    if (reached) return RunStatus::goal;
    return stalled ? RunStatus::no_improvement : RunStatus::complete;
  }
};

}  // namespace eos::sim
