#include "eos/solvers/front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"

namespace eos::solvers {

using theory::ModeProblem;
using theory::Plan;

namespace {

constexpr int k_steps = 8;             // of the exponential scheme per interval: J to about 1e-9 and smooth in f
constexpr double k_difference = 1e-3;  // of ln f; five-point differences err by its fourth power
constexpr double k_least = 1e-8, k_most = 1e8;
constexpr double k_sharp = 1e-11;  // tolerance that leaves the derivative of J eight digits

struct Price {
  const char* term;
  double ModeProblem::*value;
};
constexpr Price k_prices[] = {{"time", &ModeProblem::price_time},
                              {"screening", &ModeProblem::price_screening},
                              {"sample", &ModeProblem::price_sample},
                              {"write", &ModeProblem::price_write},
                              {"path", &ModeProblem::price_path}};
constexpr const char* k_plasticity = "plasticity";
constexpr const char* k_cache = "cache";

ModeProblem with_fixed_steps(ModeProblem problem) {
  theory::Discretisation& d = problem.discretisation;
  if (d.steps == 0 && d.scheme != theory::Scheme::recursion) d.steps = k_steps;
  return problem;
}

/// dJ*/d(ln f) by five-point differences along the local optimum that `at` has found.
double slope(const ModeProblem& problem, const std::string& term, const FrontPoint& at, SolveOptions options) {
  const theory::Schedule here = at.plan.schedule();
  options.warm_start = &here;
  const auto objective = [&](double k) {
    return solve(scaled(problem, term, at.factor * std::exp(k * k_difference)), options).objective;
  };
  return (8 * (objective(1) - objective(-1)) - (objective(2) - objective(-2))) / (12 * k_difference);
}

/// Energies are those at the unscaled prices; objective and certificate belong to the scaled problem.
FrontPoint describe(const ModeProblem& problem, const std::string& term, double factor, Plan plan) {
  FrontPoint point;
  point.factor = factor;
  point.plan = std::move(plan);
  const theory::Schedule schedule = point.plan.schedule();
  const Plan unscaled = evaluate(problem, schedule);
  point.plan.energy = unscaled.energy;
  point.plan.trajectory.energy = unscaled.trajectory.energy;
  point.energy = unscaled.energy;
  point.loss = unscaled.objective - unscaled.energy;
  point.term = term_amount(problem, schedule, term);
  return point;
}

FrontPoint solve_point(const ModeProblem& problem, const std::string& term, double factor,
                       const SolveOptions& options) {
  return describe(problem, term, factor, solve(scaled(problem, term, factor), options));
}

double rest_of(const FrontPoint& p) { return p.loss + p.energy - p.term; }

/// The point whose controls cost least at the factor of `p`; p itself unless another one is clearly cheaper.
const FrontPoint* cheapest_at(const FrontPoint& p, const std::vector<FrontPoint>& points) {
  const FrontPoint* best = &p;
  double least = rest_of(p) + p.factor * p.term;
  least -= 1e-9 * std::fabs(least);
  for (const FrontPoint& q : points)
    if (const double cost = rest_of(q) + p.factor * q.term; cost < least) least = cost, best = &q;
  return best;
}

/// Where a neighbour's controls prove a point to be a mere local optimum, descends from them.
void improve(const ModeProblem& problem, const std::string& term, std::vector<FrontPoint>& points,
             SolveOptions options) {
  for (int round = 0; round < 3; ++round)
    for (FrontPoint& p : points) {
      const FrontPoint* from = cheapest_at(p, points);
      if (from == &p) continue;
      const theory::Schedule start = from->plan.schedule();
      options.warm_start = &start;
      p = solve_point(problem, term, p.factor, options);
    }
  for (FrontPoint& p : points) p.on_hull = cheapest_at(p, points) == &p;
}

}  // namespace

const std::vector<std::string>& front_terms() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all{"loss", "energy"};
    for (const Price& price : k_prices) all.emplace_back(price.term);
    all.insert(all.end(), {k_plasticity, k_cache});
    return all;
  }();
  return names;
}

