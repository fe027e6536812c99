#include "eos/theory/growth_plan.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace eos::theory {
namespace {

/// L = a n^-b at n = 1000, 10000.
DepthCurve power_law(double depth, double energy, double a, double b) {
  DepthCurve c{depth, energy, {1000, 10000}, {}};
  for (const double n : c.samples) c.loss.push_back(a * std::pow(n, -b));
  return c;
}

/// Samples at a loss, and samples per loss there.
double samples(double a, double b, double loss) { return std::pow(loss / a, -1 / b); }
double slope(double a, double b, double loss) { return samples(a, b, loss) / (b * loss); }

TEST(GrowthPlan, changes_depth_where_the_losses_fall_equally_fast_per_joule) {
  // e_1 |n_1'| = e_2 |n_2'| with |n'| = (L/a)^(-1/b)/(b L):  L* = ((e_1 a_1^(1/b1) b_2)/(e_2 a_2^(1/b2) b_1))^(1/(1/b1
  // - 1/b2))
  const double a1 = 6, b1 = 0.12, e1 = 1, a2 = 11, b2 = 0.2, e2 = 3;
  const double crossing =
      std::pow(e1 * std::pow(a1, 1 / b1) * b2 / (e2 * std::pow(a2, 1 / b2) * b1), 1 / (1 / b1 - 1 / b2));
  ASSERT_NEAR(e1 * slope(a1, b1, crossing), e2 * slope(a2, b2, crossing), 1e-6 * slope(a1, b1, crossing));
  const GrowthPlan plan = plan_growth({power_law(0.25, e1, a1, b1), power_law(1, e2, a2, b2)}, 5, 1.2);
  ASSERT_EQ(plan.depths, (std::vector<double>{0.25, 1}));
  EXPECT_NEAR(plan.losses[0], crossing, 2 * crossing * std::log(5 / 1.2) / 2000);  // one step of the grid
  const double first = samples(a1, b1, crossing) - samples(a1, b1, 5);
  const double second = samples(a2, b2, 1.2) - samples(a2, b2, crossing);
  EXPECT_NEAR(plan.samples[0], first, 0.02 * first);
  EXPECT_NEAR(plan.samples[1], second, 0.02 * second);
  // The minimum is flat: an error of a step in the crossing shows in second order.
  EXPECT_NEAR(plan.energy, e1 * first + e2 * second, 1e-4 * plan.energy);
  EXPECT_NEAR(plan.until()[0], first / (first + second), 0.01);
}

TEST(GrowthPlan, is_never_dearer_than_one_depth) {
  for (const double a2 : {5.0, 8.0, 12.0, 20.0}) {
    const DepthCurve shallow = power_law(0.5, 1, 6, 0.12), deep = power_law(1, 2, a2, 0.2);
    const double both = plan_growth({shallow, deep}, 4, 1).energy;
    EXPECT_LE(both, plan_growth({shallow}, 4, 1).energy * (1 + 1e-12));
    EXPECT_LE(both, plan_growth({deep}, 4, 1).energy * (1 + 1e-12));
  }
}

TEST(GrowthPlan, leaves_out_depths_that_never_pay) {
  const GrowthPlan plan = plan_growth({power_law(0.5, 1, 6, 0.12), power_law(1, 1.5, 6, 0.12)}, 4, 1);
  EXPECT_EQ(plan.depths, (std::vector<double>{0.5}));
  EXPECT_TRUE(plan.until().empty());
}

TEST(GrowthPlan, refuses_curves_that_do_not_fall) {
  EXPECT_THROW(plan_growth({{1, 1, {10, 20}, {1, 1.1}}}, 2, 0.5), core::Error);
  EXPECT_THROW(plan_growth({{1, 1, {10}, {1}}}, 2, 0.5), core::Error);
  EXPECT_THROW(plan_growth({power_law(1, 1, 6, 0.1)}, 1, 2), core::Error);
  EXPECT_THROW(plan_growth({}, 2, 1), core::Error);
}

}  // namespace
}  // namespace eos::theory
