#include "collocation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::ArcKind;
using theory::Interval;

const Tableau& tableau(theory::Method method) {
  static const Tableau trapezoid{2, 1, 2, {0, 0, 0.5, 0.5}, {0.5, 0.5}, {0, 1}};
  static const Tableau simpson{
      3,          1, 4, {0, 0, 0, 5.0 / 24, 1.0 / 3, -1.0 / 24, 1.0 / 6, 2.0 / 3, 1.0 / 6}, {1.0 / 6, 2.0 / 3, 1.0 / 6},
      {0, 0.5, 1}};
  static const double r = std::sqrt(6.0);
  static const Tableau radau{3,
                             0,
                             5,
                             {(88 - 7 * r) / 360, (296 - 169 * r) / 1800, (-2 + 3 * r) / 225, (296 + 169 * r) / 1800,
                              (88 + 7 * r) / 360, (-2 - 3 * r) / 225, (16 - r) / 36, (16 + r) / 36, 1.0 / 9},
                             {(16 - r) / 36, (16 + r) / 36, 1.0 / 9},
                             {(4 - r) / 10, (4 + r) / 10, 1}};
  if (method == theory::Method::trapezoid) return trapezoid;
  return method == theory::Method::hermite_simpson ? simpson : radau;
}

Mesh Mesh::uniform(double duration, int intervals) {
  Mesh mesh;
  mesh.duration = duration;
  for (int k = 0; k <= intervals; ++k) mesh.edges.push_back(static_cast<double>(k) / intervals);
  return mesh;
}

Transcription::Transcription(const CompiledProblem& compiled, std::span<const double> parameters, Mesh mesh,
                             const Tableau& scheme)
    : compiled_(&compiled),
      tableau_(&scheme),
      mesh_(std::move(mesh)),
      parameters_(parameters.begin(), parameters.end()) {
  shape_.states = compiled.states(), shape_.controls = compiled.controls();
  shape_.stages = scheme.stages, shape_.first = scheme.first, shape_.intervals = mesh_.intervals();
  lay_out_statics();
  lay_out_lanes();
  lay_out_bounds();
  const std::size_t p = lanes();
  in_.resize(compiled.path_inputs() * p);
  out_.resize(compiled.path().second.outputs() * p);
  defect_.resize(p * shape_.states);
  path_residual_.resize(p * compiled.path_constraints());
  end_residual_.resize(end_rows());
  end_out_.resize(compiled.end().second.outputs());
  const std::size_t y = shape_.node();
  end_jacobian_.resize(end_rows() * y), end_gradient_.resize(y), end_hessian_.resize(y * y);
  set_parameters(parameters);
}

void Transcription::set_parameters(std::span<const double> parameters) {
  parameters_.assign(parameters.begin(), parameters.end());
  const std::size_t p = lanes();
  for (int k = 0; k < compiled_->parameters(); ++k)
    std::fill_n(in_.begin() + compiled_->problem().parameter_slot(k) * p, p, parameters_[k]);
}

void Transcription::lay_out_statics() {
  const theory::ControlProblem& problem = compiled_->problem();
  free_horizon_ = problem.horizon.free;
  for (int i = 0; i < shape_.states; ++i)
    if (compiled_->end_depends_on_initial(i) && !problem.states[i].initial.fixed()) copies_.push_back(i);
  shape_.statics = (free_horizon_ ? 1 : 0) + static_cast<int>(copies_.size());
}

void Transcription::lay_out_lanes() {
  const int s = shape_.stages, p = lanes();
  weight_.resize(p), fraction_.resize(p);
  for (int k = 0; k < shape_.intervals; ++k) {
    const double size = mesh_.edges[k + 1] - mesh_.edges[k];
    step_.push_back(size * mesh_.duration);
    for (int i = 0; i < s; ++i) {
      weight_[k * s + i] = step_.back() * tableau_->b[i];
      fraction_[k * s + i] = mesh_.edges[k] + size * tableau_->c[i];
    }
  }
  for (const double w : weight_) total_weight_ += w;
}

