// Learning rates under a price of effort: printed numbers, brute force, and SciPy's boundary-value solver.
#include "eos/theory/effort_forms.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

TEST(QuadraticEffortForm, reproduces_the_printed_values) {
  const QuadraticEffort p{1.3, 2, .7, 1.5, 2};
  EXPECT_NEAR(p.rate(), .567643, 5e-7);
  EXPECT_NEAR(p.rate(), .5676429782580839, 1e-15);  // mpmath, 30 digits
  EXPECT_NEAR(p.cost(), .37837994, 5e-9);
}

TEST(QuadraticEffortForm, is_stationary_and_no_uneven_rate_is_cheaper) {
  for (const QuadraticEffort& p :
       {QuadraticEffort{1.3, 2, .7, 1.5, 2}, QuadraticEffort{.2, 5, .01, 3, 10}, QuadraticEffort{4, .1, 2, .5, .3}}) {
    auto cost = [&](double first, double second) {
      const double end = p.initial * std::exp(-p.lambda * (first + second) * p.horizon / 2);
      return .25 * p.price * p.horizon * (first * first + second * second) +
             .5 * p.terminal_weight * p.lambda * end * end;
    };
    const double eta = p.rate();
    EXPECT_NEAR(cost(eta, eta), p.cost(), 1e-15);
    for (double a : {-.1, -.001, .001, .1})
      for (double b : {-.1, -.001, 0., .001, .1}) EXPECT_GT(cost(eta * (1 + a), eta * (1 + b)), p.cost());
    EXPECT_NEAR(p.error(p.horizon), p.initial * std::exp(-p.lambda * eta * p.horizon), 1e-15);
  }
}

TEST(LinearGoalEffortForm, reproduces_the_printed_values_and_its_front) {
  EXPECT_NEAR((LinearGoalEffort{.1, 1, 1}.rate()), 1.74552800274070, 1e-14);
  EXPECT_NEAR((LinearGoalEffort{.1, 1, 1}.cost()), .326896200691667, 1e-15);
  EXPECT_NEAR((LinearGoalEffort{.01, 1, 1}.rate()), 3.38563014029, 1e-11);
  EXPECT_NEAR((LinearGoalEffort{.01, 1, 1}.cost()), .0911687586371, 1e-13);
  for (double price : {.003, .2, 4.}) {
    const LinearGoalEffort p{price, 1.7, 2.5};
    EXPECT_NEAR(p.energy(), p.rate() * p.rate() * 1.25, 1e-15);
    // dJ/dc is the energy (envelope theorem), by central differences of relative step 1e-5.
    const double h = 1e-5 * price;
    const double slope =
        (LinearGoalEffort{price + h, 1.7, 2.5}.cost() - LinearGoalEffort{price - h, 1.7, 2.5}.cost()) / (2 * h);
    EXPECT_NEAR(slope, p.energy(), 1e-8 * p.energy());
  }
}

TEST(EffortModeForm, reproduces_the_printed_values) {
  const EffortMode p{1.2, .4, 1.6, 3};
  EXPECT_NEAR(p.final_error(), .228894, 5e-7);
  EXPECT_NEAR(p.cost(), .8199519, 5e-8);
}

/// L + 1/2 c eta^2 over [0, T] by Simpson's rule.
double simulated(const EffortMode& p, double until, int n = 100000) {
  auto running = [&](double t) {
    const double e = p.error(t), eta = p.rate(t);
    return .5 * p.lambda * e * e + .5 * p.price * eta * eta;
  };
  double sum = running(0) + running(until);
  for (int i = 1; i < n; ++i) sum += running(until * i / n) * (i % 2 != 0 ? 4 : 2);
  return sum * until / (3 * n);
}

TEST(EffortModeForm, satisfies_dynamics_and_square_root_law) {
  for (const EffortMode& p : {EffortMode{1.2, .4, 1.6, 3}, EffortMode{.3, 2, .5, 1}, EffortMode{5, .1, 2, 8}}) {
    const double end = p.final_error();
    EXPECT_NEAR(p.error(0), p.initial, 1e-13);
    EXPECT_NEAR(p.rate(p.horizon), 0, 1e-7);
    for (double share : {.1, .5, .8}) {
      const double t = share * p.horizon, h = 1e-5, e = p.error(t);
      EXPECT_NEAR((p.error(t + h) - p.error(t - h)) / (2 * h), -p.rate(t) * p.lambda * e, 1e-6 * p.rate(t) * e);
      EXPECT_NEAR(p.rate(t), std::sqrt(p.lambda * (e * e - end * end) / p.price), 1e-12);
    }
    EXPECT_NEAR(simulated(p, p.horizon), p.cost(), 1e-9 * p.cost());
  }
}

