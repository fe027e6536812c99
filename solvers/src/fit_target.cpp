// Plans that reach a target loss: the terminal weight is the multiplier of the constraint, the horizon may be free.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "eos/core/error.hpp"
#include "eos/solvers/fit.hpp"
#include "fit_scaling_plan.hpp"

namespace eos::solvers {
namespace {

using theory::ModeProblem;
using theory::Plan;

constexpr double k_loss_tolerance = 1e-3;  // relative: far below what the model can predict
// Solutions that only steer the search, and the mesh: both far more exact than the model.
constexpr double k_search_tolerance = 1e-5, k_mesh_tolerance = 1e-5;
constexpr double k_coarse_tolerance = 5e-3;  // while horizons are compared
constexpr int k_coarse_intervals = 20;

/// Solves for the terminal weight at which the terminal loss, without offset, is `target`.
class TargetSolver {
 public:
  TargetSolver(ModeProblem problem, double target, double tolerance)
      : problem_(std::move(problem)), target_(target), tolerance_(tolerance) {
    options_.tolerance = k_search_tolerance;
    options_.mesh_tolerance = k_mesh_tolerance;
    options_.starts = {{0.6, 0.6, 0.75}};
  }

  /// `weight` is a first guess and receives the weight found.
  Plan solve_for(double& weight) {
    double next = std::log(weight);
    const double first = next;
    for (int i = 0; i < k_most_trials; ++i) {
      const Trial trial = at(next);
      weight = std::exp(next);
      if (std::abs(trial.miss) <= tolerance_ || i + 1 == k_most_trials) return trial.plan;
      (trial.miss > 0 ? above_ : below_) = trial;
      if (!below_ && next - first > k_widest) return unreachable(trial.plan);
      if (!above_ && first - next > k_widest) return trial.plan;  // met even when loss is nearly worthless
      if (above_ && below_ && above_->log_weight + k_finest > below_->log_weight) break;
      next = propose(trial);
    }
    // A jump of the loss, where no weight attains the target: the side that meets it.
    weight = std::exp(below_->log_weight);
    return below_->plan;
  }

 private:
  struct Trial {
    double log_weight = 0, miss = 0;  // miss: relative excess of the loss over the target
    Plan plan;
  };
  Trial at(double log_weight) {
    problem_.terminal_weight = std::exp(log_weight);
    Trial trial{log_weight, 0, solve(problem_, options_)};
    trial.miss = trial.plan.terminal_loss / target_ - 1;
    return trial;
  }
  /// Secant through the last two trials; inside the bracket if there is one, else at most a factor 8 further.
  double propose(const Trial& last) {
    double step = last.miss > 0 ? k_first_step : -k_first_step;
    if (previous_ && previous_->miss != last.miss) {
      const double slope = (last.miss - previous_->miss) / (last.log_weight - previous_->log_weight);
      if (slope < 0) step = -last.miss / slope;
    }
    previous_ = last;
    double next = last.log_weight + std::clamp(step, -k_longest_step, k_longest_step);
    if (above_ && below_) {
      const double low = above_->log_weight, high = below_->log_weight, margin = 0.1 * (high - low);
      if (!(next > low + margin && next < high - margin)) next = 0.5 * (low + high);
    } else if ((next > last.log_weight) != (last.miss > 0)) {
      next = last.log_weight + (last.miss > 0 ? k_longest_step : -k_longest_step);
    }
    return next;
  }
  Plan unreachable(Plan plan) const {
    plan.message =
        fmt::format("the target loss {:.4g} is below {:.4g}, the least that the model reaches in this horizon",
                    target_ + problem_.loss_offset, plan.terminal_loss + problem_.loss_offset);
    return plan;
  }

  static constexpr int k_most_trials = 40;
  static constexpr double k_first_step = 1, k_longest_step = 2.1, k_finest = 1e-3;  // of ln weight
  static constexpr double k_widest = 16;  // of ln weight: far beyond what energy is worth

