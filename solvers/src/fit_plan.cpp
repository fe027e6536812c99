// The control problem of a calibrated network: measured clocks and counts, priced.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "eos/core/error.hpp"
#include "eos/solvers/fit.hpp"
#include "fit_curves.hpp"
#include "fit_scaling.hpp"

namespace eos::solvers {
namespace {

using theory::Calibration;
using theory::CaptureCurve;
using theory::ModeProblem;
using theory::OptimiserSpec;
using theory::Plan;
using theory::RateLaw;
using theory::Rule;
using theory::Schedule;

// Least length of the phases with all data, as shares of the horizon: in long runs the probes' own phases would be
// too short for the last one to undo the displacement that hard selection causes.
constexpr double k_least_end = 0.1;
constexpr int k_dense_intervals = 100;
// Weights are read once per forward pass, backward pass and update. While a full batch of kept samples is collected, a
// second, smaller forward pass is needed now and then.
constexpr double k_reads_per_update = 3.4, k_dense_reads = 3;

void require(bool good, const char* what) {
  if (!good) {
    throw core::Error("E402", fmt::format("the calibration has no {}", what),
                      "run `eos calibrate` again with this version");
  }
}

double probe_steps(const Calibration& c) {
  double steps = 0;
  for (const theory::ProbePoint& p : c.probes) steps = std::max(steps, p.step);
  return steps;
}

/// The smallest fraction at which the measured clock runs at k_least_clock of the dense one. Below, the hard samples
/// alone drive the network to another place, with a much larger loss, and a clock rate no longer describes what
/// happens.
double smallest_fraction(const CaptureCurve& clock, double probed) {
  constexpr double k_least_clock = 0.5;
  double low = probed, high = 1;
  if (clock.value(low) >= k_least_clock) return low;
  for (int i = 0; i < 40; ++i) {
    const double mid = 0.5 * (low + high);
    (clock.value(mid) < k_least_clock ? low : high) = mid;
  }
  return high;
}

/// The measured clock, of drift and of noise alike: with the measured noise capture for F_n the loss in the thinned
/// phase is overestimated, because in the mode model noise that hard samples bring does not pass as they are learned.
void set_selection(const Calibration& c, ModeProblem& problem) {
  require(!c.selection_clock.fraction.empty(), "clock rates of hard selection");
  const CaptureCurve clock = c.selection_clock_curve();
  constexpr double k_least = 1e-3;  // a clock that stands still has no logarithm
  std::vector<double> rate;
  for (double rho : c.selection_clock.fraction) rate.push_back(std::max(k_least, clock.value(rho)));
  problem.data_signal = problem.data_noise = CaptureCurve::tabulated(c.selection_clock.fraction, rate);
  problem.data_bounds = {smallest_fraction(clock, c.selection_clock.fraction.front()), 1};
  const double probe_epochs = probe_steps(c) * c.spec.batch / c.train_samples;
  problem.full_data_start = std::min(0.5, c.full_data_start * probe_epochs / problem.horizon_epochs);
  problem.full_data_end = std::clamp(c.full_data_end * probe_epochs / problem.horizon_epochs, k_least_end, 0.5);
}

void set_weights(const Calibration& c, const PlanGoal& goal, ModeProblem& problem) {
  if (!goal.select_weights) return;
  problem.weight_rule = Rule::ranked;
  if (!goal.accumulate) {
    problem.weight_capture = c.write_curve();
    problem.weight_bounds = {problem.weight_capture.fractions().front(), 1};
    return;
  }
  require(!c.accumulator_clock.fraction.empty(), "clock rates of error feedback");
  require(c.accumulator_path.fraction.size() >= 2, "path length of error feedback");
  problem.weight_capture = c.accumulator_clock_curve();
  problem.weight_bounds = {c.accumulator_clock.fraction.front(), 1};
  problem.accumulated = true;
  std::vector<double> path = c.accumulator_path.value;
  for (std::size_t i = 1; i < path.size(); ++i) path[i] = std::clamp(path[i], path[i - 1], 1.0);
  problem.accumulated_path = CaptureCurve::tabulated(c.accumulator_path.fraction, path);
}

/// J of path length per unit of the model's path: the model's modes stand for all parameters, so their common scale is
/// measured in the middle of the longest dense probe.
double path_scale(const Calibration& c, const ModeProblem& dynamics) {
  ModeProblem problem = dynamics;
  problem.price_path = 1;
  problem.terminal_weight = 1;
  problem.horizon = probe_steps(c);
  Schedule s;
  s.edges = {0};
  for (int i = 0; i < k_dense_intervals; ++i) {
    s.edges.push_back((i + 1.0) / k_dense_intervals);
    s.data_fraction.push_back(1);
    s.weight_fraction.push_back(1);
    s.learning_rate.push_back(c.spec.optimiser.learning_rate * (1 - (i + 0.5) / k_dense_intervals));
  }
  const std::vector<double> path = evaluate(problem, s).trajectory.energy;
  const auto begin = static_cast<std::size_t>(theory::k_path_begin * k_dense_intervals);
  const auto end = static_cast<std::size_t>(theory::k_path_end * k_dense_intervals);
  double clock = 0;
  for (std::size_t i = begin; i < end; ++i) clock += s.learning_rate[i] * problem.horizon / k_dense_intervals;
  return c.dense_path_per_step * clock / (path[end] - path[begin]);
}

/// Prices per chunk of B stream positions, in the conventions of theory/ledger.hpp.
void set_prices(const Calibration& c, const PlanGoal& goal, const ModeProblem& dynamics, ModeProblem& problem) {
  const theory::PriceList& e = goal.prices;
  const double batch = c.spec.batch;
  const auto parameters = static_cast<double>(c.counts.parameters);
  const auto forward = static_cast<double>(c.counts.forward_macs),
             backward = static_cast<double>(c.counts.backward_macs);
  const double presented = static_cast<double>(c.counts.input_bytes) * e.input_byte + e.sample;
  const bool accumulates = goal.select_weights && goal.accumulate;
  const double reads = goal.select_data ? k_reads_per_update : k_dense_reads;
  problem.price_sample =
      batch * backward * e.mac + reads * parameters * e.weight_read + (accumulates ? parameters * e.accumulator : 0);
  if (goal.select_data) {
    problem.price_screening = batch * (forward * e.scoring_mac + presented);
    problem.price_sample += batch * forward * (e.mac - e.scoring_mac);
  } else {
    problem.price_time = batch * (forward * e.mac + presented);
  }
  problem.price_write = parameters * e.write * (goal.select_weights ? 1 : c.dense_write_share);
  problem.rebatched = true;
  if (e.path > 0) problem.price_path = e.path * path_scale(c, dynamics);
}

ModeProblem dense_problem(const Calibration& c, const PlanGoal& goal) {
  PlanGoal dense = goal;
  dense.select_data = dense.select_weights = false;
  return problem_from(c, dense);
}

double rate_of(const OptimiserSpec& law, double progress, double epochs) {
  const double warm = law.warmup_epochs > 0 ? std::min(1.0, progress * epochs / law.warmup_epochs) : 1;
  switch (law.law) {
    case RateLaw::linear:
      return warm * law.learning_rate * (1 - progress);
    case RateLaw::cosine:
      return warm * law.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * progress));
    case RateLaw::inverse_time:
      return warm * law.learning_rate / (1 + law.decay * progress * epochs);
    case RateLaw::constant:
    case RateLaw::schedule:
    case RateLaw::effort:  // feedback: its course is not known beforehand
      break;
  }
  return warm * law.learning_rate;
}

