// Newton steps of the interior point: bounds and slacks condensed into the stage model, inertia correction, recovery.
#include <algorithm>
#include <cmath>

#include "interior_point.hpp"

namespace eos::solvers {

using theory::Interval;

namespace {

constexpr double k_equality_shift = 1e-8;  // proximal regularisation of path equalities

/// Curvature and slope that a pair of bounds adds to its variable.
struct Barrier {
  double curvature = 0, slope = 0;
};
Barrier barrier_of(double x, const Interval& b, double lower, double upper, double mu) {
  Barrier r;
  if (std::isfinite(b.lower)) r.curvature += lower / lower_gap(x, b), r.slope -= mu / lower_gap(x, b);
  if (std::isfinite(b.upper)) r.curvature += upper / upper_gap(x, b), r.slope += mu / upper_gap(x, b);
  return r;
}

}  // namespace

void InteriorPoint::add_bounds(const Iterate& at) {
  const int v = t_.shape().stage_variables(), nz = t_.shape().statics;
  for (int r = 0; r < n_ + m_; ++r) {
    const Interval& b = t_.row_bounds(r);
    if (b.free() || b.fixed()) continue;
    const int c = r < n_ ? r : r + nz;
    for (int lane = 0; lane < p_; ++lane) {
      if (!t_.bounded(r, lane)) continue;
      const std::size_t at_row = static_cast<std::size_t>(r) * p_ + lane;
      const double x = r < n_ ? at.x[at_row] : at.u[at_row - n_ * p_];
      const Barrier add = barrier_of(x, b, at.z_lower[at_row], at.z_upper[at_row], mu_);
      model_.hessian[static_cast<std::size_t>(lane) * v * v + c * v + c] += add.curvature;
      model_.gradient[static_cast<std::size_t>(lane) * v + c] += add.slope;
    }
  }
  for (int i = 0; i < t_.shape().node(); ++i) {
    if (t_.start_parent(i) != i) continue;
    const Barrier add = barrier_of(at.start[i], t_.start_bounds(i), at.start_lower[i], at.start_upper[i], mu_);
    model_.start_hessian[i] += add.curvature;
    model_.start_gradient[i] += add.slope;
  }
}

void InteriorPoint::add_path(const Iterate& at) {
  for (int i = 0; i < g_; ++i) {
    const int r = n_ + m_ + i;
    const Interval& b = t_.row_bounds(r);
    for (int lane = 0; lane < p_; ++lane) {
      const std::size_t c = static_cast<std::size_t>(i) * p_ + lane, z = static_cast<std::size_t>(r) * p_ + lane;
      const double residual = path_residual_[c];
      if (b.fixed()) {
        t_.add_path_row(i, lane, 1 / k_equality_shift, at.nu[c] + residual / k_equality_shift, model_);
      } else {
        const Barrier add = barrier_of(at.slack[c], b, at.z_lower[z], at.z_upper[z], mu_);
        t_.add_path_row(i, lane, add.curvature, add.slope + add.curvature * residual, model_);
      }
    }
  }
}

void InteriorPoint::add_ends(const Iterate& at) {
  const int y = t_.shape().node();
  const auto add = [&](const double* row, double curvature, double slope) {
    for (int a = 0; a < y; ++a) {
      model_.end_gradient[a] += slope * row[a];
      for (int b = 0; b < y; ++b) model_.end_hessian[a * y + b] += curvature * row[a] * row[b];
    }
  };
  for (int e = 0; e < t_.end_rows(); ++e) {
    const double* row = t_.end_jacobian().data() + static_cast<std::size_t>(e) * y;
    const Interval& b = t_.end_bounds(e);
    if (b.fixed()) {
      add(row, penalty_, penalty_ * end_residual_[e]);  // exact: vanishes where the constraint holds
    } else {
      const Barrier c = barrier_of(at.end_slack[e], b, at.end_lower[e], at.end_upper[e], mu_);
      add(row, c.curvature, c.slope + c.curvature * end_residual_[e]);
    }
  }
}

/// Adds delta to the Hessian, in the scales of the variables.
void InteriorPoint::regularise(double delta) {
  const int v = t_.shape().stage_variables(), nz = t_.shape().statics;
  for (int r = 0; r < n_ + m_; ++r) {
    const int c = r < n_ ? r : r + nz;
    const double add = delta / (t_.scale(r) * t_.scale(r));
    for (int lane = 0; lane < p_; ++lane) model_.hessian[static_cast<std::size_t>(lane) * v * v + c * v + c] += add;
  }
  for (int i = 0; i < t_.shape().node(); ++i) {
    if (t_.start_parent(i) != i) continue;
    const double scale = i < n_ ? t_.scale(i) : 1.0;
    model_.start_hessian[i] += delta * t_.total_weight() / (scale * scale);
  }
}

/// Waechter & Biegler 2006, algorithm IC.
bool InteriorPoint::factor_with_correction(const Iterate&) {
  if (kkt_->factor(model_)) {
    delta_ = 0;
    return true;
  }
  double applied = 0;
  delta_ = last_delta_ == 0 ? 1e-4 : std::max(1e-14, last_delta_ / 3);
  while (delta_ < 1e20) {
    regularise(delta_ - applied);
    applied = delta_;
    if (kkt_->factor(model_)) {
      last_delta_ = delta_;
      return true;
    }
    delta_ *= last_delta_ == 0 ? 100 : 8;
  }
  return false;
}

bool InteriorPoint::newton(const Iterate& at, bool restore) {
  path_residual_ = t_.path_residual();
  end_residual_ = t_.end_residual();
  t_.linearise(at, model_);
  if (restore) {
    std::fill(model_.hessian.begin(), model_.hessian.end(), 0.0);
    std::fill(model_.gradient.begin(), model_.gradient.end(), 0.0);
    std::fill(model_.end_hessian.begin(), model_.end_hessian.end(), 0.0);
    std::fill(model_.end_gradient.begin(), model_.end_gradient.end(), 0.0);
    regularise(1);
  }
  cost_gradient_ = model_.gradient;
  end_cost_gradient_ = model_.end_gradient;
  add_bounds(at);
  add_path(at);
  add_ends(at);
  if (!factor_with_correction(at)) return false;
  kkt_->solve(model_, step_);
  read_step(at);
  return true;
}

void InteriorPoint::read_step(const Iterate& at) {
  const int s = t_.shape().stages, first = t_.shape().first;
  d_.start.assign(step_.node.begin(), step_.node.begin() + t_.shape().node());
  d_.x.resize(at.x.size()), d_.u.resize(at.u.size()), d_.lambda.resize(at.lambda.size());
  for (int lane = 0; lane < p_; ++lane) {
    for (int a = 0; a < n_; ++a) {
      const std::size_t c = static_cast<std::size_t>(a) * p_ + lane;
      d_.x[c] = step_.state[lane * n_ + a];
      d_.lambda[c] = lane % s >= first ? step_.multiplier[lane * n_ + a] - at.lambda[c] : 0.0;
    }
    for (int j = 0; j < m_; ++j) d_.u[static_cast<std::size_t>(j) * p_ + lane] = step_.control[lane * m_ + j];
  }
  read_path_step(at);
  read_end_step(at);
  bound_steps(at);
}

void InteriorPoint::read_path_step(const Iterate& at) {
  d_.slack.resize(at.slack.size()), d_.nu.resize(at.nu.size());
  const double* dz = step_.node.data() + n_;
  for (int i = 0; i < g_; ++i) {
    const int r = n_ + m_ + i;
    const Interval& b = t_.row_bounds(r);
    for (int lane = 0; lane < p_; ++lane) {
      const std::size_t c = static_cast<std::size_t>(i) * p_ + lane, z = static_cast<std::size_t>(r) * p_ + lane;
      const double change = path_residual_[c] + t_.path_directional(i, lane, step_.state.data() + lane * n_, dz,
                                                                    step_.control.data() + lane * m_);
      if (b.fixed()) {
        d_.slack[c] = 0;
        d_.nu[c] = change / k_equality_shift;
      } else {
        const Barrier add = barrier_of(at.slack[c], b, at.z_lower[z], at.z_upper[z], mu_);
        d_.slack[c] = change;
        d_.nu[c] = add.curvature * change + add.slope - at.nu[c];
      }
    }
  }
}

void InteriorPoint::read_end_step(const Iterate& at) {
  const int y = t_.shape().node(), rows = t_.end_rows();
  d_.end_slack.assign(rows, 0.0), d_.end_nu.assign(rows, 0.0);
  const double* last = step_.node.data() + static_cast<std::size_t>(t_.shape().intervals) * y;
  int q = 0;
  for (int e = 0; e < rows; ++e) {
    double change = end_residual_[e];
    for (int a = 0; a < y; ++a) change += t_.end_jacobian()[static_cast<std::size_t>(e) * y + a] * last[a];
    const Interval& b = t_.end_bounds(e);
    if (b.fixed()) {
      d_.end_nu[e] = step_.end[q++] + penalty_ * change - at.end_nu[e];
    } else {
      const Barrier c = barrier_of(at.end_slack[e], b, at.end_lower[e], at.end_upper[e], mu_);
      d_.end_slack[e] = change;
      d_.end_nu[e] = c.curvature * change + c.slope - at.end_nu[e];
    }
  }
}

void InteriorPoint::bound_steps(const Iterate& at) {
  const auto one = [&](double x, double dx, const Interval& b, double lower, double upper, double& dl, double& du) {
    dl = std::isfinite(b.lower) ? (mu_ - lower * dx) / lower_gap(x, b) - lower : 0.0;
    du = std::isfinite(b.upper) ? (mu_ + upper * dx) / upper_gap(x, b) - upper : 0.0;
  };
  d_.z_lower.assign(at.z_lower.size(), 0.0), d_.z_upper.assign(at.z_upper.size(), 0.0);
  for_each_row([&](int r, int, std::size_t c) {
    one(value_of(at, r, c), value_of(d_, r, c), t_.row_bounds(r), at.z_lower[c], at.z_upper[c], d_.z_lower[c],
        d_.z_upper[c]);
  });
  const std::size_t y = at.start.size(), rows = at.end_slack.size();
  d_.start_lower.assign(y, 0.0), d_.start_upper.assign(y, 0.0);
  d_.end_lower.assign(rows, 0.0), d_.end_upper.assign(rows, 0.0);
  for_each_start([&](int i) {
    one(at.start[i], d_.start[i], t_.start_bounds(i), at.start_lower[i], at.start_upper[i], d_.start_lower[i],
        d_.start_upper[i]);
  });
  for_each_end([&](int e) {
    one(at.end_slack[e], d_.end_slack[e], t_.end_bounds(e), at.end_lower[e], at.end_upper[e], d_.end_lower[e],
        d_.end_upper[e]);
  });
}

/// Multipliers that fit stationarity best at the first iterate (Waechter & Biegler 2006, eq. 36).
void InteriorPoint::least_squares_multipliers(Iterate& at) {
  now_ = t_.evaluate(at, 2);
  path_residual_.assign(path_residual_.size(), 0.0);
  t_.linearise(at, model_);
  std::fill(model_.hessian.begin(), model_.hessian.end(), 0.0);
  std::fill(model_.end_hessian.begin(), model_.end_hessian.end(), 0.0);
  std::fill(model_.defect.begin(), model_.defect.end(), 0.0);
  std::fill(model_.end_residual.begin(), model_.end_residual.end(), 0.0);
  regularise(1);
  const int v = t_.shape().stage_variables(), nz = t_.shape().statics;
  for (int r = 0; r < n_ + m_; ++r)
    for (int lane = 0; lane < p_; ++lane) {
      if (!t_.bounded(r, lane)) continue;
      const std::size_t c = static_cast<std::size_t>(r) * p_ + lane;
      model_.gradient[static_cast<std::size_t>(lane) * v + (r < n_ ? r : r + nz)] += at.z_upper[c] - at.z_lower[c];
    }
  for (int i = 0; i < g_; ++i)
    for (int lane = 0; lane < p_; ++lane) {
      const std::size_t c = static_cast<std::size_t>(n_ + m_ + i) * p_ + lane;
      at.nu[i * p_ + lane] = at.z_upper[c] - at.z_lower[c];
    }
  for (std::size_t e = 0; e < at.end_nu.size(); ++e) at.end_nu[e] = at.end_upper[e] - at.end_lower[e];
  if (!kkt_->factor(model_)) return;
  kkt_->solve(model_, step_);
  double largest = 0;
  for (const double l : step_.multiplier) largest = std::max(largest, std::fabs(l));
  if (!(largest < 1e3)) return;
  for (int lane = 0; lane < p_; ++lane)
    for (int a = 0; a < n_; ++a)
      if (lane % t_.shape().stages >= t_.shape().first)
        at.lambda[static_cast<std::size_t>(a) * p_ + lane] = step_.multiplier[lane * n_ + a];
  int q = 0;
  for (int e = 0; e < t_.end_rows(); ++e)
    if (t_.end_bounds(e).fixed()) at.end_nu[e] = step_.end[q++];
}

}  // namespace eos::solvers
