#include "eos/theory/batch_size.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/theory/curve_laws.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

TEST(BatchSize, noise_scales_of_a_small_example) {
  const Vector h{2, 1}, variance{3, 5}, g{1, 2};
  EXPECT_DOUBLE_EQ(noise_scale(h, variance, g), 11. / 6);
  EXPECT_DOUBLE_EQ(simple_noise_scale(variance, g), 8. / 5);
  EXPECT_DOUBLE_EQ(batch_efficiency(8, 8), .5);
  EXPECT_THROW(noise_scale(h, variance, Vector{1}), eos::core::Error);
}

TEST(BatchSize, one_noise_scale_has_a_tradeoff_constant_of_one) {
  const Vector noise(10, 100.);
  for (const double b : {1., 37., 1e4}) {
    const BatchTradeoff t = batch_tradeoff(noise, Vector(10, b));
    EXPECT_NEAR(t.constant(), 1, 1e-12);
    EXPECT_NEAR(t.critical_batch(), 100, 1e-12);
  }
}

TEST(BatchSize, the_best_ramp_has_the_smaller_constant_and_cannot_be_beaten) {
  Vector noise, ramp;
  for (int i = 0; i < 50; ++i) noise.push_back(std::exp(.1 * i));
  const double r = 7;
  for (const double b : noise) ramp.push_back(best_batch(b, r));
  const BatchTradeoff best = batch_tradeoff(noise, ramp);
  EXPECT_NEAR(best.constant(), ramp_constant(noise), 1e-12);
  EXPECT_LT(ramp_constant(noise), .75);
  const double cost = best.examples + r * best.steps;
  for (int i = 0; i < 50; i += 7) {
    for (const double factor : {.8, 1.25}) {
      Vector other = ramp;
      other[i] *= factor;
      const BatchTradeoff t = batch_tradeoff(noise, other);
      EXPECT_GT(t.examples + r * t.steps, cost);
    }
  }
  // Any constant batch with as few steps needs more examples.
  double low = 1e-3, high = 1e6;
  for (int i = 0; i < 100; ++i) {
    const double middle = std::sqrt(low * high);
    (batch_tradeoff(noise, Vector(50, middle)).steps > best.steps ? low : high) = middle;
  }
  EXPECT_GT(batch_tradeoff(noise, Vector(50, low)).examples, best.examples);
}

TEST(BatchSize, kaplans_critical_batch) {
  EXPECT_DOUBLE_EQ(kaplan_critical_batch(1), 2.1e8);
  EXPECT_NEAR(kaplan_critical_batch(3) / 2.1e8, std::exp(-std::log(3.) / .21), 1e-15);
}

TEST(BatchSize, a_quarter_cosine_traded_for_batch_saves_1_minus_2_over_pi_of_the_steps) {
  const double share = seesaw_serial_share([](double x) { return std::cos(.5 * std::numbers::pi * x); });
  EXPECT_NEAR(1 - share, 1 - 2 / std::numbers::pi, 1e-12);
  EXPECT_NEAR(1 - share, .363, 5e-4);
  EXPECT_DOUBLE_EQ(seesaw(.5).rate, std::sqrt(.5));
  EXPECT_DOUBLE_EQ(seesaw(.5).batch, 2);
}

// Double loops in Python over the printed sums for these rates.
const Vector k_rates{.3, .3, .25, .25, .2, .1, .05, 0};

TEST(CurveLaws, multi_power_law_equals_its_printed_sum) {
  const MultiPowerLaw law{2, .5, .45, 3, .7, .6, .55, 1.5};
  const Vector expected{2.3837932895623086, 2.358072791267024, 2.3143043435767177, 2.282470309493911,
                        2.2379741880852806, 2.182919425901016, 2.146070681946337,  2.146070681946337};
  const Vector curve = law.curve(k_rates);
  for (std::size_t t = 0; t < expected.size(); ++t) {
    EXPECT_NEAR(curve[t], expected[t], 1e-14) << t;
    EXPECT_EQ(law.loss(k_rates, t + 1), curve[t]);
  }
}

TEST(CurveLaws, annealing_law_equals_its_printed_sum) {
  const AnnealingLaw law{2, .5, .45, .8, .9};
  const Vector expected{2.859538708923384,  2.6292191644231484, 2.49793708809415,  2.4030085838044903,
                        2.2959196249289104, 2.136186539529278,  1.958809671150006, 1.765230071150006};
  const Vector curve = law.curve(k_rates);
  for (std::size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(curve[t], expected[t], 1e-14) << t;
}

TEST(CurveLaws, constant_rates_give_plain_power_laws_and_decay_lowers_the_loss) {
  const MultiPowerLaw law{2, .5, .45, 3, .7, .6, .55, 0};
  const Vector constant(100, .1);
  EXPECT_NEAR(law.loss(constant, 100), 2 + .5 * std::pow(10, -.45), 1e-12);
  Vector decayed = constant;
  for (int i = 80; i < 100; ++i) decayed[i] = .1 * (99 - i) / 20;
  EXPECT_LT(law.loss(decayed, 100), law.loss(constant, 100));
  EXPECT_THROW(law.loss(constant, 101), eos::core::Error);
  EXPECT_THROW(law.curve(Vector{0, 1}), eos::core::Error);
}

}  // namespace
