#include "eos/theory/closed_forms.hpp"

#include <gtest/gtest.h>

#include <boost/numeric/odeint.hpp>
#include <cmath>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

const NoisyMode k_mode{1, .05, 2, .5};

TEST(NoisyModeForm, has_the_published_switch_and_end) {
  EXPECT_NEAR(k_mode.switch_time(), 5.06890, 5.1e-6);  // half a unit of the last printed digit
  EXPECT_NEAR(k_mode.error(12), 5.5984e-3, 5.1e-8);
  EXPECT_EQ(k_mode.rate(3), .5);
  EXPECT_NEAR(k_mode.rate(9), .5 / (1 + .5 * (9 - k_mode.switch_time())), 1e-12);
}

TEST(NoisyModeForm, solves_its_differential_equation) {
  double m = k_mode.initial, t = 0;
  const double h = 1e-3;
  auto slope = [](double at, double x) {
    const double eta = k_mode.rate(at);
    return -2 * eta * k_mode.lambda * x + eta * eta * k_mode.noise;
  };
  for (int i = 0; i < 12000; ++i, t += h) {
    const double k1 = slope(t, m), k2 = slope(t + h / 2, m + h / 2 * k1), k3 = slope(t + h / 2, m + h / 2 * k2);
    m += h / 6 * (k1 + 2 * k2 + 2 * k3 + slope(t + h, m + h * k3));
    if (i % 1000 == 0) {
      EXPECT_NEAR(m, k_mode.error(t + h), 1e-7 * m) << t;  // the kink of eta costs h^2
    }
  }
}

TEST(NoisyModeForm, anneals_from_the_start_when_noise_dominates) {
  const NoisyMode mode{1, .05, .01, .5};
  EXPECT_EQ(mode.switch_time(), 0);
  EXPECT_NEAR(mode.rate(0), .2, 1e-15);
  EXPECT_NEAR(mode.error(10), 1 / (100 + 10 / .05), 1e-15);
}

TEST(HardFractionForm, agrees_with_the_printed_table) {
  const double r[] = {.02, .1, .25, 1.0 / 3, .5, 1, 2};
  const double rho[] = {.0457, .1349, .2285, .2652, .3221, .4299, .5418};
  const double saving[] = {4.07, 2.46, 1.81, 1.66, 1.47, 1.25, 1.12};
  for (int i = 0; i < 7; ++i) {
    const HardFraction f = hard_fraction(CaptureCurve::gaussian(), r[i]);
    EXPECT_NEAR(f.fraction, rho[i], 5.1e-5) << r[i];  // half a unit of the last printed digit
    EXPECT_NEAR(f.saving, saving[i], 5.1e-3) << r[i];
    const double a = gaussian_threshold(f.fraction);
    EXPECT_NEAR(a * a * (r[i] + f.fraction), gaussian_phi(f.fraction), 1e-9);
  }
}

TEST(HardFractionForm, separate_noise_capture_lowers_the_gain) {
  const CaptureCurve signal = CaptureCurve::gaussian(), heavy = CaptureCurve::laplace();
  const HardFraction same = hard_fraction(signal, signal, .5), noisy = hard_fraction(signal, heavy, .5);
  EXPECT_LT(noisy.saving, same.saving);
  EXPECT_GT(noisy.fraction, same.fraction);
  // Brute force.
  double best = 0;
  for (int i = 1; i <= 100000; ++i) {
    const double u = i * 1e-5;
    best = std::max(best, std::pow(signal.value(u), 2) / (heavy.value(u) * (.5 + u)) * 1.5);
  }
  EXPECT_NEAR(noisy.saving, best, 1e-8);  // the grid misses the maximum by (1e-5)^2
}

TEST(HardFractionForm, keeps_everything_when_nothing_is_concentrated) {
  const HardFraction f = hard_fraction(CaptureCurve::linear(), .5);
  EXPECT_EQ(f.fraction, 1);
  EXPECT_EQ(f.saving, 1);
}

