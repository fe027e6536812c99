// Every closed form of a control problem against the solvers of control problems, at the printed parameters and others.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eos/solvers/control.hpp"
#include "eos/solvers/markov.hpp"
#include "eos/theory/synaptic_cache.hpp"
#include "known_problems.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::ControlOptions;
using known::Known;

double largest(const std::vector<double>& values) {
  double most = 0;
  for (double v : values) most = std::max(most, std::abs(v));
  return most;
}
/// Largest distance of the controls from their laws at some forty times with both ends, relative to their size.
double control_error(const ControlSolution& s, const Known& k) {
  double most = 0;
  const std::size_t last = s.time.size() - 1, every = std::max<std::size_t>(1, s.time.size() / 40);
  for (std::size_t j = 0; j < k.controls.size(); ++j)
    for (std::size_t q = 0; q <= last; q = q == last ? last + 1 : std::min(last, q + every)) {
      const double error = std::abs(s.controls[j][q] -
                                    k.controls[j](std::min(s.time[q], k.problem.horizon.free ? k.horizon : s.horizon)));
      most = std::max(most, error / largest(s.controls[j]));
    }
  return most;
}
/// The same at the middle of intervals of constant controls, where they meet a smooth law to second order.
double middle_error(const ControlSolution& s, const Known& k) {
  double most = 0;
  for (std::size_t j = 0; j < k.controls.size(); ++j)
    for (std::size_t q = 0; q + 1 < s.time.size(); q += 20) {
      const double law = k.controls[j](0.5 * (s.time[q] + s.time[q + 1]));
      most = std::max(most, std::abs(s.controls[j][q] - law) / largest(s.controls[j]));
    }
  return most;
}
ControlSolution solve_by(const Known& k, Method method, int intervals = 50, int refinements = 12) {
  ControlOptions options;
  options.method = method;
  options.intervals = intervals;
  options.max_refinements = refinements;
  ControlSolution s = eos::solvers::solve(k.problem, options);
  EXPECT_TRUE(s.ok()) << k.name << " by " << to_string(method) << ": " << to_string(s.status) << " " << s.message;
  return s;
}
void expect_known(const Known& k, const ControlSolution& s, double cost, double controls) {
  EXPECT_NEAR(cost, k.cost, 1e-6 * std::abs(k.cost)) << k.name << " by " << to_string(s.method);
  EXPECT_LE(controls, 1e-3) << k.name << " by " << to_string(s.method);
  if (!std::isnan(k.horizon)) {
    EXPECT_NEAR(s.horizon, k.horizon, 1e-5 * k.horizon) << k.name << " by " << to_string(s.method);
  }
}
/// Collocation of orders five and four, refined to a tolerance.
void by_collocation(const Known& k) {
  for (const Method method : {Method::radau, Method::hermite_simpson}) {
    const ControlSolution s = solve_by(k, method);
    if (s.ok()) expect_known(k, s, s.objective, control_error(s, k));
  }
}
/// Controls constant on intervals: J is above the optimum by a multiple of the square of their length, which the
/// difference of two meshes gives. Bounds on states here follow from the dynamics; single shooting takes none.
void by_adjoint(Known k, int intervals = 200) {
  for (auto& state : k.problem.states) state.bounds = {};
  const double coarse = solve_by(k, Method::adjoint, intervals, 0).objective;
  const ControlSolution s = solve_by(k, Method::adjoint, 2 * intervals, 0);
  expect_known(k, s, s.objective + (s.objective - coarse) / 3, middle_error(s, k));
}
void by_all(const Known& k, int intervals = 200) { by_collocation(k), by_adjoint(k, intervals); }

TEST(ClosedFormsControl, regulator) {
  // End weights below, above and at sqrt(q r); without a running weight; a long horizon with a turnpike.
  for (const LinearQuadratic& f :
       {LinearQuadratic{1, 1, .5, 1, 1}, LinearQuadratic{2, .5, 3, 1.5, 2}, LinearQuadratic{1, 4, 2, -1, 3},
        LinearQuadratic{0, .7, 2, 1.3, 2}, LinearQuadratic{1, 1, 0, 1, 20}})
    by_all(known::regulator(f));
}

TEST(ClosedFormsControl, matrix_regulator) {
  const LinearRegulator integrator{2, 1, {0, 1, 0, 0}, {0, 1}, {1, 0, 0, 0}, {.3}, {0, 0, 0, 2}, {1, -.5}, 3};
  const LinearRegulator coupled{3,
                                2,
                                {-.5, .2, 0, .1, -1, .3, 0, .4, -.2},
                                {1, 0, 0, 1, .5, .5},
                                {2, .3, 0, .3, 1, 0, 0, 0, .5},
                                {.6, .1, .1, .4},
                                {1, 0, 0, 0, 1, .2, 0, .2, 3},
                                {1, 2, -1},
                                2};
  const LinearRegulator unstable{2,       2, {.8, 1, -1, .3}, {1, 0, 0, .5}, {1, 0, 0, 2}, {1, 0, 0, .2}, {0, 0, 0, 0},
                                 {.5, 1}, 4};
  for (const auto& f : {integrator, coupled, unstable}) by_all(known::regulator(f));
}

