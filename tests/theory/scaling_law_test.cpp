#include "eos/theory/scaling_law.hpp"

#include <gtest/gtest.h>

#include <boost/numeric/odeint.hpp>
#include <cmath>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/theory/mode_model.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

/// n intervals on [0, end] that grow geometrically from the left.
Vector nodes(int n, double end) {
  Vector t;
  for (int i = 0; i <= n; ++i) t.push_back(std::expm1(std::log1p(end) * i / n));
  return t;
}

double rate_of_test(double t) { return .3 * std::pow(1 + t, -.4); }

/// S(2), S(10), S(40); every node set holds them because it is refined from these four.
Vector at_three(const FunctionalLaw& law, int pieces, bool first_order) {
  Vector t{0};
  const double stops[] = {2, 10, 40};
  for (const double stop : stops) {
    const double begin = t.back();
    for (int i = 1; i <= pieces; ++i) {
      t.push_back(begin + std::expm1(std::log1p(stop - begin) * i / pieces));
    }
    t.back() = stop;
  }
  const NoiseRate rate = NoiseRate::sampled(t, rate_of_test);
  const Vector s = first_order ? first_order_loss(law, rate, .3) : solve_volterra(law, rate, .3);
  const auto n = static_cast<std::size_t>(pieces);
  return {s[n], s[2 * n], s[3 * n]};
}

// SciPy: K as 510 exponentials (its Laplace transform, exact to 1e-14), memory variables integrated by Radau at 1e-10.
const Vector k_volterra{.6187581316, .2812295373, .1183743158}, k_first_order{.5886002747, .2549033398, .1097151902};

TEST(FunctionalLaw, agrees_with_an_independent_discretisation) {
  const FunctionalLaw law = FunctionalLaw::power(.8, 2, .01);
  for (const bool first_order : {false, true}) {
    const Vector &expected = first_order ? k_first_order : k_volterra, coarse = at_three(law, 200, first_order),
                 fine = at_three(law, 400, first_order);
    for (int i = 0; i < 3; ++i) {
      EXPECT_NEAR(fine[i] / expected[i], 1, 1e-5) << i;
      // Second order, so that this combination has an error of fourth order.
      EXPECT_NEAR((4 * fine[i] - coarse[i]) / 3 / expected[i], 1, 1e-8) << i;
    }
  }
}

TEST(FunctionalLaw, converges_with_the_square_of_the_mesh) {
  const FunctionalLaw law = FunctionalLaw::power(.8, 2, .01);
  for (const bool first_order : {false, true}) {
    const Vector& expected = first_order ? k_first_order : k_volterra;
    auto error = [&](int pieces) { return std::abs(at_three(law, pieces, first_order)[2] - expected[2]); };
    EXPECT_NEAR(std::log2(error(32) / error(64)), 2, .2);
    EXPECT_NEAR(std::log2(error(64) / error(128)), 2, .2);
  }
}

TEST(FunctionalLaw, with_parents_is_the_mode_model) {
  ModeProblem p;
  p.lambda = {1, .3, .1, .03, .01};
  p.initial = {1, 1.2, 2, .5, 4};
  p.multiplicity = {1, 2, 4, 8, 16};
  p.batch = 4;
  p.noise_variance = .5;
  p.data_rule = p.weight_rule = Rule::all;
  const ModeModel model(p);
  const Vector steps{20, 30, 60}, eta{.4, .2, .05}, batch{4, 4, 4};
  // Continuous limit in steps, rates constant in each phase.
  Vector m = p.initial;
  using namespace boost::numeric::odeint;
  for (int phase = 0; phase < 3; ++phase) {
    auto rhs = [&](const Vector& y, Vector& dy, double) { model.dynamics(y, {1, 1, eta[phase]}, dy); };
    integrate_adaptive(make_controlled<runge_kutta_fehlberg78<Vector>>(1e-13, 1e-13), rhs, m, 0., steps[phase], 1e-3);
  }
  const FunctionalLaw law = FunctionalLaw::parents(p.lambda, p.initial, p.multiplicity);
  auto last = [&](int pieces) {
    return solve_volterra(law, NoiseRate::phases(steps, eta, batch, pieces), p.noise_variance).back();
  };
  const double expected = 2 * model.loss(m), coarse = last(40), fine = last(80);
  EXPECT_NEAR(fine / expected, 1, 1e-4);
  EXPECT_NEAR((4 * fine - coarse) / 3 / expected, 1, 1e-8);
  EXPECT_NEAR(std::log2(std::abs((coarse - expected) / (fine - expected))), 2, .2);
}

