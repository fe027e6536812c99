// Dynamic programming on problems stated by formulas, against closed forms, certified optima and direct transcription.
#include "eos/solvers/hjb_control.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/solvers/control.hpp"
#include "gold_problems.hpp"

namespace eos::solvers {
namespace {

using theory::ControlProblem;
using theory::Interval;

HjbAxis axis(double lower, double upper, std::int64_t points, Edge edge) {
  return {lower, upper, points, Spacing::uniform, edge, edge};
}

/// x' = u, x(0) = 1, T = 1, |u| <= 3.
ControlProblem integrator() {
  ControlProblem p;
  p.add_state("x", Interval::point(1));
  p.add_control("u", {-3, 3});
  p.states[0].dynamics = p.u(0);
  p.horizon.value = 1;
  return p;
}
ControlProblem regulator() {
  ControlProblem p = integrator();
  p.add_cost("total", .5 * (p.x(0) * p.x(0) + p.u(0) * p.u(0)));
  return p;
}

TEST(HjbControl, regulator_is_first_order_by_upwind_and_exact_to_a_millionth_by_weno) {
  const double exact = .5 * std::tanh(1);
  std::vector<double> errors;
  for (const int points : {41, 81, 161}) {
    HjbControlOptions options;
    options.bound = false;
    const HjbPlan plan = solve_hjb(regulator(), {{axis(-2, 2, points, Edge::constrain)}}, options);
    EXPECT_TRUE(plan.control.ok());
    EXPECT_NEAR(plan.control.objective, plan.run.cost, 1e-6);  // trapezoid against Runge-Kutta on 1000 steps
    EXPECT_GE(plan.control.objective, exact - 1e-6);
    errors.push_back(std::abs(plan.value - exact));
  }
  EXPECT_NEAR(std::log2(errors[0] / errors[1]), 1, .2);
  EXPECT_NEAR(std::log2(errors[1] / errors[2]), 1, .2);
  HjbControlOptions options;
  options.grid.scheme = HjbScheme::weno5;
  options.grid.slices = 201;
  options.bound_options.region = {{-1.1, 1.1}};
  const HjbPlan plan = solve_hjb(regulator(), {{axis(-2, 2, 161, Edge::extrapolate)}}, options);
  const theory::ControlSolution direct = solve(regulator());
  EXPECT_NEAR(plan.value, exact, 1e-6);
  EXPECT_NEAR(plan.value, direct.objective, 1e-6);
  EXPECT_NEAR(plan.control.objective, exact, 1e-5);
  EXPECT_NEAR(plan.control.costates[0].front(), std::tanh(1), 1e-3);  // p = dV/dx
  ASSERT_TRUE(plan.control.certificate.lower_bound.has_value());
  EXPECT_LE(*plan.control.certificate.lower_bound, exact);
  EXPECT_LT(plan.control.objective - *plan.control.certificate.lower_bound, 1e-3 * exact);
  EXPECT_EQ(plan.control.certificate.lower_bound_source, "HJB sub-solution");
}

// Certified optimum 2.86726104522167; the run under the feedback law is an upper bound on it.
TEST(HjbControl, van_der_pol_oscillator_comes_within_a_percent_on_a_coarse_grid) {
  const ControlProblem p = gold::van_der_pol();
  const HjbGrid grid{{axis(-2, 2, 41, Edge::extrapolate), axis(-2, 2, 41, Edge::extrapolate)}};
  EXPECT_EQ(hjb_model_of(p, grid).affine, 1);
  HjbControlOptions options;
  options.grid.scheme = HjbScheme::weno5;
  options.bound = false;
  const HjbPlan plan = solve_hjb(p, grid, options);
  EXPECT_NEAR(plan.control.objective, 2.86726104522167, .0286);
  EXPECT_GE(plan.control.objective, 2.86726104522167 - 1e-5);
  EXPECT_EQ(plan.control.terms.size(), 2u);
}

TEST(HjbControl, free_horizons_end_at_the_required_state) {
  ControlProblem p = gold::minimum_time();
  const HjbAxis a = axis(-2, 2, 61, Edge::reflect);
  HjbControlOptions options;
  options.bound = false;
  options.run_step = .005;
  options.grid.tolerance = 1e-7;
  const HjbPlan plan = solve_hjb(p, {{a, a}}, options);
  EXPECT_TRUE(plan.run.finished);
  // Order 1/2 towards a point target: the run is slower than the least time 2, by less than the value promises.
  EXPECT_GT(plan.control.horizon, 2 - a.step());
  EXPECT_LT(plan.control.horizon, plan.value);
  EXPECT_LT(plan.control.certificate.constraint_violation, 2 * a.step());
}

TEST(HjbControl, structure_is_found_from_the_formulas) {
  const HjbGrid grid{{axis(-2, 2, 21, Edge::reflect)}};
  const auto structure = [&](auto&& build) {
    ControlProblem p = integrator();
    build(p);
    return hjb_model_of(p, grid);
  };
  const auto cost = [](const theory::Expr& l) { return [l](ControlProblem& p) { p.add_cost("total", l); }; };
  const theory::Expr u = integrator().u(0), x = integrator().x(0);
  EXPECT_EQ(structure(cost(x * x + u * u)).affine, 1);
  EXPECT_EQ(structure(cost(x * x + abs(u))).affine, 1);
  EXPECT_EQ(structure(cost(x * x + abs(u) * (1 + x * x) + u * u)).affine, 1);
  EXPECT_EQ(structure(cost(x * x + u * u)).origin[0], 0);
  EXPECT_EQ(structure(cost(x * x + (u - .5) * (u - .5))).affine, 1);
  EXPECT_EQ(structure(cost(x * x + (u - .5) * (u - .5))).origin[0], -3);  // a linear term: measured from the bound
  EXPECT_EQ(structure(cost(x * x + abs(u - .5))).affine, 0);
  EXPECT_EQ(structure(cost(x * x + pow(u, 4))).affine, 0);
  EXPECT_EQ(structure([&](ControlProblem& p) { p.states[0].dynamics = sin(u), p.add_cost("total", u * u); }).affine, 0);
  EXPECT_EQ(structure(cost(pow(u, 4))).model->branches(), 33);
}

TEST(HjbControl, costs_with_a_linear_term_agree_with_transcription) {
  ControlProblem p = integrator();
  p.add_cost("total", .5 * (p.x(0) * p.x(0) + (p.u(0) - .5) * (p.u(0) - .5)));
  const double optimum = solve(p).objective;
  std::vector<double> errors;
  for (const int points : {101, 201}) {
    HjbControlOptions options;
    options.bound = false;
    const HjbPlan plan = solve_hjb(p, {{axis(-2, 3, points, Edge::reflect)}}, options);
    errors.push_back(std::abs(plan.value - optimum));
    EXPECT_NEAR(plan.control.objective, optimum, 1e-3);
    EXPECT_GE(plan.control.objective, optimum - 1e-6);
  }
  EXPECT_NEAR(std::log2(errors[0] / errors[1]), 1, .2);
}

TEST(HjbControl, maximised_problems_keep_their_sign) {
  ControlProblem p = integrator();
  p.maximise = true;
  p.add_cost("total", -.5 * (p.x(0) * p.x(0) + p.u(0) * p.u(0)));
  HjbControlOptions options;
  const HjbPlan plan = solve_hjb(p, {{axis(-2, 2, 81, Edge::reflect)}}, options);
  EXPECT_NEAR(plan.value, -.5 * std::tanh(1), .01);
  EXPECT_NEAR(plan.control.objective, -.5 * std::tanh(1), 1e-3);
  EXPECT_GE(*plan.control.certificate.lower_bound, plan.control.objective);  // from above when maximising
}

TEST(HjbControl, a_required_end_is_priced) {
  // x' = u, int u^2/2, x(0) = 1, x(1) = 0: u = -1, J = 1/2.
  ControlProblem p = integrator();
  p.states[0].final = Interval::point(0);
  p.add_cost("energy", .5 * p.u(0) * p.u(0));
  HjbControlOptions options;
  options.bound = false;
  options.end_price = 5;  // above the costate 1
  const HjbPlan plan = solve_hjb(p, {{axis(-1, 2, 301, Edge::reflect)}}, options);
  EXPECT_LT(plan.control.certificate.constraint_violation, .02);
  EXPECT_NEAR(plan.control.objective, .5, .02);
}

TEST(HjbControl, what_a_grid_cannot_treat_is_refused_with_the_reason) {
  const auto message = [](const ControlProblem& p, const HjbGrid& grid) {
    try {
      solve_hjb(p, grid);
    } catch (const core::Error& error) {
      return error.diagnostics().front().code + " " + error.diagnostics().front().message;
    }
    return std::string();
  };
  const HjbGrid line{{axis(-2, 2, 21, Edge::reflect)}}, plane{{line.axes[0], line.axes[0]}};
  EXPECT_NE(message(regulator(), plane).find("E107"), std::string::npos);
  ControlProblem p = regulator();
  p.controls[0].bounds = {};
  EXPECT_NE(message(p, line).find("control 'u' has no finite bounds"), std::string::npos);
  p = regulator();
  p.path.push_back({"lid", p.x(0) + p.u(0), {-1, 1}});
  EXPECT_NE(message(p, line).find("path constraint 'lid'"), std::string::npos);
  p = regulator();
  p.states[0].initial = {};
  EXPECT_NE(message(p, line).find("initial value of 'x'"), std::string::npos);
  EXPECT_THROW(hjb_grid_of(regulator(), 51), core::Error);
  p = regulator();
  p.states[0].bounds = {-2, 2};
  EXPECT_EQ(hjb_grid_of(p, 51).size(), 51);
}

}  // namespace
}  // namespace eos::solvers
