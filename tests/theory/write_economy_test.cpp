// The threshold of least energy against closed forms, brute force and simulated weights.
#include "eos/theory/write_economy.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "eos/core/philox.hpp"

namespace eos::theory {
namespace {

WriteEconomy example() {
  WriteEconomy e;
  e.rate = 0.15, e.batch = 32, e.squared = 0.02;
  e.write = 1.08e-9, e.path = 0, e.cost = 6e-5;
  return e;
}

TEST(WriteEconomy, thresholds_of_one_price_have_closed_forms) {
  WriteEconomy e = example();
  EXPECT_NEAR(e.best_threshold(), std::pow(6 * e.rate * e.write * e.squared / (e.batch * e.cost), 0.25), 1e-12);
  EXPECT_NEAR(e.share(e.best_threshold()) * e.cost, e.writing(e.best_threshold()), 1e-15) << "both terms are equal";
  e.write = 0, e.path = 7e-6;
  EXPECT_NEAR(e.best_threshold(), std::cbrt(3 * e.rate * e.path * e.squared / (e.batch * e.cost)), 1e-12);
  EXPECT_NEAR(2 * e.share(e.best_threshold()) * e.cost, e.writing(e.best_threshold()), 1e-14);
  e.path = 0;
  EXPECT_EQ(e.best_threshold(), 0) << "nothing to save";
}

TEST(WriteEconomy, the_threshold_is_the_minimum_for_any_prices) {
  for (double write : {0.0, 1e-10, 1e-8})
    for (double path : {0.0, 1e-7, 1e-5})
      for (double cost : {1e-6, 1e-4})
        for (double rate : {0.01, 0.3})
          for (double noise : {0.05, 1.0}) {
            if (write + path == 0) continue;
            WriteEconomy e = example();
            e.drift = write > 0 ? 20 : 0, e.lag = path > 0 ? 50 : 0;
            e.write = write, e.path = path, e.cost = cost, e.rate = rate, e.noise = noise;
            const double best = e.best_threshold();
            ASSERT_GT(best, 0);
            ASSERT_LE(best, e.largest_threshold());
            for (int i = 1; i <= 2000; ++i)
              EXPECT_LE(e.energy(best), e.energy(e.largest_threshold() * i / 2000) * (1 + 1e-12));
          }
}

TEST(WriteEconomy, no_more_is_held_back_than_doubles_the_noise_or_drift_would_empty) {
  WriteEconomy e = example();
  e.cost = 0;
  EXPECT_DOUBLE_EQ(e.best_threshold(), e.largest_threshold());
  EXPECT_NEAR(e.share(e.largest_threshold()), 1, 1e-12);
  e.drift = 100;
  EXPECT_DOUBLE_EQ(e.best_threshold(), 0.01);
}

/// Standard normal numbers by Box and Muller.
double normal(std::uint32_t step, std::uint32_t index) {
  const double u = core::uniform(3, {0, step, core::Purpose::presentation, 2 * index});
  const double v = core::uniform(3, {0, step, core::Purpose::presentation, 2 * index + 1});
  return std::sqrt(-2 * std::log(1 - u)) * std::cos(6.283185307179586 * v);
}

/// Weights that descend h w^2/2 by gradients of variance h/B, written when more than theta has accumulated.
struct Written {
  double variance = 0, rate = 0;  ///< of the weights; writes per weight and update
};
Written simulate(double eta, double curvature, double batch, double theta) {
  constexpr std::size_t k_weights = 2000;
  std::vector<double> w(k_weights), a(k_weights);
  const double noise = std::sqrt(curvature / batch), thermal = std::sqrt(eta / (2 * batch));
  for (std::size_t i = 0; i < k_weights; ++i) w[i] = thermal * normal(0, static_cast<std::uint32_t>(i));
  const int relaxation = static_cast<int>(1 / (eta * curvature)), steps = 10 * relaxation;
  Written sum;
  for (int t = 1; t <= steps; ++t)
    for (std::size_t i = 0; i < k_weights; ++i) {
      a[i] -= eta * (curvature * w[i] + noise * normal(static_cast<std::uint32_t>(t), static_cast<std::uint32_t>(i)));
      const bool writes = std::abs(a[i]) > theta;
      if (writes) w[i] += a[i], a[i] = 0;
      if (t <= 3 * relaxation) continue;
      sum.variance += w[i] * w[i], sum.rate += writes;
    }
  const double count = static_cast<double>(k_weights) * (steps - 3 * relaxation);
  return {sum.variance / count, sum.rate / count};
}

TEST(WriteEconomy, holding_back_adds_a_twelfth_of_theta_squared_to_the_noise_of_training) {
  const double eta = 0.1, curvature = 0.04, batch = 32, thermal = eta / (2 * batch);
  // 2000 weights over 7 relaxation times: about 2000 * 7 / 2 independent squares, 2 % of the variance.
  EXPECT_NEAR(simulate(eta, curvature, batch, 0).variance, thermal, 0.03 * thermal);
  WriteEconomy e;
  e.rate = eta, e.batch = batch;
  for (double scaled : {0.6, 1.0}) {  // theta^2 B / eta
    const double theta = std::sqrt(scaled * eta / batch);
    const Written run = simulate(eta, curvature, batch, theta);
    EXPECT_NEAR(run.variance / thermal - 1, e.share(theta), 0.04) << scaled;  // theta^2/6 would be 0.10 and 0.17 more
    // Steps overshoot theta by 0.58 sqrt(D) (Siegmund 1985); drift m shortens the way by the factor tanh(x)/x, x =
    // m theta/D, <x^2> = theta^2 B/(2 eta).
    const double walk = eta * eta * curvature / batch, reach = theta + 0.58 * std::sqrt(walk);
    EXPECT_NEAR(run.rate * reach * reach / walk, 1 + scaled / 6, 0.05) << scaled;
  }
}

TEST(WriteEconomy, walks_with_drift_leave_as_often_as_said_and_lean_by_the_lag) {
  WriteEconomy e;
  e.squared = 1e-4;  // of one weight
  const double theta = 0.5;
  for (double y : {0.0, 0.5, 1.0, 2.5}) {
    e.drift = y / theta;
    const double drift = e.drift * e.squared;
    double a = 0, squares = 0, lean = 0;
    int writes = 0;
    constexpr int k_steps = 2'000'000;
    for (int t = 0; t < k_steps; ++t) {
      a += drift + std::sqrt(e.squared) * normal(1, static_cast<std::uint32_t>(t));
      lean += a;
      if (std::abs(a) <= theta) continue;
      squares += a * a, ++writes, a = 0;
    }
    // Steps of 0.01 overshoot by 0.58 of one; 800 and more exits count to 3 %.
    const double reach = theta + 0.0058;
    EXPECT_NEAR(writes / (k_steps * e.writes(reach)), 1, 0.09) << y;
    // Wald: squares of writes over the sum of squares of steps give the drift back.
    const double ratio = squares / (k_steps * e.squared);
    EXPECT_NEAR(ratio, y > 0 ? y / std::tanh(y) : 1.0, 0.09 * ratio) << y;
    if (y == 0.5) {  // a delay of theta^2/(6 D) updates; the next order is -(7/60) y^2
      const double lag = theta * theta / (6 * e.squared);
      EXPECT_NEAR(lean / k_steps / drift, lag, 0.2 * lag);
      e.lag = 1.0 / 1000, e.rate = 1, e.batch = 0;  // one weight, a run of 1000 updates
      EXPECT_NEAR(e.share(theta), lag / 1000, 1e-12);
    }
  }
}

TEST(WriteEconomy, drift_is_found_from_the_ratio_of_exits) {
  EXPECT_EQ(walk_drift(0.7), 0);
  EXPECT_EQ(walk_drift(1), 0);
  for (double y : {1e-3, 0.1, 0.8, 1.0, 3.0, 40.0, 900.0})
    EXPECT_NEAR(walk_drift(y / std::tanh(y)), y, 1e-6 * y + 1e-9);
}

TEST(WriteEconomy, momentum_makes_changes_persistent) {
  // v = m v + g: displacement per update 1/(1 - m) g in the long run, mean square of a change 1/(1 - m^2) g^2.
  const double m = 0.9;
  EXPECT_NEAR(momentum_persistence(m), (1 / ((1 - m) * (1 - m))) / (1 / (1 - m * m)), 1e-12);
  EXPECT_EQ(momentum_persistence(0), 1);
}

}  // namespace
}  // namespace eos::theory
