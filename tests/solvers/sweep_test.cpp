#include <gtest/gtest.h>

#include <cmath>

#include "../support/gold_problems.hpp"
#include "eos/core/error.hpp"
#include "eos/solvers/control.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::ControlProblem;
using eos::theory::ControlSolution;
using eos::theory::Interval;
using eos::theory::Method;

ControlSolution sweep(const ControlProblem& p, double tolerance = 1e-9) {
  ControlOptions options;
  options.method = Method::sweep;
  options.tolerance = tolerance;
  return solve(p, options);
}

TEST(Sweep, reaches_the_optimum_of_smooth_problems) {
  const ControlSolution a = sweep(eos::gold::p4()), b = sweep(eos::gold::p5());
  ASSERT_TRUE(a.ok()) << a.message;
  // The controls have kinks where they meet a bound, so that order 4 on 400 intervals leaves 1e-8.
  EXPECT_NEAR(a.objective, 2.86726104522167, 5e-8);
  EXPECT_NEAR(a.costates[1][0], 4.88565864, 1e-4);
  ASSERT_TRUE(b.ok()) << b.message;
  EXPECT_NEAR(b.objective / 29.3760796559429, 1, 1e-7);
  EXPECT_LT(a.certificate.minimum_residual, 1e-8);
}

TEST(Sweep, never_raises_the_cost_and_stops_with_a_status_on_singular_problems) {
  const ControlSolution s = sweep(eos::gold::p8());
  EXPECT_NE(s.status, eos::theory::ControlStatus::optimal);
  EXPECT_FALSE(s.message.empty());
  EXPECT_NEAR(s.objective, 0.753983860575889, 0.05);
}

TEST(Sweep, spends_a_budget_where_it_gains_most) {
  // x' = -r(t) u x with r = 1 + t, u in [0, 1], int u <= 1 over [0, 2]: -ln x = int r u, so the late half is used.
  ControlProblem p;
  p.add_state("x", Interval::point(1));
  p.add_state("spent", Interval::point(0), {0, 1});
  p.add_control("u", {0, 1});
  p.add_cost("rest", 0, p.x_final(0));
  p.states[0].dynamics = -(1 + p.time()) * p.u(0) * p.x(0);
  p.states[1].dynamics = p.u(0);
  p.horizon.value = 2;
  const ControlSolution s = sweep(p, 1e-7);
  EXPECT_NEAR(s.states[1].back(), 1, 3e-3);  // one grid cell
  EXPECT_NEAR(s.objective, std::exp(-2.5), 2e-3);
  EXPECT_NEAR(s.controls[0][100], 0, 1e-3);
  EXPECT_NEAR(s.controls[0][700], 1, 1e-3);
}

TEST(Sweep, refuses_conditions_that_it_cannot_keep) {
  EXPECT_THROW(sweep(eos::gold::p1()), eos::core::Error);
  EXPECT_THROW(sweep(eos::gold::p2()), eos::core::Error);
  EXPECT_THROW(sweep(eos::gold::p3()), eos::core::Error);
}

}  // namespace
