// Derivatives of a transcription: ends, lanes, and the residual of stationarity.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "collocation.hpp"

namespace eos::solvers {

namespace {

/// One term of d e / d y: end column -> node component with a factor.
struct Link {
  int component;
  double factor;
};

}  // namespace

void Transcription::evaluate_end(const Iterate& at, int level) {
  const theory::ControlProblem& problem = compiled_->problem();
  const DerivativeSet& end = compiled_->end();
  const int n = shape_.states, y = shape_.node(), p = lanes();
  std::vector<double> in(compiled_->end_inputs());
  in[0] = horizon(at);
  for (int i = 0; i < n; ++i) {
    in[problem.initial_slot(i)] = at.start[i];
    in[problem.final_slot(i)] = at.x[static_cast<std::size_t>(i) * p + p - 1];
  }
  for (int k = 0; k < compiled_->parameters(); ++k) in[problem.end_parameter_slot(k)] = parameters_[k];
  const int psi = compiled_->end_constraints();
  for (int i = 0; i < psi; ++i) in[compiled_->end_multiplier_slot(i)] = at.end_nu[i];
  (level == 0 ? end.values : level == 1 ? end.first : end.second)(in.data(), end_out_.data());
  objective_ = end_out_[0];
  int row = 0;
  const auto residual = [&](double value) {
    const theory::Interval& b = end_bounds_[row];
    end_residual_[row] = value - (b.fixed() ? b.lower : at.end_slack[row]);
    ++row;
  };
  for (int i = 0; i < psi; ++i) residual(end_out_[1 + i]);
  for (int i = 0; i < n; ++i)
    if (!problem.states[i].final.free()) residual(in[problem.final_slot(i)]);
  if (level == 0) return;

  std::vector<std::vector<Link>> links(1 + 2 * n);
  if (free_horizon_) links[0].push_back({n, mesh_.duration});
  for (std::size_t c = 0; c < copies_.size(); ++c)
    links[1 + copies_[c]].push_back({n + (free_horizon_ ? 1 : 0) + static_cast<int>(c), 1.0});
  for (int i = 0; i < n; ++i) links[1 + n + i].push_back({i, 1.0});
  std::fill(end_jacobian_.begin(), end_jacobian_.end(), 0.0);
  std::fill(end_gradient_.begin(), end_gradient_.end(), 0.0);
  std::fill(end_hessian_.begin(), end_hessian_.end(), 0.0);
  for (std::size_t e = 0; e < end.jacobian.size(); ++e) {
    const auto [r, c] = end.jacobian[e];
    for (const Link& link : links[c])
      (r == 0 ? end_gradient_[link.component] : end_jacobian_[(r - 1) * y + link.component]) +=
          link.factor * end_out_[end.rows + e];
  }
  row = psi;
  for (int i = 0; i < n; ++i)
    if (!problem.states[i].final.free()) end_jacobian_[row++ * y + i] = 1;
  if (level == 1) return;
  for (std::size_t e = 0; e < end.hessian.size(); ++e) {
    const auto [r, c] = end.hessian[e];
    const double value = end_out_[end.rows + end.jacobian.size() + e];
    for (const Link& a : links[r])
      for (const Link& b : links[c]) {
        end_hessian_[a.component * y + b.component] += a.factor * b.factor * value;
        if (r != c) end_hessian_[b.component * y + a.component] += a.factor * b.factor * value;
      }
  }
}

/// Blocks of one lane from the outputs of the programs, without path constraints.
void Transcription::gather_lane(const Iterate& at, int lane, double* hessian, double* gradient,
                                double* jacobian) const {
  const int n = shape_.states, v = shape_.stage_variables();
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  const double factor = theta(at);
  std::fill_n(hessian, v * v, 0.0);
  std::fill_n(gradient, v, 0.0);
  std::fill_n(jacobian, n * v, 0.0);
  const double* out = out_.data() + path.rows * p + lane;
  for (const Entry& e : path.jacobian) {
    const double value = factor * *out;
    out += p;
    if (e.column == 0 || e.row > n) continue;
    (e.row == n ? gradient[column(e.column)] : jacobian[e.row * v + column(e.column)]) = value;
  }
  for (const Entry& e : path.hessian) {
    const double value = factor * *out;
    out += p;
    if (e.column == 0) continue;
    const int r = column(e.row), c = column(e.column);
    hessian[r * v + c] = hessian[c * v + r] = value;
  }
  if (shape_.statics > 0) gather_statics(at, lane, hessian, gradient, jacobian);
  for (int j = 0; j < shape_.controls; ++j) {
    if (!held(j)) continue;
    const int c = n + shape_.statics + j;
    for (int a = 0; a < v; ++a) hessian[a * v + c] = hessian[c * v + a] = 0;
    for (int a = 0; a < n; ++a) jacobian[a * v + c] = 0;
    hessian[c * v + c] = 1;
    gradient[c] = 0;
  }
}

/// The column of a free horizon: F = theta f, t = theta sigma T.
void Transcription::gather_statics(const Iterate& at, int lane, double* hessian, double* gradient,
                                   double* jacobian) const {
  if (!free_horizon_) return;
  const int n = shape_.states, v = shape_.stage_variables(), slots = compiled_->problem().path_slots();
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  const double factor = theta(at), dt = time_by_theta(lane);
  // H = l + p f and its gradient without path constraints.
  double h_t = 0;
  std::vector<double> slope(v, 0.0);
  const auto costate = [&](int a) { return a == n ? 1.0 : in_[(slots + a) * p + lane]; };
  const double* out = out_.data() + path.rows * p + lane;
  for (const Entry& e : path.jacobian) {
    const double value = *out;
    out += p;
    if (e.row > n) continue;
    if (e.column == 0) {
      h_t += costate(e.row) * value;
      (e.row == n ? gradient[n] : jacobian[e.row * v + n]) += factor * value * dt;
    } else {
      slope[column(e.column)] += costate(e.row) * value;
    }
  }
  for (int a = 0; a <= n; ++a) {
    const double value = out_[a * p + lane];
    (a == n ? gradient[n] : jacobian[a * v + n]) += value;
  }
  const auto add = [&](int r, int c, double value) {
    hessian[r * v + c] += value;
    if (r != c) hessian[c * v + r] += value;
  };
  for (int a = 0; a < v; ++a)
    if (slope[a] != 0) add(a, n, slope[a]);
  hessian[n * v + n] += 2 * h_t * dt;
  for (const Entry& e : path.hessian) {
    const double value = factor * *out;
    out += p;
    if (e.column != 0) continue;
    if (e.row != 0)
      add(column(e.row), n, value * dt);
    else
      hessian[n * v + n] += value * dt * dt;
  }
}

void Transcription::linearise_end(KktModel& model) const {
  const int y = shape_.node();
  model.end_hessian = end_hessian_;
  model.end_gradient = end_gradient_;
  int q = 0;
  for (int e = 0; e < end_rows(); ++e) {
    if (!end_bounds_[e].fixed()) continue;
    std::copy_n(end_jacobian_.begin() + e * y, y, model.end_jacobian.begin() + q * y);
    model.end_residual[q++] = end_residual_[e];
  }
}

void Transcription::linearise(const Iterate& at, KktModel& model) const {
  const int n = shape_.states, v = shape_.stage_variables();
  model.a = tableau_->a;
  model.start_parent = start_parent_;
  model.weight = weight_;
  model.defect = defect_;
  model.step = step_;
  std::fill(model.start_hessian.begin(), model.start_hessian.end(), 0.0);
  std::fill(model.start_gradient.begin(), model.start_gradient.end(), 0.0);
  for (std::size_t lane = 0; lane < static_cast<std::size_t>(lanes()); ++lane)
    gather_lane(at, static_cast<int>(lane), model.hessian.data() + lane * v * v, model.gradient.data() + lane * v,
                model.jacobian.data() + lane * n * v);
  linearise_end(model);
}

void Transcription::add_path_row(int row, int lane, double curvature, double slope, KktModel& model) const {
  const int n = shape_.states, v = shape_.stage_variables();
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  std::vector<double> g(v, 0.0);
  for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
    if (path.jacobian[e].row != n + 1 + row) continue;
    const double value = out_[(path.rows + e) * p + lane];
    if (path.jacobian[e].column != 0) {
      const int c = column(path.jacobian[e].column);
      if (c < n + shape_.statics || !held(c - n - shape_.statics)) g[c] = value;
    } else if (free_horizon_) {
      g[n] += value * time_by_theta(lane);
    }
  }
  double* hessian = model.hessian.data() + static_cast<std::size_t>(lane) * v * v;
  double* gradient = model.gradient.data() + static_cast<std::size_t>(lane) * v;
  for (int a = 0; a < v; ++a) {
    gradient[a] += slope * g[a];
    for (int b = 0; b < v; ++b) hessian[a * v + b] += curvature * g[a] * g[b];
  }
}

