// Problems that have no answer: a status that names the cause, or an error that teaches, from every method.
#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/solvers/continuation.hpp"
#include "eos/solvers/control.hpp"

namespace {

using namespace eos;
using theory::ControlProblem;
using theory::ControlSolution;
using theory::ControlStatus;
using theory::Expr;
using theory::Interval;
using theory::Method;

/// x' = u, x(0) = 0, |u| <= limit, T = 1, without a cost.
ControlProblem steered(double limit) {
  ControlProblem p;
  p.add_state("x", Interval::point(0));
  p.add_control("u", {-limit, limit});
  p.states[0].dynamics = p.u(0);
  return p;
}

constexpr Method k_direct[] = {Method::automatic, Method::radau, Method::hermite_simpson, Method::trapezoid};

ControlSolution solve(const ControlProblem& problem, Method method) {
  solvers::ControlOptions options;
  options.method = method;
  return solvers::solve(problem, options);
}

TEST(WrongProblems, a_cost_without_bound_is_unbounded) {
  ControlProblem p = steered(theory::k_infinity);
  p.add_cost("c", p.x(0));
  for (const Method method : k_direct) {
    const ControlSolution s = solve(p, method);
    EXPECT_EQ(s.status, ControlStatus::unbounded) << to_string(method) << ": " << s.message;
    EXPECT_NE(s.message.find("bound"), std::string::npos);
  }
}

TEST(WrongProblems, an_end_out_of_reach_is_infeasible_and_names_the_equation) {
  ControlProblem p = steered(1);
  p.states[0].final = Interval::point(10);
  p.add_cost("c", p.u(0) * p.u(0));
  for (const Method method : k_direct) {
    const ControlSolution s = solve(p, method);
    EXPECT_EQ(s.status, ControlStatus::infeasible) << to_string(method) << ": " << s.message;
    EXPECT_NE(s.message.find("equation of x"), std::string::npos) << s.message;
  }
}

TEST(WrongProblems, formulas_without_value_are_a_status_with_the_place) {
  ControlProblem p = steered(1);
  p.states[0].dynamics = sqrt(p.x(0) - 5) + p.u(0);
  p.add_cost("c", p.u(0) * p.u(0));
  for (const Method method : k_direct) {
    const ControlSolution s = solve(p, method);
    EXPECT_EQ(s.status, ControlStatus::not_finite) << to_string(method) << ": " << s.message;
    EXPECT_NE(s.message.find("x at interval"), std::string::npos) << s.message;
  }
}

TEST(WrongProblems, stiffness_that_a_mesh_cannot_follow_is_no_solution) {
  ControlProblem p = steered(1);
  p.states[0].initial = Interval::point(5);
  p.states[0].dynamics = -1e9 * (p.x(0) - cos(p.time())) + p.u(0);
  p.add_cost("c", p.u(0) * p.u(0) + p.x(0) * p.x(0));
  for (const Method method : {Method::hermite_simpson, Method::trapezoid})
    EXPECT_FALSE(solve(p, method).ok()) << to_string(method);
}

TEST(WrongProblems, a_budget_that_nothing_can_meet_is_infeasible) {
  ControlProblem p = steered(1);
  p.states[0].final = Interval::point(.5);
  p.add_cost("effort", p.u(0) * p.u(0));
  p.add_cost("deviation", p.x(0) * p.x(0));
  const solvers::BudgetResult r = solvers::solve_with_budget(p, "effort", .2);  // at least .25
  EXPECT_EQ(r.solution.status, ControlStatus::infeasible);
  EXPECT_NE(r.solution.message.find("effort"), std::string::npos);
  EXPECT_THROW(solvers::solve_with_budget(p, "efort", 1), core::Error);
}

TEST(WrongProblems, ill_posed_statements_are_refused_before_any_method_runs) {
  ControlProblem reversed = steered(-1);
  reversed.add_cost("c", reversed.x(0));
  EXPECT_THROW(solve(reversed, Method::automatic), core::Error);
  ControlProblem costless = steered(1);
  EXPECT_THROW(solve(costless, Method::automatic), core::Error);
  ControlProblem negative = steered(1);
  negative.add_cost("c", negative.x(0));
  negative.horizon.value = -1;
  EXPECT_THROW(solve(negative, Method::automatic), core::Error);
}

}  // namespace
