#include <gtest/gtest.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/numeric/odeint.hpp>
#include <cmath>
#include <limits>

#include "../../solvers/src/mode_integrator.hpp"
#include "../../solvers/src/phi_functions.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::ModeIntegrator;
using Vector = std::vector<double>;

ModeProblem problem(Rule rule, double path = 0, bool rebatched = false) {
  ModeProblem p;
  for (int j = 1; j <= 5; ++j) {
    p.lambda.push_back(std::pow(j, -1.5));
    p.initial.push_back(std::pow(j, -.5));
  }
  p.multiplicity = {1, 1, 2, 4, 8};
  p.batch = 4;
  p.noise_variance = 1;
  p.noise_scale = 1.2;
  p.running_weight = .05;
  p.price_time = .001;
  p.price_sample = .004;
  p.price_write = .003;
  p.price_path = path;
  p.rebatched = rebatched;
  p.data_rule = p.weight_rule = rule;
  p.data_noise = CaptureCurve::laplace();
  p.rate_bounds = {0, .4};
  return p;
}

const Vector k_edges{0, 1, 3, 4.5, 10};
const std::vector<Controls> k_controls{{.4, .7, .4}, {.3, .5, .35}, {.2, .9, .2}, {.15, .3, .05}};

TEST(PhiFunctions, agree_with_their_integrals) {
  auto integral = [](double x, int k) {
    auto f = [x, k](double t) { return std::exp(-(1 - t) * x) * std::pow(t, k - 1) / std::tgamma(k); };
    return boost::math::quadrature::gauss_kronrod<double, 61>::integrate(f, 0.0, 1.0, 10, 1e-15);
  };
  for (double x : {0.0, 1e-9, 1e-3, .3, .999, 1.0, 1.5, 7.0, 40.0, 600.0}) {
    const eos::solvers::Phi p = eos::solvers::phi_functions(x);
    const double got[] = {p.p1, p.p2, p.p3, p.p4};
    for (int k = 1; k <= 4; ++k) {
      // The upward recurrence loses about three digits in phi_4 at x = 1, its worst place.
      EXPECT_NEAR(got[k - 1] / integral(x, k), 1, k < 4 ? 1e-13 : 1e-12) << x << " " << k;
    }
  }
}

/// State, int L dt and int path dt by an adaptive integrator that shares nothing with ours but the right-hand side.
struct Oracle {
  Vector state;
  double loss_integral, energy, objective;
};

Oracle integrate(const ModeProblem& p, const Vector& edges, const std::vector<Controls>& controls) {
  using namespace boost::numeric::odeint;
  const ModeModel model(p);
  Vector x = p.initial;
  x.push_back(0);  // int L
  x.push_back(0);  // int e
  const std::size_t n = p.lambda.size();
  for (std::size_t i = 0; i < controls.size(); ++i) {
    auto rhs = [&](const Vector& y, Vector& dy, double) {
      const std::span<const double> m = std::span(y).first(n);
      model.dynamics(m, controls[i], std::span(dy).first(n));
      dy[n] = model.loss(m);
      dy[n + 1] = model.energy_rate(m, controls[i]).total();
    };
    integrate_adaptive(make_controlled<runge_kutta_fehlberg78<Vector>>(1e-13, 1e-13), rhs, x, edges[i], edges[i + 1],
                       1e-3);
  }
  Oracle o{Vector(x.begin(), x.begin() + static_cast<std::ptrdiff_t>(n)), x[n], x[n + 1], 0};
  o.objective = p.terminal_weight * model.loss(o.state) + p.running_weight * o.loss_integral + o.energy;
  return o;
}