TEST(EffortModeForm, has_a_linear_value_over_an_infinite_horizon) {
  const EffortMode p{1.2, .4, 1.6};
  EXPECT_NEAR(p.cost(), 1.6 * std::sqrt(.4 / 1.2), 1e-15);
  // What is left after time t costs V(e(t)).
  EXPECT_NEAR(simulated(p, 20) + p.error(20) * std::sqrt(.4 / 1.2), p.cost(), 1e-9);
  // A long horizon spends nearly the same.
  EXPECT_NEAR((EffortMode{1.2, .4, 1.6, 1e5}.cost()), p.cost(), 1e-4);
}

TEST(EffortScheduleForm, of_one_mode_is_the_closed_form) {
  for (const EffortMode& p : {EffortMode{1.2, .4, 1.6, 3}, EffortMode{5, .1, 2, 8}}) {
    const std::vector<double> times{0, .3 * p.horizon, .7 * p.horizon, p.horizon};
    const EffortSchedule s = effort_schedule(spectrum_curve({p.lambda}, {p.initial}), {p.price, 0, p.horizon}, times);
    EXPECT_NEAR(s.cost, p.cost(), 1e-10 * p.cost());
    for (std::size_t i = 0; i < times.size(); ++i) EXPECT_NEAR(s.rate[i], p.rate(times[i]), 1e-9 * p.rate(0));
    EXPECT_NEAR(s.final_clock, std::log(p.initial / p.final_error()) / p.lambda, 1e-9);
  }
}

TEST(EffortScheduleForm, of_two_modes_agrees_with_a_boundary_value_solver) {
  // scipy.integrate.solve_bvp of tau'' = r tau' + L'(tau)/c, tau(0) = 0, tau'(T) = 0 at tolerance 1e-12:
  // lambda (1, .3), errors (1, 1.5), c = .4, T = 3; columns r, tau(1), eta(1), tau(T), cost, eta(0).
  const std::array<std::array<double, 6>, 2> oracle{
      {{0, 1.102384235020, .673316397282, 1.697488379334, 1.043346373941, 1.869284626326},
       {.5, .913360952467, .584994291126, 1.484076200468, .699629026186, 1.501732344177}}};
  const LossCurve curve = spectrum_curve({1, .3}, {1, 1.5});
  for (const auto& row : oracle) {
    const EffortSchedule s = effort_schedule(curve, {.4, row[0], 3}, std::vector<double>{0, 1, 3});
    EXPECT_NEAR(s.clock[1], row[1], 1e-9);
    EXPECT_NEAR(s.rate[1], row[2], 1e-9);
    EXPECT_NEAR(s.final_clock, row[3], 1e-9);
    EXPECT_NEAR(s.cost, row[4], 1e-9);
    EXPECT_NEAR(s.rate[0], row[5], 1e-9);
    EXPECT_NEAR(s.clock[0], 0, 1e-9);
    EXPECT_NEAR(s.rate[2], 0, 1e-9);
  }
}

TEST(EffortScheduleForm, satisfies_the_integral_law_with_a_discount) {
  // 1/2 c eta^2 = int_t^T e^(-2r(s-t)) (-dL/ds) ds, by Simpson's rule on 4000 points.
  const double r = .3, price = .7, horizon = 4;
  const LossCurve curve = spectrum_curve({1, .3, .05}, {1, 1.5, 2}, {1, 2, 4});
  const int n = 4000;
  std::vector<double> times;
  for (int i = 0; i <= n; ++i) times.push_back(horizon * i / n);
  const EffortSchedule s = effort_schedule(curve, {price, r, horizon}, times);
  for (std::size_t from : {std::size_t{0}, std::size_t{1000}, std::size_t{3000}}) {
    double sum = 0;
    for (std::size_t i = from; i <= n; ++i) {
      const double fall = -curve.slope(s.clock[i]) * s.rate[i] * std::exp(-2 * r * (times[i] - times[from]));
      sum += fall * (i == from || i == n ? 1 : (i - from) % 2 != 0 ? 4 : 2);
    }
    EXPECT_NEAR(.5 * price * s.rate[from] * s.rate[from], sum * horizon / (3 * n), 1e-9);
  }
}

TEST(EffortScheduleForm, discounted_infinite_horizon_is_the_limit_of_long_ones) {
  const LossCurve curve = spectrum_curve({1, .3}, {1, 1.5});
  const double inf = std::numeric_limits<double>::infinity();
  const EffortSchedule s = effort_schedule(curve, {.4, .5, inf}, std::vector<double>{0, 2});
  const EffortSchedule t = effort_schedule(curve, {.4, .5, 60}, std::vector<double>{0, 2});
  EXPECT_NEAR(s.cost, t.cost, 1e-9);
  EXPECT_NEAR(s.rate[1], t.rate[1], 1e-9);
  EXPECT_THROW(effort_schedule(curve, {.4, 0, inf}, std::vector<double>{0}), eos::core::Error);
  EXPECT_THROW(effort_schedule(curve, {.4, 0, 1}, std::vector<double>{2}), eos::core::Error);
}

