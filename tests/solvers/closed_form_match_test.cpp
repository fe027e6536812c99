#include "../../solvers/src/closed_form_match.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../support/gold_problems.hpp"
#include "eos/core/error.hpp"
#include "eos/solvers/control.hpp"
#include "eos/theory/closed_forms.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::ControlProblem;
using eos::theory::ControlSolution;
using eos::theory::Interval;
using eos::theory::Method;

ControlProblem regulator(double a, double horizon, double end_weight = 0) {
  ControlProblem p;
  p.add_state("x", Interval::point(1));
  p.add_control("u", {});
  p.add_cost("cost", 0.5 * (p.x(0) * p.x(0) + p.u(0) * p.u(0)), 0.5 * end_weight * p.x_final(0) * p.x_final(0));
  p.states[0].dynamics = a * p.x(0) + p.u(0);
  p.horizon.value = horizon;
  return p;
}

double by_shooting(const ControlProblem& p) {
  ControlOptions options;
  options.method = Method::shooting;
  return solve(p, options).objective;
}

TEST(ClosedFormMatch, linear_quadratic_problems) {
  const auto a = match_closed_form(regulator(0, 1)), b = match_closed_form(regulator(-1, 1));
  ASSERT_TRUE(a && b);
  EXPECT_NEAR(a->objective, 0.380797077977882, 1e-13);  // tanh(1) / 2
  EXPECT_NEAR(b->objective, 0.192909298093169, 1e-13);
  EXPECT_EQ(a->method, Method::closed_form);
  const auto c = match_closed_form(eos::gold::p1());
  ASSERT_TRUE(c);
  EXPECT_NEAR(c->objective, 6, 1e-12);
  EXPECT_NEAR(c->costates[0][0], -12, 1e-11);
  const auto d = match_closed_form(regulator(0.3, 2, 1.5));
  ASSERT_TRUE(d);
  EXPECT_NEAR(d->objective, by_shooting(regulator(0.3, 2, 1.5)), 1e-11);
  EXPECT_LT(d->objective - *d->certificate.lower_bound, 1e-9);
}

TEST(ClosedFormMatch, minimum_time_everywhere) {
  const std::vector<std::array<double, 3>> values{
      {1, 0, 2}, {1, 1, 3.44948974278318}, {0, 1, 2.41421356237310}, {3, -2, 2.47213595499958}};
  for (const auto& [x, v, time] : values)
    for (double side : {1.0, -1.0}) {
      const auto s = match_closed_form(eos::gold::p2(side * x, side * v));
      ASSERT_TRUE(s) << x << " " << v;
      EXPECT_NEAR(s->horizon, time, 1e-13);
      EXPECT_LT(s->certificate.constraint_violation, 1e-12);
    }
}

TEST(ClosedFormMatch, effort_priced_decay) {
  ControlProblem p;
  p.add_state("e", Interval::point(1));
  p.add_control("u", {});
  p.add_cost("error", 0, p.x_final(0));
  p.add_cost("effort", 0.05 * p.u(0) * p.u(0));
  p.states[0].dynamics = -p.u(0) * p.x(0);
  // Weights are parameters: states and controls come first.
  const auto s = match_closed_form(p);
  ASSERT_TRUE(s);
  EXPECT_NEAR(s->controls[0][0], 1.74552800274070, 1e-12);
  EXPECT_NEAR(s->objective, 0.326896200691667, 1e-13);
  // Quadratic end cost: lambda = 1.3, s = 2, c = 0.7, e0 = 1.5, T = 2.
  ControlProblem q;
  q.add_state("e", Interval::point(1.5));
  q.add_control("eta", {});
  q.add_cost("price", 0.35 * q.u(0) * q.u(0), 0.5 * 2 * 1.3 * q.x_final(0) * q.x_final(0));
  q.states[0].dynamics = -1.3 * q.u(0) * q.x(0);
  q.horizon.value = 2;
  const auto r = match_closed_form(q);
  ASSERT_TRUE(r);
  EXPECT_NEAR(r->controls[0][0], 0.567643, 5e-7);
  EXPECT_NEAR(r->objective, 0.37837994, 5e-9);
  EXPECT_NEAR(r->objective, by_shooting(q), 1e-11);
}

TEST(ClosedFormMatch, noisy_mode) {
  ControlProblem p;
  p.add_state("m", Interval::point(2));
  p.add_control("eta", {0, 0.5});
  p.add_cost("error", 0, p.x_final(0));
  p.states[0].dynamics = -2 * p.u(0) * p.x(0) + 0.05 * p.u(0) * p.u(0);
  p.horizon.value = 12;
  const auto s = match_closed_form(p);
  ASSERT_TRUE(s);
  EXPECT_NEAR(s->objective, 5.5984e-3, 5e-8);
  ASSERT_EQ(s->switch_times.size(), 1u);
  EXPECT_NEAR(s->switch_times[0], 5.06890, 5e-6);
  EXPECT_NEAR(s->objective, by_shooting(p), 1e-11);
}

TEST(ClosedFormMatch, leaves_other_problems_alone) {
  EXPECT_FALSE(match_closed_form(eos::gold::p4()));
  EXPECT_FALSE(match_closed_form(eos::gold::p8()));
  ControlProblem bounded = regulator(0, 1);
  bounded.controls[0].bounds = {-0.1, 0.1};  // active
  EXPECT_FALSE(match_closed_form(bounded));
  ControlOptions options;
  options.method = Method::closed_form;
  EXPECT_THROW(solve(eos::gold::p4(), options), eos::core::Error);
}

TEST(ClosedFormMatch, automatic_says_why) {
  const ControlSolution a = solve(eos::gold::p1()), b = solve(eos::gold::p15());
  EXPECT_EQ(a.method, Method::closed_form);
  EXPECT_NE(a.reason.find("closed form"), std::string::npos);
  EXPECT_EQ(b.method, Method::shooting);
  EXPECT_NE(b.reason.find("singular"), std::string::npos);
  EXPECT_NEAR(b.objective, 0.375, 1e-12);
}

}  // namespace