TEST(ModeIntegrator, agrees_with_an_adaptive_integrator) {
  for (const ModeProblem& p : {problem(Rule::ranked), problem(Rule::random, .02), problem(Rule::ranked, .02, true)}) {
    const Oracle expected = integrate(p, k_edges, k_controls);
    ModeIntegrator integrator(ModeModel(p), k_edges, 32);
    EXPECT_NEAR(integrator.forward(k_controls), expected.objective, 1e-9 * expected.objective);
    double loss_integral = 0, energy = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      loss_integral += integrator.loss_integral(i);
      energy += integrator.energy(i);
    }
    EXPECT_NEAR(loss_integral, expected.loss_integral, 1e-8);
    EXPECT_NEAR(energy, expected.energy, 1e-8);
    for (std::size_t j = 0; j < p.lambda.size(); ++j) {
      EXPECT_NEAR(integrator.state(4)[j], expected.state[j], 1e-9 * expected.state[j]);
    }
  }
}

TEST(ModeIntegrator, converges_with_the_fourth_power_of_the_step) {
  const ModeProblem p = problem(Rule::ranked, .02);
  const double exact = integrate(p, k_edges, k_controls).objective;
  auto error = [&](int substeps) {
    return std::abs(ModeIntegrator(ModeModel(p), k_edges, substeps).forward(k_controls) - exact);
  };
  const double order = std::log2(error(4) / error(8));
  EXPECT_GT(order, 3.6);  // 4 in the limit; the slow approach from 4 to 8 steps costs some tenths
}

TEST(ModeIntegrator, takes_stiff_modes_in_its_stride) {
  ModeProblem p = problem(Rule::all);
  p.lambda = {500, 1, .01};  // 2 eta lambda h = 400 per interval of length 1
  p.multiplicity.clear();
  p.batch = 1000;
  const Vector edges{0, 1, 2};
  const std::vector<Controls> u(2, {1, 1, .4});
  p.initial = {1, 1, 1};
  const Oracle expected = integrate(p, edges, u);
  ModeIntegrator integrator(ModeModel(p), edges, 2);
  integrator.forward(u);
  integrator.refine(u, 1e-8);
  EXPECT_NEAR(integrator.forward(u) / expected.objective, 1, 1e-5);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(integrator.state(2)[j] / expected.state[j], 1, 1e-5);
  EXPECT_LE(integrator.steps(), 2 * 64 * 10u);  // 64 steps in each of ten blocks that halve down to 1/400
}

TEST(ModeIntegrator, refines_only_where_it_is_too_coarse) {
  const ModeProblem p = problem(Rule::ranked);
  ModeIntegrator integrator(ModeModel(p), k_edges, 2);
  integrator.forward(k_controls);
  EXPECT_TRUE(integrator.refine(k_controls, 1e-9));
  EXPECT_GT(integrator.steps(), 8u);
  const double fine = integrator.forward(k_controls);
  EXPECT_NEAR(fine, integrate(p, k_edges, k_controls).objective, 1e-8);
  EXPECT_FALSE(integrator.refine(k_controls, 1e-9));
}

TEST(ModeIntegrator, gradient_is_the_slope_of_the_objective) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  std::vector<ModeProblem> problems{problem(Rule::ranked), problem(Rule::random), problem(Rule::ranked, .02),
                                    problem(Rule::random, .02), problem(Rule::ranked, .02, true)};
  for (std::size_t i = 0, n = problems.size(); i < n; ++i) {
    problems.push_back(problems[i]);
    problems.back().discretisation = {Scheme::rk4, 4, -1};
  }
  for (const ModeProblem& p : problems) {
    ModeIntegrator integrator(ModeModel(p), k_edges, 4);
    std::vector<ControlGradient> gradient(4, {nan, nan, nan});
    integrator.forward(k_controls);
    integrator.backward(k_controls, gradient);
    const std::vector<ControlGradient> first = gradient;
    for (std::size_t i = 0; i < 4; ++i) {
      auto slope = [&](double Controls::*member) {
        const double h = 1e-5;
        auto at = [&](double change) {
          std::vector<Controls> u = k_controls;
          u[i].*member += change;
          return integrator.forward(u);
        };
        return (at(h) - at(-h)) / (2 * h);
      };
      // h^2 f''' / 6 is of order 1e-10; rounding of J of order 1 over h is 1e-11.
      EXPECT_NEAR(first[i].data, slope(&Controls::data_fraction), 2e-9) << i;
      EXPECT_NEAR(first[i].weight, slope(&Controls::weight_fraction), 2e-9) << i;
      EXPECT_NEAR(first[i].rate, slope(&Controls::learning_rate), 2e-9) << i;
    }
  }
}