double Transcription::path_directional(int row, int lane, const double* dx, const double* dz, const double* du) const {
  const int n = shape_.states;
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  double sum = 0;
  for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
    if (path.jacobian[e].row != n + 1 + row) continue;
    const double value = out_[(path.rows + e) * p + lane];
    const int c = path.jacobian[e].column;
    if (c != 0)
      sum += value * (c <= n ? dx[c - 1] : du[c - 1 - n]);
    else if (free_horizon_)
      sum += value * dz[0] * time_by_theta(lane);
  }
  return sum;
}

/// dJ/dx at the nodes: sum of the multipliers of the interval that begins there, and what its first stage adds.
std::vector<double> Transcription::node_costates(const Iterate& at) const {
  const int n = shape_.states, s = shape_.stages, count = shape_.intervals, y = shape_.node();
  const std::size_t p = lanes();
  std::vector<double> costate(static_cast<std::size_t>(count + 1) * n, 0.0);
  for (int k = 0; k < count; ++k)
    for (int a = 0; a < n; ++a)
      for (int i = shape_.first; i < s; ++i) costate[k * n + a] += at.lambda[a * p + k * s + i];
  if (shape_.first == 1) {
    const DerivativeSet& path = compiled_->path();
    const int slots = compiled_->problem().path_slots();
    for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
      const auto [r, c] = path.jacobian[e];
      if (c < 1 || c > n) continue;
      for (int k = 0; k < count; ++k) {
        const std::size_t lane = static_cast<std::size_t>(k) * s;
        const double f = theta(at);
        const double factor = r < n ? f * in_[(slots + r) * p + lane] : r == n ? f : at.nu[(r - n - 1) * p + lane];
        costate[k * n + c - 1] += weight_[lane] * factor * out_[(path.rows + e) * p + lane];
      }
    }
  }
  for (int a = 0; a < n; ++a) {
    double& last = costate[static_cast<std::size_t>(count) * n + a];
    last = end_gradient_[a];
    for (int e = 0; e < end_rows(); ++e) last += end_jacobian_[e * y + a] * at.end_nu[e];
  }
  return costate;
}

