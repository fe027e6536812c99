#include "path_follower.hpp"

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::ControlStatus;
using theory::Interval;

PathFollower::PathFollower(const CompiledProblem& compiled, theory::Method scheme, const Mesh& mesh,
                           const ControlOptions& options)
    : t_(compiled, compiled.parameter_values(), mesh, tableau(scheme)),
      scheme_(scheme),
      options_(options),
      kkt_(make_kkt(t_.shape())) {
  model_.resize(t_.shape());
  step_.resize(t_.shape());
  for (int r = 0; r < t_.shape().states; ++r) control_bounds_only_ &= t_.row_bounds(r).free();
  control_bounds_only_ &= compiled.path_constraints() == 0;
  for (int e = 0; e < t_.end_rows(); ++e) control_bounds_only_ &= t_.end_bounds(e).fixed();
  for (int i = 0; i < t_.shape().states; ++i) control_bounds_only_ &= t_.start_bounds(i).free();
}

PathFollower::PathFollower(const PathFollower& o)
    : t_(o.t_),
      scheme_(o.scheme_),
      options_(o.options_),
      control_bounds_only_(o.control_bounds_only_),
      kkt_(make_kkt(o.t_.shape())),
      model_(o.model_),
      step_(o.step_),
      at_(o.at_),
      active_(o.active_),
      past_(o.past_),
      result_(o.result_) {}

/// Polynomial of degree up to 3 through the points before.
void PathFollower::predict(double position) {
  // Points that lie much closer together than the step ahead would only amplify rounding.
  while (past_.size() > 1 && std::fabs(position - past_.back().position) >
                                 2.5 * std::fabs(past_.back().position - past_[past_.size() - 2].position))
    past_.erase(past_.begin() + static_cast<std::ptrdiff_t>(past_.size()) - 2);
  const std::size_t count = past_.size();
  std::vector<double> weight(count, 1.0);
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = 0; j < count; ++j)
      if (j != i) weight[i] *= (position - past_[j].position) / (past_[i].position - past_[j].position);
  const auto mix = [&](auto member) {
    std::vector<double>& to = at_.*member;
    to.assign(to.size(), 0.0);
    for (std::size_t i = 0; i < count; ++i) {
      const std::vector<double>& from = past_[i].at.*member;
      for (std::size_t c = 0; c < to.size(); ++c) to[c] += weight[i] * from[c];
    }
  };
  at_ = past_.back().at;
  mix(&Iterate::start), mix(&Iterate::x), mix(&Iterate::u), mix(&Iterate::lambda), mix(&Iterate::end_nu);
  mix(&Iterate::z_lower), mix(&Iterate::z_upper);
}

/// Active where the control leaves its bounds, or rests on one with a multiplier of the right sign.
void PathFollower::assign_active(bool first) {
  const int m = t_.shape().controls, n = t_.shape().states, p = t_.lanes();
  flips_ = 0;
  active_.resize(static_cast<std::size_t>(m) * p, 0);
  for (int j = 0; j < m; ++j) {
    const Interval& b = t_.row_bounds(n + j);
    if (b.free()) continue;
    for (int lane = 0; lane < p; ++lane) {
      if (t_.held(j)) continue;
      const std::size_t c = static_cast<std::size_t>(j) * p + lane;
      signed char& a = active_[c];
      const signed char before = a;
      double& u = at_.u[c];
      if (first) {
        const std::vector<double>&zl = past_.back().at.z_lower, &zu = past_.back().at.z_upper;
        const std::size_t z = static_cast<std::size_t>(n + j) * p + lane;
        const double distance_lower = past_.back().at.u[c] - b.lower, distance_upper = b.upper - past_.back().at.u[c];
        // The multipliers of the past tell what is active, their predicted sign whether it stays so.
        a = zl[z] > distance_lower ? -1 : zu[z] > distance_upper ? 1 : 0;
        if ((a < 0 && at_.z_lower[z] < 0) || (a > 0 && at_.z_upper[z] < 0)) a = 0;
      } else if (a != 0) {
        const double slope = t_.control_slope(j, lane);
        if ((a < 0 && slope < 0) || (a > 0 && slope > 0)) a = 0;
      }
      if (a == 0) {
        if (u < b.lower) a = -1;
        if (u > b.upper) a = 1;
      }
      if (a != 0) u = a < 0 ? b.lower : b.upper;
      flips_ += a != before && !first ? 1 : 0;
    }
  }
}

