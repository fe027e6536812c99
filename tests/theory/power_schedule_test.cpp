#include "eos/theory/power_schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

constexpr double k_inf = std::numeric_limits<double>::infinity();

TEST(PowerSchedule, has_the_published_losses_without_a_cap) {
  // Six digits are printed.
  EXPECT_NEAR(optimal_power_schedule({1, 1.5, 1, 1e5}).loss(), 6.13878e-3, 5e-9);
  EXPECT_NEAR(optimal_power_schedule({1, 2, 1, 1e5}).loss(), 4.16000e-3, 5e-9);
  EXPECT_NEAR(optimal_power_schedule({1, 3, 1, 1e5}).loss(), 2.67075e-3, 5e-9);
}

TEST(PowerSchedule, has_the_published_losses_and_decays_of_hard_tasks) {
  const double steps[] = {1e4, 1e5, 1e6}, loss[] = {.0751280, .0364682, .0177253}, decay[] = {.2486, .2038, .1614};
  for (int i = 0; i < 3; ++i) {
    const PowerSchedule p = optimal_power_schedule({.3, 2, .05, steps[i], 1});
    EXPECT_NEAR(p.loss(), loss[i], 5e-8) << steps[i];
    EXPECT_NEAR(p.decay_fraction(), decay[i], 5e-5) << steps[i];
  }
  auto fraction = [](double n) { return optimal_power_schedule({.3, 2, .05, n, 1}).decay_fraction(); };
  // Slope over the decade from 1e12, three digits printed; the limit is -(1 - 1/beta - s) / (2 - 1/beta) = -.1333.
  EXPECT_NEAR(std::log10(fraction(1e13) / fraction(1e12)), -.131, 5e-4);
  EXPECT_NEAR(std::log10(fraction(1e20) / fraction(1e19)), -.2 / 1.5, 5e-4);
}

TEST(PowerSchedule, shape_exponent_reaches_its_limit_only_at_astronomic_lengths) {
  // Printed: 1.35, 2.18 and 2.77 against 2 beta - 1 = 3.
  EXPECT_NEAR(optimal_power_schedule({1, 2, 1, 1e5}).shape_exponent(), 1.35, 5e-3);
  EXPECT_NEAR(optimal_power_schedule({1, 2, 1, 1e8}).shape_exponent(), 2.18, 5e-3);
  EXPECT_NEAR(optimal_power_schedule({1, 2, 1, 1e12}).shape_exponent(), 2.77, 5e-3);
}

TEST(PowerSchedule, equals_direct_optimisation_at_other_parameters) {
  // SciPy L-BFGS-B over 100, 200 and 400 constant rates with exact kernel integrals, extrapolated in 1/cells^2; the
  // extrapolations from two pairs differ by 3e-9 and, where the cap ends inside a cell, 5e-7.
  const PowerSchedule free = optimal_power_schedule({.9, 2.5, .4, 2000});
  EXPECT_NEAR(free.loss() / .0258557597, 1, 1e-8);
  EXPECT_NEAR(free.rate_at_step(2.5), .24664779, 2e-5);  // middle of the first cell of 400; second order in its width
  EXPECT_NEAR(free.rate_at_step(1002.5), .05333727, 1e-5);
  const PowerSchedule capped = optimal_power_schedule({.3, 2.5, .1, 5000, .5});
  EXPECT_NEAR(capped.loss() / .1107706825, 1, 1e-6);
  EXPECT_NEAR(capped.decay_fraction(), 1 - .785, .005);  // cells of .0025, .01 for the coarsest
}

/// Loss of piecewise constant rates, equally many steps each, kernel integrated exactly.
double loss_of(const PowerLawTask& task, const std::vector<double>& rates) {
  const double q = 2 - 1 / task.capacity, width = task.steps / static_cast<double>(rates.size());
  double u = 0, noise = 0;
  for (std::size_t i = rates.size(); i-- > 0;) {
    const double next = u + rates[i] * width;
    noise += rates[i] * (std::pow(u + 1, 1 - q) - std::pow(next + 1, 1 - q)) / (q - 1);
    u = next;
  }
  return std::pow(u + 1, -task.source) + task.noise_variance * noise;
}

TEST(PowerSchedule, loses_less_than_its_neighbours) {
  for (const PowerLawTask& task : {PowerLawTask{1, 2, 1, 1e4}, PowerLawTask{.3, 2, .05, 1e4, 1}}) {
    const PowerSchedule best = optimal_power_schedule(task);
    constexpr int k_cells = 4000;
    auto sample = [&](auto&& change) {
      std::vector<double> rates;
      for (int i = 0; i < k_cells; ++i) {
        const double x = (i + .5) / k_cells;
        rates.push_back(std::min(task.rate_limit, best.rate_at_step(x * task.steps) * (1 + change(x))));
      }
      return loss_of(task, rates);
    };
    const double here = sample([](double) { return 0.; });
    EXPECT_NEAR(here / best.loss(), 1, 1e-5);  // constant cells instead of a smooth decay
    for (int k = 0; k < 6; ++k) {
      for (const double size : {-.1, .1}) {
        EXPECT_GT(sample([&](double x) { return size * std::cos(3.14159 * k * x); }), here) << k;
      }
    }
  }
}

