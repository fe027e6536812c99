// The solver must find what is known in closed form.
#include "eos/theory/closed_forms.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/solvers/solve.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::solve;

/// dm/dt = -2 eta lambda m + eta^2 Sigma: V = sigma^2 (1 + 1e-6 m) with B = sigma^2/Sigma.
ModeProblem noisy_mode(const NoisyMode& mode, double horizon, int intervals) {
  ModeProblem p;
  p.lambda = {mode.lambda};
  p.initial = {mode.initial};
  p.noise_variance = 1e6;
  p.batch = p.noise_variance * mode.lambda / mode.noise;
  p.horizon = horizon;
  p.intervals = intervals;
  p.rate_bounds = {0, mode.rate_limit};
  p.data_rule = p.weight_rule = Rule::all;
  return p;
}

TEST(ClosedForms, noisy_mode_is_constant_then_one_over_t) {
  const NoisyMode mode{1, .05, 2, .5};
  const Plan plan = solve(noisy_mode(mode, 12, 240));
  // 240 constant rates instead of a smooth one cost a relative 1e-5; V is constant to 2e-6.
  EXPECT_NEAR(plan.trajectory.state.back()[0], 5.5984e-3, 3e-7);
  EXPECT_GE(plan.trajectory.state.back()[0], 5.5984e-3 - 5e-8);
  for (std::size_t i = 0; i < 240; ++i) {
    const double middle = (static_cast<double>(i) + .5) * .05;
    if (std::abs(middle - mode.switch_time()) < .05) continue;  // the interval that holds the kink
    EXPECT_NEAR(plan.trajectory.learning_rate[i], mode.rate(middle), 1e-4) << middle;
  }
}

TEST(ClosedForms, free_horizon_uses_the_energy_optimal_hard_fraction) {
  // Screening every sample costs c_s and the stop is free (H = 0): then rho maximises phi(rho) / (r + rho) at all
  // times.
  for (double r : {.1, .5, 2.0}) {
    ModeProblem p;
    p.lambda = {1, .3};
    p.initial = {2, 2};
    p.batch = 8;
    p.noise_variance = 1;
    p.rate_bounds = {0, .2};
    p.weight_rule = Rule::all;
    p.price_sample = 1e-3;
    p.price_screening = r * p.price_sample;
    p.intervals = 20;
    p.data_bounds = {.01, 1};
    double low = 5, high = 2000;
    for (int i = 0; i < 40; ++i) {  // dJ*/dT = H rises through 0 at the optimal horizon
      p.horizon = std::sqrt(low * high);
      const Plan plan = solve(p);
      (plan.trajectory.hamiltonian.back() < 0 ? low : high) = p.horizon;
    }
    const Plan plan = solve(p);
    const HardFraction expected = hard_fraction(CaptureCurve::gaussian(), r);
    for (double rho : plan.trajectory.data_fraction) EXPECT_NEAR(rho, expected.fraction, 2e-3) << r;
    // Bounded noise makes eta vary, but H = 0 holds all along, so the fraction is constant.
  }
}

TEST(ClosedForms, linear_effort_stops_where_marginal_loss_equals_price) {
  // Random choice, no running weight: learn with everything while S* > c_b + c_w. One noiseless mode (nu = 0), rate
  // fixed at eta: S = 2 eta w lambda m / 2 * exp(...) -> at the stop w lambda^2 m eta = c, so m_s = c / (w lambda^2
  // eta).
  ModeProblem p;
  p.lambda = {.8};
  p.initial = {3};
  p.noise_scale = 0;
  p.rate_bounds = {.1, .1};
  p.data_rule = p.weight_rule = Rule::random;
  p.data_bounds = p.weight_bounds = {1e-9, 1};
  p.price_sample = .01;
  p.price_write = .02;
  p.horizon = 60;
  p.intervals = 600;
  const Plan plan = solve(p);
  const double stop = (p.price_sample + p.price_write) / (.8 * .8 * .1);
  EXPECT_NEAR(plan.trajectory.state.back()[0], stop, stop * 2 * .1 * .8 * .1);  // one interval's decay
}

}  // namespace