TEST(FunctionalLaw, parents_of_a_power_spectrum_follow_the_power_laws) {
  // lambda_j = j^-2, lambda_j theta_j^2 = j^-(s beta + 1) with s = .75: e ~ t^-s, K ~ t^-1.5 while t << lambda_P^-1.
  Vector lambda, initial;
  for (int j = 1; j <= 20000; ++j) {
    lambda.push_back(std::pow(j, -2.));
    initial.push_back(std::pow(j, -.5));
  }
  const FunctionalLaw law = FunctionalLaw::parents(lambda, initial);
  EXPECT_NEAR(std::log10(law.signal(1e5) / law.signal(1e4)), -.75, .01);
  EXPECT_NEAR(std::log10(law.kernel(1e5) / law.kernel(1e4)), -1.5, .01);
}

TEST(FunctionalLaw, moments_are_the_integrals_of_the_kernel) {
  const FunctionalLaw laws[] = {FunctionalLaw::power(1, 1.5),
                                FunctionalLaw::parents({1, .2, 1e-4}, {1, 1, 1}, {1, 3, 9})};
  for (const FunctionalLaw& law : laws) {
    for (const auto& [a, b] : {std::pair{0., 1e-6}, {0., .4}, {1., 2.5}, {3., 90.}, {1e4, 1e4 + 1e-3}}) {
      double zeroth = 0, first = 0;
      constexpr int k_pieces = 20000;
      for (int i = 0; i < k_pieces; ++i) {  // Simpson's rule, exact to 1e-12 here
        const double h = (b - a) / k_pieces;
        for (const auto& [x, w] : {std::pair{0., 1. / 6}, {.5, 4. / 6}, {1., 1. / 6}}) {
          const double u = (i + x) * h;
          zeroth += w * h * law.kernel(a + u);
          first += w * h * u * law.kernel(a + u);
        }
      }
      const FunctionalLaw::Moments m = law.moments(a, b);
      EXPECT_NEAR(m.zeroth / zeroth, 1, 1e-11) << a << " " << b;
      EXPECT_NEAR(m.first / first, 1, 1e-10) << a << " " << b;
    }
  }
}

TEST(FunctionalLaw, says_what_is_wrong) {
  EXPECT_THROW(FunctionalLaw::power(0, 2), eos::core::Error);
  EXPECT_THROW(FunctionalLaw::power(1, 1), eos::core::Error);
  EXPECT_THROW(FunctionalLaw::parents({}, {}), eos::core::Error);
  EXPECT_THROW(FunctionalLaw::parents({1, 2}, {1}), eos::core::Error);
  EXPECT_THROW(NoiseRate::sampled({0, 2, 1}, rate_of_test), eos::core::Error);
  EXPECT_THROW(NoiseRate::phases(Vector{1}, Vector{1, 2}, Vector{1}, 3), eos::core::Error);
  const NoiseRate coarse = NoiseRate::sampled({0, 1}, [](double) { return 10.; });
  EXPECT_THROW(solve_volterra(FunctionalLaw::power(1, 2), coarse, 1), eos::core::Error);
}

TEST(ScalingExponents, are_those_of_the_phases) {
  const ScalingExponents easy = scaling_exponents(1, 2), hard = scaling_exponents(.3, 2);
  EXPECT_FALSE(easy.hard);
  EXPECT_TRUE(hard.hard);
  EXPECT_DOUBLE_EQ(easy.minimax, 2. / 3);
  EXPECT_DOUBLE_EQ(easy.constant_rate, .5);
  EXPECT_DOUBLE_EQ(easy.decay_shape, 3);
  EXPECT_DOUBLE_EQ(easy.peak_rate, 1. / 3);
  EXPECT_DOUBLE_EQ(hard.exponential, .3);
  EXPECT_NEAR(hard.decay_fraction, .2 / 1.5, 1e-15);
  EXPECT_DOUBLE_EQ(hard.batch_shape, .75);
}

TEST(ScalingExponents, constant_rates_reach_theirs) {
  // Best constant g for N steps: T = g N, loss T^-s + sigma^2 g / (q - 1) up to what the kernel has not yet forgotten.
  const FunctionalLaw law = FunctionalLaw::power(1, 2);
  auto best = [&](double n) {
    double least = 1;
    for (int i = 0; i <= 60; ++i) {
      const double g = std::pow(10., -4.5 + i * .06);
      Vector t = nodes(160, g * n);
      for (double& z : t) z = g * n - z;  // fine where the kernel is large
      std::reverse(t.begin(), t.end());
      t.front() = 0;
      least = std::min(least, first_order_loss(law, NoiseRate::sampled(t, [g](double) { return g; }), 1).back());
    }
    return least;
  };
  EXPECT_NEAR(std::log10(best(1e6) / best(1e8)) / 2, scaling_exponents(1, 2).constant_rate, .02);
}

}  // namespace
