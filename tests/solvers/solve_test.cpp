#include "eos/solvers/solve.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/mode_model.hpp"
#include "reference_problem.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::evaluate;
using eos::solvers::solve;

/// Numbers in (0, 1) from a run and a counter.
class Draw {
 public:
  explicit Draw(std::uint32_t run) { address_.run = run; }
  double operator()() {
    ++address_.index;
    return eos::core::uniform(11, address_);
  }
  double between(double low, double high) { return low + (high - low) * (*this)(); }
  double log_between(double low, double high) { return low * std::pow(high / low, (*this)()); }

 private:
  eos::core::Address address_{};
};

ModeProblem random_problem(std::uint32_t run) {
  Draw draw(run);
  ModeProblem p;
  const int modes = 1 + static_cast<int>(draw() * 8);
  const double decay = draw.between(.5, 2.5);
  for (int j = 1; j <= modes; ++j) {
    p.lambda.push_back(std::pow(j, -decay));
    p.initial.push_back(draw.log_between(.1, 3));
    p.multiplicity.push_back(draw.log_between(.5, 4));
  }
  p.batch = draw.log_between(2, 100);
  p.noise_variance = draw() < .2 ? 0 : draw.log_between(.01, 3);
  p.noise_scale = draw.between(.5, 2);
  p.horizon = draw.log_between(5, 200);
  p.intervals = 4 + static_cast<int>(draw() * 16);
  p.running_weight = draw() < .3 ? 0 : draw.log_between(1e-4, .1);
  p.price_time = draw.between(0, 1e-3);
  p.price_screening = draw.between(0, 1e-3);
  p.price_sample = draw.log_between(1e-5, .05);
  p.price_write = draw.log_between(1e-5, .05);
  p.price_path = draw() < .5 ? 0 : draw.log_between(1e-4, .02);
  p.rebatched = draw() < .5;
  const Rule rules[] = {Rule::all, Rule::random, Rule::ranked, Rule::ranked};
  p.data_rule = rules[static_cast<int>(draw() * 4)];
  p.weight_rule = rules[static_cast<int>(draw() * 4)];
  if (draw() < .4) p.data_noise = CaptureCurve::laplace();
  if (draw() < .3) p.weight_capture = CaptureCurve::tabulated({.01, .03, .1, .3, 1}, {.24, .46, .78, .98, 1});
  p.rate_bounds = {draw() < .2 ? .05 : 0, draw.between(.1, .6)};
  return p;
}

Schedule schedule_of(const Plan& plan) { return plan.schedule(); }

/// A feasible schedule: constant, sloping, or the given one with every control disturbed.
Schedule disturbed(const Plan& plan, Draw& draw, double strength) {
  Schedule s = schedule_of(plan);
  const ModeProblem& p = plan.problem;
  auto disturb = [&](double value, const Bounds& b) {
    const double other = strength >= 1 ? draw.between(b.lower, b.upper) : value * std::exp(strength * (2 * draw() - 1));
    return std::clamp(other, b.lower, b.upper);
  };
  for (std::size_t i = 0; i < s.data_fraction.size(); ++i) {
    if (p.data_rule != Rule::all) s.data_fraction[i] = disturb(s.data_fraction[i], p.data_bounds);
    if (p.weight_rule != Rule::all) s.weight_fraction[i] = disturb(s.weight_fraction[i], p.weight_bounds);
    s.learning_rate[i] = disturb(s.learning_rate[i], p.rate_bounds);
  }
  return s;
}

TEST(Solve, dense_reference_problem) {
  const Plan plan = solve(reference_problem(Rule::all));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .324614, 1e-6);  // 40 constant rates, integration converged; also by SciPy's L-BFGS-B
  EXPECT_NEAR(plan.energy, .28, 1e-12);
  EXPECT_LT(plan.certificate.hamiltonian_drift, 1e-5);
  EXPECT_LT(plan.certificate.rate_condition, 1e-3);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
  EXPECT_LT(plan.certificate.minimum_gap, 1e-6);
}