  ModeProblem problem_;
  SolveOptions options_;
  double target_, tolerance_;
  std::optional<Trial> above_, below_, previous_;
};

/// A first guess of the terminal weight: the energy of using everything, per unit of the loss aimed at.
double natural_weight(const ModeProblem& p, double target) {
  const double power = p.price_time + p.price_screening + p.price_sample + p.price_write;
  return power > 0 ? power * p.horizon / target : 1;
}

double excess_target(const theory::Calibration& c, const PlanGoal& goal) {
  const double target = goal.target_loss - c.fit.loss_offset;
  if (!(target > 0)) {
    throw core::Error("E401",
                      fmt::format("target_loss = {:.4g} is not above the fitted irreducible loss {:.4g}",
                                  goal.target_loss, c.fit.loss_offset),
                      "ask for a larger loss, or calibrate with longer probes");
  }
  return target;
}

struct Found {
  Plan plan;
  ModeProblem problem;  // with the terminal weight that attains the target
};

Found solve_horizon(const theory::Calibration& c, const PlanGoal& goal, double target, double tolerance,
                    double& weight) {
  Found found;
  found.problem = problem_from(c, goal);
  if (weight == 0) weight = natural_weight(found.problem, target);
  found.plan = TargetSolver(found.problem, target, tolerance).solve_for(weight);
  found.problem.terminal_weight = weight;
  return found;
}

/// The horizon of least energy, at most goal.epochs, and its terminal weight, on a coarse grid of controls. Energy has
/// one minimum in the horizon: short ones leave no room to save, long ones screen too much. So a geometric grid is
/// walked down until energy rises, then refined.
double free_horizon(const theory::Calibration& c, PlanGoal goal, double target, double& weight) {
  constexpr double k_shortest = 0.25;
  const double longest = goal.epochs;
  goal.intervals = std::min(goal.intervals, k_coarse_intervals);
  double ratio = 0.8, guess = weight, horizon = longest;
  double least = solve_horizon(c, goal, target, k_coarse_tolerance, guess).plan.energy;
  weight = guess;
  auto improves = [&](double epochs) {
    if (epochs > longest || epochs < k_shortest * longest) return false;
    goal.epochs = epochs;
    guess = weight;
    const Found next = solve_horizon(c, goal, target, k_coarse_tolerance, guess);
    const bool reached = next.plan.terminal_loss <= target * (1 + 2 * k_coarse_tolerance);
    if (!reached || next.plan.energy >= least) return false;
    least = next.plan.energy, weight = guess, horizon = epochs;
    return true;
  };
  while (improves(ratio * horizon)) {
  }
  ratio = std::sqrt(ratio);
  if (!improves(horizon * ratio)) improves(horizon / ratio);
  return horizon;
}

}  // namespace

theory::Plan plan(const theory::Calibration& calibration, const PlanGoal& goal, const SolveOptions& options) {
  if (goal.target_loss <= 0) {
    if (goal.terminal_weight <= 0) {
      throw core::Error("E105", "a calibrated plan needs a goal", "give target_loss or terminal_weight");
    }
    if (calibration.follows_scaling_law()) return plan_by_scaling_law(calibration, goal);
    return solve(problem_from(calibration, goal), options);
  }
  if (calibration.follows_scaling_law()) return plan_by_scaling_law(calibration, goal);
  const double target = excess_target(calibration, goal);
  double weight = 0;
  PlanGoal chosen = goal;
  if (goal.free_horizon) chosen.epochs = free_horizon(calibration, goal, target, weight);
  const Found found = solve_horizon(calibration, chosen, target, k_loss_tolerance, weight);
  SolveOptions final_options = options;
  final_options.mesh_tolerance = std::max(options.mesh_tolerance, k_mesh_tolerance);
  if (options.starts.empty()) final_options.starts = {{0.6, 0.6, 0.75}};  // as in the search: it found this weight
  Plan result = solve(found.problem, final_options);
  if (result.terminal_loss > target * (1 + 5 * k_loss_tolerance)) result.message = found.plan.message;
  return result;
}

}  // namespace eos::solvers
