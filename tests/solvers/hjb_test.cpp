// Grid solvers of the Hamilton-Jacobi-Bellman equation against value functions in closed form, and their orders of
// convergence. Errors of first-order schemes are what the grid allows; what is asserted is the rate at which they fall.
#include "eos/solvers/hjb.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "hjb_problems.hpp"
#include "needs_cuda.hpp"

namespace eos::solvers {
namespace {

using namespace test;

constexpr double k_inf = std::numeric_limits<double>::infinity();
const double k_pi = std::acos(-1.0);
const HjbScheme k_stationary[] = {HjbScheme::upwind, HjbScheme::semi_lagrangian};

HjbOptions with(HjbScheme scheme, double tolerance = 1e-10) {
  HjbOptions options;
  options.scheme = scheme;
  options.tolerance = tolerance;
  return options;
}

// |V'| = 1, V = 0 at both ends: V is linear between the kink and the ends, so both schemes are exact.
TEST(Hjb, distance_on_an_interval_is_exact) {
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{-1}, std::vector<double>{1}, [](double, const double*) {
        Point p;
        p.running = 1, p.gain[0][0] = 1;
        return p;
      });
  const auto ends = [](const double* x) { return x[0] < 1e-12 || x[0] > 1 - 1e-12 ? 0.0 : k_nan; };
  const HjbProblem problem{model, {{axis(0, 1, 101)}}, k_inf, 0, {}, ends, {}};
  for (const HjbScheme scheme : k_stationary) {
    const HjbSolution s = solve_hjb(problem, with(scheme));
    EXPECT_EQ(s.status, HjbStatus::solved);
    EXPECT_LT(error_of(s, [](const double* x) { return std::min(x[0], 1 - x[0]); }).largest, 1e-14);
    const double left = .3, right = .7;
    double u = 0;
    s.control(0, &left, &u);
    EXPECT_EQ(u, -1);
    s.control(0, &right, &u);
    EXPECT_EQ(u, 1);
  }
}

// Isotropic motion at unit speed towards a disc on whose edge V is known: order 1 (Crandall & Lions 1984 prove 1/2).
TEST(Hjb, distance_in_the_plane_and_in_space_converges_with_order_one) {
  for (const int d : {2, 3}) {
    const auto model =
        std::make_shared<PointModel>(d, std::vector<double>{}, std::vector<double>{}, [](double, const double*) {
          Point p;
          p.running = 1, p.speed = 1;
          return p;
        });
    const auto exact = [d](const double* x) { return std::hypot(x[0], x[1], d == 3 ? x[2] : 0); };
    const auto ends = [&](const double* x) { return exact(x) < .25 ? exact(x) : k_nan; };
    std::vector<double> errors;
    for (const int points : d == 2 ? std::vector<int>{41, 81, 161} : std::vector<int>{21, 41}) {
      const HjbGrid grid{std::vector<HjbAxis>(static_cast<std::size_t>(d), axis(-1, 1, points))};
      errors.push_back(error_of(solve_hjb({model, grid, k_inf, 0, {}, ends, {}}), exact).largest);
    }
    EXPECT_NEAR(order(errors), 1, .2) << d;
  }
}

// V is only Hoelder-1/2 across the switching curve x = -v|v|/2, into which every optimal path runs: order 1/2 in the
// maximum norm. Edges reflect; errors count where optimal paths do not meet them.
TEST(Hjb, least_time_of_the_double_integrator_has_order_one_half) {
  const auto model = double_integrator([](const double*) { return 1.0; });
  const auto ends = [](const double* x) { return least_time(x) < .5 ? least_time(x) : k_nan; };
  const auto inside = [](const double* x) { return std::abs(x[0]) < .6 && std::abs(x[1]) < .6; };
  for (const HjbScheme scheme : k_stationary) {
    std::vector<double> largest, mean;
    for (const int points : {31, 61, 121}) {
      const HjbAxis a = axis(-1.5, 1.5, points, Edge::reflect);
      const HjbSolution s = solve_hjb({model, {{a, a}}, k_inf, 0, {}, ends, {}}, with(scheme, 1e-8));
      EXPECT_EQ(s.status, HjbStatus::solved);
      largest.push_back(error_of(s, least_time, inside).largest);
      mean.push_back(error_of(s, least_time, inside).mean);
    }
    EXPECT_NEAR(order(largest), .5, .2) << to_string(scheme);
    EXPECT_GT(order(mean), .5) << to_string(scheme);
  }
}

TEST(Hjb, nonlinear_regulator_converges_with_order_one) {
  const auto exact = [](const double* x) { return cubic_value(x[0]); };
  const auto ends = [](const double* x) { return std::abs(x[0]) < .11 ? cubic_value(x[0]) : k_nan; };
  EXPECT_NEAR(cubic_value(1), 0.323896787348160, 1e-15);
  EXPECT_NEAR(cubic_value(1.5), 0.506910117594843, 1e-15);
  for (const HjbScheme scheme : k_stationary) {
    std::vector<double> errors;
    for (const int points : {61, 121, 241, 481}) {
      const HjbProblem problem{cubic_model(), {{axis(-1.5, 1.5, points)}}, k_inf, 0, {}, ends, {}};
      const HjbSolution s = solve_hjb(problem, with(scheme));
      errors.push_back(error_of(s, exact).largest);
      const double x = .75;
      double u;
      s.control(0, &x, &u);  // u = x^3 - x sqrt(x^4 + 1)
      EXPECT_NEAR(u, x * x * x - x * std::sqrt(x * x * x * x + 1), 30. / points);
    }
    EXPECT_NEAR(order(errors), 1, .2) << to_string(scheme);
  }
}

// Least int x^2 dt of x'' = u, |u| <= 1 (Fuller 1960): infinitely many switches, V(s^2 x, s v) = s^5 V(x, v).
TEST(Hjb, fuller_problem_converges_and_scales) {
  const auto model = double_integrator([](const double* x) { return x[0] * x[0]; });
  const auto ends = [](const double* x) { return std::hypot(x[0], x[1]) < 1e-9 ? 0.0 : k_nan; };
  const double fast[] = {0, 1}, far[] = {1, 0}, near[] = {.64, 0};
  for (const HjbScheme scheme : k_stationary) {
    std::vector<double> errors;
    for (const int points : scheme == HjbScheme::upwind ? std::vector<int>{41, 81, 121} : std::vector<int>{41, 81}) {
      const HjbAxis a = axis(-2, 2, points, Edge::reflect);
      HjbOptions options = with(scheme, 1e-7);
      options.control_samples = 3;
      const HjbSolution s = solve_hjb({model, {{a, a}}, k_inf, 0, {}, ends, {}}, options);
      EXPECT_EQ(s.status, HjbStatus::solved);
      errors.push_back(std::abs(s.value(0, fast) - 0.268393830568911) + std::abs(s.value(0, far) - 0.764017547725633));
      // Both values carry the grid's error: compare within it.
      EXPECT_NEAR(s.value(0, near) / s.value(0, far), std::pow(.8, 5), errors.back());
    }
    EXPECT_NEAR(order(errors), 1, .2) << to_string(scheme);
  }
}

// phi_t + (phi_x + 1)^2/2 = 0, phi_0 = -cos pi x, smooth until t = 1/pi^2 (Osher & Shu 1991, example 1): the value of
// the problem x' = -1 - u, cost int (u^2 - 1)/2 dt + phi_0, at that time before the end.
TEST(Hjb, osher_shu_example_shows_the_order_of_every_scheme) {
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{-4}, std::vector<double>{4}, [](double, const double*) {
        Point p;
        p.running = -.5, p.drift[0] = -1, p.gain[0][0] = -1;
        p.price_square[0] = 1;
        return p;
      });
  const double places[] = {0, .25, .5, -.5};
  const double values[] = {-1.016892149424819, -0.895886804143807, -0.396249034252158, -0.110325195223527};
  const auto start = [](const double* x) { return -std::cos(k_pi * x[0]); };
  // WENO5: fifth order in space, third in time; with steps proportional to the grid the third order shows in the end.
  const std::pair<HjbScheme, double> cases[] = {
      {HjbScheme::upwind, 1}, {HjbScheme::lax_friedrichs, 1}, {HjbScheme::semi_lagrangian, 1}, {HjbScheme::weno5, 3}};
  for (const auto& [scheme, expected] : cases) {
    std::vector<double> errors;
    for (const int points : {80, 160, 320, 640}) {
      HjbOptions options = with(scheme);
      options.cfl = scheme == HjbScheme::weno5 ? .5 : .9;
      const HjbSolution s =
          solve_hjb({model, {{axis(-1, 1, points, Edge::periodic)}}, .5 / (k_pi * k_pi), 0, start, {}, {}}, options);
      double worst = 0;
      for (int k = 0; k < 4; ++k) worst = std::max(worst, std::abs(s.value(0, places + k) - values[k]));
      errors.push_back(worst);
    }
    EXPECT_NEAR(order(errors), expected, .2) << to_string(scheme);
    if (scheme == HjbScheme::weno5) {
      EXPECT_LT(errors.back(), 5e-9);
    }
  }
}