TEST(Solve, random_reference_problem) {
  const Plan plan = solve(reference_problem(Rule::random));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .191702, 1e-6);
  EXPECT_NEAR(plan.terminal_loss, .103448, 1.5e-6);
  EXPECT_NEAR(plan.energy, .077203, 1e-6);
  // Learn with everything until t = 11, then rest; the rate starts at its bound and falls.
  const Trajectory& t = plan.trajectory;
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_EQ(t.data_fraction[i], i < 11 ? 1 : 1e-3) << i;
    EXPECT_EQ(t.weight_fraction[i], i < 11 ? 1 : 1e-3) << i;
  }
  EXPECT_EQ(t.learning_rate[0], .4);
  EXPECT_LT(t.learning_rate[10], .3);
  // H is constant on either side of the switch, which falls on an edge of the mesh and not where H is continuous.
  auto drift = [&](std::size_t from, std::size_t to) {
    const auto [low, high] = std::minmax_element(t.hamiltonian.begin() + from, t.hamiltonian.begin() + to);
    return *high - *low;
  };
  EXPECT_LT(drift(0, 7), 1e-8);  // rate on its bound
  EXPECT_LT(drift(0, 11), 5e-5);
  EXPECT_LT(drift(11, 40), 1e-8);
  // The value of the clock, S*, crosses the price of learning at the switch, up to half an interval.
  EXPECT_NEAR(ModeModel(plan.problem).clock_value(t.state[11], t.costate[11]), .007, 3.5e-4);
}

TEST(Solve, ranked_reference_problem) {
  const Plan plan = solve(reference_problem(Rule::ranked));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .142775, 1e-6);
  EXPECT_LT(plan.certificate.hamiltonian_drift, 1e-5);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
  EXPECT_LT(plan.certificate.minimum_gap, 1e-6);
  EXPECT_LT(plan.certificate.rate_condition, 5e-4);
  // Controls are constant on intervals, so pointwise conditions hold at midpoints up to the change over an interval,
  // which is largest at the start.
  EXPECT_LT(plan.certificate.data_condition, 4e-3);
  EXPECT_LT(plan.certificate.weight_condition, 4e-3);
  EXPECT_EQ(plan.certificate.interior_intervals, 35);
  const Trajectory& t = plan.trajectory;
  EXPECT_NEAR(t.data_fraction[0], .346, .001);
  EXPECT_NEAR(t.data_fraction[34], .183, .001);
  EXPECT_NEAR(t.weight_fraction[0], .402, .001);
  EXPECT_NEAR(t.weight_fraction[34], .225, .001);
  EXPECT_EQ(t.learning_rate[18], .4);
  EXPECT_NEAR(t.learning_rate[34], .141, .001);
  for (std::size_t i = 35; i < 40; ++i) EXPECT_EQ(t.data_fraction[i], 1e-3);
  for (std::size_t i = 0; i < 34; ++i) EXPECT_GT(t.data_fraction[i], t.data_fraction[i + 1]);
}

// Numbers printed for the reference problem by a program that takes two classical Runge-Kutta steps per interval, the
// running loss by the trapezoidal rule, and ranked fractions that rest for the last two intervals. Tolerance of J: two
// units of the last printed digit.
TEST(Solve, printed_dense_value) {
  const Plan plan = solve(printed_reference_problem(Rule::all));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .324634, 2e-6);
  // The trapezoidal rule bends the costates by h^2 w_r dL'/dm / 12, worst at t = 0, where the loss falls fastest.
  EXPECT_LT(plan.certificate.hamiltonian_drift, 1.5e-5);
  EXPECT_EQ(plan.certificate.hamiltonian_jump, 0);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
}

TEST(Solve, printed_random_values) {
  const Plan plan = solve(printed_reference_problem(Rule::random));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .191722, 2e-6);
  EXPECT_NEAR(plan.terminal_loss, .103448, 5e-7);
  EXPECT_NEAR(plan.energy, .077203, 5e-7);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
  for (std::size_t i = 0; i < 40; ++i) EXPECT_EQ(plan.trajectory.data_fraction[i], i < 11 ? 1 : 1e-3) << i;
}

TEST(Solve, printed_ranked_values) {
  const Plan plan = solve(printed_reference_problem(Rule::ranked));
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_NEAR(plan.objective, .142868, 2e-6);
  EXPECT_NEAR(plan.terminal_loss, .070845, 5e-7);
  EXPECT_NEAR(plan.energy, .059887, 5e-7);
  EXPECT_LT(plan.certificate.hamiltonian_drift, 1e-5);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
  EXPECT_EQ(plan.certificate.interior_intervals, 38);
  const Trajectory& t = plan.trajectory;
  EXPECT_NEAR(t.data_fraction[0], .341, 5e-4);
  EXPECT_NEAR(t.weight_fraction[0], .397, 5e-4);
  // J is flat here: the printed schedule, 1e-6 dearer than ours, ends at .165 and .204.
  EXPECT_NEAR(t.data_fraction[37], .165, 1.5e-3);
  EXPECT_NEAR(t.weight_fraction[37], .204, 2e-3);
  // A rest of two intervals is a local minimum: a longer one would have a lower Hamiltonian, and H jumps at the switch.
  EXPECT_GT(plan.certificate.minimum_gap, 1e-3);
  EXPECT_GT(plan.certificate.hamiltonian_jump, 1e-5);
}

