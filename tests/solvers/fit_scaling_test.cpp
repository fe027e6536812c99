// The scaling law on curves that follow one; the choice between models; its plans against a search by hand.
#include "../../solvers/src/fit_scaling.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../../solvers/src/fit_scaling_plan.hpp"

namespace eos::solvers {
namespace {

using theory::Calibration;
using theory::Plan;

/// Annealed loss of a law that has forgotten its noise: floor + amplitude (1 + T / clock)^-exponent, and noise in
/// proportion to the rate on the way.
double truth(double clock, double rate) { return 0.3 + 1.5 * std::pow(1 + clock / 0.8, -0.4) * (1 + 0.6 * rate); }

Calibration power_law() {
  Calibration c;
  c.spec.batch = 32;
  c.spec.optimiser.learning_rate = 0.15;
  c.train_samples = 50000;
  c.counts = {1000, 900, 1500, 64};
  int probe = 0;
  for (const auto& [rate, steps] : {std::pair{0.15, 156.0}, {0.15, 781.0}, {0.15, 1562.0}, {0.3, 1562.0}}) {
    for (int k = 1; k <= 8; ++k) {
      theory::ProbePoint p;
      const double s = k / 8.0;
      p.probe = probe;
      p.step = s * steps;
      p.clock = rate * steps * (s - 0.5 * s * s);
      p.learning_rate = rate * (1 - s);
      p.loss = truth(p.clock, p.learning_rate);
      p.loss_error = 1e-4;
      c.probes.push_back(p);
    }
    ++probe;
  }
  c.largest_stable_rate = 0.3;
  c.selection_clock = {{0.2, 0.5, 1}, {0.3, 0.9, 1}, {}};
  c.accumulator_clock = {{0.001, 0.01, 1}, {0.8, 1, 1}, {}};
  c.accumulator_path = {{0.001, 0.01, 1}, {0.1, 0.25, 1}, {}};
  c.full_data_start = c.full_data_end = 0.2;
  c.dense_write_share = 0.7;
  c.dense_path_per_step = 2;
  return c;
}

const Calibration& fitted() {
  static const Calibration c = [] {
    Calibration made = power_law();
    made.fit = fit_model(made);
    return made;
  }();
  return c;
}

PlanGoal goal() {
  PlanGoal g;
  g.prices.mac = 2, g.prices.scoring_mac = 1, g.prices.write = 30, g.prices.accumulator = 5;
  g.epochs = 4;
  g.intervals = 20;
  g.free_horizon = true;
  return g;
}

TEST(ScalingLaw, is_chosen_where_it_predicts_better) {
  EXPECT_LT(fitted().fit.scaling.held_out_error, 0.02);
  Calibration c = fitted();
  c.fit.held_out_error = 2 * c.fit.scaling.held_out_error;
  EXPECT_TRUE(c.follows_scaling_law());
  c.fit.held_out_error = 0.5 * c.fit.scaling.held_out_error;
  EXPECT_FALSE(c.follows_scaling_law());
  EXPECT_FALSE(Calibration{}.follows_scaling_law());
}

TEST(ScalingLaw, predicts_longer_horizons) {
  Calibration c = fitted();
  c.fit.held_out_error = 1;
  for (const double epochs : {2.0, 4.0}) {
    PlanGoal g = goal();
    g.epochs = epochs;
    const double loss = predict_dense(c, g, c.spec.optimiser).terminal_loss + c.fit.loss_offset;
    // One-epoch probes fix neither floor nor exponent; the prior holds both.
    EXPECT_NEAR(loss / truth(0.5 * 0.15 * epochs * 50000 / 32, 0), 1, 0.05) << epochs;
  }
}

TEST(ScalingLaw, without_noise_is_its_formula_at_every_node) {
  const theory::FittedScalingLaw law{0.2, 1.1, 0.5, 3, 0, 0, 0};
  const std::vector<double> losses = scaling_losses(law, {{0, 1, 4, 9}, {1, 1, 1}, {1, 1, 1}});
  const double clock[4] = {0, 1, 4, 9};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(losses[i], 0.2 + 1.1 * std::pow(1 + clock[i] / 3, -0.5), 1e-12);
}

TEST(ScalingLaw, plans_the_fractions_of_least_energy_per_unit_of_clock) {
  Calibration c = fitted();
  c.fit.held_out_error = 1;
  PlanGoal g = goal();
  g.target_loss = predict_dense(
                      c,
                      [&] {
                        PlanGoal d = g;
                        d.epochs = 2;
                        return d;
                      }(),
                      c.spec.optimiser)
                      .terminal_loss +
                  c.fit.loss_offset;
  const Plan best = plan(c, g);
  EXPECT_LE(best.terminal_loss + c.fit.loss_offset, g.target_loss * 1.001);
  const theory::ModeProblem& p = best.problem;
  const auto price = [&](double rho, double kappa) {
    return (p.price_screening + rho * p.price_sample + rho * kappa * p.price_write) /
           (p.data_signal.value(rho) * p.weight_capture.value(kappa));
  };
  const std::size_t middle = best.trajectory.data_fraction.size() / 2;
  const double rho = best.trajectory.data_fraction[middle], kappa = best.trajectory.weight_fraction[middle];
  // Full-data phases shift the optimum a little, and the grid has 12 points.
  double least = INFINITY;
  for (double r = p.data_bounds.lower; r <= 1; r += 0.01)
    for (double k = p.weight_bounds.lower; k <= 1; k *= 1.1) least = std::min(least, price(r, k));
  EXPECT_LT(price(rho, kappa), 1.05 * least);
  g.target_loss = c.fit.loss_offset + 1e-6;  // a power law does not get there
  EXPECT_NE(plan(c, g).message.find("scaling law reaches"), std::string::npos);
}

}  // namespace
}  // namespace eos::solvers
