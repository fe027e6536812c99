// Captures of residuals with outliers, and moments of written shares.
#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/capture.hpp"
#include "eos/theory/closed_forms.hpp"

namespace {

using namespace eos::theory;

TEST(Contamination, without_outliers_is_gaussian) {
  for (const auto& [q, k] : {std::pair{0., 9.}, {1., 9.}, {.3, 1.}}) {
    const CaptureCurve signal = CaptureCurve::contaminated_signal(q, k), noise = CaptureCurve::contaminated_noise(q, k);
    for (const double u : {1e-6, .01, .1, .5, .9, 1.}) {
      EXPECT_NEAR(signal.value(u), gaussian_phi(u), 1e-13) << q << " " << u;
      EXPECT_NEAR(noise.value(u), gaussian_phi(u), 1e-13) << q << " " << u;
    }
  }
}

TEST(Contamination, equals_simulated_shares) {
  // One feature x with covariance h delta = c to a residual r = clean or noisy: E[r x; kept] / E[r x] and
  // E[r^2; kept] / E[r^2] for the largest |r|. The residual's variance is 1 for 90 % and 9 for 10 % of the samples.
  constexpr int k_samples = 400000;
  constexpr double k_q = .1, k_ratio = 9, k_c = .3;
  struct Sample {
    double r, x;
  };
  std::vector<Sample> samples(k_samples);
  for (int i = 0; i < k_samples; ++i) {
    eos::core::Address address{};
    address.index = static_cast<std::uint32_t>(i);
    const auto z = eos::core::normal_pair(11, address);
    const double variance = eos::core::uniform(12, address) < k_q ? k_ratio : 1;
    const double r = std::sqrt(variance) * z[0];
    samples[i] = {r, k_c / variance * r + std::sqrt(1 - k_c * k_c / variance) * z[1]};  // Cov(x, r) = c for both
  }
  std::sort(samples.begin(), samples.end(), [](auto& a, auto& b) { return std::abs(a.r) > std::abs(b.r); });
  double all_signal = 0, all_noise = 0;
  for (const Sample& s : samples) all_signal += s.r * s.x, all_noise += s.r * s.r;
  double signal = 0, noise = 0;
  int next = 0;
  for (const double u : {.02, .1, .3, .6}) {
    for (; next < u * k_samples; ++next) {
      signal += samples[next].r * samples[next].x;
      noise += samples[next].r * samples[next].r;
    }
    // Standard errors are below .002 (noise) and .006 (signal, whose share is a ratio of noisy sums).
    EXPECT_NEAR(noise / all_noise, CaptureCurve::contaminated_noise(k_q, k_ratio).value(u), .006) << u;
    EXPECT_NEAR(signal / all_signal, CaptureCurve::contaminated_signal(k_q, k_ratio).value(u), .018) << u;
  }
}

TEST(Contamination, derivatives_are_slopes_and_thresholds) {
  const CaptureCurve signal = CaptureCurve::contaminated_signal(.1, 9), noise = CaptureCurve::contaminated_noise(.1, 9);
  for (const double u : {.001, .05, .3, .8}) {
    const double h = 1e-5 * u;
    EXPECT_NEAR(signal.derivative(u), (signal.value(u + h) - signal.value(u - h)) / (2 * h), 1e-6) << u;
    EXPECT_NEAR(noise.derivative(u), (noise.value(u + h) - noise.value(u - h)) / (2 * h), 1e-6) << u;
    // The share above the threshold sqrt(F_n') is u: tails of the two components, overall variance 1.
    const double t = std::sqrt(noise.derivative(u)), clean = std::sqrt(1 / 1.8);
    EXPECT_NEAR(.9 * std::erfc(t / clean / std::sqrt(2.)) + .1 * std::erfc(t / clean / 3 / std::sqrt(2.)), u, 1e-12);
  }
}

TEST(Contamination, takes_the_gain_from_hard_samples) {
  const CaptureCurve gauss = CaptureCurve::gaussian();
  double last = hard_fraction(gauss, gauss, .5).saving;
  EXPECT_NEAR(last, 1.471, 1e-3);
  for (const double q : {.02, .1, .2}) {
    const CaptureCurve signal = CaptureCurve::contaminated_signal(q, 9), noise = CaptureCurve::contaminated_noise(q, 9);
    for (const double u : {.05, .3, .7}) EXPECT_LT(signal.value(u), noise.value(u));
    const double saving = hard_fraction(signal, noise, .5).saving;
    EXPECT_LT(saving, last);
    last = saving;
  }
}

TEST(Contamination, moments_are_the_integrals_of_powers_of_the_threshold) {
  using Rule = boost::math::quadrature::gauss_kronrod<double, 61>;
  const CaptureCurve curves[] = {CaptureCurve::linear(), CaptureCurve::gaussian(), CaptureCurve::laplace(),
                                 CaptureCurve::contaminated_noise(.1, 9)};
  for (const CaptureCurve& curve : curves) {
    for (const double alpha : {0., .5, 1., 1.4, 2., 4.}) {
      for (const double u : {.1, .6}) {
        // In ln s the integrand s a_s^alpha has no singularity at 0.
        auto f = [&](double x) { return std::exp(x) * std::pow(curve.derivative(std::exp(x)), alpha / 2); };
        const double integral = Rule::integrate(f, std::log(1e-14), std::log(u), 12, 1e-10);
        EXPECT_NEAR(curve.moment(u, alpha) / integral, 1, 1e-8) << curve.name() << " " << alpha << " " << u;
      }
    }
    EXPECT_NEAR(curve.moment(.3, 1), curve.first_moment(.3), 1e-14);
    EXPECT_NEAR(curve.moment(.3, 4), curve.fourth_moment(.3), 1e-13);
    EXPECT_NEAR(curve.moment(.3, 2), curve.value(.3), 1e-14);
  }
  const CaptureCurve table = CaptureCurve::tabulated({.01, .1, .3, .6}, {.1, .5, .8, .95});
  EXPECT_NEAR(table.moment(.45, 1), table.first_moment(.45), 1e-15);
  EXPECT_NEAR(table.moment(.45, 4), table.fourth_moment(.45), 1e-15);
  EXPECT_NEAR(table.moment(.45, 0), .45, 1e-9);
  EXPECT_NEAR(table.moment(.45, 2), table.value(.45), 1e-9);
  EXPECT_NEAR(table.moment(.005, 1.5), .005 * std::pow(10, .75), 1e-15);
}

TEST(Contamination, says_what_is_wrong) {
  EXPECT_THROW(CaptureCurve::contaminated_signal(1.5, 9), eos::core::Error);
  EXPECT_THROW(CaptureCurve::contaminated_noise(.1, 0), eos::core::Error);
}

}  // namespace
