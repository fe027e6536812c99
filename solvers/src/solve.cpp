#include "eos/solvers/solve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "bounded_minimiser.hpp"
#include "certificate.hpp"
#include "eos/core/error.hpp"
#include "mode_integrator.hpp"

namespace eos::solvers {
namespace {

using theory::Bounds;
using theory::ControlGradient;
using theory::Controls;
using theory::ModeProblem;
using theory::Plan;
using theory::Rule;
using theory::SolveStatus;

constexpr double k_loose = 1e-5;           // tolerance of the first descent from every start
constexpr double k_mesh_tolerance = 1e-8;  // relative change of the loss when substeps are halved

std::vector<double> uniform_edges(const ModeProblem& problem) {
  std::vector<double> edges;
  for (int i = 0; i <= problem.intervals; ++i) edges.push_back(problem.horizon * i / problem.intervals);
  return edges;
}

/// The controls as variables of comparable size: ln of a ranked fraction, a random fraction itself, eta / eta_max.
class Coordinates {
 public:
  explicit Coordinates(const ModeProblem& problem) : problem_(problem) {
    rate_scale_ = problem.rate_bounds.upper > 0 ? problem.rate_bounds.upper : 1;
    add(problem.data_bounds, problem.data_rule);
    add(problem.weight_bounds, problem.weight_rule);
    one_lower_.push_back(problem.rate_bounds.lower / rate_scale_);
    one_upper_.push_back(problem.rate_bounds.upper / rate_scale_);
    for (int i = 0; i < problem.intervals; ++i) {
      lower.insert(lower.end(), one_lower_.begin(), one_lower_.end());
      upper.insert(upper.end(), one_upper_.begin(), one_upper_.end());
    }
  }

  std::vector<double> from(std::span<const Controls> controls) const {
    std::vector<double> x;
    for (const Controls& u : controls) {
      x.push_back(inward(u.data_fraction, problem_.data_rule));
      x.push_back(inward(u.weight_fraction, problem_.weight_rule));
      x.push_back(u.learning_rate / rate_scale_);
    }
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::clamp(x[i], lower[i], upper[i]);
    return x;
  }

  void to(std::span<const double> x, std::span<Controls> controls) const {
    for (std::size_t i = 0; i < controls.size(); ++i) {
      controls[i].data_fraction = outward(x[3 * i], problem_.data_rule, problem_.data_bounds);
      controls[i].weight_fraction = outward(x[3 * i + 1], problem_.weight_rule, problem_.weight_bounds);
      controls[i].learning_rate = x[3 * i + 2] * rate_scale_;
    }
  }

  void pull_back(std::span<const Controls> controls, std::span<const ControlGradient> gradient, double scale,
                 std::span<double> g) const {
    for (std::size_t i = 0; i < controls.size(); ++i) {
      const double by_data = problem_.data_rule == Rule::ranked ? controls[i].data_fraction : 1;
      const double by_weight = problem_.weight_rule == Rule::ranked ? controls[i].weight_fraction : 1;
      g[3 * i] = scale * gradient[i].data * by_data;
      g[3 * i + 1] = scale * gradient[i].weight * by_weight;
      g[3 * i + 2] = scale * gradient[i].rate * rate_scale_;
    }
  }

  std::vector<double> lower, upper;

 private:
  static double inward(double fraction, Rule rule) { return rule == Rule::ranked ? std::log(fraction) : fraction; }
  static double outward(double x, Rule rule, const Bounds& b) {
    return rule == Rule::ranked ? std::clamp(std::exp(x), b.lower, b.upper) : x;
  }
  void add(const Bounds& b, Rule rule) {
    one_lower_.push_back(rule == Rule::all ? 1 : inward(b.lower, rule));
    one_upper_.push_back(rule == Rule::all ? 1 : inward(b.upper, rule));
  }

