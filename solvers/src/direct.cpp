#include "direct.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "absolute_values.hpp"
#include "interval_polynomial.hpp"
#include "ipopt_backend.hpp"

namespace eos::solvers {

namespace {

double any_value(const theory::Interval& b, double otherwise) {
  if (b.fixed()) return b.lower;
  if (std::isfinite(b.lower) && std::isfinite(b.upper)) return 0.5 * (b.lower + b.upper);
  return std::min(std::max(otherwise, b.lower), b.upper);
}

/// Values at time t of a solved iterate.
class Reader {
 public:
  Reader(const DirectResult& from, const Transcription& old) : from_(from), old_(old) {
    nodes_.push_back(0);
    for (int i = old.shape().first; i < old.shape().stages; ++i) nodes_.push_back(old.scheme().c[i]);
    costate_ = old.node_costates(from.at);
    for (int k = 0; k < old.shape().intervals; ++k) end_.push_back(old.time(from.at, (k + 1) * old.shape().stages - 1));
  }
  void go(double t) {
    while (k_ + 1 < static_cast<int>(end_.size()) && t > end_[k_] * (1 + 1e-14)) ++k_;
    while (k_ > 0 && t <= end_[k_ - 1] * (1 - 1e-14)) --k_;
    const double begin = k_ == 0 ? 0.0 : end_[k_ - 1];
    sigma_ = std::min(1.0, std::max(0.0, (t - begin) / (end_[k_] - begin)));
    state_ = lagrange(nodes_, sigma_), control_ = lagrange(old_.scheme().c, sigma_);
  }
  double state(int a) const {
    const int s = old_.shape().stages, first = old_.shape().first;
    const double* x = from_.at.x.data() + static_cast<std::size_t>(a) * old_.lanes();
    double value = state_[0] * (k_ == 0 ? from_.at.start[a] : x[k_ * s - 1]);
    for (int i = first; i < s; ++i) value += state_[i - first + 1] * x[k_ * s + i];
    return value;
  }
  double row(const std::vector<double>& values, int r) const {
    const int s = old_.shape().stages;
    double value = 0;
    for (int i = 0; i < s; ++i) value += control_[i] * values[static_cast<std::size_t>(r) * old_.lanes() + k_ * s + i];
    return value;
  }
  /// Of the nearest stage: for multipliers of bounds, which must stay positive.
  double nearest(const std::vector<double>& values, int r) const {
    const int s = old_.shape().stages;
    int best = 0;
    for (int i = 1; i < s; ++i)
      if (std::fabs(old_.scheme().c[i] - sigma_) < std::fabs(old_.scheme().c[best] - sigma_)) best = i;
    return values[static_cast<std::size_t>(r) * old_.lanes() + k_ * s + best];
  }
  double costate(int a) const {
    const int n = old_.shape().states;
    return (1 - sigma_) * costate_[k_ * n + a] + sigma_ * costate_[(k_ + 1) * n + a];
  }

