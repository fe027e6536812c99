#include "mode_solver.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::Bounds;
using theory::Controls;
using theory::ModeProblem;
using theory::Rule;
using theory::SolveStatus;

namespace {

constexpr double k_loose = 3e-5;     // tolerance of descents whose only purpose is to be compared
constexpr double k_gain = 1e-9;      // smallest relative gain worth another round
constexpr double k_rounding = 1e-7;  // projected gradients below it may be out of reach of doubles

std::vector<double> uniform_edges(const ModeProblem& problem) {
  std::vector<double> edges;
  for (int i = 0; i <= problem.intervals; ++i) edges.push_back(problem.horizon * i / problem.intervals);
  return edges;
}

double mix(double share, const Bounds& b) { return b.lower + share * (b.upper - b.lower); }

/// Controls at relative position s of a piecewise constant sequence, linear between interval midpoints.
Controls resample(std::span<const Controls> from, double s) {
  const double at = std::clamp(s * static_cast<double>(from.size()) - 0.5, 0.0, static_cast<double>(from.size() - 1));
  const auto i = std::min(static_cast<std::size_t>(at), from.size() - 1);
  const std::size_t next = std::min(i + 1, from.size() - 1);
  const double w = at - static_cast<double>(i);
  auto blend = [w](double a, double b) { return (1 - w) * a + w * b; };
  return {blend(from[i].data_fraction, from[next].data_fraction),
          blend(from[i].weight_fraction, from[next].weight_fraction),
          blend(from[i].learning_rate, from[next].learning_rate)};
}

}  // namespace

ModeSolver::ModeSolver(const ModeProblem& problem, const SolveOptions& options)
    : model_(problem),
      options_(options),
      coordinates_(model_.problem()),
      integrator_(model_, uniform_edges(problem), options.substeps),
      controls_(integrator_.intervals()),
      gradient_(integrator_.intervals()) {}

std::vector<Controls> ModeSolver::constant_start(const Controls& share) const {
  const ModeProblem& problem = model_.problem();
  Controls u = model_.effective({mix(share.data_fraction, problem.data_bounds),
                                 mix(share.weight_fraction, problem.weight_bounds),
                                 mix(share.learning_rate, problem.rate_bounds)});
  // Above this rate noise feeds itself (beta sum n lambda > alpha) and the loss grows without limit.
  const theory::Captures f = model_.captures(u);
  double trace = 0;
  for (double w : model_.variance_weights()) trace += w;
  const double noise = problem.noise_scale * f.noise * trace;
  const double stable = noise > 0 ? 2 * problem.batch * f.signal / noise : problem.rate_bounds.upper;
  u.learning_rate =
      std::clamp(std::min(u.learning_rate, 0.5 * stable), problem.rate_bounds.lower, problem.rate_bounds.upper);
  return std::vector<Controls>(integrator_.intervals(), u);
}

double ModeSolver::value_of(std::span<const Controls> controls) {
  ++evaluations_;
  return integrator_.forward(controls) / scale_;
}

void ModeSolver::refresh(const Candidate& at) {
  value_of(at.controls);
  integrator_.backward(at.controls, gradient_);
}

ModeSolver::Candidate ModeSolver::descend(std::span<const Controls> start, double tolerance) {
  MinimiserOptions options;
  options.max_iterations = options_.max_iterations;
  options.max_evaluations = 3 * options_.max_iterations;
  options.tolerance = tolerance;
  const Objective objective = [this](std::span<const double> x, std::span<double> g) {
    coordinates_.to(x, controls_);
    const double value = value_of(controls_);
    if (std::isfinite(value)) {
      integrator_.backward(controls_, gradient_);
      coordinates_.pull_back(controls_, gradient_, 1 / scale_, g);
    }
    return value;
  };
  const Minimum found =
      minimise_bounded(objective, coordinates_.from(start), coordinates_.lower(), coordinates_.upper(), options);
  Candidate c;
  c.controls.resize(start.size());
  coordinates_.to(found.x, c.controls);
  c.value = found.value;
  c.iterations = found.iterations;
  c.projected_gradient = found.projected_gradient;
  c.status = found.status;
  return c;
}

Controls ModeSolver::rest() const {
  const ModeProblem& problem = model_.problem();
  return model_.effective({problem.data_bounds.lower, problem.weight_bounds.lower, problem.rate_bounds.lower});
}

