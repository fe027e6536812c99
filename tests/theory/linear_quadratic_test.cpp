// Regulators against printed values, their own differential equations, and direct minimisation.
#include "eos/theory/linear_quadratic.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

/// Cost of a feedback u = gain(t) e, by the classical Runge-Kutta rule with `steps` steps: an independent simulation.
template <class Gain>
double simulated_cost(const LinearQuadratic& p, const Gain& gain, int steps = 4000) {
  const double h = p.horizon / steps;
  double e = p.initial, cost = 0;
  auto rates = [&](double t, double x) {
    const double u = gain(t) * x;
    return std::array{-u, 0.5 * (p.state_weight * x * x + p.effort_weight * u * u)};
  };
  for (int i = 0; i < steps; ++i) {
    const double t = i * h;
    const auto a = rates(t, e), b = rates(t + h / 2, e + h / 2 * a[0]), c = rates(t + h / 2, e + h / 2 * b[0]),
               d = rates(t + h, e + h * c[0]);
    cost += h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1]);
    e += h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0]);
  }
  return cost + 0.5 * p.terminal_weight * e * e;
}

const LinearQuadratic k_cases[] = {
    {1.3, .7, .4, 1.5, 2}, {1.3, .7, 5, -2, .8}, {0, .7, 2, 1.5, 3}, {2, .5, 1, 1, 50}, {1e-9, 1, 3, 1, 1}};

TEST(LinearQuadraticForm, has_the_hyperbolic_tangent_below_and_cotangent_above_the_fixed_point) {
  const LinearQuadratic below = k_cases[0], above = k_cases[1];
  auto check = [](const LinearQuadratic& p, double t, double expected) {
    EXPECT_NEAR(p.riccati(t), expected, 1e-14 * expected);
  };
  const double g = std::sqrt(1.3 * .7), w = std::sqrt(1.3 / .7);
  for (double t : {0., .3, .8}) {
    check(below, t, g * std::tanh(w * (2 - t) + std::atanh(.4 / g)));
    check(above, t, g / std::tanh(w * (.8 - t) + std::atanh(g / 5)));
  }
  const LinearQuadratic at{1.3, .7, g, 1, 2};
  check(at, .7, g);
}

TEST(LinearQuadraticForm, without_error_price_has_a_constant_rate) {
  const LinearQuadratic p = k_cases[2];
  for (double t : {0., 1., 3.}) EXPECT_NEAR(p.control(t), 2 * 1.5 / (.7 + 2 * 3), 1e-15);
  EXPECT_NEAR(p.cost(), .5 * 2 * .7 * 2.25 / (.7 + 6), 1e-15);
  // dx/dt = u, 1/2 x(1)^2 + (lambda/2) int u^2 from 1: J = lambda / (2 (1 + lambda)).
  for (double price : {.01, .1, 1.}) {
    EXPECT_NEAR((LinearQuadratic{0, price, 1, 1, 1}.cost()), price / (2 * (1 + price)), 1e-16);
  }
}

TEST(LinearQuadraticForm, reproduces_the_printed_values) {
  // dx/dt = u, 1/2 int_0^1 (x^2 + u^2), x(0) = 1: J = tanh(1)/2.
  EXPECT_NEAR((LinearQuadratic{1, 1, 0, 1, 1}.cost()), .380797077977882, 1e-15);
}

TEST(LinearQuadraticForm, satisfies_its_equations_pointwise_and_no_other_gain_is_cheaper) {
  for (const LinearQuadratic& p : k_cases) {
    const double h = 1e-4 * p.horizon;
    for (double share : {.1, .5, .9}) {
      const double t = share * p.horizon;
      // Riccati's dP/dt = P^2/r - q and de/dt = -u by central differences, which are good to h^2.
      const double slope = (p.riccati(t + h) - p.riccati(t - h)) / (2 * h), value = p.riccati(t);
      EXPECT_NEAR(slope, value * value / p.effort_weight - p.state_weight, 1e-4 * (1 + std::abs(slope)));
      EXPECT_NEAR((p.state(t + h) - p.state(t - h)) / (2 * h), -p.control(t), 1e-4 * std::abs(p.control(t)) + 1e-14);
    }
    if (p.horizon > 10) continue;
    auto best = [&](double t) { return p.riccati(t) / p.effort_weight; };
    EXPECT_NEAR(p.cost(), simulated_cost(p, best), 1e-10 * p.cost());
    for (double shift : {-.05, .05}) {
      EXPECT_GT(simulated_cost(p, [&](double t) { return best(t) * (1 + shift * std::cos(t)); }), p.cost());
    }
  }
}

LinearRegulator double_integrator(double q2, double horizon) {
  return {2, 1, {0, 1, 0, 0}, {0, 1}, {1, 0, 0, q2}, {1}, {0, 0, 0, 0}, {1, -.5}, horizon};
}