 private:
  const DirectResult& from_;
  const Transcription& old_;
  std::vector<double> nodes_, costate_, end_, state_, control_;
  int k_ = 0;
  double sigma_ = 0;
};

}  // namespace

Iterate constant_guess(const Transcription& t) {
  const theory::ControlProblem& problem = t.compiled().problem();
  const std::size_t p = t.lanes();
  const int n = t.shape().states, m = t.shape().controls;
  Iterate at;
  at.start = t.start_values();
  at.x.resize(n * p), at.u.resize(m * p);
  const double horizon = t.horizon(at);
  for (int a = 0; a < n; ++a) {
    const auto& state = problem.states[a];
    double from = any_value(state.initial, any_value(state.bounds, any_value(state.final, 0.0)));
    double to = any_value(state.final, from);
    if (state.guess) from = to = *state.guess;
    if (!state.guess && state.initial.free() && state.final.fixed()) from = to;
    if (t.start_parent(a) >= 0) at.start[a] = from;
    for (std::size_t lane = 0; lane < p; ++lane)
      at.x[a * p + lane] = from + (to - from) * t.time(at, static_cast<int>(lane)) / horizon;
  }
  for (int j = 0; j < m; ++j)
    std::fill_n(at.u.begin() + j * p, p,
                problem.controls[j].guess ? *problem.controls[j].guess : any_value(problem.controls[j].bounds, 0.0));
  t.complete(at);
  return at;
}

Iterate carry_over(const DirectResult& from, const CompiledProblem& compiled, const Transcription& t) {
  Transcription old(compiled, from.solution.parameters, from.mesh, tableau(from.scheme));
  old.evaluate(from.at, 1);
  Reader read(from, old);
  const std::size_t p = t.lanes();
  const int n = t.shape().states, m = t.shape().controls, g = compiled.path_constraints(), s = t.shape().stages;
  Iterate at;
  at.start = t.start_values();
  for (int a = 0; a < n; ++a)
    if (t.start_parent(a) >= 0) at.start[a] = from.at.start[a];
  const double ratio = from.solution.horizon / t.mesh().duration;
  const bool same = from.at.end_nu.size() == static_cast<std::size_t>(t.end_rows());
  at.x.resize(n * p), at.u.resize(m * p), at.slack.resize(g * p), at.lambda.assign(n * p, 0.0), at.nu.resize(g * p);
  at.z_lower.resize((n + m + g) * p), at.z_upper.resize((n + m + g) * p);
  for (std::size_t lane = 0; lane < p; ++lane) {
    read.go(t.time(at, static_cast<int>(lane)) * ratio);
    for (int a = 0; a < n; ++a) {
      at.x[a * p + lane] = read.state(a);
      if (static_cast<int>(lane % s) == s - 1) at.lambda[a * p + lane] = read.costate(a);
    }
    for (int j = 0; j < m; ++j) at.u[j * p + lane] = read.row(from.at.u, j);
    for (int i = 0; i < g; ++i) {
      at.slack[i * p + lane] = read.row(from.at.slack, i);
      at.nu[i * p + lane] = read.row(from.at.nu, i);
    }
    for (int r = 0; r < n + m + g; ++r) {
      at.z_lower[r * p + lane] = read.nearest(from.at.z_lower, r);
      at.z_upper[r * p + lane] = read.nearest(from.at.z_upper, r);
    }
  }
  at.start_lower.assign(t.shape().node(), 0.0), at.start_upper.assign(t.shape().node(), 0.0);
  at.end_nu.assign(t.end_rows(), 0.0), at.end_lower = at.end_upper = at.end_slack = at.end_nu;
  if (same) at.end_nu = from.at.end_nu, at.end_slack = from.at.end_slack;
  if (same) at.end_lower = from.at.end_lower, at.end_upper = from.at.end_upper;
  t.complete(at);
  return at;
}

namespace {

/// One run of the chosen interior point; the barrier starts at mu.
InteriorResult run(Transcription& t, Iterate& at, const ControlOptions& options, double mu, bool warm) {
  InteriorOptions interior;
  interior.tolerance = options.tolerance, interior.max_iterations = options.max_iterations;
  interior.mu = mu, interior.keep_multipliers = warm;
  return options.method == theory::Method::ipopt ? run_ipopt(t, at, interior) : InteriorPoint(t, interior).run(at);
}

bool good(const InteriorResult& r) {
  return r.status == theory::ControlStatus::optimal || r.status == theory::ControlStatus::acceptable;
}

/// From the constant guess. Where a free horizon leads the search to a point that is only locally infeasible, the
/// horizon is held at several values first and set free from there.
InteriorResult run_cold(Transcription& t, Iterate& at, const ControlOptions& options) {
  at = constant_guess(t);
  const InteriorResult first = run(t, at, options, 0.1, false);
  if (good(first) || !t.free_horizon() || first.status == theory::ControlStatus::not_finite) return first;
  const Iterate first_at = at;
  int iterations = first.iterations;
  const int slot = t.shape().states;
  for (const double factor : {3.0, 1.0, 10.0, 0.3}) {
    const theory::Interval& b = t.start_bounds(slot);
    at = constant_guess(t);
    at.start[slot] = std::min(std::max(factor, b.lower), b.upper);
    t.hold_horizon(true);
    InteriorResult r = run(t, at, options, 0.1, false);
    t.hold_horizon(false);
    iterations += r.iterations;
    if (!good(r)) continue;
    r = run(t, at, options, 1e-3, true);
    r.iterations = iterations += r.iterations;
    if (good(r)) return r;
  }
  at = first_at;
  return first;
}

}  // namespace

DirectResult solve_on_mesh(const CompiledProblem& compiled, std::span<const double> parameters, theory::Method scheme,
                           const Mesh& mesh, const ControlOptions& options, const DirectResult* start) {
  Transcription t(compiled, parameters, mesh, tableau(scheme));
  DirectResult r;
  r.scheme = scheme;
  if (start != nullptr) {
    r.at = carry_over(*start, compiled, t);
    r.last = run(t, r.at, options, 1e-7, true);
  }
  if (start == nullptr || !good(r.last)) r.last = run_cold(t, r.at, options);
  t.evaluate(r.at, 2);
  r.solution = describe(t, r.at, scheme);
  r.solution.status = r.last.status, r.solution.message = r.last.message;
  r.solution.iterations = r.last.iterations;
  r.mesh = mesh;
  if (good(r.last))
    for (const double e : interval_errors(t, r.at)) r.mesh_error += e;
  return r;
}

DirectResult solve_direct(const CompiledProblem& compiled, std::span<const double> parameters, theory::Method scheme,
                          const ControlOptions& options, const DirectResult* start) {
  const auto begin = std::chrono::steady_clock::now();
  Mesh mesh = start != nullptr ? start->mesh : Mesh::uniform(compiled.problem().horizon.value, options.intervals);
  DirectResult r = solve_on_mesh(compiled, parameters, scheme, mesh, options, start);
  DirectResult best = r;
  int iterations = r.solution.iterations, refinements = 0, slow = 0;
  for (; refinements < options.max_refinements && r.solution.ok(); ++refinements) {
    const double tolerance = options.tolerance * (1 + std::fabs(r.solution.objective));
    if (r.mesh_error <= tolerance) break;
    Transcription t(compiled, parameters, r.mesh, tableau(scheme));
    t.evaluate(r.at, 2);
    const Mesh next = refine(r.mesh, interval_errors(t, r.at), tolerance, tableau(scheme).order,
                             std::min(4000, 2 * r.mesh.intervals() + 50));
    DirectResult finer = solve_on_mesh(compiled, parameters, scheme, next, options, &r);
    iterations += finer.solution.iterations;
    if (!finer.solution.ok()) break;
    // Singular arcs and switches inside intervals converge slowly: more intervals are then not the remedy.
    const bool larger = next.intervals() > 1.4 * r.mesh.intervals();
    if (larger && finer.mesh_error > 0.25 * r.mesh_error) ++slow;
    r = std::move(finer);
    if (r.mesh_error < best.mesh_error) best = r;
    if (slow > 1 && r.mesh.intervals() > 4 * options.intervals) break;
  }
  if (best.solution.ok() && best.mesh_error < r.mesh_error) r = std::move(best);
  r.solution.iterations = iterations, r.solution.refinements = refinements;
  r.solution.solve_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return r;
}

theory::ControlSolution solve_direct(const theory::ControlProblem& problem, theory::Method scheme,
                                     const ControlOptions& options) {
  const std::optional<SplitProblem> split = split_absolute_values(problem);
  const CompiledProblem compiled(split ? split->problem : problem);
  DirectResult r = solve_direct(compiled, compiled.parameter_values(), scheme, options);
  if (split) join(*split, r.solution);
  return std::move(r.solution);
}

}  // namespace eos::solvers
