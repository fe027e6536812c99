// Plans that reach a target loss: the terminal weight is the multiplier of the constraint, the horizon may be free.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/solvers/fit.hpp"

namespace eos::solvers {
namespace {

using theory::ModeProblem;
using theory::Plan;

constexpr double k_loss_tolerance = 1e-3;  // relative: far below what the model can predict
// Solutions that only steer the search, and the mesh: both far more exact than the model.
constexpr double k_search_tolerance = 1e-5, k_mesh_tolerance = 1e-5;
constexpr double k_widest_weight = 1e8;    // the terminal weight is sought within this factor of its first guess

/// Solves for the terminal weight at which the terminal loss, without offset, is `target`.
class TargetSolver {
 public:
  TargetSolver(ModeProblem problem, double target) : problem_(std::move(problem)), target_(target) {
    options_.tolerance = k_search_tolerance;
    options_.mesh_tolerance = k_mesh_tolerance;
    options_.starts = {{0.6, 0.6, 0.75}};
  }

  /// `weight` is a first guess and receives the weight found.
  Plan solve_for(double& weight) {
    const double first = weight;
    double low = 0, high = 0;  // weights with too large and too small a loss
    Plan low_plan, high_plan;
    for (double w = first; high == 0 || low == 0;) {
      Plan p = at(w);
      if (good(p)) return weight = w, p;
      (p.terminal_loss > target_ ? low_plan : high_plan) = p;
      (p.terminal_loss > target_ ? low : high) = w;
      if (low > k_widest_weight * first) return unreachable(low_plan, weight, low);
      if (high > 0 && high < first / k_widest_weight) return weight = high, high_plan;  // met at no price
      w = high == 0 ? low * 6 : (low == 0 ? high / 6 : w);
    }
    return bisect(low, high, std::move(low_plan), std::move(high_plan), weight);
  }

 private:
  bool good(const Plan& p) const { return std::abs(p.terminal_loss - target_) <= k_loss_tolerance * target_; }
  Plan at(double weight) {
    problem_.terminal_weight = weight;
    return solve(problem_, options_);
  }
  Plan unreachable(Plan plan, double& weight, double used) const {
    weight = used;
    plan.message = fmt::format("the target loss {:.4g} is below {:.4g}, the least that the model reaches in this horizon",
                               target_ + problem_.loss_offset, plan.terminal_loss + problem_.loss_offset);
    return plan;
  }
  /// False position in ln weight, with a bisection where it crawls. The plan with the smaller loss is kept on a jump of
  /// the loss, where no weight attains the target.
  Plan bisect(double low, double high, Plan low_plan, Plan high_plan, double& weight) {
    for (int i = 0; i < 30 && std::log(high / low) > 1e-3; ++i) {
      const double above = low_plan.terminal_loss - target_, below = target_ - high_plan.terminal_loss;
      double share = above / (above + below);
      if (i % 3 == 2) share = 0.5;
      const double w = low * std::pow(high / low, std::clamp(share, 0.05, 0.95));
      Plan p = at(w);
      if (good(p)) return weight = w, p;
      if (p.terminal_loss > target_) {
        low = w;
        low_plan = std::move(p);
      } else {
        high = w;
        high_plan = std::move(p);
      }
    }
    weight = high;
    return high_plan;
  }

  ModeProblem problem_;
  SolveOptions options_;
  double target_;
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
                      fmt::format("target_loss = {:.4g} is not above the fitted irreducible loss {:.4g}", goal.target_loss,
                                  c.fit.loss_offset),
                      "ask for a larger loss, or calibrate with longer probes");
  }
  return target;
}

struct Found {
  Plan plan;
  ModeProblem problem;  // with the terminal weight that attains the target
};

Found solve_horizon(const theory::Calibration& c, const PlanGoal& goal, double target, double& weight) {
  Found found;
  found.problem = problem_from(c, goal);
  if (weight == 0) weight = natural_weight(found.problem, target);
  found.plan = TargetSolver(found.problem, target).solve_for(weight);
  found.problem.terminal_weight = weight;
  return found;
}

/// The horizon of least energy, at most goal.epochs. Energy has one minimum in the horizon: short ones leave no room to
/// save, long ones screen too much. So a geometric grid is walked down until energy rises, then refined.
Found solve_free_horizon(const theory::Calibration& c, PlanGoal goal, double target) {
  constexpr double k_shortest = 0.25;
  const double longest = goal.epochs;
  double weight = 0, ratio = 0.85;
  Found best = solve_horizon(c, goal, target, weight);
  auto improves = [&](double epochs) {
    if (epochs > longest || epochs < k_shortest * longest) return false;
    goal.epochs = epochs;
    Found next = solve_horizon(c, goal, target, weight);
    const bool reached = next.plan.terminal_loss <= target * (1 + 2 * k_loss_tolerance);
    if (!reached || next.plan.energy >= best.plan.energy) return false;
    best = std::move(next);
    return true;
  };
  while (improves(ratio * best.problem.horizon_epochs)) {
  }
  for (int round = 0; round < 2; ++round) {
    ratio = std::sqrt(ratio);
    if (!improves(best.problem.horizon_epochs * ratio)) improves(best.problem.horizon_epochs / ratio);
  }
  return best;
}

}  // namespace

theory::Plan plan(const theory::Calibration& calibration, const PlanGoal& goal, const SolveOptions& options) {
  if (goal.target_loss <= 0) {
    if (goal.terminal_weight <= 0) {
      throw core::Error("E105", "a calibrated plan needs a goal", "give target_loss or terminal_weight");
    }
    return solve(problem_from(calibration, goal), options);
  }
  const double target = excess_target(calibration, goal);
  double weight = 0;
  const Found found = goal.free_horizon ? solve_free_horizon(calibration, goal, target)
                                        : solve_horizon(calibration, goal, target, weight);
  SolveOptions final_options = options;
  final_options.mesh_tolerance = std::max(options.mesh_tolerance, k_mesh_tolerance);
  Plan result = solve(found.problem, final_options);
  if (result.terminal_loss > target * (1 + 5 * k_loss_tolerance)) result.message = found.plan.message;
  return result;
}

}  // namespace eos::solvers