TEST(Hjb, discounted_regulator_converges_with_order_one) {
  const double p = (-.5 + std::sqrt(.25 + 4)) / 2;
  EXPECT_NEAR(p, 0.780776406404415, 1e-15);
  for (const HjbScheme scheme : k_stationary) {
    std::vector<double> errors;
    for (const int points : {41, 81, 161, 321}) {
      const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, points)}}, k_inf, .5, {}, {}, {}};
      errors.push_back(
          error_of(solve_hjb(problem, with(scheme)), [p](const double* x) { return .5 * p * x[0] * x[0]; }).largest);
    }
    EXPECT_NEAR(order(errors), 1, .2) << to_string(scheme);
  }
}

TEST(Hjb, finite_horizon_regulator_shows_the_order_of_every_scheme) {
  const std::pair<HjbScheme, double> cases[] = {
      {HjbScheme::upwind, 1}, {HjbScheme::lax_friedrichs, 1}, {HjbScheme::semi_lagrangian, 1}};
  for (const auto& [scheme, expected] : cases) {
    std::vector<double> errors;
    for (const int points : {41, 81, 161}) {
      const Edge edge = scheme == HjbScheme::lax_friedrichs ? Edge::extrapolate : Edge::constrain;
      const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, points, edge)}}, 1, 0, {}, {}, {}};
      const double x = 1;
      errors.push_back(std::abs(solve_hjb(problem, with(scheme)).value(0, &x) - .5 * std::tanh(1)));
    }
    EXPECT_NEAR(order(errors), expected, .2) << to_string(scheme);
  }
}