/// Energies are those of the mode problem whatever model foretells the loss.
Plan followed(const Calibration& c, Plan plan) {
  if (c.follows_scaling_law()) follow_scaling_law(c, plan);
  return plan;
}

}  // namespace

ModeProblem problem_from(const Calibration& c, const PlanGoal& goal) {
  require(!c.fit.lambda.empty(), "fitted model");
  require(c.train_samples > 0 && c.counts.parameters > 0, "counts of samples and parameters");
  if (!(goal.epochs > 0)) throw core::Error("E104", fmt::format("epochs = {} must be > 0", goal.epochs));
  const ModeProblem dynamics = dynamics_of(c.fit, c.spec.batch);
  ModeProblem problem = dynamics;
  problem.title = fmt::format("calibrated on {}, prices {}", c.spec.data.name, goal.prices.name);
  problem.horizon_epochs = goal.epochs;
  problem.horizon = goal.epochs * c.train_samples / c.spec.batch;
  problem.intervals = goal.intervals;
  problem.terminal_weight = goal.terminal_weight > 0 ? goal.terminal_weight : 1;
  // Between the run's own rate and the largest one that did no harm, since hard batches take longer steps.
  const double own = c.spec.optimiser.learning_rate;
  problem.rate_bounds = {0, std::sqrt(own * std::max(own, c.largest_stable_rate))};
  if (goal.select_data) {
    set_selection(c, problem);
    problem.data_rule = Rule::ranked;
  }
  set_weights(c, goal, problem);
  set_prices(c, goal, dynamics, problem);
  return problem;
}

Plan predict(const Calibration& calibration, const PlanGoal& goal, const Schedule& schedule) {
  return followed(calibration, evaluate(problem_from(calibration, goal), schedule));
}

Plan predict_dense(const Calibration& calibration, const PlanGoal& goal, const OptimiserSpec& rate) {
  Schedule s;
  s.data_rule = s.weight_rule = Rule::all;
  s.edges = {0};
  for (int i = 0; i < k_dense_intervals; ++i) {
    s.edges.push_back((i + 1.0) / k_dense_intervals);
    s.data_fraction.push_back(1);
    s.weight_fraction.push_back(1);
    s.learning_rate.push_back(rate_of(rate, (i + 0.5) / k_dense_intervals, goal.epochs));
  }
  return followed(calibration, evaluate(dense_problem(calibration, goal), s));
}

}  // namespace eos::solvers
