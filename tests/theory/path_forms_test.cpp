// Least path length and least M_alpha against brute force and printed limits.
#include "eos/theory/path_forms.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"

namespace {

using namespace eos::theory;

double uniform(std::uint32_t i) { return eos::core::uniform(7, {0, 0, eos::core::Purpose::test, i}); }

TEST(WaterFilling, reaches_the_loss_and_no_random_path_is_shorter) {
  const std::vector<double> lambda{1, .5, .2, .05}, error{.3, 1, .8, 2}, n{1, 2, 3, 1};
  const double start = .5 * (1 * .09 + 2 * .5 + 3 * .2 * .64 + .05 * 4);
  std::uint32_t draw = 0;
  for (double share : {.9, .5, .1, .001}) {
    const WaterFilling w = least_path_to_loss(lambda, error, share * start, n);
    EXPECT_NEAR(w.loss, share * start, 1e-14);
    for (std::size_t j = 0; j < 4; ++j) EXPECT_DOUBLE_EQ(w.error[j], std::min(error[j], w.level / lambda[j]));
    for (int trial = 0; trial < 2000; ++trial) {
      // Any point of the ball loss <= target: random reductions, scaled until the loss is met.
      std::vector<double> x(4);
      for (std::size_t j = 0; j < 4; ++j) x[j] = error[j] * uniform(draw++);
      double loss = 0, length = 0;
      for (std::size_t j = 0; j < 4; ++j) loss += .5 * n[j] * lambda[j] * x[j] * x[j];
      const double scale = std::min(1.0, std::sqrt(share * start / loss));
      for (std::size_t j = 0; j < 4; ++j) length += n[j] * (error[j] - scale * x[j]);
      EXPECT_GE(length, w.length * (1 - 1e-12));
    }
  }
}

TEST(WaterFilling, needs_nothing_when_the_goal_is_met_and_everything_for_zero) {
  const std::vector<double> lambda{1, .5}, error{1, 2};
  EXPECT_EQ(least_path_to_loss(lambda, error, 2).length, 0);
  EXPECT_NEAR(least_path_to_loss(lambda, error, 0).length, 3, 1e-15);
  EXPECT_EQ(least_path_to_loss({}, {}, 0).length, 0);
  EXPECT_THROW(least_path_to_loss(lambda, error, -1), eos::core::Error);
  EXPECT_THROW(least_path_to_loss(lambda, {}, 1), eos::core::Error);
}

TEST(WaterFilling, of_the_priced_problem_satisfies_the_conditions_of_optimality) {
  const std::vector<double> lambda{1, .5, .2, .05}, error{.3, 1, .8, 2};
  const double price = .03, weight = .4;
  const WaterFilling w = least_path_and_loss(lambda, error, price, weight);
  double cost = price * w.length + weight * w.loss;
  for (std::size_t j = 0; j < 4; ++j) {
    const double marginal = weight * lambda[j] * w.error[j];
    if (w.error[j] < error[j]) {
      EXPECT_NEAR(marginal, price, 1e-15);  // moved until it pays no more
    } else {
      EXPECT_LE(marginal, price);  // never worth moving
    }
    for (double step : {-1e-3, 1e-3}) {  // brute force around it
      auto x = w.error;
      x[j] = std::clamp(x[j] + step, 0.0, error[j]);
      double other = 0;
      for (std::size_t k = 0; k < 4; ++k) other += price * (error[k] - x[k]) + weight * .5 * lambda[k] * x[k] * x[k];
      EXPECT_GE(other, cost - 1e-15);
    }
  }
  // The same level, seen as the shortest path to the loss it leaves.
  EXPECT_NEAR(least_path_to_loss(lambda, error, w.loss).length, w.length, 1e-13);
}

TEST(SpeedLimitedModeForm, is_the_best_of_all_stops_and_speeds) {
  for (const SpeedLimitedMode& p : {SpeedLimitedMode{1.2, 2, .3, .05, .7, 1.5}, SpeedLimitedMode{.4, 1, 0, .2, 3, 2},
                                    SpeedLimitedMode{1, 1, 5, 0, 1, 1}}) {
    EXPECT_NEAR(p.final_error(),
                std::min(p.initial, (p.path_price + p.time_price / p.speed_limit) / (p.terminal_weight * p.lambda)),
                1e-16);
    for (int i = 0; i <= 2000; ++i) {
      for (double speed : {.3, .9, 1.}) {
        const double end = p.initial * i / 2000, v = speed * p.speed_limit, way = p.initial - end;
        const double cost = p.path_price * way + p.time_price * way / v + .5 * p.terminal_weight * p.lambda * end * end;
        EXPECT_GE(cost, p.cost() - 1e-15);
      }
    }
    EXPECT_NEAR(p.error(p.stop_time()), p.final_error(), 1e-15);
    EXPECT_EQ(p.control(p.stop_time() + 1e-9), 0);
    EXPECT_EQ(p.error(0), p.initial);
  }
  EXPECT_THROW((void)(SpeedLimitedMode{1, 1, 0, 0, 0, 1}.cost()), eos::core::Error);
}

TEST(ConstantSpeedForm, is_cheaper_than_uneven_speeds_and_has_the_best_time) {
  for (double alpha : {1.2, 1.5, 2., 3.}) {
    const ConstantSpeed p{alpha, 1.7, .4};
    const double t = p.best_time(), least = p.least_energy();
    EXPECT_NEAR(p.energy(t), least, 1e-13 * least);
    for (double scale : {.5, .9, 1.1, 2.}) EXPECT_GT(p.energy(scale * t), least);
    // Two speeds with the same displacement and time.
    const double uneven = t / 2 * (std::pow(1.2 * 1.7 / t, alpha) + std::pow(.8 * 1.7 / t, alpha)) + .4 * t;
    EXPECT_GT(uneven, least);
  }
  // alpha -> 1: the energy tends to the displacement.
  EXPECT_NEAR((ConstantSpeed{1 + 1e-7, 1.7, .4}.least_energy()), 1.7, 1e-5);
  EXPECT_EQ((ConstantSpeed{1, 1.7, .4}.least_energy()), 1.7);
  EXPECT_EQ((ConstantSpeed{1, 1.7, .4}.best_time()), 0);
  EXPECT_TRUE(std::isinf(ConstantSpeed{2, 1, 0}.best_time()));
  EXPECT_EQ((ConstantSpeed{2, 1, 0}.least_energy()), 0);
  EXPECT_THROW((void)(ConstantSpeed{.5, 1, 0}.least_energy()), eos::core::Error);
}

}  // namespace