TEST(ModeIntegrator, runge_kutta_steps_are_the_classical_ones) {
  ModeProblem p = problem(Rule::ranked, .02);
  p.discretisation = {Scheme::rk4, 2, -1};
  const ModeModel model(p);
  ModeIntegrator integrator(model, k_edges, 8);
  const double objective = integrator.forward(k_controls);
  EXPECT_EQ(integrator.steps(), 8u);
  EXPECT_FALSE(integrator.refine(k_controls, 1e-9));

  boost::numeric::odeint::runge_kutta4_classic<Vector> stepper;
  Vector m = p.initial;
  const std::size_t n = m.size();
  double expected = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const Controls& u = k_controls[i];
    auto rhs = [&](const Vector& y, Vector& dy, double) { model.dynamics(y, u, dy); };
    auto running = [&](const Vector& y) { return p.running_weight * model.loss(y) + model.energy_rate(y, u).total(); };
    const double h = (k_edges[i + 1] - k_edges[i]) / 2;
    for (int s = 0; s < 2; ++s) {
      Vector k1(n), k2(n), a(n), b(n);
      rhs(m, k1, 0);
      for (std::size_t j = 0; j < n; ++j) a[j] = m[j] + h / 2 * k1[j];
      rhs(a, k2, 0);
      for (std::size_t j = 0; j < n; ++j) b[j] = m[j] + h / 2 * k2[j];
      const double before = running(m);
      stepper.do_step(rhs, m, 0, h);
      expected += h / 4 * (before + 2 * running(b) + running(m));
    }
    for (std::size_t j = 0; j < n; ++j) EXPECT_NEAR(integrator.state(i + 1)[j] / m[j], 1, 1e-14) << i << " " << j;
  }
  EXPECT_NEAR(objective / (expected + p.terminal_weight * model.loss(m)), 1, 1e-14);
}

TEST(ModeIntegrator, runge_kutta_costates_are_the_slope_of_the_cost_to_go) {
  ModeProblem p = problem(Rule::ranked, .02);
  p.discretisation = {Scheme::rk4, 2, -1};
  ModeIntegrator integrator(ModeModel(p), k_edges, 2);
  std::vector<ControlGradient> gradient(4);
  integrator.forward(k_controls);
  integrator.backward(k_controls, gradient);
  for (std::size_t j = 0; j < p.lambda.size(); ++j) {
    auto at = [&](double change) {
      ModeProblem q = p;
      q.initial[j] += change;
      return ModeIntegrator(ModeModel(q), k_edges, 2).forward(k_controls);
    };
    EXPECT_NEAR(integrator.costate(0)[j], (at(1e-4) - at(-1e-4)) / 2e-4, 1e-8) << j;
  }
}

TEST(ModeIntegrator, a_fixed_number_of_exponential_steps_stays) {
  ModeProblem p = problem(Rule::ranked);
  p.discretisation.steps = 6;
  ModeIntegrator integrator(ModeModel(p), k_edges, 2);
  const double fixed = integrator.forward(k_controls);
  EXPECT_FALSE(integrator.refine(k_controls, 1e-12));
  EXPECT_EQ(integrator.steps(), 24u);
  EXPECT_EQ(fixed, ModeIntegrator(ModeModel(problem(Rule::ranked)), k_edges, 6).forward(k_controls));
}

