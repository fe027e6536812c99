// Globalisation of the interior point: fraction to the boundary, filter, second-order correction, restoration.
#include <algorithm>
#include <cmath>

#include "interior_point.hpp"

namespace eos::solvers {

using theory::Interval;

namespace {

/// Largest step in [0, 1] that keeps a share 1 - tau of the distance to a bound.
void limit(double distance, double step, double tau, double& alpha) {
  if (step * alpha > tau * distance) alpha = tau * distance / step;
}

void axpy(std::vector<double>& y, double alpha, const std::vector<double>& d) {
  for (std::size_t i = 0; i < y.size(); ++i) y[i] += alpha * d[i];
}

}  // namespace

double InteriorPoint::primal_limit(const Iterate& at) const {
  const double tau = std::max(0.99, 1 - mu_);
  double alpha = 1;
  const auto one = [&](double x, double dx, const Interval& b) {
    if (std::isfinite(b.lower)) limit(lower_gap(x, b), -dx, tau, alpha);
    if (std::isfinite(b.upper)) limit(upper_gap(x, b), dx, tau, alpha);
  };
  for_each_row([&](int r, int, std::size_t c) { one(value_of(at, r, c), value_of(d_, r, c), t_.row_bounds(r)); });
  for_each_start([&](int i) { one(at.start[i], d_.start[i], t_.start_bounds(i)); });
  for_each_end([&](int e) { one(at.end_slack[e], d_.end_slack[e], t_.end_bounds(e)); });
  return alpha;
}

double InteriorPoint::dual_limit(const Iterate& at) const {
  const double tau = std::max(0.99, 1 - mu_);
  double alpha = 1;
  const auto all = [&](const std::vector<double>& z, const std::vector<double>& dz) {
    for (std::size_t i = 0; i < z.size(); ++i)
      if (z[i] > 0) limit(z[i], -dz[i], tau, alpha);
  };
  all(at.z_lower, d_.z_lower), all(at.z_upper, d_.z_upper);
  all(at.start_lower, d_.start_lower), all(at.start_upper, d_.start_upper);
  all(at.end_lower, d_.end_lower), all(at.end_upper, d_.end_upper);
  return alpha;
}

/// d (J + barrier) along the step.
double InteriorPoint::slope(const Iterate& at) const {
  const int v = t_.shape().stage_variables(), nz = t_.shape().statics, y = t_.shape().node();
  double sum = 0;
  const double* dz = d_.start.data() + n_;
  for (int lane = 0; lane < p_; ++lane) {
    const double* g = cost_gradient_.data() + static_cast<std::size_t>(lane) * v;
    double s = 0;
    for (int a = 0; a < n_; ++a) s += g[a] * d_.x[static_cast<std::size_t>(a) * p_ + lane];
    for (int a = 0; a < nz; ++a) s += g[n_ + a] * dz[a];
    for (int j = 0; j < m_; ++j) s += g[n_ + nz + j] * d_.u[static_cast<std::size_t>(j) * p_ + lane];
    sum += t_.weight(lane) * s;
  }
  const double* last = step_.node.data() + static_cast<std::size_t>(t_.shape().intervals) * y;
  for (int a = 0; a < y; ++a) sum += end_cost_gradient_[a] * last[a];
  const auto one = [&](double w, double x, double dx, const Interval& b) {
    if (std::isfinite(b.lower)) sum -= w * mu_ * dx / lower_gap(x, b);
    if (std::isfinite(b.upper)) sum += w * mu_ * dx / upper_gap(x, b);
  };
  for_each_row([&](int r, int lane, std::size_t c) {
    one(t_.weight(lane), value_of(at, r, c), value_of(d_, r, c), t_.row_bounds(r));
  });
  for_each_start([&](int i) { one(1, at.start[i], d_.start[i], t_.start_bounds(i)); });
  for_each_end([&](int e) { one(1, at.end_slack[e], d_.end_slack[e], t_.end_bounds(e)); });
  return sum;
}

bool InteriorPoint::acceptable(double violation, double merit) const {
  for (const FilterEntry& f : filter_)
    if (violation >= f.violation && merit >= f.merit) return false;
  return true;
}

bool InteriorPoint::try_step(const Iterate& at, double alpha, Iterate& trial, Measures& m) {
  trial.start = at.start, trial.x = at.x, trial.u = at.u, trial.slack = at.slack, trial.end_slack = at.end_slack;
  trial.lambda = at.lambda, trial.nu = at.nu, trial.end_nu = at.end_nu;
  axpy(trial.start, alpha, d_.start), axpy(trial.x, alpha, d_.x), axpy(trial.u, alpha, d_.u);
  axpy(trial.slack, alpha, d_.slack), axpy(trial.end_slack, alpha, d_.end_slack);
  t_.complete(trial);
  m = t_.evaluate(trial, 0);
  return m.finite;
}

bool InteriorPoint::sufficient(const Measures& m, double merit, double alpha, double merit_slope) const {
  const double before = now_.objective + merit_now_, rounding = 1e-14 * (std::fabs(before) + std::fabs(merit_now_) + 1);
  const double small = 1e-4 * std::max(1.0, first_violation_);
  if (m.violation > 1e4 * std::max(1.0, first_violation_)) return false;
  const bool armijo = merit <= before + 1e-8 * alpha * merit_slope + rounding;
  const bool descent =
      merit_slope < 0 && alpha * std::pow(-merit_slope, 2.3) > std::pow(now_.violation, 1.1) && now_.violation <= small;
  if (descent) return armijo && acceptable(m.violation, merit - rounding);
  const bool better = m.violation <= (1 - 1e-5) * now_.violation || merit <= before - 1e-5 * now_.violation + rounding;
  return better && acceptable(m.violation, merit - rounding);
}

/// Waechter & Biegler 2006, §2.4: the same factors with the residual of the rejected point.
bool InteriorPoint::correct(const Iterate& at, Iterate& trial, Measures& m, double merit_slope) {
  if (g_ > 0) return false;
  const Iterate kept = d_;
  const std::vector<double> defect = model_.defect, end = model_.end_residual, gradient = model_.end_gradient;
  const int y = t_.shape().node();
  for (std::size_t i = 0; i < defect.size(); ++i) model_.defect[i] = defect[i] + t_.defects()[i];
  int q = 0;
  for (int e = 0; e < t_.end_rows(); ++e) {
    if (!t_.end_bounds(e).fixed()) continue;
    const double more = t_.end_residual()[e];
    model_.end_residual[q] += more;
    for (int a = 0; a < y; ++a) model_.end_gradient[a] += penalty_ * model_.end_jacobian[q * y + a] * more;
    ++q;
  }
  kkt_->solve(model_, step_);
  const std::vector<double> end_kept = end_residual_;
  for (int e = 0; e < t_.end_rows(); ++e)
    if (t_.end_bounds(e).fixed()) end_residual_[e] += t_.end_residual()[e];
  read_step(at);
  end_residual_ = end_kept;
  model_.defect = defect, model_.end_residual = end, model_.end_gradient = gradient;
  const double alpha = primal_limit(at);
  if (try_step(at, alpha, trial, m) && sufficient(m, m.objective + barrier(trial), alpha, merit_slope)) {
    accepted_ = alpha;
    return true;
  }
  d_ = kept;
  return false;
}

/// The accepted point, multipliers moved along, bound multipliers kept near the central path.
void InteriorPoint::take(Iterate& at, const Iterate& trial, double alpha) {
  const double dual = dual_limit(at);
  axpy(at.lambda, alpha, d_.lambda), axpy(at.nu, alpha, d_.nu), axpy(at.end_nu, alpha, d_.end_nu);
  axpy(at.z_lower, dual, d_.z_lower), axpy(at.z_upper, dual, d_.z_upper);
  axpy(at.start_lower, dual, d_.start_lower), axpy(at.start_upper, dual, d_.start_upper);
  axpy(at.end_lower, dual, d_.end_lower), axpy(at.end_upper, dual, d_.end_upper);
  at.start = trial.start, at.x = trial.x, at.u = trial.u, at.slack = trial.slack, at.end_slack = trial.end_slack;
  clamp_multipliers(at);
}

/// Waechter & Biegler 2006, eq. 16.
void InteriorPoint::clamp_multipliers(Iterate& at) const {
  constexpr double k = 1e10;
  const auto one = [&](double x, const Interval& b, double& lower, double& upper) {
    if (std::isfinite(b.lower)) {
      const double central = mu_ / lower_gap(x, b);
      lower = std::min(std::max(lower, central / k), central * k);
    }
    if (std::isfinite(b.upper)) {
      const double central = mu_ / upper_gap(x, b);
      upper = std::min(std::max(upper, central / k), central * k);
    }
  };
  for_each_row(
      [&](int r, int, std::size_t c) { one(value_of(at, r, c), t_.row_bounds(r), at.z_lower[c], at.z_upper[c]); });
}

bool InteriorPoint::search(Iterate& at) {
  const double merit_slope = slope(at);
  merit_now_ = barrier(at);
  const double before = now_.objective + merit_now_;
  if (first_violation_ < 0) first_violation_ = now_.violation;
  double alpha = primal_limit(at);
  Iterate& trial = trial_;
  Measures m;
  double largest = 0;
  for (std::size_t i = 0; i < d_.x.size(); ++i)
    largest = std::max(largest, std::fabs(d_.x[i]) / (1 + std::fabs(at.x[i])));
  for (std::size_t i = 0; i < d_.u.size(); ++i)
    largest = std::max(largest, std::fabs(d_.u[i]) / (1 + std::fabs(at.u[i])));
  const bool tiny = largest < 1e-12;
  last_step_ = largest;
  for (int tries = 0; tries < 40 && alpha > 1e-13; ++tries, alpha *= 0.5) {
    const bool finite = try_step(at, alpha, trial, m);
    if (finite) {
      const double merit = m.objective + barrier(trial);
      const bool good = sufficient(m, merit, alpha, merit_slope);
      if (good || tiny) {
        const bool armijo = merit <= before + 1e-8 * alpha * merit_slope;
        if (!armijo && !tiny) filter_.push_back({(1 - 1e-5) * now_.violation, before - 1e-5 * now_.violation});
        take(at, trial, alpha);
        accepted_ = alpha;
        return true;
      }
      if (tries == 0 && m.violation >= now_.violation && correct(at, trial, m, merit_slope)) {
        take(at, trial, accepted_);
        return true;
      }
    }
  }
  return false;
}

/// Least-norm steps on the constraints alone, until the filter accepts the point.
bool InteriorPoint::restore(Iterate& at) {
  const double before = now_.violation;
  if (before < 1e-12) return false;
  filter_.push_back({(1 - 1e-5) * before, now_.objective + barrier(at) - 1e-5 * before});
  Iterate& trial = trial_;
  for (int i = 0; i < 50; ++i) {
    const Measures here = t_.evaluate(at, 2);
    now_ = here;
    if (!newton(at, true)) return false;
    double alpha = primal_limit(at);
    Measures m;
    bool found = false;
    for (int tries = 0; tries < 30 && !found; ++tries) {
      found = try_step(at, alpha, trial, m) && m.violation <= (1 - 1e-4 * alpha) * here.violation;
      if (!found) alpha *= 0.5;
    }
    if (!found) return false;
    at.start = trial.start, at.x = trial.x, at.u = trial.u, at.slack = trial.slack, at.end_slack = trial.end_slack;
    clamp_multipliers(at);
    now_ = m;
    if (m.violation <= 0.9 * before && acceptable(m.violation, m.objective + barrier(at))) {
      std::fill(at.lambda.begin(), at.lambda.end(), 0.0);
      least_squares_multipliers(at);
      return true;
    }
  }
  return false;
}

}  // namespace eos::solvers
