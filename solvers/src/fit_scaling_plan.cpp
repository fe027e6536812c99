// Plans of networks that follow a scaling law: constant fractions, the rate of the probe with a plateau, and the
// horizon.
//
// The law has one clock, so energy to a loss is horizon * e(rho, kappa), with the horizon in inverse proportion to
// F(rho) G(kappa): the best fractions have the least energy per unit of clock, e / (F G), where the marginal benefit
// per joule of a sample (or write) equals the average one. They are found on a grid, with the phases of full data.
#include "fit_scaling_plan.hpp"

#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "fit_scaling.hpp"

namespace eos::solvers {
namespace {

using theory::Calibration;
using theory::ModeProblem;
using theory::Plan;

constexpr int k_grid = 12;
constexpr double k_falling = 0.25;   // last share of the horizon, in which the rate falls to 0
constexpr double k_shortest = 0.05;  // of the longest horizon

/// Fractions of writes up to the largest probed one: between it and all, nothing is known of writes from accumulators.
theory::Bounds write_bounds(const Calibration& c, const PlanGoal& goal, const ModeProblem& problem) {
  const std::vector<double>& probed = c.accumulator_clock.fraction;
  if (!goal.accumulate || probed.size() < 2) return problem.weight_bounds;
  return {problem.weight_bounds.lower, probed[probed.size() - 2]};
}

double geometric(const theory::Bounds& b, int i) { return b.lower * std::pow(b.upper / b.lower, i / (k_grid - 1.0)); }

Plan constant_plan(const Calibration& c, PlanGoal goal, double epochs, int data, int weights) {
  goal.epochs = epochs;
  const ModeProblem problem = problem_from(c, goal);
  theory::Schedule s;
  s.edges = {0};
  for (int i = 0; i < goal.intervals; ++i) {
    const theory::Bounds bounds = problem.data_bounds_in(i, goal.intervals);
    s.edges.push_back((i + 1.0) / goal.intervals);
    s.data_fraction.push_back(goal.select_data ? std::max(bounds.lower, geometric(problem.data_bounds, data)) : 1);
    s.weight_fraction.push_back(goal.select_weights ? geometric(write_bounds(c, goal, problem), weights) : 1);
    const double rest = 1 - (i + 0.5) / goal.intervals;
    s.learning_rate.push_back(c.spec.optimiser.learning_rate * std::min(1.0, rest / k_falling));
  }
  Plan plan = evaluate(problem, s);
  follow_scaling_law(c, plan);
  return plan;
}

/// The shortest horizon that reaches the target, or the longest if none does.
Plan reach(const Calibration& c, const PlanGoal& goal, int data, int weights) {
  const double target = goal.target_loss - c.fit.loss_offset;
  Plan plan = constant_plan(c, goal, goal.epochs, data, weights);
  if (!goal.free_horizon || goal.target_loss <= 0 || plan.terminal_loss > target) return plan;
  double low = std::log(k_shortest * goal.epochs), high = std::log(goal.epochs);
  while (high - low > 0.01) {
    const double mid = 0.5 * (low + high);
    Plan shorter = constant_plan(c, goal, std::exp(mid), data, weights);
    const bool good = shorter.terminal_loss <= target;
    (good ? high : low) = mid;
    if (good) plan = std::move(shorter);
  }
  return plan;
}

}  // namespace

Plan plan_by_scaling_law(const Calibration& c, const PlanGoal& goal) {
  const double target = goal.target_loss - c.fit.loss_offset;
  Plan best, closest;
  double least = std::numeric_limits<double>::infinity(), nearest = least;
  const int data = goal.select_data ? k_grid : 1, weights = goal.select_weights ? k_grid : 1;
  for (int i = 0; i < data; ++i)
    for (int j = 0; j < weights; ++j) {
      Plan plan = reach(c, goal, i, j);
      const bool reached = goal.target_loss <= 0 || plan.terminal_loss <= target;
      const double cost = plan.energy + (goal.target_loss > 0 ? 0 : goal.terminal_weight * plan.terminal_loss);
      if (plan.terminal_loss < nearest) nearest = plan.terminal_loss, closest = plan;
      if (reached && cost < least) least = cost, best = std::move(plan);
    }
  if (!std::isfinite(least)) {
    closest.message =
        fmt::format("the target loss {:.4g} is below {:.4g}, the least that the scaling law reaches in this horizon",
                    goal.target_loss, nearest + c.fit.loss_offset);
    return closest;
  }
  best.message = "constant fractions of least energy per unit of clock, by the scaling law";
  best.objective = least;
  return best;
}

}  // namespace eos::solvers
