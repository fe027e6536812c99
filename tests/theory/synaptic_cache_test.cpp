// Synaptic caching: printed numbers, quadrature, direct minimisation, and walks with addressed random steps.
#include "eos/theory/synaptic_cache.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/dawson.hpp"

namespace {

using namespace eos::theory;
using Quadrature = boost::math::quadrature::gauss_kronrod<double, 61>;

TEST(Dawson, agrees_with_multiple_precision) {
  // mpmath with 30 digits: sqrt(pi)/2 exp(-x^2) erfi(x).
  const double table[][2] = {{.01, .00999933335999923832}, {.3, .282631665021311919},  {1, .538079506912768419},
                             {2.5, .223083722167435481},   {5, .102134074424276835},   {5.9, .0860196819926480748},
                             {6.1, .0831163305083514936},  {12, .0418128764539882603}, {26, .0192450248518406341}};
  for (const auto& row : table) {
    EXPECT_NEAR(dawson(row[0]) / row[1], 1, 4e-15);
    EXPECT_EQ(dawson(-row[0]), -dawson(row[0]));
  }
  EXPECT_EQ(dawson(0), 0);
  EXPECT_NEAR(dawson(1e8) * 2e8, 1, 1e-15);
  EXPECT_NEAR(erfi(1), 1.6504257587975428760, 4e-15);  // mpmath
  // The two series meet: dF/dx = 1 - 2 x F across the seam.
  const double h = 1e-4;
  for (double x : {6.4, 6.5, 6.6}) EXPECT_NEAR((dawson(x + h) - dawson(x - h)) / (2 * h), 1 - 2 * x * dawson(x), 1e-10);
}

TEST(PerceptronLearningForm, reproduces_the_published_numbers) {
  EXPECT_NEAR((PerceptronLearning{1000, 1000}.updates()), 2000, 1e-9);
  EXPECT_NEAR((PerceptronLearning{1000, 1500}.updates()), 12000, 1e-9);
  EXPECT_NEAR((PerceptronLearning{1000, 1900}.updates()), 380000, 1e-6);
  EXPECT_NEAR((PerceptronLearning{1000, 1000}.presentations()), 31623, .5);
  EXPECT_NEAR((PerceptronLearning{1000, 1500}.presentations()), 232379, .5);
  EXPECT_NEAR((PerceptronLearning{1000, 1900}.presentations()), 8.28e6, 5e3);
  EXPECT_NEAR((PerceptronLearning{1000, 1000}.inefficiency()), 56.0, .05);
  EXPECT_NEAR((PerceptronLearning{1000, 1900}.inefficiency()), 773, .5);
  for (double patterns : {100., 700., 1900.}) {
    const PerceptronLearning p{1000, patterns, .3};
    EXPECT_NEAR(p.inefficiency(), p.energy() / p.least_energy(), 1e-12 * p.inefficiency());
    EXPECT_NEAR(p.inefficiency(), std::sqrt(std::numbers::pi * patterns) / (2 - patterns / 1000), 1e-11);
  }
  EXPECT_THROW((void)(PerceptronLearning{1000, 2000}.updates()), eos::core::Error);
}

TEST(PersistentCacheForm, has_the_printed_optimum) {
  // N = P = 1000 with the measured K = 2021, T = 28 800: thresholds 14.3 / 4.6 and energies 2.84e5 / 8.83e5 for
  // c = .001 / .01.
  PersistentCache p{1000, 2021, 28800, 1, .001};
  EXPECT_NEAR(p.best_threshold(), 14.3, .05);
  // Energies: T is rounded to 50 presentations in print, which moves them by up to .09 %, and half a unit is 500.
  EXPECT_NEAR(p.least_energy(), 2.84e5, 5e2 + 9e-4 * 2.84e5);
  p.upkeep = .01;
  EXPECT_NEAR(p.best_threshold(), 4.6, .05);
  EXPECT_NEAR(p.least_energy(), 8.83e5, 5e2 + 9e-4 * 8.83e5);
  // Large upkeep: no caching, the energy of writing every update.
  p.upkeep = 10;
  EXPECT_EQ(p.best_threshold(), 1);
  EXPECT_EQ(p.least_energy(), 2021e3);
  EXPECT_NEAR(p.inefficiency(), std::sqrt(std::numbers::pi * 2021 / 2), 1e-10);
}

TEST(PersistentCacheForm, is_least_at_its_threshold_and_adds_up) {
  for (double upkeep : {1e-4, 1e-3, 5e-3}) {
    const PersistentCache p{50, 3000, 20000, .2, upkeep, .1};
    const double best = p.best_threshold();
    auto kept = [&](double theta) { return p.consolidation(theta) + p.maintenance(theta); };
    EXPECT_NEAR(kept(best), p.least_energy(), 1e-12 * p.least_energy());
    for (int i = 1; i < 1000; ++i) EXPECT_GE(kept(.2 + .02 * i), p.least_energy() * (1 - 1e-14));
    EXPECT_NEAR(p.inefficiency(), std::sqrt(2 * std::numbers::pi / 3 * (1 + upkeep * 20000)), 1e-12);
    EXPECT_NEAR(p.change(1), .1 * .2 * 50 * 3000 * (1 - 1. / 25), 1e-9);
    EXPECT_EQ(p.change(.2), 0);  // every update is consolidated at once
    EXPECT_NEAR(p.energy(1), kept(1) + p.change(1), 1e-9);
    EXPECT_NEAR(p.consolidations(1), 50 * 3000 / 25., 1e-9);
    EXPECT_NEAR(Quadrature::integrate([&](double s) { return p.density(s, 3); }, -3, 3), 1, 1e-3);
  }
}

TEST(DecayingCacheForm, agrees_with_the_hypergeometric_form) {
  // mpmath, 30 digits, sigma = 1: exp(-x^2) (-Z/2) with the 2F2 of the paper, and <|s|>.
  const double table[][3] = {
      {.01, .0000564151972350631548, .00333332222201058182}, {.3, .0478330108575886648, .0996948520998637009},
      {1, .299966144865864579, .320119806364611306},         {2.5, .220977132636845072, .557246152796971039},
      {5, .10213407440389757, .564189583276745879},          {5.9, .086019681992646886, .56418958354773458},
      {6.1, .0831163305083513844, .564189583547754164},      {12, .0418128764539882603, .564189583547756287}};
  const DecayingCache p{1. / 10, 1, 100};  // sigma = 1
  for (const auto& row : table) {
    EXPECT_NEAR(p.normaliser(row[0]) / (-2 * row[1] * std::exp(row[0] * row[0])), 1, 1e-13);
    EXPECT_NEAR(p.mean(row[0]) / row[2], 1, 1e-13);
  }
  EXPECT_EQ(p.frequency(200), 0);
  EXPECT_NEAR(p.mean(200), std::numbers::inv_sqrtpi, 1e-15);
}

TEST(DecayingCacheForm, satisfies_the_fokker_planck_equation_and_its_boundary) {
  for (const DecayingCache& p :
       {DecayingCache{1, .504, 500, .01}, DecayingCache{.1, .2, 50, .05}, DecayingCache{.3, 1, 4000, .001}}) {
    const double theta = .8 * p.sigma(), diffusion = p.activity * p.rate * p.rate;
    auto density = [&](double s) { return p.density(s, theta); };
    EXPECT_NEAR(2 * Quadrature::integrate(density, 0.0, theta), 1, 1e-12);
    EXPECT_NEAR(2 * Quadrature::integrate([&](double s) { return s * density(s); }, 0.0, theta), p.mean(theta),
                1e-12 * theta);
    // 0 = +(1/tau) d(s P)/ds + 1/2 sigma_s^2 d^2 P/ds^2 away from 0; flux out at +-theta is the consolidation rate.
    const double h = 1e-3 * theta;
    for (double s : {.2 * theta, .5 * theta, .9 * theta}) {
      const double drift = ((s + h) * density(s + h) - (s - h) * density(s - h)) / (2 * h) / p.decay;
      const double spread = .5 * diffusion * (density(s + h) - 2 * density(s) + density(s - h)) / (h * h);
      EXPECT_NEAR(drift, -spread, 1e-5 * std::abs(spread) + 1e-5 / p.decay / theta);
    }
    const double flux = diffusion * density(theta - 1e-6 * theta) / (1e-6 * theta);
    EXPECT_NEAR(flux, p.frequency(theta), 1e-5 * flux);
  }
}

TEST(DecayingCacheForm, tends_to_the_walk_without_decay) {
  const DecayingCache p{1, .4, 1e9, .01};
  for (double theta : {2., 5., 14.}) {
    EXPECT_NEAR(p.mean(theta), theta / 3, 1e-6 * theta);
    EXPECT_NEAR(p.frequency(theta), .4 / (theta * theta), 1e-6 / (theta * theta));
    EXPECT_NEAR(p.consolidation(theta), .4 / theta, 1e-6);
    EXPECT_NEAR(p.density(.3 * theta, theta), .7 / theta, 1e-6);
  }
  EXPECT_NEAR(p.best_threshold(), std::sqrt(3 * .4 / .01), 1e-4);
}

TEST(DecayingCacheForm, reproduces_the_power_of_one_epoch) {
  // tau = 500, c = .01, theta = 5, p = .504, 1000 synapses, 1000 presentations; p is rounded in print.
  const DecayingCache p{1, .504, 500, .01};
  EXPECT_NEAR(1e6 * p.maintenance(5), 16610.50945, 1e-3);    // mpmath; printed 16.6k
  EXPECT_NEAR(1e6 * p.consolidation(5), 97489.02421, 1e-3);  // mpmath; printed 97.6k
  EXPECT_NEAR(1e6 * p.maintenance(6), 19902.16671, 1e-3);
  EXPECT_NEAR(1e6 * p.consolidation(6), 80038.86989, 1e-3);
}

TEST(DecayingCacheForm, has_a_best_threshold_only_where_losing_costs_more_than_keeping) {
  for (const DecayingCache& p :
       {DecayingCache{1, .3, 1000, .01}, DecayingCache{1, .3, 1000, .0012}, DecayingCache{.1, .05, 200, 0, 3}}) {
    const double best = p.best_threshold(), least = p.energy(best);
    for (int i = 1; i <= 3000; ++i) EXPECT_GE(p.energy(5e-3 * i * p.sigma()), least * (1 - 1e-12));
  }
  for (const DecayingCache& p : {DecayingCache{1, .3, 1000, .001}, DecayingCache{1, .3, 1000, 0, .5}}) {
    EXPECT_TRUE(std::isinf(p.best_threshold()));
    for (int i = 1; i < 400; ++i)  // falls for ever
      EXPECT_LE(p.energy(.01 * (i + 1) * p.sigma()), p.energy(.01 * i * p.sigma()) * (1 + 1e-14));
  }
  EXPECT_THROW((void)(DecayingCache{1, 1.5, 10}.sigma()), eos::core::Error);
  EXPECT_THROW((void)(DecayingCache{}.mean(0)), eos::core::Error);
}

/// Mean and standard error over replicas.
struct Estimate {
  double mean = 0, error = 0;
  explicit Estimate(const std::vector<double>& x) {
    const auto n = static_cast<double>(x.size());
    for (double v : x) mean += v / n;
    for (double v : x) error += (v - mean) * (v - mean) / (n * (n - 1));
    error = std::sqrt(error);
  }
};
constexpr double k_95 = 1.96;

/// Random bits by address: 128 per draw.
class Bits {
 public:
  explicit Bits(std::uint32_t run) : run_(run) {}
  std::uint32_t next(int count) {
    if (left_ < count) {
      if (word_ == 4) words_ = eos::core::draw(20, {run_, step_++, eos::core::Purpose::test, 0}), word_ = 0;
      pool_ = words_.v[word_++];
      left_ = 32;
    }
    left_ -= count;
    const std::uint32_t value = pool_ & ((1u << count) - 1);
    pool_ >>= count;
    return value;
  }