// Priced data: dm/dt = -rho lambda^2 m^2/Sigma, cost w m where one stops and int (c0 + c rho) dt. 1/m grows linearly,
// so the model hands out its exact motion. V = w m below m_s, 2 sqrt((c+c0) w Sigma)/lambda - (c+c0) Sigma/(lambda^2 m)
// above.
TEST(Hjb, priced_data_with_free_stop_reaches_a_millionth_with_exact_flows) {
  const double price = .03, noise = .05, stop = std::sqrt(price * noise);
  EXPECT_NEAR(stop, .03873, 5e-6);
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{0}, std::vector<double>{1}, [noise](double, const double* x) {
        Point p;
        p.running = .01, p.price_abs[0] = .02;
        p.gain[0][0] = -x[0] * x[0] / noise;
        return p;
      });
  const auto exact = [&](const double* x) {
    return x[0] <= stop ? x[0] : 2 * std::sqrt(price * noise) - price * noise / x[0];
  };
  const auto stop_cost = [](const double* x) { return x[0]; };
  const auto problem = [&](int points) {
    return HjbProblem{model,    {{axis(.01, 2, points, Edge::constrain, Spacing::logarithmic)}}, k_inf, 0, {}, {},
                      stop_cost};
  };
  std::vector<double> errors;
  for (const int points : {501, 1001, 2001}) errors.push_back(error_of(solve_hjb(problem(points)), exact).largest);
  EXPECT_NEAR(order(errors), 1, .2);
  model->flow_ = [noise](double x, double u, double duration) { return 1 / (1 / x + u * duration / noise); };
  HjbOptions options = with(HjbScheme::semi_lagrangian, 1e-12);
  options.cells = 4;
  const HjbSolution s = solve_hjb(problem(4001), options);
  EXPECT_LT(error_of(s, exact).largest, 1e-6);
  for (const double m : {.02, .03, .05, .5}) EXPECT_EQ(s.stops(0, &m), m < stop) << m;
  double u;
  for (const double m : {.05, .5, 1.9}) {
    s.control(0, &m, &u);
    EXPECT_EQ(u, 1) << m;
  }
}

