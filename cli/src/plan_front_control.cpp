// eos plan --pareto and --budget for control problems stated by formulas.
#include <fmt/format.h>

#include <algorithm>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "plan_front.hpp"
#include "plan_sweep.hpp"
#include "sweep_axes.hpp"

namespace eos::cli {

namespace {

/// Column of one number per point.
template <class Get>
core::Variable column(const std::vector<solvers::ParetoPoint>& points, const std::string& name, const char* units,
                      std::string meaning, Get&& get) {
  std::vector<double> values;
  for (const solvers::ParetoPoint& p : points) values.push_back(get(p));
  core::Variable v;
  v.name = name, v.values = std::move(values), v.units = units, v.long_name = std::move(meaning);
  return v;
}

int cost_index(const theory::ControlProblem& problem, const std::string& term) {
  const int index = problem.find_cost(term);
  if (index >= 0) return index;
  std::vector<std::string> names;
  for (const theory::CostTerm& c : problem.costs) names.push_back(c.name);
  throw core::Error("E106", fmt::format("J has no term '{}'", term), core::suggest(term, names));
}

}  // namespace

Front trace(const theory::ControlProblem& problem, const std::string& request, const solvers::ControlOptions& options) {
  const FrontRequest wanted = parse_front(request);
  const int cost = cost_index(problem, wanted.term);
  const double nominal =
      problem.parameters[static_cast<std::size_t>(problem.costs[static_cast<std::size_t>(cost)].weight)].value;
  if (!(nominal > 0))
    throw core::Error("E104",
                      fmt::format("the weight of '{}' must be positive to be scaled, got {}", wanted.term, nominal));
  std::vector<double> weights;
  for (const double f : wanted.factors) weights.push_back(f * nominal);
  std::sort(weights.begin(), weights.end());
  solvers::ContinuationOptions how;
  how.control = options;
  how.check_envelope = true;
  const std::vector<solvers::ParetoPoint> points = solvers::pareto_front(problem, wanted.term, weights, how);

  using Point = solvers::ParetoPoint;
  std::vector<core::Dataset> plans;
  for (const Point& p : points) plans.push_back(io::to_dataset(problem, p.solution));
  Front front;
  front.term = wanted.term;
  front.table = stack_plans(
      std::move(plans),
      {column(points, "factor", "1", "factor on the weight of '" + wanted.term + "'",
              [&](const Point& p) { return p.weight / nominal; }),
       column(points, "scaled_term", "1", "amount of " + wanted.term, [](const Point& p) { return p.cost; }),
       column(points, "rest", "1", "weighted sum of the other terms", [](const Point& p) { return p.rest; }),
       column(points, "envelope_residual", "1", "|dJ/dw - amount| relative to max(1, |amount|)",
              [](const Point& p) { return p.envelope_error; }),
       column(points, "on_hull", "1", "1 where no mixture of other points is better",
              [](const Point& p) { return p.on_hull ? 1.0 : 0.0; }),
       column(points, "branch_change", "1", "1 where another local optimum took over",
              [](const Point& p) { return p.branch_change ? 1.0 : 0.0; })});
  front.table.attributes["kind"] = std::string("pareto front");
  front.table.attributes["term"] = wanted.term;
  return front;
}

solvers::BudgetResult plan_within(const theory::ControlProblem& problem, const std::string& request,
                                  const solvers::ControlOptions& options) {
  const Budget budget = parse_budget(request);
  cost_index(problem, budget.term);
  solvers::ContinuationOptions how;
  how.control = options;
  return solvers::solve_with_budget(problem, budget.term, budget.limit, how);
}

}  // namespace eos::cli