TEST(LinearRegulatorForm, reproduces_printed_riccati_solutions) {
  const auto p = double_integrator(1, 1).riccati(0);  // finite horizon
  EXPECT_NEAR(p[0], .964835684943498, 1e-14);
  EXPECT_NEAR(p[1], .389571120504592, 1e-14);
  EXPECT_NEAR(p[3], .964835684943498, 1e-14);
  // Long horizons approach the algebraic equation: [sqrt 3, 1; 1, sqrt 3], and [2, 1; 1, 2] for Q = diag(1, 2)
  // (Benner, Laub & Mehrmann's collection, example 1.1).
  const auto far = double_integrator(1, 60).riccati(0), carex = double_integrator(2, 60).riccati(0);
  for (int i : {0, 3}) EXPECT_NEAR(far[static_cast<std::size_t>(i)], std::sqrt(3), 1e-13);
  EXPECT_NEAR(far[1], 1, 1e-13);
  EXPECT_NEAR(carex[0], 2, 1e-13);
  EXPECT_NEAR(carex[2], 1, 1e-13);
  const LinearRegulator damped{1, 1, {-1}, {1}, {1}, {1}, {0}, {1}, 1};  // dx/dt = -x + u
  EXPECT_NEAR(damped.cost(), .192909298093169, 1e-14);
}

TEST(LinearRegulatorForm, agrees_with_the_scalar_form) {
  for (const LinearQuadratic& s : k_cases) {
    const LinearRegulator p{1,           1,        {0}, {-1}, {s.state_weight}, {s.effort_weight}, {s.terminal_weight},
                            {s.initial}, s.horizon};
    EXPECT_NEAR(p.cost(), s.cost(), 1e-12 * s.cost());
    for (double share : {0., .4, 1.}) {
      const double t = share * s.horizon;
      EXPECT_NEAR(p.state(t)[0], s.state(t), 1e-11 * std::abs(s.initial));
      // The scalar form counts u against the error, and so does B = -1.
      EXPECT_NEAR(p.control(t)[0], s.control(t), 1e-11 * (1 + std::abs(s.control(t))));
    }
  }
}

TEST(LinearRegulatorForm, satisfies_its_equations_with_several_controls) {
  const LinearRegulator p{3,
                          2,
                          {0, 1, 0, -.5, -.1, .3, .2, 0, -1},
                          {1, 0, 0, 1, .5, -.2},
                          {2, .1, 0, .1, 1, 0, 0, 0, .5},
                          {1, .2, .2, .8},
                          {1, 0, 0, 0, 2, .1, 0, .1, .4},
                          {1, -1, .5},
                          2.5};
  const double h = 1e-4;
  for (double t : {.5, 1.2, 2.2}) {
    const auto before = p.state(t - h), x = p.state(t), after = p.state(t + h), u = p.control(t);
    for (std::size_t i = 0; i < 3; ++i) {
      double rate = 0;
      for (std::size_t k = 0; k < 3; ++k) rate += p.dynamics[3 * i + k] * x[k];
      for (std::size_t k = 0; k < 2; ++k) rate += p.input[2 * i + k] * u[k];
      EXPECT_NEAR((after[i] - before[i]) / (2 * h), rate, 1e-7);  // central differences: h^2
    }
  }
  // J = x'P x / 2 at any later time plus what was spent: Bellman's principle, by Simpson's rule.
  auto running = [&](double t) {
    const auto x = p.state(t), u = p.control(t);
    double sum = 0;
    for (std::size_t i = 0; i < 3; ++i)
      for (std::size_t k = 0; k < 3; ++k) sum += x[i] * p.state_weight[3 * i + k] * x[k];
    for (std::size_t i = 0; i < 2; ++i)
      for (std::size_t k = 0; k < 2; ++k) sum += u[i] * p.effort_weight[2 * i + k] * u[k];
    return .5 * sum;
  };
  double spent = 0;
  const int n = 200;
  for (int i = 0; i <= n; ++i) spent += running(p.horizon * i / n) * (i == 0 || i == n ? 1 : i % 2 != 0 ? 4 : 2);
  spent *= p.horizon / (3 * n);
  const auto end = p.state(p.horizon);
  double last = 0;
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t k = 0; k < 3; ++k) last += .5 * end[i] * p.terminal_weight[3 * i + k] * end[k];
  EXPECT_NEAR(p.cost(), spent + last, 1e-7 * p.cost());  // Simpson: 1.1e-8, of order (T/n)^4
}

TEST(LinearQuadraticForm, names_the_wrong_parameter) {
  auto message = [](auto&& call) {
    try {
      call();
    } catch (const eos::core::Error& e) {
      return std::string(e.what());
    }
    return std::string("no error");
  };
  EXPECT_NE(message([] { (void)LinearQuadratic{-1, 1, 0, 1, 1}.cost(); }).find("state_weight"), std::string::npos);
  EXPECT_NE(message([] { (void)LinearQuadratic{1, 0, 0, 1, 1}.cost(); }).find("effort_weight"), std::string::npos);
  EXPECT_NE(message([] { (void)LinearQuadratic{}.state(2); }).find("time"), std::string::npos);
  EXPECT_NE(message([] { (void)LinearRegulator{}.cost(); }).find("states"), std::string::npos);
  LinearRegulator p = double_integrator(1, 1);
  p.state_weight = {1, 2, 0, 1};
  EXPECT_NE(message([&] { (void)p.cost(); }).find("state_weight is not symmetric"), std::string::npos);
  p.state_weight = {1, 0, 0, -1};
  EXPECT_NE(message([&] { (void)p.cost(); }).find("state_weight must be positive semi-definite"), std::string::npos);
  p.input = {1};
  EXPECT_NE(message([&] { (void)p.cost(); }).find("input has 1 values"), std::string::npos);
}

}  // namespace