// de/dt = -eta lambda e, cost int lambda e^2/2 + c eta^2/2: V = e sqrt(c/lambda), eta = sqrt(lambda/c) e.
TEST(Hjb, effort_against_performance_is_linear_in_the_error) {
  const double lambda = 1.2, c = .4;
  const auto exact = [&](const double* x) { return x[0] * std::sqrt(c / lambda); };
  const auto ends = [&](const double* x) { return x[0] < .0501 ? exact(x) : k_nan; };
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{0}, std::vector<double>{20}, [&](double, const double* x) {
        Point p;
        p.running = .5 * lambda * x[0] * x[0];
        p.gain[0][0] = -lambda * x[0];
        p.price_square[0] = c;
        return p;
      });
  for (const HjbScheme scheme : k_stationary) {
    std::vector<double> errors;
    for (const int points : {101, 201, 401}) {
      const HjbAxis a = axis(.05, 2, points, Edge::constrain, Spacing::logarithmic);
      const HjbSolution s = solve_hjb({model, {{a}}, k_inf, 0, {}, ends, {}}, with(scheme));
      errors.push_back(error_of(s, exact).largest);
      const double e = 1;
      double rate;
      s.control(0, &e, &rate);
      EXPECT_NEAR(rate, std::sqrt(lambda / c), 20. / points);
    }
    EXPECT_NEAR(order(errors), 1, .2) << to_string(scheme);
  }
}

TEST(Hjb, threads_do_not_change_a_bit) {
  const auto model = double_integrator([](const double* x) { return 1 + x[0] * x[0]; });
  const HjbAxis a = axis(-1, 1, 31, Edge::reflect), b = axis(-1, 1, 27, Edge::reflect);
  const auto ends = [](const double* x) { return std::hypot(x[0], x[1]) < .1 ? 0.0 : k_nan; };
  for (const HjbScheme scheme : {HjbScheme::upwind, HjbScheme::semi_lagrangian, HjbScheme::weno5}) {
    for (const double horizon : {.5, k_inf}) {
      if (scheme == HjbScheme::weno5 && horizon > 1) continue;
      HjbOptions options = with(scheme);
      const HjbSolution one = solve_hjb({model, {{a, b}}, horizon, 0, {}, ends, {}}, options);
      options.threads = 3;
      EXPECT_EQ(one.value(), solve_hjb({model, {{a, b}}, horizon, 0, {}, ends, {}}, options).value());
    }
  }
  const auto solid =
      std::make_shared<PointModel>(3, std::vector<double>{-1}, std::vector<double>{1}, [](double, const double* x) {
        Point p;
        p.running = 1, p.drift[0] = x[1], p.drift[1] = x[2];
        p.gain[0][2] = 1;
        return p;
      });
  const HjbGrid cube{{axis(-1, 1, 13, Edge::reflect), axis(-1, 1, 11, Edge::reflect), axis(-1, 1, 9, Edge::reflect)}};
  const HjbProblem problem{solid, cube, k_inf, .3, {}, {}, {}};
  HjbOptions options;
  const HjbSolution one = solve_hjb(problem, options);
  options.threads = 2;
  EXPECT_EQ(one.value(), solve_hjb(problem, options).value());
}

/// The regulator with its control sampled: |u| <= 3 in steps of 1/8.
class Sampled : public PointModel {
 public:
  Sampled() : PointModel(1, {}, {}, {}) {}
  int branches() const override { return 49; }
  std::vector<double> sampled_controls(int branch) const override { return {-3 + branch / 8.}; }
  void coefficients(int branch, const HjbPoints& points, const HjbCoefficients& out) const override {
    const double u = sampled_controls(branch)[0];
    for (std::int64_t k = 0; k < points.count; ++k) {
      out.running[k] = .5 * points.x[0][k] * points.x[0][k] + .5 * u * u;
      out.drift[0][k] = u;
    }
  }
};

