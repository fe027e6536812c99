// What theory foretells of a task, and what its runs did: calibrate, plan, train under the plan, compare.
#pragma once

#include <string>

#include "evidence_stage.hpp"

namespace eos::cli {

struct PredictionState {
  core::Dataset table;  ///< group `prediction` of the task; without variables when there is none
  std::string note;     ///< why there is none
  bool stopped = false;
};

/// A calibration of dense training at its tuned rate (TASK/calibration.h5), with probes of `task.probe` of the horizon; then
/// what the fitted model says of dense training, and for one list of each kind a plan (TASK/plan-LIST.h5) that reaches the
/// loss foretold for dense training in a horizon of its own; its runs under all seeds (TASK/runs/plan-LIST). Nothing is
/// fitted to what is foretold. Only takes what is there when `work` is false.
PredictionState predict(Session& session, const theory::EvidenceSpec& spec, const TaskState& state, Stages& stages,
                        const std::string& folder, SweepData& data, bool work);

}  // namespace eos::cli
