// Lower bounds: met where theory says so, never beaten by random schedules.
#include "eos/theory/bounds.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/closed_forms.hpp"
#include "eos/theory/mode_model.hpp"
#include "eos/theory/path_forms.hpp"

namespace {

using namespace eos::theory;

double uniform(std::uint32_t run, std::uint32_t step) {
  return eos::core::uniform(11, {run, step, eos::core::Purpose::test, 0});
}

TEST(Bounds, of_paths_are_met_by_straight_lines_only) {
  const std::vector<double> from{0, 1, -2}, to{1, -.5, -2.5};
  EXPECT_DOUBLE_EQ(least_path(from, to), 3);
  const std::vector<double> detour{2, 0, -2};
  EXPECT_GT(least_path(from, detour) + least_path(detour, to), 3);
  EXPECT_THROW(least_path(from, {}), eos::core::Error);
  // Euclid: met along the steepest mode, w = sqrt(2 L/lambda).
  const double lambda = 1.7, w0 = 2, w1 = .3;
  EXPECT_NEAR(least_euclidean_path(lambda, .5 * lambda * w0 * w0, .5 * lambda * w1 * w1), w0 - w1, 1e-15);
  EXPECT_LT(least_euclidean_path(lambda, .5 * .9 * w0 * w0, .5 * .9 * w1 * w1), w0 - w1);
  EXPECT_EQ(least_euclidean_path(1, 1, 2), 0);
}

TEST(Bounds, of_plasticity_are_met_at_constant_speed) {
  const std::vector<double> move{1, -.5};
  EXPECT_NEAR(least_plasticity(2, move, 4), 1.25 / 4, 1e-15);
  EXPECT_NEAR(least_plasticity(1.5, move, 4),
              (ConstantSpeed{1.5, 1, 0}.energy(4) + ConstantSpeed{1.5, .5, 0}.energy(4)), 1e-15);
  EXPECT_EQ(least_plasticity(1, move, 4), 1.5);
  EXPECT_THROW(least_plasticity(.5, move, 1), eos::core::Error);
}

TEST(Bounds, of_transport_are_met_by_the_straight_path_of_gaussians) {
  const Gaussian from{.3, .5}, to{1.6, 1.1};
  const double time = .7;
  // dx/dt = mu' + (s'/s)(x - mu) with mu and s linear in time: E v^2 = mu'^2 + s'^2.
  EXPECT_NEAR(least_transport(from, to, time), time * (std::pow(1.3 / time, 2) + std::pow(.6 / time, 2)), 1e-14);
  // From N(0, 1) to N(1.4, .6) in .7: 2.12/.7.
  EXPECT_NEAR(transport_distance_squared({0, 1}, {1.4, .6}), 2.12, 1e-15);
}

TEST(Bounds, of_samples_are_met_by_the_annealed_noisy_mode) {
  // dm/dt = -2 eta lambda m + eta^2 lambda sigma^2/B; B samples per step, on the annealed arc.
  const double lambda = 1.3, sigma2 = .4, batch = 8;
  const NoisyMode mode{lambda, lambda * sigma2 / batch, .01, 10};
  ASSERT_EQ(mode.switch_time(), 0);
  for (double t : {3., 40.}) {
    EXPECT_NEAR(least_samples(lambda, sigma2, .01, mode.error(t)), batch * t, 1e-9 * batch * t);
  }
  // Any other rate needs more samples for the same error.
  for (double eta : {.01, .05, .2}) {
    double m = .01;
    for (int i = 0; i < 30000; ++i) m += 1e-3 * (eta * eta * lambda * sigma2 / batch - 2 * eta * lambda * m);
    if (m >= .01) continue;
    EXPECT_LT(least_samples(lambda, sigma2, .01, m), batch * 30);
  }
  EXPECT_EQ(least_samples(1, 1, .1, .2), 0);
}

TEST(Bounds, predict_the_wander_cost) {
  // Printed: .6065 at T = 1e4, Sigma = .01, t_0 = 5, lambda = 1 (measured .6008).
  EXPECT_NEAR(wander_path(1, .01, 5, 1e4), .6065, 5e-5);
  EXPECT_EQ(efficiency(0, 0), 1);
  EXPECT_EQ(efficiency(1, 4), .25);
}

struct Spent {
  double energy = 0, loss = 0;
};

/// Simulate (S) by the classical Runge-Kutta rule under any controls of time.
Spent simulate(const ModeModel& model, const std::function<Controls(double)>& controls, int steps = 2000) {
  const ModeProblem& p = model.problem();
  const double h = p.horizon / steps;
  const std::size_t n = model.modes();
  std::vector<double> m = p.initial, k(n), sum(n), at(n);
  Spent s;
  for (int i = 0; i < steps; ++i) {
    const Controls u = model.effective(controls((i + .5) * h));  // constant within a step
    at = m;
    double energy = 0;
    std::fill(sum.begin(), sum.end(), 0);
    const double weight[] = {1, 2, 2, 1}, reach[] = {.5, .5, 1, 0};
    for (int stage = 0; stage < 4; ++stage) {
      energy += weight[stage] / 6 * h * model.energy_rate(at, u).total();
      model.dynamics(at, u, k);
      for (std::size_t j = 0; j < n; ++j) {
        sum[j] += weight[stage] / 6 * h * k[j];
        at[j] = m[j] + reach[stage] * h * k[j];
      }
    }
    for (std::size_t j = 0; j < n; ++j) m[j] += sum[j];
    s.energy += energy;
  }
  s.loss = model.loss(m);
  return s;
}

ModeProblem random_problem(std::uint32_t run) {
  std::uint32_t draw = 0;
  auto u = [&] { return uniform(run, draw++); };
  auto power = [&](double low, double high) { return low * std::pow(high / low, u()); };
  ModeProblem p;
  const int modes = 1 + static_cast<int>(6 * u());
  const double fall = 2 * u(), start = u();
  for (int j = 1; j <= modes; ++j) {
    p.lambda.push_back(std::pow(j, -fall));
    p.initial.push_back(std::pow(j, -start));
    p.multiplicity.push_back(power(1, 5));
  }
  p.batch = power(1, 64);
  p.noise_variance = u() < .2 ? 0 : power(.01, 10);
  p.noise_scale = power(.5, 2);
  p.horizon = power(5, 100);
  p.price_time = u() < .5 ? 0 : power(1e-4, .1);
  p.price_screening = u() < .5 ? 0 : power(1e-4, .1);
  p.price_sample = u() < .1 ? 0 : power(1e-4, .1);
  p.price_write = u() < .1 ? 0 : power(1e-4, .1);
  p.price_path = u() < .5 ? 0 : power(1e-3, 1);
  p.rebatched = u() < .5;
  const Rule rules[] = {Rule::all, Rule::random, Rule::ranked};
  p.data_rule = rules[static_cast<int>(3 * u())];
  p.weight_rule = rules[static_cast<int>(3 * u())];
  if (u() < .3) p.data_signal = CaptureCurve::tabulated({.1, .3, .6}, {.2, .45, .7});
  if (u() < .3) p.data_noise = CaptureCurve::laplace();
  if (u() < .3) p.weight_capture = CaptureCurve::tabulated({.01, .1, .5}, {.1, .4, .8});
  if (u() < .3) {
    p.accumulated = true;
    p.accumulated_path = CaptureCurve::tabulated({.01, .1}, {.3, .6});
  }
  p.data_bounds = {power(1e-3, .3), .5 + .5 * u()};
  p.weight_bounds = {power(1e-3, .3), .5 + .5 * u()};
  p.rate_bounds = {0, power(.02, .5)};
  return p;
}

TEST(EnergyBound, is_never_beaten_by_random_schedules) {
  int reached = 0;
  double nearest = 0;
  for (std::uint32_t run = 0; run < 150; ++run) {
    const ModeProblem p = random_problem(run);
    p.check();
    const ModeModel model(p);
    for (std::uint32_t trial = 0; trial < 6; ++trial) {
      // Decaying rates and fractions, full until a stop: the family in which good schedules lie.
      std::uint32_t draw = 100 + 50 * trial;
      auto u = [&] { return uniform(run, draw++); };
      const double rate = p.rate_bounds.upper * u(), anneal = 3 * u() / p.horizon, stop = p.horizon * (.1 + u());
      const double rho = std::pow(p.data_bounds.lower, u()), kappa = std::pow(p.weight_bounds.lower, u());
      const double shrink = std::log(10) * u() / p.horizon;
      const Spent s = simulate(
          model,
          [&](double t) {
            if (t > stop) return Controls{p.data_bounds.lower, p.weight_bounds.lower, 0};
            auto within = [&](double x, const Bounds& b) {
              return std::clamp(x * std::exp(-shrink * t), b.lower, b.upper);
            };
            return Controls{within(rho, p.data_bounds), within(kappa, p.weight_bounds), rate / (1 + anneal * t)};
          },
          300);
      const EnergyBound bound = energy_bound(p, s.loss);
      // Simulation is good to some 1e-7.
      EXPECT_LE(bound.energy, s.energy * (1 + 1e-6)) << "run " << run << " trial " << trial << ": " << bound.statement;
      if (s.loss < model.loss(p.initial)) ++reached, nearest = std::max(nearest, bound.energy / s.energy);
    }
  }
  EXPECT_GT(reached, 300);
  EXPECT_GT(nearest, .95);  // and some come close
}

TEST(EnergyBound, is_met_without_noise_and_without_choice) {
  // nu = 0: the clock at the greatest rate, all samples and weights, then rest.
  ModeProblem p;
  p.lambda = {1, .3};
  p.initial = {1, 2};
  p.noise_scale = 0;
  p.horizon = 30;
  p.price_sample = .02;
  p.price_write = .01;
  p.data_rule = p.weight_rule = Rule::random;
  p.data_bounds = p.weight_bounds = {1e-9, 1};
  p.rate_bounds = {0, .1};
  const ModeModel model(p);
  const double stop = 12;
  const Spent s = simulate(
      model,
      [&](double t) {
        return t < stop ? Controls{1, 1, .1} : Controls{1e-9, 1e-9, 0};
      },
      3000);
  EXPECT_NEAR(s.energy, .03 * stop, 1e-7);
  const EnergyBound bound = energy_bound(p, s.loss);
  EXPECT_NEAR(bound.energy, s.energy, 1e-6 * s.energy);
  EXPECT_NEAR(bound.clock, .2 * stop, 1e-6);
}

TEST(EnergyBound, is_met_by_the_shortest_path_without_other_prices) {
  // One mode, one weight, no noise: path length is sqrt(2/pi) sqrt(1 + 1/B) per unit of displacement of sqrt(m).
  ModeProblem p;
  p.lambda = {.7};
  p.initial = {2};
  p.batch = 5;
  p.noise_scale = 0;
  p.horizon = 20;
  p.price_path = .3;
  p.data_rule = p.weight_rule = Rule::all;
  p.rate_bounds = {0, .1};
  const ModeModel model(p);
  const Spent s = simulate(model, [](double) { return Controls{1, 1, .1}; });
  const EnergyBound bound = energy_bound(p, s.loss);
  EXPECT_NEAR(bound.energy, s.energy, 1e-9 * s.energy);
  EXPECT_NEAR(bound.path, bound.energy, 1e-12);
}

TEST(EnergyBound, is_nearly_met_by_the_annealed_noisy_mode) {
  // All the loss is noise: sigma^2 >> lambda m. The price of samples at the least number of them, then rest.
  ModeProblem p;
  p.lambda = {1};
  p.initial = {.01};
  p.batch = 8;
  p.noise_variance = 1;
  p.price_sample = .05;
  p.data_rule = Rule::random;
  p.weight_rule = Rule::all;
  p.data_bounds = {1e-9, 1};
  p.rate_bounds = {0, 1};
  const NoisyMode mode{1, 1. / 8, .01, 1};
  p.horizon = 400;
  const ModeModel model(p);
  const Spent s = simulate(
      model,
      [&](double t) {
        return Controls{1, 1, mode.rate(t)};
      },
      4000);
  const EnergyBound bound = energy_bound(p, s.loss);
  EXPECT_LT(bound.energy, s.energy);
  // Loose by V >= sigma^2 + 2 L_goal instead of V(t), here below 1 %, and by the grid of the dual.
  EXPECT_GT(bound.energy, .97 * s.energy);
  EXPECT_NE(bound.statement.find("noise"), std::string::npos);
}

TEST(EnergyBound, needs_nothing_for_a_loss_already_reached_and_is_infinite_for_none) {
  ModeProblem p;
  p.lambda = {1};
  p.initial = {1};
  p.price_time = .1;
  p.horizon = 10;
  EXPECT_NEAR(energy_bound(p, 1).energy, 1, 1e-15);  // upkeep of the horizon
  EXPECT_TRUE(std::isinf(energy_bound(p, 0).energy));
  EXPECT_THROW(energy_bound(p, -1), eos::core::Error);
}

}  // namespace