void Transcription::update_slopes(const Iterate& at) const {
  const int n = shape_.states, m = shape_.controls;
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  const int slots = compiled_->problem().path_slots();
  std::vector<double>& slope = slope_;  // d L / d (x, u), densities
  slope.assign((n + m) * p, 0.0);
  for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
    const auto [r, c] = path.jacobian[e];
    if (c == 0) continue;
    const double* value = out_.data() + (path.rows + e) * p;
    double* to = slope.data() + (c - 1) * p;
    const double* factor = r < n ? in_.data() + (slots + r) * p : r == n ? nullptr : at.nu.data() + (r - n - 1) * p;
    for (std::size_t lane = 0; lane < p; ++lane) {
      const double f = r > n ? 1.0 : theta(at);
      to[lane] += f * (factor == nullptr ? 1.0 : factor[lane]) * value[lane];
    }
  }
}

double Transcription::dual_residual(const Iterate& at, std::string* where) const {
  const int n = shape_.states, m = shape_.controls, s = shape_.stages;
  const std::size_t p = lanes();
  const std::vector<double> node = node_costates(at);
  const std::vector<double>& slope = slope_;
  double worst = 0;
  int worst_row = 0;
  std::size_t worst_lane = 0;
  for (int row = 0; row < n + m; ++row)
    for (std::size_t lane = 0; lane < p; ++lane) {
      if (row < n ? static_cast<int>(lane % s) < shape_.first : held(row - n)) continue;
      double r = slope[row * p + lane] - at.z_lower[row * p + lane] + at.z_upper[row * p + lane];
      if (row < n) {
        const std::size_t k = lane / s;
        double jump = -at.lambda[row * p + lane];
        if (static_cast<int>(lane % s) == s - 1) jump += node[(k + 1) * n + row];
        r += jump / weight_[lane];
      }
      r = std::fabs(r) * scale_[row];
      if (!(r <= worst)) worst = r, worst_row = row, worst_lane = lane;
    }
  if (where != nullptr)
    *where = fmt::format(
        "{} at {}",
        worst_row < n ? compiled_->problem().states[worst_row].name : compiled_->problem().controls[worst_row - n].name,
        name_of_lane(static_cast<int>(worst_lane)));
  for (int a = 0; a < n; ++a)
    if (start_parent_[a] >= 0 && copies_.empty())
      worst = std::max(worst, std::fabs(node[a] - at.start_lower[a] + at.start_upper[a]) * scale_[a]);
  return std::max(worst, static_residual(at));
}

/// Stationarity in a free horizon: sum of w (H + theta H_t dt/dtheta + nu g_t dt/dtheta) and what the end adds.
double Transcription::static_residual(const Iterate& at) const {
  const int n = shape_.states, y = shape_.node(), slots = compiled_->problem().path_slots();
  if (!free_horizon_ || start_parent_[n] < 0) return 0;
  const std::size_t p = lanes();
  const DerivativeSet& path = compiled_->path();
  double sum = end_gradient_[n] - at.start_lower[n] + at.start_upper[n];
  for (int e = 0; e < end_rows(); ++e) sum += end_jacobian_[e * y + n] * at.end_nu[e];
  for (std::size_t lane = 0; lane < p; ++lane) {
    const auto costate = [&](int a) { return a == n ? 1.0 : in_[(slots + a) * p + lane]; };
    for (int a = 0; a <= n; ++a) sum += weight_[lane] * costate(a) * out_[a * p + lane];
    for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
      const auto [r, c] = path.jacobian[e];
      if (c != 0) continue;
      const double f = r > n ? at.nu[(r - n - 1) * p + lane] : theta(at) * costate(r);
      const double value = weight_[lane] * f * out_[(path.rows + e) * p + lane];
      sum += value * time_by_theta(static_cast<int>(lane));
    }
  }
  return std::fabs(sum);
}

}  // namespace eos::solvers
