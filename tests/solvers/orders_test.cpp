// The order of convergence of every integrator and transcription, measured: the slope of the error against the step in
// logarithms. Grid schemes are in hjb_test.cpp.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <memory>
#include <numbers>

#include "../../solvers/src/integrate.hpp"
#include "../../solvers/src/mode_integrator.hpp"
#include "eos/solvers/control.hpp"
#include "hjb_problems.hpp"
#include "known_problems.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::ControlOptions;
using eos::solvers::Integrator;
using eos::solvers::ModeIntegrator;

/// log2 of the ratio of errors at n and 2 n steps.
double order(const std::function<double(int)>& error, int n) { return std::log2(error(n) / error(2 * n)); }

// A turn of the plane: after time 12 the distance from (cos 12, -sin 12).
double fixed_step_error(Integrator integrator, int steps) {
  std::vector<double> y{1, 0};
  const auto rate = [](double, const double* x, double* dx) { dx[0] = x[1], dx[1] = -x[0]; };
  eos::solvers::integrate_fixed(rate, y, 0, 12, steps, integrator);
  return std::hypot(y[0] - std::cos(12), y[1] + std::sin(12));
}

TEST(Orders, explicit_integrators) {
  EXPECT_NEAR(order([](int n) { return fixed_step_error(Integrator::dopri5, n); }, 80), 5, .2);
  EXPECT_NEAR(order([](int n) { return fixed_step_error(Integrator::fehlberg78, n); }, 25), 8, .2);
}

// Steps and orders that vary: the error follows the tolerance, of each step, over a few dozen steps at most.
TEST(Orders, adaptive_integrators_keep_their_tolerance) {
  for (Integrator integrator : {Integrator::dopri5, Integrator::fehlberg78, Integrator::bulirsch_stoer})
    for (double tolerance : {1e-6, 1e-9, 1e-12}) {
      std::vector<double> y{1};
      const auto rate = [](double t, const double* x, double* dx) { dx[0] = x[0] * std::cos(t); };
      ASSERT_TRUE(eos::solvers::integrate(rate, y, 0, 3, {integrator, tolerance, 200000}));
      EXPECT_NEAR(y[0], std::exp(std::sin(3)), 100 * tolerance);
    }
}

ModeProblem modes(Scheme scheme) {
  ModeProblem p;
  p.lambda = {1, .4, .2}, p.initial = {1, .7, .5};
  p.batch = 4, p.noise_variance = 1, p.running_weight = .05;
  p.price_sample = .004, p.price_write = .003;
  p.rate_bounds = {0, .8};
  p.discretisation.scheme = scheme;
  return p;
}
struct ModeRun {
  std::vector<double> state, costate;
  double objective;
};
ModeRun run(Scheme scheme, int steps) {
  ModeProblem p = modes(scheme);
  p.discretisation.steps = steps;
  const std::vector<Controls> u{{.8, .7, .6}, {.5, .5, .4}};
  ModeIntegrator integrator(ModeModel(p), {0, 2, 5}, steps);
  ModeRun r;
  r.objective = integrator.forward(u);
  std::vector<ControlGradient> gradient(2);
  integrator.backward(u, gradient);
  r.state.assign(integrator.state(2).begin(), integrator.state(2).end());
  r.costate.assign(integrator.costate(0).begin(), integrator.costate(0).end());
  return r;
}
/// Orders of states, costates and objective. The exponential scheme with many steps stands for the exact solution.
std::vector<double> mode_orders(Scheme scheme, int n) {
  const ModeRun exact = run(Scheme::exponential, 256), coarse = run(scheme, n), fine = run(scheme, 2 * n);
  const auto slope = [](double a, double b, double c) { return std::log2(std::abs((a - c) / (b - c))); };
  return {slope(coarse.state[0], fine.state[0], exact.state[0]),
          slope(coarse.costate[0], fine.costate[0], exact.costate[0]),
          slope(coarse.objective, fine.objective, exact.objective)};
}

TEST(Orders, steps_of_the_mode_integrator) {
  const std::vector<double> exponential = mode_orders(Scheme::exponential, 8), rk4 = mode_orders(Scheme::rk4, 16);
  for (double p : exponential) EXPECT_NEAR(p, 4, .2);
  EXPECT_NEAR(rk4[0], 4, .2);
  EXPECT_NEAR(rk4[1], 2, .2);  // the cost is integrated by the trapezoidal rule, and its gradient with it
  EXPECT_NEAR(rk4[2], 2, .2);
}

/// A problem without active bounds, solved on n equal intervals.
ControlSolution on_mesh(const known::Known& k, Method method, int n) {
  ControlOptions options;
  options.method = method;
  options.intervals = n;
  options.max_refinements = 0;
  options.tolerance = 1e-13;
  ControlSolution s = eos::solvers::solve(k.problem, options);
  EXPECT_TRUE(s.ok()) << to_string(method) << " " << s.message;
  return s;
}