 private:
  eos::core::Words words_{};
  std::uint32_t run_, step_ = 0, pool_ = 0;
  int word_ = 4, left_ = 0;
};

TEST(DriftingCacheForm, agrees_with_walks_that_restart_at_the_threshold) {
  // Steps +-1/4 every 1/16 of time: D = 1. On that lattice <|s|> is theta (1 - (step/theta)^2)/3 exactly.
  const DriftingCache p{1, .02};
  EXPECT_NEAR(p.best_threshold(), 12.247, 5e-4);
  EXPECT_NEAR(p.least_cost_rate(), .16330, 5e-6);
  EXPECT_NEAR(p.uncached_rate(.1) / p.least_cost_rate(), 61, .5);
  const double printed[][2] = {{6, .2067}, {12, .1633}, {24.5, .2042}};
  for (const auto& row : printed) {
    EXPECT_NEAR(p.cost_rate(row[0]), row[1], 5.1e-5);
    const int barrier = static_cast<int>(row[0] * 4), steps = 400000;
    std::vector<double> rates;
    for (std::uint32_t run = 0; run < 64; ++run) {
      Bits bits(run);
      int s = 0;
      long written = 0, kept = 0;
      for (int i = 0; i < steps; ++i) {
        s += bits.next(1) != 0 ? 1 : -1;
        if (std::abs(s) == barrier) written += barrier, s = 0;
        kept += std::abs(s);
      }
      rates.push_back((.25 * static_cast<double>(written) + .02 * .25 / 16 * static_cast<double>(kept)) /
                      (steps / 16.));
    }
    const Estimate cost(rates);
    const double lattice = .02 * row[0] / 3 * std::pow(.25 / row[0], 2);
    EXPECT_NEAR(cost.mean, p.cost_rate(row[0]), k_95 * cost.error + lattice);
    EXPECT_LT(cost.error, .01 * cost.mean);
  }
}

TEST(DriftingCacheForm, has_the_printed_thresholds_with_drift) {
  const double printed[][2] = {{.05, 11.43}, {.2, 7.78}, {1, 3.05}};
  for (const auto& row : printed) {
    const DriftingCache p{1, .02, row[0]};
    // The printed 7.78 is 7.7747: a scan of a flat minimum, which costs 1e-7 more there.
    EXPECT_NEAR(p.best_threshold(), row[1], 5.5e-3);
    EXPECT_NEAR(p.cost_rate(row[1]) / p.least_cost_rate(), 1, 2e-6);
    for (int i = 1; i < 2000; ++i) EXPECT_GE(p.cost_rate(.01 * i), p.least_cost_rate() * (1 - 1e-14));
    EXPECT_NEAR((DriftingCache{1, .02, -row[0]}.best_threshold()), p.best_threshold(), 1e-9);
    // The stationary density solves -v P' + 1/2 D P'' = 0 on both sides: renewal check of the mean by quadrature of
    // the Green's function with unit flux.
    const double theta = 4, v = row[0], b = 2 * v, up = 1 / (1 + std::exp(-b * theta));
    auto right = [&](double s) { return up / v * (1 - std::exp(b * (s - theta))); };
    auto left = [&](double s) { return (1 - up) / v * (std::exp(b * (theta - s)) - 1); };  // at -s
    const double time = Quadrature::integrate([&](double s) { return right(s) + left(s); }, 0.0, theta);
    const double mean = Quadrature::integrate([&](double s) { return s * (right(s) + left(s)); }, 0.0, theta) / time;
    EXPECT_NEAR(p.passage_time(theta), time, 1e-11 * time);
    EXPECT_NEAR(p.mean(theta), mean, 1e-11 * mean);
  }
  // Series and closed form of the mean meet at y = .05.
  EXPECT_NEAR((DriftingCache{1, 1, .04999999}.mean(1)), (DriftingCache{1, 1, .05000001}.mean(1)), 1e-10);
}

TEST(DecayingCacheForm, agrees_with_walks_and_shows_the_missing_factor_of_the_printed_rate) {
  // p = 1/2, eta = .02: an overshoot of eta/2 on average places the barrier at theta + eta/2; what is left of the step
  // size is of second order, (eta/theta)^2 = 6e-4.
  const DecayingCache p{.02, .5, 2000, .01};
  const double theta = .8, effective = theta + .01;  // 1.27 sigma: decay halves the rate
  const double keep = std::exp(-1. / 2000);
  std::vector<double> rate, mean;
  for (std::uint32_t run = 0; run < 64; ++run) {
    Bits bits(1000 + run);
    double s = 0, kept = 0;
    int events = 0;
    constexpr int k_warm = 8000, k_steps = 400000;
    for (int i = -k_warm; i < k_steps; ++i) {
      const std::uint32_t draw = bits.next(2);
      s = s * keep + (draw == 0 ? .02 : draw == 1 ? -.02 : 0);
      const bool over = std::abs(s) > theta;
      if (over) s = 0;
      if (i >= 0) events += over, kept += std::abs(s);
    }
    rate.push_back(static_cast<double>(events) / k_steps);
    mean.push_back(kept / k_steps);
  }
  const Estimate r(rate), m(mean);
  EXPECT_NEAR(r.mean, p.frequency(effective), k_95 * r.error + 1e-3 * r.mean);
  EXPECT_NEAR(m.mean, p.mean(effective), k_95 * m.error + 1e-3 * m.mean);
  // Without 1/tau the rate would be 2000 times what is counted.
  const double as_printed = -2 * p.sigma() / (p.normaliser(effective) * std::sqrt(std::numbers::pi));
  EXPECT_NEAR(as_printed / r.mean, p.decay, .1 * p.decay);
}

TEST(AdaptiveThresholdForm, beats_every_constant_by_the_factor_of_cauchy_and_schwarz) {
  std::vector<double> activity;
  for (int i = 0; i < 5000; ++i) activity.push_back(.5 * std::exp(-i / 1000.));
  const AdaptiveThreshold p{.7, .01};
  // Power of any threshold: p eta^2/theta + c theta/3.
  auto cost = [&](auto&& threshold) {
    double sum = 0;
    for (double a : activity) sum += a * .49 / threshold(a) + .01 * threshold(a) / 3;
    return sum;
  };
  EXPECT_NEAR(cost([&](double a) { return p.threshold(a); }), p.energy(activity), 1e-12 * p.energy(activity));
  const double constant = p.constant(activity);
  EXPECT_NEAR(cost([&](double) { return constant; }), p.constant_energy(activity), 1e-12 * p.constant_energy(activity));
  double roots = 0, sum = 0;
  for (double a : activity) roots += std::sqrt(a), sum += a;
  EXPECT_NEAR(p.saving(activity), roots / std::sqrt(5000 * sum), 1e-12);
  EXPECT_LT(p.saving(activity), 1);
  for (int i = 1; i < 300; ++i) EXPECT_GE(cost([&](double) { return .1 * i; }), p.constant_energy(activity) * .9999999);
  for (double power : {.3, .4, .6, .7})  // other laws in p, at their best scale
    for (int i = 1; i < 60; ++i)
      EXPECT_GE(cost([&](double a) { return .5 * i * std::pow(a, power); }), p.energy(activity));
  EXPECT_NEAR(p.saving(std::vector<double>(10, .3)), 1, 1e-15);
}

TEST(ClockedCacheForm, has_one_best_interval_and_costs_an_eighth_more) {
  for (double upkeep : {.01, .001}) {
    const ClockedCache p{.7, upkeep};
    EXPECT_NEAR(p.best_interval(), upkeep == .01 ? 150 : 1500, 1e-9);
    for (double activity : {.05, .5})
      for (double scale : {.3, .9, 1.1, 4.})
        EXPECT_GT(p.power(activity, scale * p.best_interval()), p.power(activity, p.best_interval()));
    const std::vector<double> activity{.5, .3, .1, .02};
    const AdaptiveThreshold best{.7, upkeep};
    EXPECT_NEAR(p.energy(activity) / best.energy(activity), std::sqrt(4 / std::numbers::pi), 1e-12);
  }
}

TEST(ClockedCacheForm, agrees_with_walks_written_at_every_tick) {
  // p = 1/2, eta = 1, c = .03: n = 50. Energy counts |s| before every presentation's upkeep.
  const ClockedCache p{1, .03};
  std::vector<double> power;
  for (std::uint32_t run = 0; run < 64; ++run) {
    Bits bits(2000 + run);
    double spent = 0;
    int s = 0;
    constexpr int k_steps = 100000;
    for (int i = 0; i < k_steps; ++i) {
      const std::uint32_t draw = bits.next(2);
      s += draw == 0 ? 1 : draw == 1 ? -1 : 0;
      spent += .03 * std::abs(s);
      if ((i + 1) % 50 == 0) spent += std::abs(s), s = 0;
    }
    power.push_back(spent / k_steps);
  }
  const Estimate simulated(power);
  // Sum over k <= n of sqrt(k) against its integral: 1/(2n) of the upkeep term, plus the discreteness of |s|.
  EXPECT_NEAR(simulated.mean, p.power(.5, 50), k_95 * simulated.error + .02 * simulated.mean);
}

}  // namespace