bool ModeSolver::is_resting(const Controls& u) const {
  const Controls r = rest();
  return u.data_fraction <= 1.01 * r.data_fraction && u.weight_fraction <= 1.01 * r.weight_fraction;
}

std::size_t ModeSolver::learning_intervals(const Candidate& c) const {
  std::size_t n = c.controls.size();
  while (n > 0 && is_resting(c.controls[n - 1])) --n;
  return n;
}

double ModeSolver::switch_slope(const Candidate& c) {
  refresh(c);
  const std::size_t n = learning_intervals(c);
  const auto m = integrator_.state(n), p = integrator_.costate(n);
  const Controls learn = n > 0 ? c.controls[n - 1] : model_.minimise_hamiltonian(m, p);
  Controls still = rest();
  still.learning_rate = model_.optimal_rate(m, p, still);
  return model_.hamiltonian(m, p, still) - model_.hamiltonian(m, p, learn);
}

/// Stretches or compresses the learning phase to `count` intervals, rests afterwards, and descends.
ModeSolver::Candidate ModeSolver::with_learning(const Candidate& from, std::size_t count) {
  const std::size_t n = learning_intervals(from);
  std::vector<Controls> start(from.controls.size(), rest());
  for (std::size_t i = 0; i < start.size(); ++i) {
    const double s = (static_cast<double>(std::min(i, count - 1)) + 0.5) / static_cast<double>(count);
    const Controls u = resample(std::span(from.controls).first(n), s);
    if (i < count) start[i] = u;
    start[i].learning_rate = u.learning_rate;
  }
  return descend(start, k_loose);
}

/// Secant search on the number of learning intervals; the slope falls from positive to negative through the optimum.
bool ModeSolver::search_rest(Candidate& best) {
  const auto most = static_cast<std::ptrdiff_t>(best.controls.size());
  auto at = static_cast<std::ptrdiff_t>(learning_intervals(best));
  if (at == 0) return false;
  struct Point {
    std::ptrdiff_t count;
    double slope;
  };
  Point known{at, switch_slope(best)}, other{-1, 0};
  const double value = best.value;
  Candidate from = best;
  std::ptrdiff_t step = std::max<std::ptrdiff_t>(1, most / 8);
  for (int trial = 0; trial < 14; ++trial) {
    std::ptrdiff_t next = known.slope < 0 ? known.count - step : known.count + step;
    if (other.count >= 0) {  // bracketed: secant, strictly inside
      const auto [low, high] = std::minmax(known.count, other.count);
      if (high - low <= 1) break;
      const double w = known.slope / (known.slope - other.slope);
      next = known.count + std::lround(w * static_cast<double>(other.count - known.count));
      next = std::clamp(next, low + 1, high - 1);
    }
    next = std::clamp<std::ptrdiff_t>(next, 1, most);
    if (next == known.count) break;
    const Candidate candidate = with_learning(from, static_cast<std::size_t>(next));
    if (!std::isfinite(candidate.value)) break;
    if (candidate.value < best.value) best = candidate;
    const Point found{next, switch_slope(candidate)};
    if (static_cast<std::ptrdiff_t>(learning_intervals(candidate)) != next) break;  // the descent left the family
    if ((found.slope < 0) != (known.slope < 0)) other = known;
    step *= 2;
    known = found;
    from = candidate;
  }
  return best.value < value - k_gain;
}

/// Rest is worth the same at any time for the final loss, but the running loss wants it last.
bool ModeSolver::sort_rest(Candidate& best) {
  std::vector<Controls> sorted = best.controls;
  std::stable_partition(sorted.begin(), sorted.end(), [this](const Controls& u) { return !is_resting(u); });
  coordinates_.impose_phases(sorted);
  if (!(value_of(sorted) < best.value - k_gain)) return false;
  best = descend(sorted, k_loose);
  return true;
}

/// Where the Hamiltonian has a lower minimum elsewhere, the controls jump there if J agrees.
bool ModeSolver::jump(Candidate& best) {
  refresh(best);
  const double threshold = 1e-6 * scale_ / integrator_.edges().back();
  std::vector<std::pair<double, std::size_t>> gaps;
  std::vector<Controls> moved = best.controls;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const auto m = integrator_.mid_state(i), p = integrator_.mid_costate(i);
    moved[i] = model_.minimise_hamiltonian(m, p);
  }
  coordinates_.impose_phases(moved);
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const auto m = integrator_.mid_state(i), p = integrator_.mid_costate(i);
    const double gap = model_.hamiltonian(m, p, best.controls[i]) - model_.hamiltonian(m, p, moved[i]);
    if (gap > threshold) gaps.emplace_back(-gap, i);
  }
  std::sort(gaps.begin(), gaps.end());
  for (std::size_t count = gaps.size(); count > 0; count /= 2) {
    std::vector<Controls> trial = best.controls;
    for (std::size_t k = 0; k < count; ++k) trial[gaps[k].second] = moved[gaps[k].second];
    if (value_of(trial) < best.value - k_gain) {
      best = descend(trial, k_loose);
      return true;
    }
  }
  return false;
}

