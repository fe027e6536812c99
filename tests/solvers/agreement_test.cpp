// Methods that share only the statement of a problem find the same optimum: single shooting with the discrete adjoint,
// indirect multiple shooting, collocation, and dynamic programming.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eos/solvers/control.hpp"
#include "eos/solvers/hjb_control.hpp"
#include "eos/solvers/solve.hpp"
#include "eos/theory/mode_control.hpp"
#include "gold_problems.hpp"
#include "known_problems.hpp"
#include "reference_problem.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::ControlOptions;

double cost(const ControlProblem& p, Method method, int intervals = 50, int refinements = 12) {
  ControlOptions options;
  options.method = method;
  options.intervals = intervals;
  options.max_refinements = refinements;
  const ControlSolution s = eos::solvers::solve(p, options);
  EXPECT_TRUE(s.ok()) << to_string(method) << ": " << to_string(s.status) << " " << s.message;
  return s.objective;
}
/// Optima over controls constant on 200 and 400 intervals, extrapolated: their excess falls with the square.
double extrapolated(const ControlProblem& p) {
  const double coarse = cost(p, Method::adjoint, 200, 0), fine = cost(p, Method::adjoint, 400, 0);
  return fine + (fine - coarse) / 3;
}

struct Shared {
  const char* name;
  ControlProblem problem;
  double optimum;
};
std::vector<Shared> shared_problems() {
  const LinearQuadratic regulator{1, .5, 1, 1.5, 2};
  const EffortMode effort{1.2, .4, 1.6, 3};
  const PricedData data{.5, .2, 2, .1, .05};
  return {{"van der Pol", gold::van_der_pol(), 2.86726104522167},
          {"Rayleigh", gold::rayleigh(), 29.3760796559429},
          {"regulator", known::regulator(regulator).problem, regulator.cost()},
          {"effort", known::effort_mode(effort).problem, effort.cost()},
          {"priced data", known::priced_data(data, 3).problem, data.value(3)}};
}

TEST(Agreement, of_shooting_collocation_and_adjoint) {
  for (const Shared& s : shared_problems()) {
    for (const Method method : {Method::radau, Method::hermite_simpson, Method::shooting}) {
      const double J = cost(s.problem, method);
      EXPECT_NEAR(J, s.optimum, 1e-6 * s.optimum) << s.name << " " << to_string(method);
    }
    const double J = extrapolated(s.problem);
    EXPECT_NEAR(J, s.optimum, 1e-6 * s.optimum) << s.name;
  }
}

TEST(Agreement, of_the_damped_sweep) {
  for (const Shared& s : shared_problems()) {
    if (s.problem.horizon.free) continue;  // a sweep keeps T
    const double J = cost(s.problem, Method::sweep);
    EXPECT_NEAR(J, s.optimum, 1e-6 * s.optimum) << s.name;
  }
}

/// The optimum of a mode problem over controls constant on n intervals, by its own solver.
double stepwise(ModeProblem p, int n) {
  p.intervals = n;
  return eos::solvers::solve(p).objective;
}

// The solver of mode problems holds controls constant on intervals and integrates by exponential steps; collocation has
// continuous controls. What constant controls cost falls with the square of the interval; extrapolated, both agree.
// Ranked choice has two local optima, for (0, 0) is a local minimum of H: without a rest, which collocation finds from
// a constant guess, and with a rest at the end, which the search over rests of the mode solver finds.
TEST(Agreement, of_the_reference_problem) {
  for (const Rule rule : {Rule::all, Rule::ranked}) {
    ModeProblem p = reference_problem(rule);
    p.discretisation.rest_intervals = 0;
    const ControlProblem control = to_control_problem(p);
    const double radau = cost(control, Method::radau), simpson = cost(control, Method::hermite_simpson);
    double J[3];
    for (int i = 0; i < 3; ++i) J[i] = stepwise(p, 40 << i);
    for (int i = 0; i < 2; ++i) EXPECT_NEAR(std::log2((J[i] - radau) / (J[i + 1] - radau)), 2, .2) << i;
    EXPECT_NEAR(simpson, radau, 1e-6 * radau);
    EXPECT_NEAR(J[2] + (J[2] - J[1]) / 3, radau, 1e-6 * radau);
  }
  ModeProblem ranked = reference_problem(Rule::ranked);
  const double with_rest = stepwise(ranked, 40);
  ranked.discretisation.rest_intervals = 0;
  EXPECT_LT(with_rest, stepwise(ranked, 40) - 1e-4);
}

/// V(x(0)) on a grid.
double value(const ControlProblem& p, const eos::solvers::HjbGrid& grid) {
  eos::solvers::HjbControlOptions options;
  options.bound = false;
  options.control_limit = 8;
  options.run_step = 0.05;
  return eos::solvers::solve_hjb(p, grid, options).value;
}
eos::solvers::HjbAxis axis(double lower, double upper, std::int64_t points, eos::solvers::Edge edge) {
  return {lower, upper, points, eos::solvers::Spacing::uniform, edge, edge};
}

// Dynamic programming is first order in the grid: its error halves with the cells, and two grids extrapolate to a value
// much closer than either.
TEST(Agreement, of_dynamic_programming) {
  using eos::solvers::Edge;
  const std::vector<Shared> all = shared_problems();
  const auto check = [](const Shared& s, const std::function<double(int)>& on, int points) {
    const double coarse = on(points), fine = on(2 * points - 1), finest = on(4 * points - 3);
    EXPECT_NEAR(std::log2((coarse - s.optimum) / (fine - s.optimum)), 1, .2) << s.name;
    EXPECT_NEAR(std::log2((fine - s.optimum) / (finest - s.optimum)), 1, .2) << s.name;
  };
  check(
      all[2], [&](int n) { return value(all[2].problem, {{axis(-1, 2, n, Edge::constrain)}}); }, 61);
  check(
      all[3], [&](int n) { return value(all[3].problem, {{axis(0, 2, n, Edge::constrain)}}); }, 61);
  check(
      all[4], [&](int n) { return value(all[4].problem, {{axis(.02, 3, n, Edge::constrain)}}); }, 201);
  check(
      all[0],
      [&](int n) {
        return value(all[0].problem, {{axis(-1.5, 1.5, n, Edge::extrapolate), axis(-1.5, 1.5, n, Edge::extrapolate)}});
      },
      31);
}

}  // namespace