void Transcription::lay_out_bounds() {
  const theory::ControlProblem& problem = compiled_->problem();
  for (const auto& state : problem.states) row_bounds_.push_back(state.bounds);
  for (const auto& control : problem.controls) row_bounds_.push_back(control.bounds);
  for (const auto& constraint : problem.path) row_bounds_.push_back(constraint.bounds);
  for (int i = 0; i < shape_.states; ++i) {
    const Interval &a = problem.states[i].initial, &b = problem.states[i].bounds;
    const Interval both{std::max(a.lower, b.lower), std::min(a.upper, b.upper)};
    start_bounds_.push_back(both.fixed() ? Interval{} : both);
    start_parent_.push_back(both.fixed() ? -1 : i);
    start_value_.push_back(both.fixed() ? both.lower : 0.0);
  }
  if (free_horizon_) {
    const Interval& bounds = problem.horizon.bounds;
    start_bounds_.push_back({bounds.lower / mesh_.duration, bounds.upper / mesh_.duration});
    start_parent_.push_back(shape_.states);
    start_value_.push_back(1);
  }
  for (const int i : copies_) {
    start_bounds_.push_back({});
    start_parent_.push_back(start_parent_[i]);
    start_value_.push_back(0);
  }
  // Rows of the end: psi, final states.
  for (const auto& constraint : problem.ends) end_bounds_.push_back(constraint.bounds);
  for (const auto& state : problem.states)
    if (!state.final.free()) end_bounds_.push_back(state.final);
  shape_.end_rows = 0;
  for (const Interval& bounds : end_bounds_) shape_.end_rows += bounds.fixed() ? 1 : 0;
  const auto size = [](const Interval& b, double other) {
    double s = other;
    for (const double bound : {b.lower, b.upper})
      if (std::isfinite(bound)) s = std::max(s, std::fabs(bound));
    return s;
  };
  for (const auto& state : problem.states) {
    double s = size(state.initial, size(state.final, state.guess ? std::fabs(*state.guess) : 0.0));
    s = size(state.bounds.lower > -1e6 && state.bounds.upper < 1e6 ? state.bounds : Interval{}, s);
    scale_.push_back(s > 0 ? s : 1);
  }
  for (const auto& control : problem.controls) {
    const double s = size(control.bounds.lower > -1e6 && control.bounds.upper < 1e6 ? control.bounds : Interval{}, 0);
    scale_.push_back(s > 0 ? s : 1);
  }
}

bool Transcription::bounded(int row, int lane) const {
  const int n = shape_.states, m = shape_.controls;
  if (row < n)  // a fixed final value may lie on its bound
    return lane % shape_.stages >= shape_.first &&
           (lane + 1 < lanes() || !compiled_->problem().states[row].final.fixed());
  return row >= n + m || !held(row - n);
}

void Transcription::hold_horizon(bool hold) {
  if (free_horizon_) start_parent_[shape_.states] = hold ? -1 : shape_.states;
}

void Transcription::complete(Iterate& at) const {
  const int n = shape_.states, p = lanes(), s = shape_.stages;
  for (std::size_t c = 0; c < copies_.size(); ++c) at.start[n + (free_horizon_ ? 1 : 0) + c] = at.start[copies_[c]];
  if (shape_.first == 1)
    for (int i = 0; i < n; ++i) {
      double* x = at.x.data() + static_cast<std::size_t>(i) * p;
      x[0] = at.start[i];
      for (int lane = s; lane < p; lane += s) x[lane] = x[lane - 1];
    }
  for (int j = 0; j < shape_.controls; ++j)
    if (held(j)) std::fill_n(at.u.begin() + static_cast<std::ptrdiff_t>(j) * p, p, row_bounds_[n + j].lower);
}

double Transcription::theta(const Iterate& at) const { return free_horizon_ ? at.start[shape_.states] : 1.0; }

double Transcription::time(const Iterate& at, int lane) const { return time_by_theta(lane) * theta(at); }

double Transcription::horizon(const Iterate& at) const { return mesh_.duration * theta(at); }

std::string Transcription::name_of_lane(int lane) const {
  return fmt::format("interval {} of {}, stage {}", lane / shape_.stages + 1, shape_.intervals,
                     lane % shape_.stages + 1);
}

std::vector<double> Transcription::stage_costates(const Iterate& at) const {
  std::vector<double> costate(static_cast<std::size_t>(shape_.states) * lanes());
  write_stage_costates(at, costate.data());
  return costate;
}

void Transcription::write_stage_costates(const Iterate& at, double* to) const {
  const int n = shape_.states, p = lanes(), s = shape_.stages;
  for (int a = 0; a < n; ++a) {
    const double* l = at.lambda.data() + static_cast<std::size_t>(a) * p;
    double* out = to + static_cast<std::size_t>(a) * p;
    for (int k = 0; k < p; k += s)
      for (int i = 0; i < s; ++i) {
        double sum = 0;
        for (int j = shape_.first; j < s; ++j) sum += tableau_->a[j * s + i] * l[k + j];
        out[k + i] = sum / tableau_->b[i];
      }
  }
}