TEST(ModeIntegrator, gradient_is_exact_on_a_refined_mesh) {
  ModeProblem p = problem(Rule::ranked, .002);
  p.lambda = {80, 4, 1, .1, .01};
  p.batch = 200;
  ModeIntegrator integrator(ModeModel(p), k_edges, 2);
  integrator.forward(k_controls);
  integrator.refine(k_controls, 1e-6);
  EXPECT_GT(integrator.steps(), 40u);
  std::vector<ControlGradient> gradient(4);
  integrator.forward(k_controls);
  integrator.backward(k_controls, gradient);
  for (std::size_t i = 0; i < 4; ++i) {
    auto at = [&](double change) {
      std::vector<Controls> u = k_controls;
      u[i].data_fraction += change;
      return integrator.forward(u);
    };
    EXPECT_NEAR(gradient[i].data, (at(1e-5) - at(-1e-5)) / 2e-5, 1e-7) << i;  // rounding of J = 10 and h^2
  }
}

TEST(ModeIntegrator, gradient_survives_a_rate_of_zero) {
  const ModeProblem p = problem(Rule::ranked, .02);
  std::vector<Controls> u = k_controls;
  u[1].learning_rate = 0;
  ModeIntegrator integrator(ModeModel(p), k_edges, 4);
  std::vector<ControlGradient> gradient(4);
  const double here = integrator.forward(u);
  integrator.backward(u, gradient);
  const double slope = gradient[1].rate;
  u[1].learning_rate = 1e-7;
  EXPECT_NEAR((integrator.forward(u) - here) / 1e-7, slope, 1e-5);
}

TEST(ModeIntegrator, costates_are_the_slope_of_the_cost_to_go) {
  const ModeProblem p = problem(Rule::ranked, .02);
  ModeIntegrator integrator(ModeModel(p), k_edges, 16);
  std::vector<ControlGradient> gradient(4);
  integrator.forward(k_controls);
  integrator.backward(k_controls, gradient);
  const Vector costate(integrator.costate(0).begin(), integrator.costate(0).end());
  for (std::size_t j = 0; j < p.lambda.size(); ++j) {
    auto at = [&](double change) {
      ModeProblem q = p;
      q.initial[j] += change;
      return integrate(q, k_edges, k_controls).objective;
    };
    EXPECT_NEAR(costate[j], (at(1e-4) - at(-1e-4)) / 2e-4, 1e-7) << j;
  }
}

TEST(ModeIntegrator, costates_follow_pontryagins_equation) {
  const ModeProblem p = problem(Rule::ranked, .02);
  const ModeModel model(p);
  ModeIntegrator integrator(model, k_edges, 64);
  std::vector<ControlGradient> gradient(4);
  integrator.forward(k_controls);
  integrator.backward(k_controls, gradient);
  // H is constant within an interval of constant controls.
  for (std::size_t i = 0; i < 4; ++i) {
    const double left = model.hamiltonian(integrator.state(i), integrator.costate(i), k_controls[i]);
    const double mid = model.hamiltonian(integrator.mid_state(i), integrator.mid_costate(i), k_controls[i]);
    const double right = model.hamiltonian(integrator.state(i + 1), integrator.costate(i + 1), k_controls[i]);
    EXPECT_NEAR(left, mid, 1e-8);
    EXPECT_NEAR(right, mid, 1e-8);
  }
  // Explicit check of dp/dt over a thin last interval.
  const Vector edges{0, 1, 1.001};
  ModeIntegrator thin(model, edges, 8);
  const std::vector<Controls> u{k_controls[0], k_controls[1]};
  std::vector<ControlGradient> g(2);
  thin.forward(u);
  thin.backward(u, g);
  Vector rate(p.lambda.size());
  model.costate_rate(thin.mid_state(1), thin.mid_costate(1), u[1], rate);
  for (std::size_t j = 0; j < rate.size(); ++j) {
    EXPECT_NEAR((thin.costate(2)[j] - thin.costate(1)[j]) / .001, rate[j], 1e-6) << j;
  }
}

}  // namespace
