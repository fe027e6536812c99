// Dynamic programming for problems stated by formulas (theory::ControlProblem) with up to three states.
//
// Structure is found from the formulas: a control enters in closed form where dynamics are affine in it and the running
// cost is l0 + linear + c |u| + r u^2 / 2 without products with other controls; every other control is sampled.
// Derivatives are symbolic, and the split is checked against the formulas at points spread over the grid. How the
// statement maps: a fixed horizon is marched backwards with Phi as terminal cost, and a required end point or range by
// a price on the distance to it; with a free horizon a run may stop for Phi at the grid points of the required ends.
// What a grid cannot treat is refused with the reason: path constraints other than bounds on states, end constraints,
// costs of the initial state, free horizons of problems that depend on time.
#pragma once

#include <vector>

#include "eos/solvers/hjb.hpp"
#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

struct HjbControlOptions {
  HjbOptions grid;
  int control_samples = 33;  ///< of each control that has no closed form
  double control_limit = 0;  ///< stands in for an infinite bound on a control; 0: refuse
  double end_price = 100;    ///< per unit of distance to a required end, fixed horizons; must exceed the costates there
  double run_step = 0;       ///< of the closed-loop run; 0: a thousandth of the horizon
  bool bound = true;         ///< compute the lower bound
  HjbBoundOptions bound_options;
};

struct HjbPlan {
  HjbProblem problem;               ///< as the grid solvers saw it: minimised
  HjbSolution solution;             ///< value function and feedback law
  HjbTrajectory run;                ///< under the feedback law from the initial state
  HjbBound bound;                   ///< from below on what is minimised; -infinity if not asked for
  double value = 0;                 ///< V at the initial state, with the sign of J
  theory::ControlSolution control;  ///< the run as a solution: objective, costates grad V, certificate.lower_bound
};

/// One axis per state with finite bounds, `points` each; edges reflect. throws Error E107 naming a state without
/// bounds.
HjbGrid hjb_grid_of(const theory::ControlProblem& problem, std::int64_t points);

/// throws Error E107 for what a grid cannot treat, E401/E104 as solve_hjb and ControlProblem::check.
HjbPlan solve_hjb(const theory::ControlProblem& problem, const HjbGrid& grid, const HjbControlOptions& options = {});

/// The problem as a model of the grid solvers. Its controls are first those minimised in closed form, then the sampled
/// ones; control k of the model is the problem's control index[k] less origin[k].
struct HjbFormulaModel {
  std::shared_ptr<const HjbModel> model;
  std::vector<int> index;
  std::vector<double> origin;
  int affine = 0;  ///< how many are minimised in closed form
};
HjbFormulaModel hjb_model_of(const theory::ControlProblem& problem, const HjbGrid& grid,
                             const HjbControlOptions& options = {});

}  // namespace eos::solvers