/// The rate of a resting interval hardly matters, so a descent leaves it where it was: put it where H is least.
void ModeSolver::settle_resting_rates(Candidate& best) {
  refresh(best);
  for (std::size_t i = 0; i < best.controls.size(); ++i) {
    Controls& u = best.controls[i];
    if (is_resting(u)) u.learning_rate = model_.optimal_rate(integrator_.mid_state(i), integrator_.mid_costate(i), u);
  }
}

ModeSolver::Candidate ModeSolver::polish(Candidate best) {
  int iterations = best.iterations;
  for (int round = 0; round < 4; ++round) {
    settle_resting_rates(best);
    best = descend(best.controls, options_.tolerance);
    iterations += best.iterations;
    if (best.status == SolveStatus::not_finite || !integrator_.refine(best.controls, options_.mesh_tolerance)) break;
  }
  if (best.status == SolveStatus::stalled && best.projected_gradient < k_rounding) best.status = SolveStatus::optimal;
  best.iterations = iterations;
  return best;
}

void ModeSolver::set_scale(std::span<const Controls> first) {
  const double value = value_of(first);
  if (std::isfinite(value) && value != 0) scale_ = std::abs(value);
  integrator_.refine(first, options_.mesh_tolerance);
}

ModeSolver::Candidate ModeSolver::search() {
  std::vector<Controls> starts = options_.starts;
  const ModeProblem& problem = model_.problem();
  const bool can_rest = problem.data_rule != Rule::all || problem.weight_rule != Rule::all;
  if (starts.empty()) starts = {{1, 1, 0.75}, {0.6, 0.6, 0.75}, {0.3, 0.9, 0.75}};
  if (!can_rest) starts.resize(1);  // starts differ in their fractions only
  starts_ = static_cast<int>(starts.size());

  Candidate best;
  best.controls = constant_start(starts.front());
  best.value = INFINITY;
  set_scale(best.controls);
  for (const Controls& start : starts) {
    Candidate found = descend(constant_start(start), k_loose);
    if (found.value < best.value) best = std::move(found);
  }
  const bool searches = can_rest && problem.discretisation.rest_intervals < 0;
  for (int round = 0; searches && std::isfinite(best.value) && round < 6; ++round) {
    const bool sorted = sort_rest(best), rested = search_rest(best), jumped = jump(best);
    if (!sorted && !rested && !jumped) break;
  }
  return best;
}

ModeSolver::Candidate ModeSolver::follow() {
  const theory::Schedule& known = *options_.warm_start;
  std::vector<Controls> from, start(integrator_.intervals());
  for (std::size_t i = 0; i < known.data_fraction.size(); ++i)
    from.push_back({known.data_fraction[i], known.weight_fraction[i], known.learning_rate[i]});
  for (std::size_t i = 0; i < start.size(); ++i)
    start[i] = model_.effective(resample(from, (static_cast<double>(i) + 0.5) / static_cast<double>(start.size())));
  coordinates_.impose_phases(start);
  starts_ = 1;
  set_scale(start);
  return descend(start, options_.tolerance);
}

theory::Plan ModeSolver::solve() {
  Candidate best = options_.warm_start != nullptr ? follow() : search();
  if (std::isfinite(best.value)) best = polish(std::move(best));
  theory::Plan plan = make_plan(model_, integrator_, best.controls);
  plan.status = best.status;
  plan.message = best.status == SolveStatus::not_finite
                     ? "the loss is not finite for any start: lower rate_bounds or noise_scale, or take more steps"
                     : fmt::format("projected gradient {:.1e} of J, {} integration steps", best.projected_gradient,
                                   integrator_.steps());
  plan.starts = starts_;
  plan.iterations = best.iterations;
  plan.evaluations = evaluations_;
  return plan;
}

}  // namespace eos::solvers
