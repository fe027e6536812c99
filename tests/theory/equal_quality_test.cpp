#include "eos/theory/equal_quality.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "eos/core/philox.hpp"

namespace {

using eos::theory::Estimate;
using eos::theory::gain;
using eos::theory::gain_with_interval;
using eos::theory::GainInterval;
using eos::theory::Known;
using eos::theory::mean_curve;
using eos::theory::QualityCurve;
using eos::theory::SeedRuns;

const double k_nan = std::nan("");

TEST(EqualQuality, interpolates_the_logarithm_of_energy_and_drops_what_is_beaten) {
  // (0.93, 5) costs more than (0.95, 4) and is worse.
  const QualityCurve curve({{0.97, 16}, {0.90, 1}, {0.93, 5}, {0.95, 4}, {k_nan, 2}, {0.99, 0}});
  ASSERT_EQ(curve.points().size(), 3u);
  EXPECT_DOUBLE_EQ(curve.energy_at(0.95).value, 4);
  EXPECT_NEAR(curve.energy_at(0.96).value, 8, 1e-12);               // sqrt(4 16)
  EXPECT_NEAR(curve.energy_at(0.92).value, std::pow(4, 0.4), 1e-12);  // 1^0.6 4^0.4
  EXPECT_EQ(curve.energy_at(0.96).known, Known::exact);
  EXPECT_EQ(curve.energy_at(0.89).known, Known::at_most);
  EXPECT_DOUBLE_EQ(curve.energy_at(0.89).value, 1);
  EXPECT_EQ(curve.energy_at(0.98).known, Known::nothing);
  EXPECT_NEAR(curve.quality_at(8).value, 0.96, 1e-12);
  EXPECT_NEAR(curve.quality_at(2).value, 0.925, 1e-12);
  EXPECT_EQ(curve.quality_at(20).known, Known::at_least);
  EXPECT_EQ(curve.quality_at(0.5).known, Known::nothing);
}

TEST(EqualQuality, extends_a_curve_by_no_more_than_it_is_told) {
  const QualityCurve curve({{0.90, 1}, {0.92, 2}});
  EXPECT_NEAR(curve.extended_energy_at(0.93, 10), 2 * std::sqrt(2), 1e-12);
  EXPECT_NEAR(curve.extended_energy_at(0.99, 3), 6, 1e-12);
  EXPECT_NEAR(curve.extended_energy_at(0.89, 10), 1 / std::sqrt(2), 1e-12);
  EXPECT_NEAR(curve.extended_energy_at(0.10, 4), 0.25, 1e-12);
  EXPECT_NEAR(curve.extended_energy_at(0.91, 1), std::sqrt(2), 1e-12);
  EXPECT_DOUBLE_EQ(QualityCurve({{0.5, 3}}).extended_energy_at(0.9, 2), 3);
}

TEST(EqualQuality, says_what_is_only_a_bound) {
  const QualityCurve dense({{0.90, 8}, {0.95, 16}}), good({{0.92, 2}, {0.96, 4}}), poor({{0.80, 1}, {0.89, 2}});
  EXPECT_NEAR(gain(dense, good, 0.95).value, 16 / (2 * std::pow(2, 0.75)), 1e-12);
  EXPECT_EQ(gain(dense, good, 0.95).known, Known::exact);
  EXPECT_EQ(gain(dense, good, 0.91).known, Known::at_least);  // its shortest horizon is better
  EXPECT_NEAR(gain(dense, good, 0.91).value, 8 * std::pow(2, 0.2) / 2, 1e-12);
  EXPECT_EQ(gain(dense, good, 0.955).known, Known::at_least);  // the baseline does not get there
  EXPECT_EQ(gain(dense, poor, 0.92).known, Known::nothing);
  EXPECT_EQ(gain(good, poor, 0.85).known, Known::at_most);
}

TEST(EqualQuality, averages_seeds_before_it_interpolates) {
  const SeedRuns runs{{{0.88, 1}, {0.92, 3}}, {{0.94, 7}, {0.98, 9}}, {{k_nan, 1}, {0.99, 1}}};
  const QualityCurve curve = mean_curve(runs);
  ASSERT_EQ(curve.points().size(), 2u);
  EXPECT_DOUBLE_EQ(curve.points()[0].quality, 0.90);
  EXPECT_DOUBLE_EQ(curve.points()[1].energy, 8);
  EXPECT_NEAR(curve.energy_at(0.93).value, 4, 1e-12);
  EXPECT_DOUBLE_EQ(mean_curve(runs, {1, 1}).points()[0].quality, 0.92);
}

/// Two horizons; ln gain of a seed is ln 2 + its offset at every quality.
SeedRuns with_offsets(double scale, const std::vector<double>& offsets) {
  SeedRuns runs(2);
  for (const double x : offsets) {
    runs[0].push_back({0.90, scale * std::exp(-x)});
    runs[1].push_back({0.94, 4 * scale * std::exp(-x)});
  }
  return runs;
}

TEST(EqualQuality, intervals_agree_with_brute_force_over_all_draws) {
  const std::vector<double> offsets{0.1, -0.2, 0.05};
  const SeedRuns dense = with_offsets(2, {0, 0, 0}), method = with_offsets(1, offsets);
  const GainInterval g = gain_with_interval(dense, method, 0.92, 20000, 3);
  // All 27 equally likely draws of three seeds: the mean energy is that of exp(-x), so the gain is 2 / mean(exp(-x)).
  std::vector<double> all;
  for (const double a : offsets)
    for (const double b : offsets)
      for (const double c : offsets) all.push_back(6 / (std::exp(-a) + std::exp(-b) + std::exp(-c)));
  std::sort(all.begin(), all.end());
  EXPECT_NEAR(g.gain.value, 6 / (std::exp(-0.1) + std::exp(0.2) + std::exp(-0.05)), 1e-12);
  EXPECT_NEAR(g.low, all.front(), 1e-12);   // 1/27 of the draws, more than 2.5 %
  EXPECT_NEAR(g.high, all.back(), 1e-12);
}

TEST(EqualQuality, jackknife_is_that_of_scipy) {
  // numpy/scipy: x_(i) = ln(2 / mean of exp(-offset) without i); p = n x - (n-1) x_(i); mean +- t.ppf(0.975, n-1) s/sqrt n
  const SeedRuns dense = with_offsets(2, {0, 0, 0, 0, 0}), method = with_offsets(1, {0.1, -0.2, 0.05, 0.3, -0.1});
  const GainInterval g = gain_with_interval(dense, method, 0.91, 10, 1);
  EXPECT_NEAR(g.t_low, 1.601483103189, 1e-9);
  EXPECT_NEAR(g.t_high, 2.557716734933, 1e-9);
}

TEST(EqualQuality, pairs_seeds) {
  // Energies of both ways share a factor of the seed: the gain is 2 in every draw.
  SeedRuns dense(2), method(2);
  for (int i = 0; i < 5; ++i) {
    const double factor = std::exp(eos::core::uniform(5, {.index = static_cast<std::uint32_t>(i)}));
    for (const std::size_t h : {0u, 1u}) {
      dense[h].push_back({0.9 + 0.05 * static_cast<double>(h), (1 + static_cast<double>(h)) * 2 * factor});
      method[h].push_back({0.9 + 0.05 * static_cast<double>(h), (1 + static_cast<double>(h)) * factor});
    }
  }
  const GainInterval g = gain_with_interval(dense, method, 0.93, 200, 9);
  EXPECT_NEAR(g.low, 2, 1e-12);
  EXPECT_NEAR(g.high, 2, 1e-12);
  EXPECT_NEAR(g.t_low, 2, 1e-9);
}

TEST(EqualQuality, a_draw_that_does_not_get_there_counts_as_no_gain) {
  const SeedRuns dense{{{0.90, 4}, {0.90, 4}, {0.90, 4}}, {{0.95, 8}, {0.95, 8}, {0.95, 8}}};
  const SeedRuns method{{{0.85, 1}, {0.85, 1}, {0.85, 1}}, {{0.96, 2}, {0.92, 2}, {0.945, 2}}};
  const GainInterval g = gain_with_interval(dense, method, 0.94, 500, 2);
  EXPECT_GT(g.gain.value, 1);
  EXPECT_EQ(g.low, 0);
  EXPECT_TRUE(std::isnan(g.t_low));
}

}  // namespace