TEST(PricedDataForm, reproduces_the_printed_stop_and_solves_the_bellman_equation) {
  const PricedData printed{1, .05, 1, .02, .01};
  EXPECT_NEAR(printed.stop_error(), .03873, 5e-6);
  for (const PricedData& p : {printed, PricedData{.4, .2, 3, .05, 0}, PricedData{2, 1, .5, 0, .1}}) {
    const double stop = p.stop_error(), h = 1e-6 * stop;
    EXPECT_NEAR(p.value(stop * (1 + 1e-9)), p.value(stop), 1e-8 * p.value(stop));
    for (double m : {1.01 * stop, 2 * stop, 10 * stop}) {
      EXPECT_NEAR((p.value(m + h) - p.value(m - h)) / (2 * h), p.value_slope(m), 1e-7 * p.weight);
      auto hamiltonian = [&](double rho) {
        return p.time_price + p.sample_price * rho - p.value_slope(m) * rho * p.lambda * p.lambda * m * m / p.noise;
      };
      EXPECT_NEAR(hamiltonian(p.data(m)), 0, 1e-14 * p.weight);
      EXPECT_GE(hamiltonian(.5), -1e-15);
      // Learning with all data until the stop costs V.
      const double time = p.time_to_stop(m);
      EXPECT_NEAR(p.weight * stop + (p.time_price + p.sample_price) * time, p.value(m), 1e-13 * p.value(m));
      // And so long that no other stopping time is better: 1/m grows linearly.
      for (double scale : {.8, .99, 1.01, 1.2}) {
        const double end = 1 / (1 / m + scale * time * p.lambda * p.lambda / p.noise);
        EXPECT_GE(p.weight * end + (p.time_price + p.sample_price) * scale * time, p.value(m) * (1 - 1e-14));
      }
    }
    EXPECT_EQ(p.data(.5 * stop), 0);
    EXPECT_EQ(p.value(.5 * stop), p.weight * .5 * stop);
  }
  EXPECT_THROW((void)(PricedData{1, 1, 1, 0, 0}.stop_error()), eos::core::Error);
}

TEST(NoisyModeForm, names_the_wrong_parameter) {
  EXPECT_THROW((void)(NoisyMode{1, -1, 1, 1}.switch_time()), eos::core::Error);
  EXPECT_THROW((void)(NoisyMode{1, 1, 1, 1}.error(-1)), eos::core::Error);
  EXPECT_THROW(hard_fraction(CaptureCurve::gaussian(), 0), eos::core::Error);
}

TEST(JointFractionsForm, agrees_with_the_printed_example) {
  const CaptureCurve g = CaptureCurve::gaussian(), linear = CaptureCurve::linear();
  const JointFractions f = joint_fractions(1, .5, 3, g, g);
  EXPECT_NEAR(f.data, .5601, 5.1e-5);
  EXPECT_NEAR(f.weight, .6757, 5.1e-5);
  const JointFractions random = joint_fractions(1, .5, 3, linear, linear);
  EXPECT_EQ(random.data, 1);
  EXPECT_EQ(random.weight, 1);
}

TEST(JointFractionsForm, rests_when_learning_costs_more_than_it_gives) {
  const CaptureCurve linear = CaptureCurve::linear(), g = CaptureCurve::gaussian();
  EXPECT_EQ(joint_fractions(1, .5, 1.4, linear, linear).data, 0);
  EXPECT_EQ(joint_fractions(1, .5, 1.6, linear, linear).data, 1);
  EXPECT_EQ(joint_fractions(1, .5, .3, g, g).weight, 0);
}

TEST(TwoTermGain, reproduces_measured_gains) {
  // Measured on MNIST: compute gain 2.56, writes cut 450-fold. Writes are 80 % or 26 % of plain training.
  EXPECT_NEAR(two_term_gain(.8, 2.56, 450), 12.5, .05);
  EXPECT_NEAR(two_term_gain(.26, 2.56, 450), 3.45, .02);
  EXPECT_NEAR(two_term_gain(.8, 2.56, 7.3), 5.3, .05);
  EXPECT_DOUBLE_EQ(two_term_gain(0, 3, 100), 3);
}

}  // namespace