TEST(ClosedFormsControl, quadratic_effort) {
  for (const QuadraticEffort& f :
       {QuadraticEffort{1.3, 2, .7, 1.5, 2}, QuadraticEffort{.4, 5, .1, 2, 1}, QuadraticEffort{3, 1, 2, .6, 4}})
    by_all(known::quadratic_effort(f));
  for (const LinearGoalEffort& f :
       {LinearGoalEffort{1, 1, 1}, LinearGoalEffort{.05, 2, 3}, LinearGoalEffort{5, .5, .4}})
    by_all(known::linear_goal(f));
  EXPECT_NEAR(known::quadratic_effort({1.3, 2, .7, 1.5, 2}).cost, .37837994, 5e-9);
}

TEST(ClosedFormsControl, effort_of_one_mode) {
  for (const EffortMode& f : {EffortMode{1.2, .4, 1.6, 3}, EffortMode{.5, 1, 2, 1}, EffortMode{3, .2, .7, 2}})
    by_all(known::effort_mode(f));
  EXPECT_NEAR(known::effort_mode({1.2, .4, 1.6, 3}).cost, .8199519, 5e-8);
}

TEST(ClosedFormsControl, effort_of_modes_discounted_or_not) {
  for (const EffortProblem& f : {EffortProblem{.4, 0, 3}, EffortProblem{.4, .5, 3}, EffortProblem{2, .1, 1}})
    by_all(known::effort_modes({1.2, .3}, {1.6, 1.2}, f));
  by_all(known::effort_modes({2, .7, .1}, {1, 1, 3}, {.5, .2, 5}));
}

TEST(ClosedFormsControl, path_length_with_free_stop) {
  for (const SpeedLimitedMode& f : {SpeedLimitedMode{1.3, 2, .5, .2, 1, 1.5}, SpeedLimitedMode{.5, 4, .1, 1, 2, 3},
                                    SpeedLimitedMode{2, 1, 0, .3, .7, 1}})
    by_all(known::path_length(f, 1));
}

TEST(ClosedFormsControl, path_length_in_given_time) {
  for (const SpeedLimitedMode& f : {SpeedLimitedMode{1.3, 2, .5, 0, 1, 1.5}, SpeedLimitedMode{.5, 4, .1, 0, 2, 3}})
    by_all(known::path_length(f, 3));
}

TEST(ClosedFormsControl, water_filling) {
  by_all(known::water_filling({1, .5, .2}, {1, 1, 1}, .3, 1, 4), 50);
  by_all(known::water_filling({1, .5, .2}, {1, 2, 3}, .1, .7, 6), 50);
  by_all(known::water_filling_to({1, .5, .2}, {1, 1, 1}, .2, 4), 50);
  by_all(known::water_filling_to({2, 1, .4, .1}, {1, 1.5, .5, 1}, .1, 4), 50);
}

TEST(ClosedFormsControl, displacement) {
  for (const ConstantSpeed& f :
       {ConstantSpeed{1.5, 2, .2}, ConstantSpeed{2, 1, 1}, ConstantSpeed{3, .5, .1}, ConstantSpeed{1.2, 1, .3}}) {
    by_all(known::displacement(f, 3));
    by_all(known::displacement(f));
  }
}

TEST(ClosedFormsControl, noisy_mode) {
  by_all(known::noisy_mode({1, .05, 2, .5}, 12));
  by_all(known::noisy_mode({.4, .3, 1, .8}, 8));
  by_all(known::noisy_mode({2, .5, .1, 1}, 3));
  EXPECT_NEAR(known::noisy_mode({1, .05, 2, .5}, 12).cost, 5.5984e-3, 5e-8);
}

TEST(ClosedFormsControl, priced_data) {
  by_all(known::priced_data({1, .05, 1, .02, .01}, 1));
  by_all(known::priced_data({.5, .2, 2, .1, .05}, 3));
  by_all(known::priced_data({1, .05, 1, 0, .03}, .2));
}

TEST(ClosedFormsControl, hard_fraction) {
  for (double r : {.02, .1, 1.0 / 3, .5, 2.0}) by_all(known::hard_fraction(r), 50);
}

TEST(ClosedFormsControl, joint_fractions) {
  by_all(known::joint_fractions(1, .5, 3, 2));
  by_all(known::joint_fractions(.2, .7, 2, 1));
  by_all(known::joint_fractions(.05, .05, 1, 5));
}

TEST(ClosedFormsControl, deep_mode) {
  for (const DeepLinearMode& f :
       {DeepLinearMode{1.5, .01, 1.4, 2, 4}, DeepLinearMode{1, .1, .9, 1, 1}, DeepLinearMode{3, 1e-4, 2, .5, 10}})
    by_all(known::deep_mode(f));
}

