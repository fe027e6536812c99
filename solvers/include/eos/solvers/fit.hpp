// From a calibration to a plan: fit the mode model to measured loss curves, and state the control problem for a price list.
#pragma once

#include "eos/solvers/solve.hpp"
#include "eos/theory/calibration.hpp"

namespace eos::solvers {

/// Non-negative spectrum on a logarithmic grid, noise and offset by weighted non-linear least squares of the probes' loss
/// curves; standard errors by parametric bootstrap; held-out error on the probe left out; the same curves by the scaling
/// law, with its held-out error. plan() and the predictions use the model whose error is smaller (Calibration::
/// follows_scaling_law). See docs/calibration.md.
theory::FittedModel fit_model(const theory::Calibration& calibration);

/// What a plan is for.
struct PlanGoal {
  theory::PriceList prices;
  double epochs = 5;             ///< horizon in passes over the training set; the longest one with free_horizon
  double target_loss = 0;        ///< > 0: choose the terminal weight so that the predicted final loss equals it
  double terminal_weight = 0;    ///< > 0: J per unit of loss (used when target_loss is 0)
  int intervals = 40;
  bool accumulate = true;        ///< weights are written from an accumulator (measured clock) instead of discarded
  bool select_data = true;       ///< false: rho = 1
  bool select_weights = true;    ///< false: kappa = 1
  bool free_horizon = false;     ///< choose the horizon of least energy up to `epochs`; needs a target_loss
};

/// The control problem of a calibrated network; ModeProblem::horizon_epochs and the schedule's `epochs` hold the horizon.
/// Time counts chunks of `batch` stream positions. throws Error E402 when the calibration lacks something, E104.
theory::ModeProblem problem_from(const theory::Calibration& calibration, const PlanGoal& goal);
/// Solves it; with a target loss bisects the terminal weight (the attained loss is monotone in it). A target that the
/// model cannot reach within the horizon is an outcome: the plan of least loss, and Plan::message says so.
theory::Plan plan(const theory::Calibration& calibration, const PlanGoal& goal, const SolveOptions& options = {});
/// Predicted loss and energy of dense training with the run's own learning-rate law, by the same model.
theory::Plan predict_dense(const theory::Calibration& calibration, const PlanGoal& goal, const theory::OptimiserSpec& rate);
/// Predicted loss and energy of any schedule with learning rates, by the same model.
theory::Plan predict(const theory::Calibration& calibration, const PlanGoal& goal, const theory::Schedule& schedule);

}  // namespace eos::solvers