  const ModeProblem& problem_;
  double rate_scale_;
  std::vector<double> one_lower_, one_upper_;
};

class Solver {
 public:
  Solver(const ModeProblem& problem, const SolveOptions& options)
      : model_(problem),
        options_(options),
        coordinates_(model_.problem()),
        integrator_(model_, uniform_edges(problem), options.substeps),
        controls_(integrator_.intervals()),
        gradient_(integrator_.intervals()) {}

  Plan solve();

 private:
  std::vector<double> constant_start(const Controls& share) const;
  Minimum descend(std::vector<double> x, double tolerance);
  Minimum descend_and_jump(std::vector<double> x);
  bool jump(Minimum& minimum);
  double value_of(std::span<const double> x);

  theory::ModeModel model_;
  SolveOptions options_;
  Coordinates coordinates_;
  ModeIntegrator integrator_;
  std::vector<Controls> controls_;
  std::vector<ControlGradient> gradient_;
  double scale_ = 1;
  int evaluations_ = 0;
};

Controls within_bounds(const Controls& share, const ModeProblem& problem) {
  auto mix = [](double s, const Bounds& b) { return b.lower + s * (b.upper - b.lower); };
  return {mix(share.data_fraction, problem.data_bounds), mix(share.weight_fraction, problem.weight_bounds),
          mix(share.learning_rate, problem.rate_bounds)};
}

std::vector<double> Solver::constant_start(const Controls& share) const {
  const ModeProblem& problem = model_.problem();
  Controls u = model_.effective(within_bounds(share, problem));
  // Above this rate noise feeds itself (beta sum n lambda > alpha) and the loss grows without limit.
  const theory::Captures f = model_.captures(u);
  double trace = 0;
  for (double w : model_.variance_weights()) trace += w;
  const double stable = 2 * problem.batch * f.signal / (std::max(problem.noise_scale, 1e-300) * f.noise * trace);
  u.learning_rate =
      std::clamp(std::min(u.learning_rate, 0.5 * stable), problem.rate_bounds.lower, problem.rate_bounds.upper);
  return coordinates_.from(std::vector<Controls>(integrator_.intervals(), u));
}

double Solver::value_of(std::span<const double> x) {
  coordinates_.to(x, controls_);
  ++evaluations_;
  return integrator_.forward(controls_);
}

Minimum Solver::descend(std::vector<double> x, double tolerance) {
  MinimiserOptions options;
  options.max_iterations = options_.max_iterations;
  options.max_evaluations = 3 * options_.max_iterations;
  options.tolerance = tolerance;
  const Objective objective = [this](std::span<const double> at, std::span<double> g) {
    const double value = value_of(at);
    if (std::isfinite(value)) {
      integrator_.backward(controls_, gradient_);
      coordinates_.pull_back(controls_, gradient_, 1 / scale_, g);
    }
    return value / scale_;
  };
  return minimise_bounded(objective, std::move(x), coordinates_.lower, coordinates_.upper, options);
}

/// Where the Hamiltonian has a lower minimum elsewhere, the controls jump there if J agrees.
bool Solver::jump(Minimum& minimum) {
  value_of(minimum.x);
  integrator_.backward(controls_, gradient_);
  const double threshold = 1e-6 * scale_ / integrator_.edges().back();
  std::vector<Controls> moved = controls_;
  std::vector<std::pair<double, std::size_t>> gaps;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    const auto m = integrator_.mid_state(i), p = integrator_.mid_costate(i);
    const Controls best = model_.minimise_hamiltonian(m, p);
    const double gap = model_.hamiltonian(m, p, controls_[i]) - model_.hamiltonian(m, p, best);
    if (gap > threshold) {
      gaps.push_back({-gap, i});
      moved[i] = best;
    }
  }
  std::sort(gaps.begin(), gaps.end());
  const std::vector<Controls> before = controls_;
  for (std::size_t count = gaps.size(); count > 0; count /= 2) {
    std::vector<Controls> trial = before;
    for (std::size_t k = 0; k < count; ++k) trial[gaps[k].second] = moved[gaps[k].second];
    const std::vector<double> x = coordinates_.from(trial);
    const double value = value_of(x) / scale_;
    if (value < minimum.value - 1e-10) {
      minimum.x = x;
      return true;
    }
  }
  return false;
}

Minimum Solver::descend_and_jump(std::vector<double> x) {
  Minimum best = descend(std::move(x), k_loose);
  for (int round = 0; round < 20 && best.status != SolveStatus::not_finite && jump(best); ++round) {
    Minimum next = descend(best.x, k_loose);
    next.iterations += best.iterations;
    best = next;
  }
  return best;
}

Plan make_plan(const theory::ModeModel& model, ModeIntegrator& integrator, std::span<const Controls> controls) {
  Plan plan;
  plan.problem = model.problem();
  plan.problem.intervals = static_cast<int>(integrator.intervals());
  const std::size_t n = integrator.intervals();
  std::vector<ControlGradient> gradient(n);
  plan.objective = integrator.forward(controls);
  integrator.backward(controls, gradient);
  theory::Trajectory& t = plan.trajectory;
  t.time = integrator.edges();
  t.energy.push_back(0);
  for (std::size_t i = 0; i <= n; ++i) {
    const auto m = integrator.state(i), p = integrator.costate(i);
    t.loss.push_back(model.loss(m));
    t.state.emplace_back(m.begin(), m.end());
    t.costate.emplace_back(p.begin(), p.end());
  }
  for (std::size_t i = 0; i < n; ++i) {
    t.data_fraction.push_back(controls[i].data_fraction);
    t.weight_fraction.push_back(controls[i].weight_fraction);
    t.learning_rate.push_back(controls[i].learning_rate);
    t.energy.push_back(t.energy.back() + integrator.energy(i));
    t.hamiltonian.push_back(model.hamiltonian(integrator.mid_state(i), integrator.mid_costate(i), controls[i]));
  }
  plan.terminal_loss = t.loss.back();
  plan.energy = t.energy.back();
  if (std::isfinite(plan.objective)) plan.certificate = certify(model, integrator, controls, gradient, plan.objective);
  return plan;
}

Plan Solver::solve() {
  std::vector<Controls> starts = options_.starts;
  if (starts.empty()) starts = {{1, 1, 0.75}, {0.6, 0.6, 0.75}, {0.3, 0.9, 0.75}};
  std::vector<double> first = constant_start(starts.front());
  const double value = value_of(first);
  if (std::isfinite(value) && value != 0) scale_ = std::abs(value);
  if (integrator_.refine(controls_, k_mesh_tolerance)) value_of(first);
  Minimum best;
  best.value = INFINITY;
  best.status = SolveStatus::not_finite;
  best.x = first;
  for (const Controls& start : starts) {
    const Minimum found = descend_and_jump(constant_start(start));
    evaluations_ += found.evaluations;
    if (found.value < best.value) best = found;
  }
  int iterations = best.iterations;
  for (int round = 0; round < 3 && best.status != SolveStatus::not_finite; ++round) {
    best = descend(best.x, options_.tolerance);
    iterations += best.iterations;
    value_of(best.x);
    if (!integrator_.refine(controls_, k_mesh_tolerance)) break;
  }
  coordinates_.to(best.x, controls_);
  Plan plan = make_plan(model_, integrator_, controls_);
  plan.status = best.status;
  plan.starts = static_cast<int>(starts.size());
  plan.iterations = iterations;
  plan.evaluations = evaluations_;
  return plan;
}

}  // namespace

Plan solve(const ModeProblem& problem, const SolveOptions& options) {
  problem.check();
  const auto begin = std::chrono::steady_clock::now();
  Plan plan = Solver(problem, options).solve();
  plan.solve_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return plan;
}

}  // namespace eos::solvers