void PathFollower::pin(KktModel& model) const {
  const int m = t_.shape().controls, n = t_.shape().states, p = t_.lanes(), v = t_.shape().stage_variables();
  for (int j = 0; j < m; ++j)
    for (std::size_t lane = 0; lane < static_cast<std::size_t>(p); ++lane) {
      if (active_[static_cast<std::size_t>(j) * p + lane] == 0) continue;
      const int c = v - m + j;
      double* h = model.hessian.data() + lane * v * v;
      for (int a = 0; a < v; ++a) h[a * v + c] = h[c * v + a] = 0;
      h[c * v + c] = 1;
      for (int a = 0; a < n; ++a) model.jacobian[(lane * n + a) * v + c] = 0;
      model.gradient[lane * v + c] = 0;
    }
}

/// Multipliers of active bounds from stationarity.
void PathFollower::write_bound_multipliers() {
  const int m = t_.shape().controls, n = t_.shape().states, p = t_.lanes();
  for (int j = 0; j < m; ++j)
    for (int lane = 0; lane < p; ++lane) {
      const std::size_t c = static_cast<std::size_t>(j) * p + lane, z = static_cast<std::size_t>(n + j) * p + lane;
      at_.z_lower[z] = active_[c] < 0 ? std::max(0.0, t_.control_slope(j, lane)) : 0.0;
      at_.z_upper[z] = active_[c] > 0 ? std::max(0.0, -t_.control_slope(j, lane)) : 0.0;
    }
}

bool PathFollower::newton() {
  const int n = t_.shape().states, m = t_.shape().controls, p = t_.lanes(), s = t_.shape().stages;
  assign_active(true);
  t_.complete(at_);
  for (steps_ = 0; steps_ < 12; ++steps_) {
    Measures now = t_.evaluate(at_, 2);
    if (!now.finite) return false;
    t_.update_slopes(at_);
    if (steps_ > 0) {
      assign_active(false);
      if (flips_ > 0) {
        now = t_.evaluate(at_, 2);
        t_.update_slopes(at_);
      }
      write_bound_multipliers();
      const double dual = t_.dual_residual(at_);
      double size = 1;
      for (const double l : at_.lambda) size = std::max(size, std::fabs(l));
      if (flips_ == 0 && now.worst <= 1e-10 && dual <= 1e-8 * size) {
        result_ = {ControlStatus::optimal, "", steps_, now.objective, now.worst, dual, 0};
        return true;
      }
    }
    t_.linearise(at_, model_);
    pin(model_);
    if (!kkt_->factor(model_)) return false;
    kkt_->solve(model_, step_);
    for (int i = 0; i < t_.shape().node(); ++i) at_.start[i] += step_.node[i];
    for (int lane = 0; lane < p; ++lane) {
      for (int a = 0; a < n; ++a) {
        at_.x[static_cast<std::size_t>(a) * p + lane] += step_.state[lane * n + a];
        if (lane % s >= t_.shape().first)
          at_.lambda[static_cast<std::size_t>(a) * p + lane] = step_.multiplier[lane * n + a];
      }
      for (int j = 0; j < m; ++j) at_.u[static_cast<std::size_t>(j) * p + lane] += step_.control[lane * m + j];
    }
    for (std::size_t e = 0; e < at_.end_nu.size(); ++e) at_.end_nu[e] = step_.end[e];
    t_.complete(at_);
  }
  return false;
}

InteriorResult PathFollower::go(std::span<const double> parameters, double position) {
  t_.set_parameters(parameters);
  bool done = false;
  int spent = 0;
  if (!past_.empty() && control_bounds_only_) {
    predict(position);
    done = newton();
    spent = steps_;
    if (!done) at_ = past_.back().at;
  } else if (!past_.empty()) {
    at_ = past_.back().at;
  }
  if (!done) {
    InteriorOptions interior;
    interior.tolerance = options_.tolerance, interior.max_iterations = options_.max_iterations;
    if (past_.empty())
      at_ = constant_guess(t_);
    else
      interior.mu = 1e-6, interior.keep_multipliers = true;
    result_ = InteriorPoint(t_, interior).run(at_);
    if (!past_.empty() && result_.status != ControlStatus::optimal) {  // from the start, as if alone
      at_ = constant_guess(t_);
      interior = InteriorOptions{};
      interior.tolerance = options_.tolerance, interior.max_iterations = options_.max_iterations;
      spent += result_.iterations;
      result_ = InteriorPoint(t_, interior).run(at_);
    }
    result_.iterations += spent;
    past_.clear();
  }
  if (result_.status == ControlStatus::optimal) {
    if (!past_.empty() && past_.back().position == position) past_.pop_back();
    past_.push_back({position, at_});
    if (past_.size() > 4) past_.pop_front();
  }
  return result_;
}

theory::ControlSolution PathFollower::solution() {
  t_.evaluate(at_, 2);
  theory::ControlSolution s = describe(t_, at_, scheme_);
  s.status = result_.status, s.message = result_.message, s.iterations = result_.iterations;
  return s;
}

}  // namespace eos::solvers
