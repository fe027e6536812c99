// |u| of a control as the sum of two controls that are not negative: u = u+ - u-, |u| = u+ + u-.
//
// Exact where the cost grows with |u|, as then u+ u- = 0 at the optimum (as in linear programming); smooth, so that
// derivatives exist at u = 0 where optimal controls like to rest.
#pragma once

#include <optional>
#include <vector>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

struct SplitProblem {
  theory::ControlProblem problem;
  std::vector<int> controls;  ///< split controls of the original; partner i is control (original count + i)
};
/// Empty when no formula has |u_j|.
std::optional<SplitProblem> split_absolute_values(const theory::ControlProblem& problem);
/// The solution in the original controls; H_u there is the mean of both one-sided slopes.
void join(const SplitProblem& split, theory::ControlSolution& solution);

}  // namespace eos::solvers