TEST(Solve, rests_for_as_long_as_it_is_told) {
  const Plan free = solve(reference_problem(Rule::ranked));
  EXPECT_LT(free.certificate.hamiltonian_jump, 2e-6);
  for (int rest : {0, 2, 4, 5, 6, 39, 40}) {
    ModeProblem p = reference_problem(Rule::ranked);
    p.discretisation.rest_intervals = rest;
    const Plan plan = solve(p);
    EXPECT_EQ(plan.status, SolveStatus::optimal) << rest;
    for (int i = 0; i < 40; ++i) {
      const auto at = static_cast<std::size_t>(i);
      EXPECT_EQ(plan.trajectory.data_fraction[at] == 1e-3, i >= 40 - rest) << rest << " " << i;
      EXPECT_EQ(plan.trajectory.weight_fraction[at] == 1e-3, i >= 40 - rest) << rest << " " << i;
    }
    if (rest == 5) {
      EXPECT_NEAR(plan.objective, free.objective, 1e-9);
    } else {
      EXPECT_GT(plan.objective, free.objective + 5e-6) << rest;
      EXPECT_GT(plan.certificate.minimum_gap, 1e-3) << rest;
    }
    EXPECT_LT(plan.certificate.stationarity_residual, 1e-6) << rest;  // of what is free
  }
}

TEST(Solve, drift_between_switches_vanishes_with_the_interval_length) {
  ModeProblem p = reference_problem(Rule::random);
  const Plan coarse = solve(p);
  p.intervals *= 4;
  const Plan fine = solve(p);
  EXPECT_LT(coarse.certificate.hamiltonian_drift, 5e-5);
  EXPECT_LT(fine.certificate.hamiltonian_drift, coarse.certificate.hamiltonian_drift / 5);  // 16 but for the kink
  EXPECT_GT(coarse.certificate.hamiltonian_jump, 1e-4);  // the switch falls on an edge up to half an interval away
  EXPECT_LT(fine.certificate.hamiltonian_jump, coarse.certificate.hamiltonian_jump / 4);
}

TEST(Solve, fixed_runge_kutta_steps_converge_to_the_same_optimum) {
  const double exact = solve(reference_problem(Rule::ranked)).objective;
  auto error = [&](int steps) {
    ModeProblem p = reference_problem(Rule::ranked);
    p.discretisation = {Scheme::rk4, steps, -1};
    return solve(p).objective - exact;
  };
  const double two = error(2), four = error(4);
  EXPECT_NEAR(two / four, 4, .4);  // the trapezoidal rule is of order two, and the steps of order four add their share
  EXPECT_NEAR(four / error(8), 4, .2);
}

TEST(Solve, other_features_work_with_runge_kutta_steps) {
  for (std::uint32_t run = 200; run < 212; ++run) {
    ModeProblem p = random_problem(run);
    p.full_data_end = run % 3 == 0 ? .3 : 0;
    const Plan reference = solve(p);
    p.discretisation = {Scheme::rk4, 512, -1};  // enough for the longest interval and the fastest mode
    const Plan plan = solve(p), again = evaluate(p, plan.schedule());
    EXPECT_NEAR(plan.objective / reference.objective, 1, 1e-4) << run;
    EXPECT_NEAR(again.objective / plan.objective, 1, 1e-12) << run;
    EXPECT_LT(plan.certificate.stationarity_residual, 1e-4) << run << " " << plan.message;
  }
}

TEST(Solve, same_problem_same_bits) {
  const Plan a = solve(reference_problem(Rule::ranked)), b = solve(reference_problem(Rule::ranked));
  EXPECT_EQ(a.objective, b.objective);
  EXPECT_EQ(a.trajectory.data_fraction, b.trajectory.data_fraction);
  EXPECT_EQ(a.trajectory.learning_rate, b.trajectory.learning_rate);
  EXPECT_EQ(a.evaluations, b.evaluations);
}

TEST(Solve, result_does_not_depend_on_the_mesh_of_the_integrator) {
  eos::solvers::SolveOptions fine;
  fine.substeps = 32;
  for (Rule rule : {Rule::all, Rule::random, Rule::ranked}) {
    EXPECT_NEAR(solve(reference_problem(rule)).objective, solve(reference_problem(rule), fine).objective, 1e-8);
  }
}

