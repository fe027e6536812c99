// The fit on curves made from a known mode model; plans against prices worked out by hand and against the ledger.
#include "eos/solvers/fit.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../../solvers/src/fit_least_squares.hpp"
#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"

namespace eos::solvers {
namespace {

using theory::Calibration;
using theory::FittedModel;
using theory::Plan;
using theory::Schedule;

/// Six modes that are not on the grid of the fit, with noise.
theory::ModeProblem true_dynamics() {
  theory::ModeProblem p;
  p.lambda = {0.3, 0.08, 0.03, 0.01, 0.003, 0.0008};
  const double share[6] = {0.5, 0.25, 0.15, 0.1, 0.08, 0.06};
  for (std::size_t j = 0; j < 6; ++j) p.initial.push_back(2 * share[j] / p.lambda[j]);
  p.batch = 32;
  p.noise_variance = 0.3;
  p.noise_scale = 60;
  p.loss_offset = 0.15;
  p.data_rule = p.weight_rule = theory::Rule::all;
  return p;
}

Schedule linear_to_zero(double rate, int intervals) {
  Schedule s;
  s.edges = {0};
  for (int i = 0; i < intervals; ++i) {
    s.edges.push_back((i + 1.0) / intervals);
    s.data_fraction.push_back(1);
    s.weight_fraction.push_back(1);
    s.learning_rate.push_back(rate * (1 - (i + 0.5) / intervals));
  }
  return s;
}

double true_loss(double rate, double steps) {
  theory::ModeProblem p = true_dynamics();
  p.horizon = steps;
  return evaluate(p, linear_to_zero(rate, 64)).terminal_loss + p.loss_offset;
}

void add_probe(Calibration& c, int index, double rate, double steps, double noise) {
  theory::ModeProblem p = true_dynamics();
  p.horizon = steps;
  const Plan plan = evaluate(p, linear_to_zero(rate, 64));
  for (std::size_t k = 8; k <= 64; k += 8) {
    theory::ProbePoint point;
    point.probe = index;
    const double s = static_cast<double>(k) / 64;
    point.step = s * steps;
    point.clock = rate * steps * (s - 0.5 * s * s);
    point.learning_rate = rate * (1 - s);
    const double z = core::normal_pair(
        7, {static_cast<std::uint32_t>(index), 0, core::Purpose::test, static_cast<std::uint32_t>(k)})[0];
    point.loss = (plan.trajectory.loss[k] + p.loss_offset) * (1 + noise * z);
    point.loss_error = std::max(noise, 1e-4) * point.loss;
    c.probes.push_back(point);
  }
}

/// What measure() would find on a network that obeys the model exactly; a network of 1000 parameters.
Calibration synthetic(double noise = 0) {
  Calibration c;
  c.spec.batch = 32;
  c.spec.optimiser.learning_rate = 0.15;
  c.train_samples = 50000;
  c.counts = {1000, 900, 1500, 64};
  add_probe(c, 0, 0.15, 156, noise);
  add_probe(c, 1, 0.15, 781, noise);
  add_probe(c, 2, 0.15, 1562, noise);
  add_probe(c, 3, 0.30, 1562, noise);
  c.largest_stable_rate = 0.30;
  theory::CaptureSnapshot snapshot;
  snapshot.noise = {{0.2, 0.35, 0.5, 0.7, 1}, {0.8, 0.95, 0.99, 1, 1}, {}};
  snapshot.signal = snapshot.residual = snapshot.noise;
  snapshot.write = {{{0.001, 0.03, 1}, {0.1, 0.5, 1}, {}}};
  c.spec.network.hidden = {};
  c.snapshots = {snapshot};
  c.selection_clock = {{0.2, 0.35, 0.5, 0.7, 1}, {0.1, 0.5, 0.85, 0.95, 1}, {}};
  c.accumulator_clock = {{0.001, 0.01, 1}, {0.95, 1, 1}, {}};
  c.accumulator_path = {{0.001, 0.01, 1}, {0.1, 0.25, 1}, {}};
  c.full_data_start = c.full_data_end = 0.2;
  c.dense_write_share = 0.7;
  c.dense_path_per_step = 2;
  return c;
}

/// Prices that make every term visible.
theory::PriceList every_price() {
  theory::PriceList e;
  e.name = "test";
  e.mac = 2;
  e.scoring_mac = 1;
  e.write = 30;
  e.accumulator = 5;
  e.weight_read = 7;
  e.input_byte = 0.5;
  e.sample = 11;
  return e;
}

std::string code_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const core::Error& error) {
    return error.diagnostics().front().code;
  }
  return "";
}

