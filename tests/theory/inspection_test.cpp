// The square-root rule of inspection against brute force and against a simulated population of samples.
#include "eos/theory/inspection.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "eos/core/philox.hpp"

namespace eos::theory {
namespace {

TEST(Inspection, probability_is_the_minimum_of_checks_and_delay) {
  for (double growth : {1e-6, 1e-3, 0.02, 0.25, 0.9, 1.0, 7.0}) {
    for (double cost : {0.5, 1.0, 3.0}) {
      const double best = inspection_probability(growth, cost);
      ASSERT_GT(best, 0);
      ASSERT_LE(best, 1);
      for (int i = 1; i <= 1000; ++i)
        EXPECT_LE(inspection_cost(best, growth, cost), inspection_cost(i / 1000.0, growth, cost) * (1 + 1e-12));
    }
  }
  EXPECT_DOUBLE_EQ(inspection_probability(0.25, 1), 0.5);
  EXPECT_EQ(inspection_probability(1, 1), 1) << "the surplus expected after one epoch pays for looking";
  EXPECT_EQ(inspection_probability(0, 1), 0);
  EXPECT_EQ(inspection_probability(0, 0), 1) << "free";
}

TEST(Inspection, surplus_is_value_minus_cost) {
  // value(r) = b / alpha C / (mean(b) R); the threshold is the benefit whose value is the cost of training.
  const double alpha = 0.5, cost = 3, mean = 0.2, captured = 0.8, training = 1.7;
  const double threshold = alpha * mean * captured * training / cost;
  for (double benefit : {0.0, 0.05, 0.1, 0.5, 1.4}) {
    const double value = benefit / alpha * cost / (mean * captured);
    EXPECT_NEAR(training_surplus(benefit, threshold, training), std::max(0.0, value - training), 1e-12);
  }
}

/// Samples that turn hard with probability h an epoch and are presented with probability p: joules per sample and
/// epoch, checks at 1 J and `surplus` for every epoch in which a hard sample was not found; and g as a run measures it.
struct Population {
  double cost = 0, growth = 0;
};
Population simulate(double hazard, double surplus, double p, int samples, int epochs) {
  std::vector<int> age(static_cast<std::size_t>(samples), 0);
  std::vector<char> hard(age.size(), 0);
  double cost = 0, found = 0, ages = 0;
  for (int e = 0; e < epochs; ++e) {
    for (std::size_t i = 0; i < age.size(); ++i) {
      const auto draw = [&](std::uint32_t which) {
        return core::uniform(
            7, {which, static_cast<std::uint32_t>(e), core::Purpose::presentation, static_cast<std::uint32_t>(i)});
      };
      ++age[i];
      if (draw(0) < hazard) hard[i] = 1;
      if (draw(1) < p) {
        cost += 1, ages += age[i], found += hard[i] ? surplus : 0.0;
        age[i] = 0, hard[i] = 0;
      } else if (hard[i]) {
        cost += surplus;
      }
    }
  }
  return {cost / samples / epochs, found / ages};
}

TEST(Inspection, a_population_costs_what_the_rule_says_and_its_growth_can_be_measured) {
  const double hazard = 0.002, surplus = 20;  // g = 0.04: p* = 0.2
  const double growth = hazard * surplus, best = inspection_probability(growth, 1);
  double least = 1e300, where = 0;
  for (double p : {0.05, 0.1, 0.15, 0.2, 0.27, 0.4, 0.7}) {
    const Population run = simulate(hazard, surplus, p, 4000, 600);
    // An epoch in which the sample is found is none of delay. Counted to 1 % (about 4800 events), plus the share of
    // time h/p in which a sample is hard already and cannot turn.
    const double expected = inspection_cost(p, growth, 1) - growth;
    EXPECT_NEAR(run.cost, expected, expected * (0.03 + hazard / p)) << p;
    EXPECT_NEAR(run.growth, growth, growth * (0.05 + hazard / p)) << p;
    if (run.cost < least) least = run.cost, where = p;
  }
  EXPECT_EQ(where, best);
}

}  // namespace
}  // namespace eos::theory
