// Plans of networks that follow a scaling law.
#pragma once

#include "eos/solvers/fit.hpp"

namespace eos::solvers {

/// Goals as for plan(); a target that is not reached gives the plan of least loss, and Plan::message says so.
theory::Plan plan_by_scaling_law(const theory::Calibration& calibration, const PlanGoal& goal);

}  // namespace eos::solvers