TEST(Solve, units_of_energy_do_not_matter) {
  ModeProblem p = reference_problem(Rule::ranked);
  const Plan plain = solve(p);
  for (double unit : {1e-9, 1e9}) {
    ModeProblem q = p;
    for (double* price : {&q.terminal_weight, &q.running_weight, &q.price_sample, &q.price_write}) *price *= unit;
    const Plan scaled = solve(q);
    EXPECT_NEAR(scaled.objective / unit, plain.objective, 1e-9);
    EXPECT_NEAR(scaled.certificate.stationarity_residual, plain.certificate.stationarity_residual, 1e-6);
  }
}

TEST(Solve, is_not_beaten_by_feasible_schedules) {
  int optimal = 0;
  for (std::uint32_t run = 0; run < 40; ++run) {
    const ModeProblem p = random_problem(run);
    const Plan plan = solve(p);
    optimal += plan.status == SolveStatus::optimal;
    ASSERT_TRUE(std::isfinite(plan.objective)) << run;
    const double same = evaluate(p, schedule_of(plan)).objective;
    EXPECT_NEAR(same / plan.objective, 1, 1e-6) << run;  // the two meshes are refined for slightly different controls
    Draw draw(1000 + run);
    for (int trial = 0; trial < 24; ++trial) {
      const double strengths[] = {1e-3, .03, .3, 1};
      const double other = evaluate(p, disturbed(plan, draw, strengths[trial % 4])).objective;
      EXPECT_GE(other, same * (1 - 1e-7)) << run << " " << trial;
    }
    // Constant schedules, scaled from rest to everything.
    for (double share : {0.0, .1, .3, 1.0}) {
      for (double rate : {.1, .5, 1.0}) {
        Schedule s = schedule_of(plan);
        auto fill = [](std::vector<double>& v, double at, const Bounds& b) {
          std::fill(v.begin(), v.end(), b.lower + at * (b.upper - b.lower));
        };
        if (p.data_rule != Rule::all) fill(s.data_fraction, share, p.data_bounds);
        if (p.weight_rule != Rule::all) fill(s.weight_fraction, share, p.weight_bounds);
        fill(s.learning_rate, rate, p.rate_bounds);
        const double other = evaluate(p, s).objective;
        EXPECT_GE(other, same * (1 - 1e-7)) << run << " constant " << share << " " << rate;
      }
    }
  }
  EXPECT_GE(optimal, 39);  // a stop at the limit of rounding is reported, not hidden
}

TEST(Solve, certificates_of_random_problems_are_small) {
  for (std::uint32_t run = 100; run < 120; ++run) {
    const ModeProblem p = random_problem(run);
    const Plan plan = solve(p);
    EXPECT_LT(plan.certificate.stationarity_residual, 1e-4) << run << " " << plan.message;
  }
}

TEST(Solve, rests_at_once_when_learning_cannot_pay) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.price_sample = 10;
  p.price_write = 10;
  const Plan plan = solve(p);
  for (double rho : plan.trajectory.data_fraction) EXPECT_EQ(rho, 1e-3);
  p.data_rule = p.weight_rule = Rule::random;
  for (double rho : solve(p).trajectory.data_fraction) EXPECT_EQ(rho, 1e-3);
}

TEST(Solve, free_learning_uses_everything) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.price_sample = p.price_write = 0;
  const Plan plan = solve(p);
  const Plan dense = solve(reference_problem(Rule::all));
  EXPECT_NEAR(plan.objective, dense.objective - dense.energy, 1e-9);
}

TEST(Solve, fixed_controls_stay_fixed) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.data_bounds = {.4, .4};
  p.rate_bounds = {.2, .2};
  const Plan plan = solve(p);
  for (std::size_t i = 0; i < 40; ++i) {
    EXPECT_DOUBLE_EQ(plan.trajectory.data_fraction[i], .4);
    EXPECT_DOUBLE_EQ(plan.trajectory.learning_rate[i], .2);
  }
  EXPECT_EQ(plan.status, SolveStatus::optimal);
}