// dx/dt = -u, 1/2 int (x^2 + u^2/2) + x(1)^2/2 from x = 1.5 over T = 2.
TEST(Orders, transcriptions_in_cost_states_costates_and_controls) {
  const LinearQuadratic f{1, .5, 1, 1.5, 2};
  const known::Known k = known::regulator(f);
  struct Case {
    Method method;
    int n;
    double order, control;
  };
  // Controls at stages follow the multipliers of stages, whose order is that of the stages: 1, 2 and 3.
  for (const Case& c :
       {Case{Method::trapezoid, 20, 2, 1}, Case{Method::hermite_simpson, 20, 4, 2}, Case{Method::radau, 8, 5, 3}}) {
    std::vector<ControlSolution> s;
    for (int i = 0; i < 2; ++i) s.push_back(on_mesh(k, c.method, c.n << i));
    const auto middle = [&](const ControlSolution& a) {
      std::size_t q = 0;
      while (a.time[q] < 1 - 1e-9) ++q;
      return a.controls[0][q] - f.control(a.time[q]);
    };
    const auto slope = [&](const std::function<double(const ControlSolution&)>& error) {
      return std::log2(std::abs(error(s[0]) / error(s[1])));
    };
    EXPECT_NEAR(slope([&](const auto& a) { return a.objective - k.cost; }), c.order, .2) << to_string(c.method);
    EXPECT_NEAR(slope([&](const auto& a) { return a.states[0].back() - f.state(2); }), c.order, .2)
        << to_string(c.method);
    EXPECT_NEAR(slope([&](const auto& a) { return a.costates[0].front() - f.riccati(0) * 1.5; }), c.order, .2)
        << to_string(c.method);
    EXPECT_NEAR(slope([&](const auto& a) { return middle(a); }), c.control, .2) << to_string(c.method);
  }
}

// Controls constant on intervals: all is of order two, controls at the middle of an interval.
TEST(Orders, single_shooting) {
  const LinearQuadratic f{1, .5, 1, 1.5, 2};
  const known::Known k = known::regulator(f);
  const ControlSolution coarse = on_mesh(k, Method::adjoint, 20), fine = on_mesh(k, Method::adjoint, 40);
  const auto middle = [&](const ControlSolution& s) {
    return s.controls[0][0] - f.control(0.5 * (s.time[0] + s.time[1]));
  };
  EXPECT_NEAR(std::log2(std::abs((coarse.objective - k.cost) / (fine.objective - k.cost))), 2, .2);
  EXPECT_NEAR(std::log2(std::abs((coarse.states[0].back() - f.state(2)) / (fine.states[0].back() - f.state(2)))), 2,
              .2);
  EXPECT_NEAR(std::log2(std::abs(middle(coarse) / middle(fine))), 2, .2);
}

// Fifth-order differences with third-order steps: with steps that shrink as h^(5/3) the fifth order shows. Example 1 of
// Osher & Shu 1991: phi_t + (phi_x + 1)^2/2 = 0, phi = -cos pi x at first, here at x = 0 before the kink forms.
TEST(Orders, weno_differences) {
  using namespace eos::solvers;
  using namespace eos::solvers::test;
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{-4}, std::vector<double>{4}, [](double, const double*) {
        Point p;
        p.running = -.5, p.drift[0] = -1, p.gain[0][0] = -1;
        p.price_square[0] = 1;
        return p;
      });
  const double pi = std::numbers::pi, time = .5 / (pi * pi), exact = -1.016892149424819, at = 0;
  const auto start = [pi](const double* x) { return -std::cos(pi * x[0]); };
  const auto error = [&](int points) {
    HjbOptions options;
    options.scheme = HjbScheme::weno5;
    options.cfl = .5 * std::pow(80.0 / points, 2.0 / 3);
    return std::abs(
        solve_hjb({model, {{axis(-1, 1, points, Edge::periodic)}}, time, 0, start, {}, {}}, options).value(0, &at) -
        exact);
  };
  EXPECT_NEAR(order(error, 160), 5, .2);
}

// A law that the grid holds exactly, u = -x, held over each step: order one in the step of a closed-loop run.
TEST(Orders, closed_loop_runs) {
  using namespace eos::solvers;
  using namespace eos::solvers::test;
  const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, 5)}}, 1, 0, {}, {}, {}};
  HjbSolution law;
  law.grid = problem.grid;
  law.slices.push_back({0, std::vector<double>(5, 0), {{2, 1, 0, -1, -2}}, {}});
  const auto error = [&](int steps) {
    return std::abs(simulate_hjb(problem, law, {1}, 1.0 / steps).states.back()[0] - std::exp(-1));
  };
  EXPECT_NEAR(order(error, 100), 1, .2);
}

}  // namespace