TEST(PowerSchedule, time_and_rate_fit_together) {
  const PowerSchedule p = optimal_power_schedule({.3, 2, .05, 1e4, 1});
  EXPECT_NEAR(p.time_at_step(0), 0, 1e-14 * p.horizon);  // rounding of T
  EXPECT_NEAR(p.time_at_step(1e4), p.horizon, 1e-9 * p.horizon);
  for (const double n : {10., 5000., 8000., 9999.}) {
    const double slope = (p.time_at_step(n + .01) - p.time_at_step(n - .01)) / .02;
    EXPECT_NEAR(slope / p.rate_at_step(n), 1, 1e-6) << n;
    EXPECT_NEAR(p.rate_at_time(p.time_at_step(n)) / p.rate_at_step(n), 1, 1e-9) << n;
  }
}

TEST(PowerSchedule, family_satisfies_its_constraints) {
  const PowerLawTask task{.8, 1.7, .3, 3000, .2};
  for (const double c : {1e-4, 1e-3, .05, .2}) {
    const PowerSchedule p = power_schedule(task, c);
    double steps = 0;
    constexpr int k_nodes = 200000;
    for (int i = 0; i < k_nodes; ++i) steps += p.horizon / k_nodes / p.rate_at_time((i + .5) * p.horizon / k_nodes);
    EXPECT_NEAR(steps / task.steps, 1, 1e-6) << c;  // midpoint rule with a kink
  }
}

TEST(PowerSchedule, a_loose_cap_changes_nothing_and_a_tight_one_is_kept) {
  EXPECT_NEAR(optimal_power_schedule({1, 2, 1, 1e5, 1e3}).loss(), optimal_power_schedule({1, 2, 1, 1e5}).loss(), 1e-15);
  const PowerSchedule tight = optimal_power_schedule({.3, 2, .05, 10, 1e-3});
  EXPECT_EQ(tight.rate_at_step(10), 1e-3);  // so short a run only wants to move
  EXPECT_NEAR(tight.horizon, 1e-2, 1e-15);
}

TEST(PowerSchedule, pure_kernel_is_the_limit_of_long_runs) {
  const PowerLawTask task{1, 2, 1, 1e12};
  const PureSchedule pure = pure_power_schedule(task);
  const PowerSchedule exact = optimal_power_schedule(task);
  EXPECT_NEAR(exact.loss() / pure.loss, 1, .03);  // 1/x with x = CN/(2 beta) = 70
  auto loss = [&](double t) { return std::pow(t, -1) + 16 * std::sqrt(t) / 1e12; };
  EXPECT_LT(pure.loss, loss(1.001 * pure.horizon));
  EXPECT_LT(pure.loss, loss(.999 * pure.horizon));
  EXPECT_NEAR(pure.peak_rate, 4 * pure.horizon / 1e12, 1e-15);
}

TEST(PricedBatch, is_stationary_and_has_its_closed_cost) {
  const PricedBatch p{.3, 200, 2.5, .7, 1e-3};
  const double q = 2 - 1 / 2.5;
  auto cost = [&](double factor) {
    double sum = 0;
    constexpr int k_nodes = 400000;
    for (int i = 0; i < k_nodes; ++i) {
      const double t = 200. * (i + .5) / k_nodes, b = factor * p.batch(t);
      sum += (.3 * .7 * std::pow(201 - t, -q) / b + 1e-3 * b) * 200 / k_nodes;
    }
    return sum;
  };
  EXPECT_NEAR(cost(1) / p.cost(), 1, 1e-8);
  EXPECT_GT(cost(1.1), cost(1));
  EXPECT_GT(cost(.9), cost(1));
  // Printed form of the cost.
  EXPECT_NEAR(p.cost(), 2 * std::sqrt(1e-3 * .3 * .7) * (std::pow(201, 1 - q / 2) - 1) / (1 - q / 2), 1e-14);
}

TEST(BatchSwitch, is_best_where_direct_search_finds_it) {
  const PowerLawTask task{.3, 2, 1, 1e6};
  const BatchSwitch best = optimal_batch_switch(task, .1, 1, 32);
  double least = 1, at = 0;
  for (int i = 1; i < 2000; ++i) {
    const double loss = batch_switch(task, .1, 1, 32, i / 2000.).loss;
    if (loss < least) least = loss, at = i / 2000.;
  }
  EXPECT_LE(best.loss, least);
  EXPECT_NEAR(best.late_fraction, at, 1 / 2000.);
}

TEST(BatchSwitch, comes_later_for_more_data_with_the_published_exponent) {
  // (1 - 1/beta - s) / (2 - 1/beta) = .2 / 1.5 for s = .3, beta = 2; .1182 at 1e12 samples, .1318 at 1e20.
  auto fraction = [](double samples) { return optimal_batch_switch({.3, 2, 1, samples}, .5, 1, 64).late_fraction; };
  EXPECT_NEAR(std::log10(fraction(1e25) / fraction(1e23)) / 2, -.2 / 1.5, 6e-4);
}

TEST(PowerSchedule, says_what_is_wrong) {
  EXPECT_THROW(optimal_power_schedule({0, 2, 1, 1e5}), eos::core::Error);
  EXPECT_THROW(optimal_power_schedule({1, 1, 1, 1e5}), eos::core::Error);
  EXPECT_THROW(optimal_power_schedule({1, 2, 0, 1e5}), eos::core::Error);
  EXPECT_THROW(optimal_power_schedule({1, 2, 1, -1}), eos::core::Error);
  EXPECT_THROW(power_schedule({1, 2, 1, 1e5, k_inf}, 0), eos::core::Error);
  EXPECT_THROW(optimal_batch_switch({.3, 2, 1, 1e6}, .1, 4, 2), eos::core::Error);
}

}  // namespace