TEST(Solve, one_interval_is_enough) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.intervals = 1;
  const Plan plan = solve(p);
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  EXPECT_EQ(plan.certificate.interior_intervals, 1);
  EXPECT_GT(plan.objective, .142775);  // one constant control cannot beat forty
  Schedule s = schedule_of(plan);
  double least = INFINITY;
  for (int i = 0; i < 24 * 24 * 24; ++i) {
    s.data_fraction = {std::pow(1e-3, (i % 24) / 23.0)};
    s.weight_fraction = {std::pow(1e-3, (i / 24 % 24) / 23.0)};
    s.learning_rate = {.4 * (i / 576) / 23};
    least = std::min(least, evaluate(p, s).objective);
  }
  EXPECT_LE(plan.objective, least);
  EXPECT_GT(plan.objective, .98 * least);  // the grid is 30 % wide in the fractions
}

TEST(Solve, phases_with_all_data_are_honoured) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.full_data_start = .05;
  p.full_data_end = .1;
  const Plan plan = solve(p);
  EXPECT_EQ(plan.status, SolveStatus::optimal);
  for (std::size_t i = 0; i < 40; ++i) {
    if (i < 2 || i >= 36) {
      EXPECT_EQ(plan.trajectory.data_fraction[i], 1) << i;
    } else {
      EXPECT_LT(plan.trajectory.data_fraction[i], .5) << i;
    }
  }
  EXPECT_GT(plan.objective, solve(reference_problem(Rule::ranked)).objective);  // a constraint costs
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
}

TEST(Solve, blow_up_is_an_outcome) {
  ModeProblem p = reference_problem(Rule::all);
  p.rate_bounds = {500, 1000};  // noise feeds itself: growth rate of order eta^2 / B
  p.horizon = 4000;
  const Plan plan = solve(p);
  EXPECT_EQ(plan.status, SolveStatus::not_finite);
  EXPECT_THAT(plan.message, testing::HasSubstr("rate_bounds"));
}

TEST(Solve, iteration_limit_is_an_outcome) {
  eos::solvers::SolveOptions options;
  options.max_iterations = 2;
  const Plan plan = solve(reference_problem(Rule::all), options);
  EXPECT_EQ(plan.status, SolveStatus::iteration_limit);
  EXPECT_TRUE(std::isfinite(plan.objective));
  EXPECT_GT(plan.certificate.stationarity_residual, 1e-6);  // the certificate tells
}

TEST(Solve, wrong_problems_are_refused_with_all_their_problems) {
  ModeProblem p = reference_problem(Rule::ranked);
  p.rate_bounds = {.4, 0};
  p.price_sample = -1;
  try {
    solve(p);
    FAIL();
  } catch (const eos::core::Error& error) {
    ASSERT_EQ(error.diagnostics().size(), 2u);
    EXPECT_EQ(error.diagnostics()[0].code, "E104");
    EXPECT_EQ(error.diagnostics()[1].code, "E401");
  }
}

TEST(Evaluate, agrees_with_the_plan_it_came_from) {
  for (Rule rule : {Rule::all, Rule::random, Rule::ranked}) {
    const ModeProblem p = reference_problem(rule);
    const Plan plan = solve(p), again = evaluate(p, plan.schedule());
    EXPECT_EQ(again.status, SolveStatus::evaluated);
    EXPECT_NEAR(again.objective, plan.objective, 1e-8);
    EXPECT_NEAR(again.terminal_loss, plan.terminal_loss, 1e-8);
    EXPECT_NEAR(again.energy, plan.energy, 1e-12);
    EXPECT_LT(again.certificate.stationarity_residual, 1e-5);
  }
}

TEST(Evaluate, takes_any_edges_and_tells_how_far_from_optimal) {
  const ModeProblem p = reference_problem(Rule::ranked);
  Schedule s;
  s.edges = {0, .1, 1};
  s.data_fraction = {1, .5};
  s.weight_fraction = {1, .5};
  s.learning_rate = {.4, .1};
  const Plan plan = evaluate(p, s);
  EXPECT_EQ(plan.trajectory.time, (std::vector<double>{0, 4, 40}));
  EXPECT_NEAR(plan.energy, 4 * .007 + 36 * .0035, 1e-12);
  EXPECT_GT(plan.objective, .142775);
  EXPECT_GT(plan.certificate.stationarity_residual, .01);
  EXPECT_GT(plan.certificate.minimum_gap, .01);
}

TEST(Evaluate, needs_learning_rates) {
  Schedule s;
  s.edges = {0, 1};
  s.data_fraction = s.weight_fraction = {1};
  try {
    evaluate(reference_problem(Rule::ranked), s);
    FAIL();
  } catch (const eos::core::Error& error) {
    EXPECT_EQ(error.diagnostics().at(0).code, "E502");
  }
}

}  // namespace