const Calibration& fitted() {
  static const Calibration c = [] {
    Calibration made = synthetic();
    made.fit = fit_model(made);
    return made;
  }();
  return c;
}

PlanGoal goal_of(double target, const theory::PriceList& prices = every_price()) {
  PlanGoal goal;
  goal.prices = prices;
  goal.epochs = 3;
  goal.target_loss = target;
  goal.intervals = 20;
  return goal;
}

/// Predicted loss of dense training at the run's own rate.
double dense_loss(const Calibration& c, double epochs) {
  PlanGoal goal = goal_of(0);
  goal.epochs = epochs;
  return predict_dense(c, goal, c.spec.optimiser).terminal_loss + c.fit.loss_offset;
}

/// Below what the cheapest schedule over three epochs reaches, so that it has to be paid for.
double demanding_target() { return 0.93 * dense_loss(fitted(), 3); }

TEST(LeastSquares, finds_the_minimum_of_a_curved_valley) {
  const Residuals rosenbrock = [](const Eigen::VectorXd& x) {
    return Eigen::VectorXd{{10 * (x[1] - x[0] * x[0]), 1 - x[0]}};
  };
  const LeastSquaresResult r = least_squares(rosenbrock, Eigen::VectorXd{{-1.2, 1}});
  EXPECT_NEAR(r.x[0], 1, 1e-6);
  EXPECT_NEAR(r.x[1], 1, 1e-6);
}

TEST(LeastSquares, treats_residuals_that_are_not_finite_as_steps_too_far) {
  const Residuals root = [](const Eigen::VectorXd& x) { return Eigen::VectorXd{{std::sqrt(x[0]) - 0.01}}; };
  EXPECT_NEAR(least_squares(root, Eigen::VectorXd{{4}}).x[0], 1e-4, 1e-8);  // a full step would leave x > 0
}

TEST(Fit, reproduces_the_curves_it_saw) {
  // 1.5 % is the error that the fit grants the model itself; the grid cannot hold the six modes exactly.
  EXPECT_LT(fitted().fit.residual_rms, 0.015 * 0.4);
  EXPECT_LT(fitted().fit.held_out_error, 0.03);
}

TEST(Fit, predicts_longer_horizons_and_other_rates) {
  for (const auto& [rate, epochs] : {std::pair{0.15, 2.0}, {0.15, 3.0}, {0.2, 3.0}, {0.1, 5.0}}) {
    theory::OptimiserSpec optimiser;
    optimiser.learning_rate = rate;
    PlanGoal goal = goal_of(0);
    goal.epochs = epochs;
    const double predicted = predict_dense(fitted(), goal, optimiser).terminal_loss + fitted().fit.loss_offset;
    const double truth = true_loss(rate, epochs * 50000 / 32);
    EXPECT_NEAR(predicted / truth, 1, 0.07) << rate << " " << epochs;
  }
}

TEST(Fit, has_standard_errors_that_cover_the_truth) {
  // Offset against slow modes is what short probes leave open; the true offset is 0.15.
  EXPECT_NEAR(fitted().fit.loss_offset, 0.15, 3 * fitted().fit.loss_offset_error);
  EXPECT_LT(fitted().fit.loss_offset_error, 0.15);
  const FittedModel noisy = fit_model(synthetic(0.03));
  EXPECT_NEAR(noisy.loss_offset, 0.15, 3 * noisy.loss_offset_error);
  EXPECT_GT(noisy.noise_scale_error, 0);
  EXPECT_EQ(noisy.initial_error.size(), noisy.initial.size());
}

TEST(Fit, leaves_out_probes_above_the_largest_stable_rate) {
  Calibration c = synthetic();
  for (theory::ProbePoint& p : c.probes) {
    if (p.probe == 3) p.loss *= 2;  // a run that nearly diverged
  }
  c.largest_stable_rate = 0.15;
  Calibration without = synthetic();
  std::erase_if(without.probes, [](const theory::ProbePoint& p) { return p.probe == 3; });
  without.largest_stable_rate = 0.15;
  EXPECT_EQ(fit_model(c).loss_offset, fit_model(without).loss_offset);
}