TEST(EffortValueForm, is_linear_for_one_mode_and_the_limit_for_many) {
  EXPECT_NEAR(effort_value(spectrum_curve({1.2}, {1.6}), .4), 1.6 * std::sqrt(.4 / 1.2), 1e-11);
  const LossCurve curve = spectrum_curve({1, .3}, {1, 1.5});
  const double value = effort_value(curve, .4);
  // eta = sqrt(2 L/c), dtau/dt = eta: V by the trapezoidal rule in tau (independent of the quadrature used).
  double sum = 0;
  for (int i = 0; i < 400000; ++i) sum += std::sqrt(curve.loss((i + .5) * 1e-4)) * 1e-4;
  EXPECT_NEAR(value, std::sqrt(.8) * (sum + std::sqrt(curve.loss(40)) / .3), 1e-7);
  EXPECT_NEAR(effort_schedule(curve, {.4, 0, 3000}, {}).cost, value, 2e-2 * value);
}

TEST(FlowCurve, follows_gradient_flow_of_a_quadratic_and_of_a_deep_linear_network) {
  const auto quadratic = [](std::span<const double> w, std::span<double> g) {
    g[0] = w[0], g[1] = .3 * w[1];
    return .5 * (w[0] * w[0] + .3 * w[1] * w[1]);
  };
  const LossCurve flow = flow_curve(quadratic, {1, 1.5}, 20), exact = spectrum_curve({1, .3}, {1, 1.5});
  for (double tau : {0., .37, 5., 19.}) {
    EXPECT_NEAR(flow.loss(tau), exact.loss(tau), 1e-9 * exact.loss(tau));  // Hermite: (20/2000)^4
    EXPECT_NEAR(flow.slope(tau), exact.slope(tau), 1e-9 * exact.loss(tau));
  }
  EXPECT_NEAR(flow.loss(40) / exact.loss(40), 1, 1e-3);  // beyond the span: the last rate of decay
  // Non-convex: L = 1/2 (s - w_1 w_2)^2 from equal weights, a = w^2 follows da/dtau = 2 a (s - a).
  const auto deep = [](std::span<const double> w, std::span<double> g) {
    const double miss = 2 - w[0] * w[1];
    g[0] = -miss * w[1], g[1] = -miss * w[0];
    return .5 * miss * miss;
  };
  const LossCurve curve = flow_curve(deep, {.3, .3}, 6);
  const DeepLinearMode mode{2, .09, 1.9, 1, 1};
  EXPECT_NEAR(std::sqrt(2 * curve.loss(mode.clock())), .1, 1e-8);
}

TEST(DeepLinearModeForm, reaches_its_goal_and_no_uneven_rate_is_cheaper) {
  const DeepLinearMode p{2, .09, 1.9, .6, 3};
  EXPECT_NEAR(p.clock(), std::log(1.9 * 1.91 / (.09 * .1)) / 4, 1e-15);
  EXPECT_NEAR(p.strength_at(3), 1.9, 1e-13);
  EXPECT_NEAR(p.strength_at(0), .09, 1e-16);
  for (double t : {.5, 1.5, 2.5}) {
    const double a = p.strength_at(t), h = 1e-5;
    EXPECT_NEAR((p.strength_at(t + h) - p.strength_at(t - h)) / (2 * h), 2 * p.rate() * a * (2 - a), 1e-7);
  }
  EXPECT_NEAR(p.cost(), .5 * .6 * p.rate() * p.rate() * 3, 1e-15);
  EXPECT_THROW((void)(DeepLinearMode{2, .09, 2.1, 1, 1}.cost()), eos::core::Error);
  EXPECT_THROW((void)(DeepLinearMode{2, 0, 1, 1, 1}.cost()), eos::core::Error);
}

TEST(EffortForms, name_the_wrong_parameter) {
  auto names = [](auto&& call, const char* word) {
    try {
      call();
    } catch (const eos::core::Error& e) {
      return std::string(e.what()).find(word) != std::string::npos;
    }
    return false;
  };
  EXPECT_TRUE(names([] { (void)QuadraticEffort{-1, 1, 1, 1, 1}.rate(); }, "lambda"));
  EXPECT_TRUE(names([] { (void)LinearGoalEffort{0, 1, 1}.rate(); }, "price"));
  EXPECT_TRUE(names([] { (void)EffortMode{1, 1, 1, -1}.cost(); }, "horizon"));
  EXPECT_TRUE(names([] { (void)EffortMode{1, 1, 1, 1}.error(2); }, "time"));
  EXPECT_TRUE(names([] { (void)spectrum_curve({1}, {}); }, "error"));
  EXPECT_TRUE(names([] { (void)effort_value(spectrum_curve({1}, {1}), 0); }, "price"));
}

}  // namespace