TEST(Hjb, sampled_controls_agree_with_the_closed_form_minimum) {
  for (const double horizon : {1.0, k_inf}) {
    for (const HjbScheme scheme : k_stationary) {
      const HjbGrid grid{{axis(-2, 2, 81)}};
      const HjbSolution sampled = solve_hjb({std::make_shared<Sampled>(), grid, horizon, .5, {}, {}, {}}, with(scheme));
      const HjbSolution closed = solve_hjb({linear_quadratic(), grid, horizon, .5, {}, {}, {}}, with(scheme));
      const double x = 1;
      // The nearest sample is at most 1/16 away: its cost rate is at most (1/16)^2/2 above the least.
      EXPECT_NEAR(sampled.value(0, &x), closed.value(0, &x), 1. / 512 / .5);
      double u, v;
      sampled.control(0, &x, &u), closed.control(0, &x, &v);
      EXPECT_NEAR(u, v, 1. / 16 + 1e-9);
    }
  }
}

// A bound from below and a run from above enclose the true cost, and close in on it.
TEST(Hjb, bound_and_run_enclose_the_optimum) {
  const double exact = .5 * std::tanh(1);
  const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, 161, Edge::extrapolate)}}, 1, 0, {}, {}, {}};
  HjbOptions options = with(HjbScheme::weno5);
  options.slices = 201;
  const HjbSolution s = solve_hjb(problem, options);
  HjbBoundOptions bound_options;
  bound_options.region = {{-1.1, 1.1}};
  const HjbBound bound = bound_hjb(problem, s, {1}, bound_options);
  const HjbTrajectory run = simulate_hjb(problem, s, {1}, .001);
  EXPECT_TRUE(run.finished);
  EXPECT_LE(bound.lower, exact);
  EXPECT_GE(run.cost, exact - 1e-9);
  EXPECT_LT(run.cost - bound.lower, 1e-3 * exact);  // the gap that a plan with three states or fewer should reach
  EXPECT_NEAR(run.states.back()[0], 1 / std::cosh(1), 1e-3);
}

TEST(Hjb, bounds_of_stationary_problems_hold_and_tighten) {
  const double exact = .5 * 0.780776406404415;
  std::vector<double> gaps;
  for (const int points : {81, 161, 321}) {
    const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, points)}}, k_inf, .5, {}, {}, {}};
    const HjbSolution s = solve_hjb(problem);
    const HjbBound bound = bound_hjb(problem, s, {1});
    EXPECT_LE(bound.lower, exact);
    gaps.push_back(exact - bound.lower);
    EXPECT_NEAR(simulate_hjb(problem, s, {1}, .01, 40).cost, exact, 1e-4);
  }
  EXPECT_NEAR(order(gaps), 1, .25);
  // Exits, no discount: V >= W/(1 + theta).
  const auto ends = [](const double* x) { return std::hypot(x[0], x[1]) < .25 ? std::hypot(x[0], x[1]) : k_nan; };
  const auto model =
      std::make_shared<PointModel>(2, std::vector<double>{}, std::vector<double>{}, [](double, const double*) {
        Point p;
        p.running = 1, p.speed = 1;
        return p;
      });
  const HjbProblem distance{model, {{axis(-1, 1, 81), axis(-1, 1, 81)}}, k_inf, 0, {}, ends, {}};
  const HjbBound bound = bound_hjb(distance, solve_hjb(distance), {.7, .3});
  EXPECT_LE(bound.lower, std::hypot(.7, .3));
  EXPECT_GT(bound.lower, .95 * std::hypot(.7, .3));
}

TEST(Hjb, closed_loop_runs_reach_the_target_in_nearly_the_least_time) {
  const auto model = double_integrator([](const double*) { return 1.0; });
  const auto ends = [](const double* x) { return least_time(x) < .3 ? least_time(x) : k_nan; };
  const HjbAxis a = axis(-1.5, 1.5, 121, Edge::reflect);
  const HjbProblem problem{model, {{a, a}}, k_inf, 0, {}, ends, {}};
  const HjbSolution s = solve_hjb(problem, with(HjbScheme::semi_lagrangian, 1e-8));
  const double start[] = {.5, 0};
  const HjbTrajectory run = simulate_hjb(problem, s, {.5, 0}, .005, 10);
  EXPECT_TRUE(run.finished);
  // The run ends half a cell before the target at most, and loses what a switching curve smeared over a cell costs.
  EXPECT_GT(run.cost, least_time(start) - .5 * a.step());
  EXPECT_LT(run.cost, 1.1 * least_time(start));
  EXPECT_NEAR(run.controls.front()[0], -1, 1e-12);
}