TEST(Fit, asks_for_enough_curves) {
  Calibration c = synthetic();
  std::erase_if(c.probes, [](const theory::ProbePoint& p) { return p.probe != 2; });
  EXPECT_EQ(code_of([&] { fit_model(c); }), "E402");
}

// A chunk of 32: presented 32 (64 bytes, upkeep 11, forward 900 MACs as scoring), kept 32 rho of which the forward
// counts as training and 1500 MACs go back; per update of 32 kept samples 1000 accumulator words, 3.4 reads of 1000
// parameters and 1000 kappa writes.
TEST(Problem, has_the_prices_of_the_ledger) {
  const theory::ModeProblem p = problem_from(fitted(), goal_of(0.4));
  EXPECT_DOUBLE_EQ(p.price_screening, 32 * (900 * 1 + 64 * 0.5 + 11));
  EXPECT_DOUBLE_EQ(p.price_sample, 32 * (900 * (2 - 1) + 1500 * 2) + 1000 * 5 + 3.4 * 1000 * 7);
  EXPECT_DOUBLE_EQ(p.price_write, 1000 * 30);
  EXPECT_EQ(p.price_path, 0);
  EXPECT_DOUBLE_EQ(p.horizon, 3 * 50000 / 32.0);
  EXPECT_TRUE(p.rebatched);
}

TEST(Problem, charges_dense_training_exactly_what_the_ledger_does) {
  theory::Ledger ledger;
  const std::int64_t steps = 3125, samples = steps * 32;  // two epochs
  ledger.samples_offered = ledger.samples_seen = ledger.samples_backward = samples;
  ledger.steps = steps;
  ledger.forward_macs = samples * 900;
  ledger.backward_macs = samples * 1500;
  ledger.writes = steps * 700;
  ledger.weight_reads = 3 * steps * 1000;
  ledger.input_bytes = samples * 64;
  PlanGoal goal = goal_of(0);
  goal.epochs = 2;
  const Plan dense = predict_dense(fitted(), goal, fitted().spec.optimiser);
  EXPECT_NEAR(dense.energy / theory::energy(ledger, every_price()).total(), 1, 1e-12);
}

TEST(Problem, prices_the_path_so_that_the_probe_costs_what_was_measured) {
  theory::PriceList prices;
  prices.path = 3;
  PlanGoal goal = goal_of(0, prices);
  goal.epochs = 1562 * 32 / 50000.0;  // the probe again
  const Plan dense = predict_dense(fitted(), goal, fitted().spec.optimiser);
  const std::vector<double>& path = dense.trajectory.energy;
  const double clock = 0.15 * 1562 * ((.5 - .5 * .5 * .5) - (.25 - .5 * .25 * .25));
  EXPECT_NEAR((path[50] - path[25]) / (3 * 2 * clock), 1, 1e-3);
}

TEST(Problem, lets_the_measured_clock_dilate_drift_and_noise_alike) {
  const theory::ModeProblem p = problem_from(fitted(), goal_of(0.4));
  for (std::size_t i = 0; i < fitted().selection_clock.fraction.size(); ++i) {
    const double rho = fitted().selection_clock.fraction[i];
    EXPECT_DOUBLE_EQ(p.data_signal.value(rho), fitted().selection_clock.value[i]);
    EXPECT_DOUBLE_EQ(p.data_noise.value(rho), fitted().selection_clock.value[i]);
  }
}

TEST(Problem, stays_where_the_clock_was_seen_to_run) {
  const theory::ModeProblem p = problem_from(fitted(), goal_of(0.4));
  EXPECT_NEAR(p.data_bounds.lower, 0.35, 1e-9);  // where the measured clock is one half
  EXPECT_DOUBLE_EQ(p.weight_bounds.lower, 0.001);
  EXPECT_NEAR(p.rate_bounds.upper, 0.15 * std::sqrt(2), 1e-12);
  EXPECT_NEAR(p.full_data_start, 0.2 * (1562 * 32 / 50000.0) / 3, 1e-9);
  EXPECT_NEAR(p.full_data_end, 0.1, 1e-12);
}