TEST(ClosedFormsControl, power_law_without_a_cap) {
  for (double beta : {1.5, 2.0, 3.0}) by_collocation(known::power_law({1, beta, 1, 1e5}));
  by_collocation(known::power_law({.4, 2.5, .3, 1e3}));
  by_adjoint(known::power_law({1, 2, 1, 1e5}), 100);
  by_adjoint(known::power_law({.4, 2.5, .3, 1e3}), 100);
  const double printed[] = {6.13878e-3, 4.16000e-3, 2.67075e-3};
  for (int i = 0; i < 3; ++i)
    EXPECT_NEAR(known::power_law({1, i == 0 ? 1.5 : i + 1.0, 1, 1e5}).cost, printed[i], 5.1e-9);
}

TEST(ClosedFormsControl, power_law_with_a_cap) {
  for (double steps : {1e4, 1e5, 1e6}) by_collocation(known::power_law({.3, 2, .05, steps, 1}));
  by_collocation(known::power_law({.5, 1.5, .2, 3e3, .5}));
  by_adjoint(known::power_law({.5, 1.5, .2, 3e3, .5}), 100);
}

// The batch grows as (T - t + 1)^(-q/2), by two orders of magnitude in the last hundredth of the horizon: equal
// intervals suit the shortest horizon alone.
TEST(ClosedFormsControl, priced_batch) {
  by_collocation(known::priced_batch({1, 100, 2, 1, 1e-2}));
  by_collocation(known::priced_batch({.3, 200, 2.5, .7, 1e-3}));
  by_all(known::priced_batch({.1, 20, 1.5, 2, .1}));
}

TEST(ClosedFormsControl, perceptron_steps) {
  by_all(known::perceptron_step(.2, 3, true));
  by_all(known::perceptron_step(.2, 3, false));
  by_all(known::perceptron_step(.5, 6, true));
  by_collocation(known::perceptron_step(.1, 10, false));  // the first steps fall too fast for equal intervals
}

TEST(ClosedFormsControl, perceptron_with_a_price_on_screening) {
  by_collocation(known::screened_perceptron(.2, .9, .3));
  by_collocation(known::screened_perceptron(.5, .99, .05));
  by_collocation(known::screened_perceptron(.3, .8, 2));
}

// A random walk in steps of `step` at the variance D = 1 per time; |s| costs `upkeep` per time to keep, |s| to write.
struct Walk {
  double threshold, rate;
};
Walk best_walk(double step, double upkeep) {
  const double wait = step * step, discount = 1 - 1e-9;
  const auto half = static_cast<std::int64_t>(30 / step);
  eos::solvers::MarkovProblem p;
  p.aim = eos::solvers::Aim::least_cost;
  p.discount = discount;
  for (std::int64_t i = -half; i <= half; ++i) {
    const double size = step * static_cast<double>(std::abs(i));
    p.add_state();
    p.add_action(size, {{half - 1, .5}, {half + 1, .5}});
    if (std::abs(i) < half) p.add_action(upkeep * size * wait, {{half + i - 1, .5}, {half + i + 1, .5}});
  }
  const auto s = eos::solvers::solve_markov(p);
  std::int64_t kept = 1;
  while (s.policy[static_cast<std::size_t>(half + kept)] == 1) ++kept;
  return {step * static_cast<double>(kept), (1 - discount) * s.value[static_cast<std::size_t>(half)] / wait};
}

// A discrete walk with threshold theta costs c theta/3 + D/theta - c step^2/(3 theta) per time: policy iteration finds
// the best multiple of the step, and the least cost of the diffusion in the limit.
TEST(ClosedFormsControl, synaptic_cache_by_policy_iteration) {
  EXPECT_NEAR((DriftingCache{1, .02}.best_threshold()), 12.247, 5e-4);
  for (double upkeep : {.02, .1, .4}) {
    const DriftingCache cache{1, upkeep};
    double excess[2];
    for (int i = 0; i < 2; ++i) {
      const double step = i == 0 ? .2 : .1;
      const Walk walk = best_walk(step, upkeep);
      EXPECT_NEAR(walk.threshold, cache.best_threshold(), step) << upkeep;
      // The discount of 1e-9 per step leaves 1e-9 of relative values of order ten, per step of 0.01: 1e-6.
      const double discrete = cache.cost_rate(walk.threshold) - upkeep * step * step / (3 * walk.threshold);
      EXPECT_NEAR(walk.rate, discrete, 1e-6) << upkeep;
      excess[i] = std::abs(walk.rate / cache.least_cost_rate() - 1);
    }
    EXPECT_LT(excess[1], 1e-3) << upkeep;
    EXPECT_LT(excess[1], excess[0]) << upkeep;
  }
}

}  // namespace