TEST(Hjb, time_dependent_dynamics_are_followed) {
  // x' = cos t (no control), cost x(T)^2: V(0, x) = (x + sin T)^2.
  const auto model =
      std::make_shared<PointModel>(1, std::vector<double>{}, std::vector<double>{}, [](double t, const double*) {
        Point p;
        p.drift[0] = std::cos(t);
        return p;
      });
  model->autonomous_ = false;
  std::vector<double> errors;
  for (const int points : {161, 321, 641}) {
    const HjbProblem problem{
        model, {{axis(-2, 2, points, Edge::extrapolate)}}, 1, 0, [](const double* x) { return x[0] * x[0]; }, {}, {}};
    const double x = .2;
    errors.push_back(std::abs(solve_hjb(problem).value(0, &x) - std::pow(.2 + std::sin(1.0), 2)));
  }
  EXPECT_NEAR(order(errors), 1, .2);
}

TEST(Hjb, ill_posed_problems_are_refused_with_the_reason) {
  const auto message = [](const HjbProblem& problem, const HjbOptions& options = {}) {
    try {
      solve_hjb(problem, options);
    } catch (const core::Error& error) {
      return error.diagnostics().front().message;
    }
    return std::string();
  };
  const auto has = [](const std::string& text, const char* part) { return text.find(part) != std::string::npos; };
  EXPECT_TRUE(has(message({linear_quadratic(), {{axis(-2, 2, 41)}}, k_inf, 0, {}, {}, {}}), "never ends"));
  EXPECT_TRUE(has(message({linear_quadratic(), {{axis(2, -2, 41)}}, 1, 0, {}, {}, {}}), "lower < upper"));
  EXPECT_TRUE(has(message({linear_quadratic(), {{axis(-2, 2, 2)}}, 1, 0, {}, {}, {}}), "at least 4"));
  EXPECT_TRUE(
      has(message({linear_quadratic(), {{axis(-2, 2, 41), axis(0, 1, 9)}}, 1, 0, {}, {}, {}}), "1 states on a grid"));
  EXPECT_TRUE(
      has(message({linear_quadratic(), {{axis(-2, 2, 41)}}, 1, 0, {}, {}, {}}, with(HjbScheme::weno5)), "constrained"));
  const auto singular =
      std::make_shared<PointModel>(1, std::vector<double>{}, std::vector<double>{}, [](double, const double* x) {
        Point p;
        p.running = 1 / x[0];
        return p;
      });
  EXPECT_TRUE(has(message({singular, {{axis(-1, 1, 41)}}, 1, 0, {}, {}, {}}), "running cost is"));
}

TEST(Hjb, too_many_steps_are_a_status) {
  HjbOptions options;
  options.max_steps = 3;
  const HjbProblem problem{linear_quadratic(), {{axis(-2, 2, 401)}}, 1, 0, {}, {}, {}};
  EXPECT_EQ(solve_hjb(problem, options).status, HjbStatus::step_limit);
  options.max_sweeps = 1;
  const HjbProblem stationary{linear_quadratic(), {{axis(-2, 2, 401)}}, k_inf, .1, {}, {}, {}};
  EXPECT_EQ(solve_hjb(stationary, options).status, HjbStatus::sweep_limit);
  EXPECT_EQ(to_string(HjbStatus::sweep_limit), "sweep limit");
}

TEST(HjbCuda, steps_agree_with_the_cpu) {
  EOS_NEEDS_CUDA(hjb_cuda_available(), "no CUDA device");
  const auto model = double_integrator([](const double* x) { return 1 + x[0] * x[0]; });
  const HjbGrid grid{{axis(-1, 1, 61, Edge::reflect), axis(-1, 1, 53, Edge::extrapolate)}};
  HjbProblem problem{model, grid, .5, 0, {}, {}, {}};
  problem.exit = [](const double* x) { return std::hypot(x[0], x[1]) < .1 ? 0.0 : k_nan; };
  HjbOptions options;
  const HjbSolution cpu = solve_hjb(problem, options);
  options.device = HjbDevice::cuda;
  const HjbSolution cuda = solve_hjb(problem, options);
  for (std::size_t k = 0; k < cpu.value().size(); ++k) EXPECT_EQ(cpu.value()[k], cuda.value()[k]) << k;
}

}  // namespace
}  // namespace eos::solvers
