// Fronts, budgets and batches against closed forms and against single solves.
#include "eos/solvers/continuation.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "gold_problems.hpp"

namespace {

using namespace eos;
using namespace eos::solvers;
using theory::Method;

ContinuationOptions options(int intervals) {
  ContinuationOptions o;
  o.control.method = Method::radau;
  o.control.intervals = intervals;
  return o;
}

/// e' = -u e, min e(1) + w int u^2 / 2: u = W(1 / w), front (u^2 / 2, exp(-u)).
theory::ControlProblem price_of_effort() {
  theory::ControlProblem p;
  p.add_state("e", gold::point(1));
  p.add_control("u", {});
  p.states[0].dynamics = -p.u(0) * p.x(0);
  p.add_cost("error", 0, p.x_final(0));
  p.add_cost("effort", 0.5 * p.u(0) * p.u(0), 0, 0.1);
  return p;
}

TEST(Continuation, front_of_the_price_of_effort_is_its_closed_form) {
  const auto front = pareto_front(price_of_effort(), "effort", geometric(0.01, 1, 20), options(60));
  for (const ParetoPoint& p : front) {
    const double u = std::sqrt(2 * p.cost);
    EXPECT_NEAR(p.rest, std::exp(-u), 1e-8);        // Newton steps end at a stationarity of 1e-8
    EXPECT_NEAR(p.weight * u, std::exp(-u), 1e-7);  // the control itself converges with lower order
    EXPECT_TRUE(p.monotone && p.on_hull && !p.branch_change);
  }
}

TEST(Continuation, envelope_theorem_holds_along_the_front) {
  ContinuationOptions o = options(20);
  o.check_envelope = true;
  for (const ParetoPoint& p : pareto_front(price_of_effort(), "effort", geometric(0.01, 1, 20), o))
    EXPECT_LT(p.envelope_error, 1e-8) << p.weight;
}

TEST(Continuation, front_equals_single_solves) {
  const std::vector<double> weights = geometric(0.1, 10, 30);
  const auto front = pareto_front(gold::van_der_pol(), "energy", weights, options(50));
  for (const std::size_t i : {3u, 29u}) {
    ControlOptions single = options(50).control;
    single.max_refinements = 0;
    EXPECT_NEAR(front[i].solution.objective, solve(gold::van_der_pol(weights[i]), single).objective, 1e-8);
  }
  double steps = 0;
  for (std::size_t i = 1; i < front.size(); ++i) steps += front[i].solution.iterations;
  EXPECT_LE(steps, 3.0 * static_cast<double>(front.size()));
}

TEST(Continuation, budget_is_met_at_its_price) {
  const BudgetResult r = solve_with_budget(price_of_effort(), "effort", 0.5, options(20));
  EXPECT_TRUE(r.solution.ok()) << r.solution.message;
  EXPECT_NEAR(r.attained, 0.5, 1e-8);  // u = 1, price e^-1
  EXPECT_NEAR(0.1 + r.multiplier, std::exp(-1.0), 1e-7);
}

TEST(Continuation, budget_that_does_not_bind_costs_nothing) {
  const BudgetResult r = solve_with_budget(price_of_effort(), "effort", 100, options(20));
  EXPECT_EQ(r.multiplier, 0);
}

TEST(Continuation, impossible_budget_is_infeasible) {
  const BudgetResult r = solve_with_budget(price_of_effort(), "effort", -1, options(10));
  EXPECT_EQ(r.solution.status, theory::ControlStatus::infeasible);
  EXPECT_FALSE(r.solution.message.empty());
}

TEST(Continuation, batch_does_not_depend_on_threads) {
  std::vector<std::vector<double>> points;
  for (const double w : geometric(0.1, 10, 70)) points.push_back({1, w});
  const auto one = solve_batch(gold::van_der_pol(), points, options(25), 1);
  const auto two = solve_batch(gold::van_der_pol(), points, options(25), 2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_TRUE(one[i].ok());
    EXPECT_EQ(one[i].objective, two[i].objective);
  }
}

TEST(Continuation, unknown_names_are_errors) {
  const std::vector<double> values{1};
  EXPECT_THROW(sweep(price_of_effort(), "efort", values), core::Error);
  EXPECT_THROW(pareto_front(price_of_effort(), "efort", values), core::Error);
}

}  // namespace
