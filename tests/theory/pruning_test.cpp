#include "eos/theory/pruning.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

constexpr double k_angle = 20 * std::numbers::pi / 180;

double error(double samples, double fraction, Keep keep, double angle = k_angle) {
  const PruningSolution s = solve_pruning({angle, samples, fraction, keep});
  EXPECT_EQ(s.status, PruningStatus::solved)
      << samples << " " << fraction << " residual " << s.residual << " steps " << s.iterations;
  EXPECT_LT(s.residual, 1e-6);
  return s.error;
}

TEST(Pruning, has_the_published_errors_at_20_degrees) {
  // Theory to four digits; simulations of N = 200 dimensions with their standard errors.
  EXPECT_NEAR(error(2, .5, Keep::hard), .3298, 5e-5);
  EXPECT_NEAR(error(2, .5, Keep::hard), .3318, 3 * .0034);
  EXPECT_NEAR(error(2, .5, Keep::random), .2657, 5e-5);
  EXPECT_NEAR(error(2, .5, Keep::easy), .2119, 5e-5);
  EXPECT_NEAR(error(2, .5, Keep::easy), .2119, 3 * .0046);
  EXPECT_NEAR(error(8, .25, Keep::hard), .3125, 5e-5);
  EXPECT_NEAR(error(8, .25, Keep::hard), .3015, 3 * .0086);
  EXPECT_NEAR(error(8, .25, Keep::random), .1885, 5e-5);
  EXPECT_NEAR(error(8, .25, Keep::easy), .1421, 5e-5);
  EXPECT_NEAR(error(8, .25, Keep::easy), .1420, 3 * .0015);
  EXPECT_NEAR(error(8, .5, Keep::hard), .0706, 5e-5);
  EXPECT_NEAR(error(8, .5, Keep::hard), .0691, 3 * .0023);
  EXPECT_NEAR(error(8, .5, Keep::random), .1137, 5e-5);
  EXPECT_NEAR(error(8, .5, Keep::easy), .1386, 5e-5);
}

TEST(Pruning, without_pruning_is_the_perceptron_of_maximal_stability) {
  // All rules agree, and the error falls as 0.5005 / alpha (Opper, Kinzel, Kleinz & Nehl 1990).
  EXPECT_NEAR(error(3, 1, Keep::hard), error(3, 1, Keep::random), 1e-9);
  EXPECT_NEAR(error(3, 1, Keep::easy), error(3, 1, Keep::random), 1e-9);
  EXPECT_NEAR(error(3, 1, Keep::random, .3), error(3, 1, Keep::random, 1.2), 1e-9);  // the probe does not matter
  EXPECT_NEAR(100 * error(100, 1, Keep::random), .5005, .005);
}

TEST(Pruning, a_random_subset_is_a_smaller_data_set) {
  EXPECT_NEAR(error(8, .25, Keep::random), error(2, 1, Keep::random), 1e-12);
}

TEST(Pruning, keeping_what_a_useless_probe_finds_hard_is_worse_than_chance) {
  // Its field says nothing about the label, but the kept inputs lose their extent along it.
  EXPECT_GT(error(4, .5, Keep::hard, std::numbers::pi / 2), error(4, .5, Keep::random));
}

TEST(Pruning, a_good_probe_beats_the_power_law) {
  // Hardest examples by an almost perfect probe, more of them the larger the set: error below any random subset.
  const double hard = error(20, .3, Keep::hard, .02), random = error(20, .3, Keep::random, .02);
  EXPECT_LT(hard, .5 * random);
}

TEST(Pruning, solves_a_wide_range_of_points) {
  for (const double angle : {.05, .3, 1.2}) {
    for (const double samples : {.05, 30.}) {
      for (const double fraction : {.05, .7}) {
        for (const Keep keep : {Keep::hard, Keep::random, Keep::easy}) {
          const PruningSolution s = solve_pruning({angle, samples, fraction, keep});
          EXPECT_EQ(s.status, PruningStatus::solved)
              << angle << " " << samples << " " << fraction << " " << static_cast<int>(keep) << " residual "
              << s.residual << " steps " << s.iterations;
        }
      }
    }
  }
}

TEST(Pruning, a_point_out_of_reach_is_a_status) {
  const PruningSolution s = solve_pruning({k_angle, 1e12, .9, Keep::hard});
  EXPECT_NE(s.status, PruningStatus::solved);
  EXPECT_NE(to_string(s.status), "solved");
  EXPECT_TRUE(std::isfinite(s.error));
}

TEST(Pruning, says_what_is_wrong) {
  EXPECT_THROW(solve_pruning({0, 1, .5, Keep::hard}), eos::core::Error);
  EXPECT_THROW(solve_pruning({2, 1, .5, Keep::hard}), eos::core::Error);
  EXPECT_THROW(solve_pruning({k_angle, 0, .5, Keep::hard}), eos::core::Error);
  EXPECT_THROW(solve_pruning({k_angle, 1, 0, Keep::hard}), eos::core::Error);
}

}  // namespace