ModeProblem scaled(const ModeProblem& problem, const std::string& term, double factor) {
  if (!(factor > 0) || !std::isfinite(factor))
    throw core::Error("E104", fmt::format("a factor of term '{}' must be positive, got {}", term, factor));
  ModeProblem p = problem;
  if (term == "loss") {
    p.terminal_weight *= factor, p.running_weight *= factor;
    return p;
  }
  bool found = false;
  for (const Price& price : k_prices)
    if (term == "energy" || term == price.term) p.*price.value *= factor, found = true;
  if (term == "energy" || term == k_plasticity) {
    for (double& price : p.plasticity_prices) price *= factor;
    found = true;
  }
  if (term == "energy" || term == k_cache) {  // the cost follows the root of the product of both
    p.price_maintenance *= factor, p.price_consolidation *= factor;
    found = true;
  }
  if (!found) throw core::Error("E106", fmt::format("J has no term '{}'", term), core::suggest(term, front_terms()));
  return p;
}

double term_amount(const ModeProblem& problem, const theory::Schedule& schedule, const std::string& term) {
  const ModeProblem fixed = with_fixed_steps(problem);
  return evaluate(scaled(fixed, term, 2), schedule).objective - evaluate(fixed, schedule).objective;
}

std::vector<FrontPoint> trace_front(const ModeProblem& problem, const std::string& term,
                                    const std::vector<double>& factors, const SolveOptions& options, int threads) {
  const ModeProblem fixed = with_fixed_steps(problem);
  scaled(fixed, term, 1).check();
  SolveOptions sharp = options;
  sharp.tolerance = std::min(options.tolerance, k_sharp);
  std::vector<FrontPoint> points(factors.size());
  core::parallel_for(factors.size(), threads,
                     [&](std::size_t i) { points[i] = solve_point(fixed, term, factors[i], sharp); });
  improve(fixed, term, points, sharp);
  core::parallel_for(factors.size(), threads, [&](std::size_t i) {
    const double c = factors[i] * points[i].term;
    points[i].envelope_residual = c > 0 ? std::fabs(slope(fixed, term, points[i], sharp) - c) / c : 0;
  });
  return points;
}

BudgetPlan solve_with_budget(const ModeProblem& problem, const std::string& term, double limit,
                             const SolveOptions& options) {
  if (!(limit > 0) || !std::isfinite(limit))
    throw core::Error("E104", fmt::format("the budget of '{}' must be positive and finite, got {}", term, limit));
  const ModeProblem fixed = with_fixed_steps(problem);
  BudgetPlan result;
  result.point = solve_point(fixed, term, k_least, options);
  if (result.point.term <= limit) {
    result.binding = false, result.gap = limit - result.point.term;
    result.message = fmt::format("the budget is not used up: {} of {} even at no price", result.point.term, limit);
    return result;
  }
  double low = std::log(k_least), high = std::log(k_most);  // C(low) > limit
  FrontPoint within = solve_point(fixed, term, k_most, options);
  if (within.term > limit) {
    result.point = within, result.feasible = false, result.gap = limit - within.term;
    result.message = fmt::format("no plan needs as little as {}: the least is {}", limit, within.term);
    return result;
  }
  double c_low = result.point.term, c_high = within.term;
  for (int i = 0; i < 200 && high - low > 1e-13 && within.term < limit * (1 - 1e-9); ++i) {
    // The logarithm of C is nearly linear in that of f; every third step halves, so that jumps cannot stall it.
    const double share =
        c_high > 0 && i % 3 != 2 ? std::clamp(std::log(c_low / limit) / std::log(c_low / c_high), 0.02, 0.98) : 0.5;
    const double at = low + share * (high - low);
    FrontPoint point = solve_point(fixed, term, std::exp(at), options);
    if (point.term > limit)
      low = at, c_low = point.term;
    else
      high = at, c_high = point.term, within = std::move(point);
  }
  result.point = std::move(within);
  result.gap = limit - result.point.term;
  result.message = result.gap > 1e-6 * limit ? fmt::format("the front jumps at factor {:.6g}: {} of {} is used",
                                                           result.point.factor, result.point.term, limit)
                                             : fmt::format("met at factor {:.6g}", result.point.factor);
  return result;
}

}  // namespace eos::solvers