TEST(Problem, names_what_the_calibration_lacks) {
  EXPECT_EQ(code_of([] { problem_from(synthetic(), goal_of(0.4)); }), "E402");  // not fitted
  Calibration c = fitted();
  c.selection_clock = {};
  EXPECT_EQ(code_of([&] { problem_from(c, goal_of(0.4)); }), "E402");
  PlanGoal goal = goal_of(0.4);
  goal.select_data = false;
  EXPECT_EQ(code_of([&] { problem_from(c, goal); }), "");
  goal.epochs = 0;
  EXPECT_EQ(code_of([&] { problem_from(c, goal); }), "E104");
}

TEST(CalibratedPlan, reaches_the_target_for_less_than_dense_training) {
  const double target = demanding_target();
  const Plan p = plan(fitted(), goal_of(target));
  EXPECT_EQ(p.status, theory::SolveStatus::optimal) << p.message;
  EXPECT_NEAR((p.terminal_loss + fitted().fit.loss_offset) / target, 1, 5e-3);
  EXPECT_LT(p.energy, 0.7 * predict_dense(fitted(), goal_of(0), fitted().spec.optimiser).energy);
  const Schedule s = p.schedule();
  EXPECT_NO_THROW(s.check());
  EXPECT_DOUBLE_EQ(s.epochs, 3);
  EXPECT_EQ(s.data_fraction.front(), 1);
  EXPECT_EQ(s.data_fraction.back(), 1);
  EXPECT_LT(s.data_fraction[10], 1);
}

TEST(CalibratedPlan, costs_more_for_a_lower_loss) {
  const double target = demanding_target();
  EXPECT_LT(plan(fitted(), goal_of(1.02 * target)).energy, plan(fitted(), goal_of(target)).energy);
}

TEST(CalibratedPlan, saves_more_with_more_freedom) {
  PlanGoal goal = goal_of(demanding_target());
  const double both = plan(fitted(), goal).energy;
  goal.select_data = false;
  const double writes = plan(fitted(), goal).energy;
  goal.select_weights = false;
  const double rate = plan(fitted(), goal).energy;
  EXPECT_LT(both, writes);
  EXPECT_LT(writes, rate);
}

TEST(CalibratedPlan, chooses_a_horizon_of_less_energy_when_it_may) {
  PlanGoal goal = goal_of(demanding_target());
  const double fixed = plan(fitted(), goal).energy;
  goal.free_horizon = true;
  const Plan p = plan(fitted(), goal);
  EXPECT_LT(p.energy, fixed);
  EXPECT_LT(p.problem.horizon_epochs, 3);
  EXPECT_DOUBLE_EQ(p.schedule().epochs, p.problem.horizon_epochs);
  EXPECT_NEAR((p.terminal_loss + fitted().fit.loss_offset) / goal.target_loss, 1, 5e-3);
}

TEST(CalibratedPlan, says_when_the_target_is_out_of_reach) {
  const double least = fitted().fit.loss_offset + 0.3 * (dense_loss(fitted(), 3) - fitted().fit.loss_offset);
  const Plan p = plan(fitted(), goal_of(least));
  EXPECT_GT(p.terminal_loss + fitted().fit.loss_offset, least);
  EXPECT_NE(p.message.find("target"), std::string::npos) << p.message;
}

TEST(CalibratedPlan, needs_a_sensible_goal) {
  EXPECT_EQ(code_of([] { plan(fitted(), goal_of(0)); }), "E105");
  EXPECT_EQ(code_of([] { plan(fitted(), goal_of(0.5 * fitted().fit.loss_offset)); }), "E401");
}

TEST(CalibratedPlan, is_predicted_like_any_other_schedule) {
  const PlanGoal goal = goal_of(demanding_target());
  const Plan p = plan(fitted(), goal);
  const Plan again = predict(fitted(), goal, p.schedule());
  EXPECT_NEAR(again.energy / p.energy, 1, 1e-6);
  EXPECT_NEAR(again.terminal_loss / p.terminal_loss, 1, 1e-5);  // the two meshes differ
}

}  // namespace
}  // namespace eos::solvers
