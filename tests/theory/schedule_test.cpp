#include "eos/theory/schedule.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

Schedule sample() {
  Schedule s;
  s.edges = {0, .25, .5, 1};
  s.data_fraction = {1, .5, .2};
  s.weight_fraction = {.9, .8, .7};
  s.learning_rate = {.3, .2, .1};
  return s;
}

TEST(Schedule, is_constant_on_half_open_intervals) {
  const Schedule s = sample();
  s.check();
  EXPECT_EQ(s.at(0).data_fraction, 1);
  EXPECT_EQ(s.at(.2499).learning_rate, .3);
  EXPECT_EQ(s.at(.25).learning_rate, .2);
  EXPECT_EQ(s.at(.75).weight_fraction, .7);
  EXPECT_EQ(s.at(1).data_fraction, .2);
  EXPECT_EQ(s.at(-3).data_fraction, 1);
  EXPECT_EQ(s.at(7).data_fraction, .2);
}

TEST(Schedule, without_rates_leaves_the_rate_to_the_run) {
  Schedule s = sample();
  s.learning_rate.clear();
  s.check();
  EXPECT_TRUE(std::isnan(s.at(.3).learning_rate));
  EXPECT_EQ(s.at(.3).data_fraction, .5);
  EXPECT_TRUE(Schedule().empty());
}

TEST(Schedule, reports_every_problem_at_once) {
  Schedule s = sample();
  s.edges = {0, .5, .5, .9};
  s.data_fraction = {1, 0, 2};
  s.weight_fraction = {1};
  s.learning_rate = {-1, .1, .1};
  s.epochs = -1;
  try {
    s.check();
    FAIL();
  } catch (const eos::core::Error& error) {
    EXPECT_EQ(error.diagnostics().size(), 6u) << error.what();
    for (const auto& d : error.diagnostics()) EXPECT_EQ(d.code, "E502");
  }
  EXPECT_THROW(Schedule().check(), eos::core::Error);
}

TEST(KeepFraction, scalar_random_dropout_has_its_published_effective_epochs) {
  // Sum over 29 epochs of gamma^t plus one full revision epoch.
  for (const auto& [gamma, effective] : {std::pair{.95, 16.48}, std::pair{.99, 26.28}}) {
    double sum = 1;
    for (int t = 0; t < 29; ++t) sum += keep_fraction(KeepLaw::geometric, gamma, 0, t, 0);
    EXPECT_NEAR(sum, effective, .005);
  }
}

TEST(KeepFraction, power_law_fits_the_recorded_series) {
  // Keep fractions of a public replication of difficulty-based dropout, tau = 0.3, CIFAR-10, MobileNet-V2, 29 epochs.
  const double k[] = {.667, .461, .370, .314, .279, .250, .230, .207, .193, .182, .168, .160, .149, .146, .133,
                      .130, .125, .117, .111, .110, .104, .099, .095, .089, .090, .087, .085, .077, .079};
  double mean = 0, residual = 0, total = 0;
  for (double x : k) mean += x / std::size(k);
  for (std::size_t t = 0; t < std::size(k); ++t) {
    residual += std::pow(k[t] - keep_fraction(KeepLaw::power, .685, .595, static_cast<double>(t), 0), 2);
    total += std::pow(k[t] - mean, 2);
  }
  EXPECT_NEAR(1 - residual / total, .993, .001);  // the R^2 stated with the fit, to its last digit
}

TEST(KeepFraction, laws_are_clamped) {
  EXPECT_EQ(keep_fraction(KeepLaw::logarithmic, .555, .151, 1e4, .05), .05);
  EXPECT_EQ(keep_fraction(KeepLaw::inverse_linear, 1.7, .29, 0, .05), 1);
  EXPECT_DOUBLE_EQ(keep_fraction(KeepLaw::inverse_linear, .63, .29, 10, .05), .63 / 3.9);
  EXPECT_EQ(keep_fraction(KeepLaw::constant, .3, 9, 5, .05), .3);
}

}  // namespace