void Transcription::fill_inputs(const Iterate& at, bool multipliers) {
  const theory::ControlProblem& problem = compiled_->problem();
  const std::size_t p = lanes();
  const int m = shape_.controls, g = compiled_->path_constraints();
  if (!compiled_->autonomous())
    for (std::size_t lane = 0; lane < p; ++lane) in_[lane] = time(at, static_cast<int>(lane));
  std::copy(at.x.begin(), at.x.end(), in_.begin() + problem.state_slot(0) * p);
  if (m > 0) std::copy(at.u.begin(), at.u.end(), in_.begin() + problem.control_slot(0) * p);
  if (!multipliers) return;
  write_stage_costates(at, in_.data() + compiled_->costate_slot(0) * p);
  for (int i = 0; i < g; ++i)
    for (std::size_t lane = 0; lane < p; ++lane)
      in_[compiled_->path_multiplier_slot(i) * p + lane] = at.nu[i * p + lane] / theta(at);
}

Measures Transcription::evaluate(const Iterate& at, int level) {
  const std::size_t p = lanes();
  fill_inputs(at, level == 2);
  const DerivativeSet& path = compiled_->path();
  const theory::Program& program = level == 0 ? path.values : level == 1 ? path.first : path.second;
  program.evaluate(in_.data(), out_.data(), p, p);
  evaluate_end(at, level);
  Measures m;
  measure(at, m);
  return m;
}

void Transcription::measure(const Iterate& at, Measures& r) {
  const int n = shape_.states, s = shape_.stages, first = shape_.first, g = compiled_->path_constraints();
  const std::size_t p = lanes();
  const auto worse = [&](double value, auto&& where) {
    if (!std::isfinite(value) && r.finite) r.finite = false, r.where = where();
    if (!r.finite || value <= r.worst) return;
    r.worst = value, r.where = where();
  };
  const auto& problem = compiled_->problem();
  r.objective = objective_;
  double violation = 0, largest = 0;
  std::size_t at_row = 0, at_lane = 0;
  for (int a = 0; a < n; ++a) {
    const double *x = at.x.data() + a * p, *f = out_.data() + a * p;
    for (int k = 0; k < shape_.intervals; ++k) {
      const double left = k == 0 ? at.start[a] : x[k * s - 1];
      const double h = step_[k] * theta(at);
      for (int i = first; i < s; ++i) {
        double d = x[k * s + i] - left;
        for (int j = 0; j < s; ++j) d -= h * tableau_->a[i * s + j] * f[k * s + j];
        defect_[(k * s + i) * n + a] = d;
        violation += std::fabs(d);
        if (!(std::fabs(d) <= largest)) largest = std::fabs(d), at_row = a, at_lane = k * s + i;
      }
    }
  }
  if (largest > 0 || !std::isfinite(violation))
    worse(std::isfinite(violation) ? largest : violation, [&] {
      return fmt::format("the equation of {} at {}", problem.states[at_row].name,
                         name_of_lane(static_cast<int>(at_lane)));
    });
  const double* l = out_.data() + n * p;
  for (std::size_t lane = 0; lane < p; ++lane) r.objective += weight_[lane] * theta(at) * l[lane];
  if (!std::isfinite(r.objective)) worse(r.objective, [&] { return std::string("the cost"); });
  for (int i = 0; i < g; ++i)
    for (std::size_t lane = 0; lane < p; ++lane) {
      const double d = out_[(n + 1 + i) * p + lane] - at.slack[i * p + lane];
      path_residual_[i * p + lane] = d;
      violation += weight_[lane] * std::fabs(d);
      if (!(std::fabs(d) <= r.worst))
        worse(std::fabs(d), [&] {
          return fmt::format("the path constraint '{}' at {}", problem.path[i].name,
                             name_of_lane(static_cast<int>(lane)));
        });
    }
  for (int e = 0; e < end_rows(); ++e) {
    violation += std::fabs(end_residual_[e]);
    worse(std::fabs(end_residual_[e]), [&] { return fmt::format("condition {} at the end", e + 1); });
  }
  r.violation = violation;
  r.finite = r.finite && std::isfinite(violation) && std::isfinite(r.objective);
}

}  // namespace eos::solvers
