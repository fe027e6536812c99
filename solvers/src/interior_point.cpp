#include "interior_point.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace eos::solvers {

using theory::ControlStatus;
using theory::Interval;

namespace {

/// Inside [lower, upper] with the margins of Waechter & Biegler 2006, §3.6.
double inside(double x, const Interval& b) {
  constexpr double k1 = 1e-2, k2 = 1e-2;
  double lower = -theory::k_infinity, upper = theory::k_infinity;
  const double width = b.upper - b.lower;
  if (std::isfinite(b.lower)) lower = b.lower + std::min(k1 * std::max(1.0, std::fabs(b.lower)), k2 * width);
  if (std::isfinite(b.upper)) upper = b.upper - std::min(k1 * std::max(1.0, std::fabs(b.upper)), k2 * width);
  return std::min(std::max(x, lower), upper);
}

double distance_log(double x, const Interval& b) {
  double sum = 0;
  if (std::isfinite(b.lower)) sum += std::log(lower_gap(x, b));
  if (std::isfinite(b.upper)) sum += std::log(upper_gap(x, b));
  return sum;
}

}  // namespace

InteriorPoint::InteriorPoint(Transcription& transcription, InteriorOptions options)
    : t_(transcription),
      options_(options),
      n_(transcription.shape().states),
      m_(transcription.shape().controls),
      g_(transcription.compiled().path_constraints()),
      p_(transcription.lanes()),
      mu_(options.mu),
      kkt_(make_kkt(transcription.shape())) {
  model_.resize(t_.shape());
  step_.resize(t_.shape());
}

void InteriorPoint::push_inside(Iterate& at) const {
  for (int i = 0; i < t_.shape().node(); ++i)
    if (t_.start_parent(i) == i) at.start[i] = inside(at.start[i], t_.start_bounds(i));
  for (int r = 0; r < n_ + m_; ++r)
    for (int lane = 0; lane < p_; ++lane) {
      double& v = r < n_ ? at.x[r * p_ + lane] : at.u[(r - n_) * p_ + lane];
      if (t_.bounded(r, lane)) v = inside(v, t_.row_bounds(r));
    }
  t_.complete(at);
}

/// Puts a warm start on the central path: the smaller of distance and multiplier follows from the larger.
void InteriorPoint::centre(Iterate& at) const {
  const auto one = [&](double& x, const Interval& b, double& lower, double& upper) {
    if (b.fixed()) return;
    if (std::isfinite(b.lower) && std::isfinite(b.upper)) {
      const double margin = std::min(0.1 * (b.upper - b.lower), 0.1 * mu_);
      x = std::min(std::max(x, b.lower + margin), b.upper - margin);
    }
    if (std::isfinite(b.lower)) {
      const double z = std::max(lower, 1e-300);
      if (x - b.lower < std::sqrt(mu_) && x - b.lower < mu_ / z) x = b.lower + std::min(std::sqrt(mu_), mu_ / z);
      lower = mu_ / lower_gap(x, b);
    }
    if (std::isfinite(b.upper)) {
      const double z = std::max(upper, 1e-300);
      if (b.upper - x < std::sqrt(mu_) && b.upper - x < mu_ / z) x = b.upper - std::min(std::sqrt(mu_), mu_ / z);
      upper = mu_ / upper_gap(x, b);
    }
    if (std::isfinite(b.lower)) lower = mu_ / lower_gap(x, b);
  };
  for (int r = 0; r < n_ + m_ + g_; ++r)
    for (int lane = 0; lane < p_ && !t_.row_bounds(r).free(); ++lane) {
      if (!t_.bounded(r, lane)) continue;
      const std::size_t c = static_cast<std::size_t>(r) * p_ + lane;
      double& v = r < n_ ? at.x[c] : r < n_ + m_ ? at.u[c - n_ * p_] : at.slack[c - (n_ + m_) * p_];
      one(v, t_.row_bounds(r), at.z_lower[c], at.z_upper[c]);
    }
  for (int i = 0; i < t_.shape().node(); ++i)
    if (t_.start_parent(i) == i) one(at.start[i], t_.start_bounds(i), at.start_lower[i], at.start_upper[i]);
  for (int e = 0; e < t_.end_rows(); ++e) one(at.end_slack[e], t_.end_bounds(e), at.end_lower[e], at.end_upper[e]);
  t_.complete(at);
}

void InteriorPoint::start(Iterate& at) {
  const std::size_t rows = static_cast<std::size_t>(n_ + m_ + g_) * p_, y = t_.shape().node(), e = t_.end_rows();
  const bool fresh = !options_.keep_multipliers || at.z_lower.size() != rows || at.lambda.size() != at.x.size();
  at.slack.resize(static_cast<std::size_t>(g_) * p_, 0.0);
  at.end_slack.resize(e, 0.0);
  if (fresh) {
    at.lambda.assign(at.x.size(), 0.0);
    at.nu.assign(at.slack.size(), 0.0);
    at.end_nu.assign(e, 0.0);
    at.z_lower.assign(rows, 0.0), at.z_upper.assign(rows, 0.0);
    at.start_lower.assign(y, 0.0), at.start_upper.assign(y, 0.0);
    at.end_lower.assign(e, 0.0), at.end_upper.assign(e, 0.0);
  }
  if (fresh)
    push_inside(at);
  else
    centre(at);
  now_ = t_.evaluate(at, 1);
  if (fresh) {
    for (int i = 0; i < g_; ++i)
      for (int lane = 0; lane < p_; ++lane) {
        const Interval& b = t_.row_bounds(n_ + m_ + i);
        double& s = at.slack[i * p_ + lane];
        s = b.fixed() ? b.lower : inside(s + t_.path_residual()[i * p_ + lane], b);
      }
    for (std::size_t r = 0; r < e; ++r) {
      const Interval& b = t_.end_bounds(static_cast<int>(r));
      at.end_slack[r] = b.fixed() ? b.lower : inside(at.end_slack[r] + t_.end_residual()[r], b);
    }
  }
  // z = mu / distance, and never further from the central path than a factor 1e10 (Waechter & Biegler 2006, eq. 16).
  const auto pair = [&](double x, const Interval& b, double& lower, double& upper) {
    const auto one = [&](double distance, double& z) {
      const double central = mu_ / distance;
      z = fresh ? central : std::min(std::max(z, central * 1e-10), central * 1e10);
    };
    lower = std::isfinite(b.lower) ? (one(lower_gap(x, b), lower), lower) : 0.0;
    upper = std::isfinite(b.upper) ? (one(upper_gap(x, b), upper), upper) : 0.0;
  };
  for_each_row(
      [&](int r, int, std::size_t c) { pair(value_of(at, r, c), t_.row_bounds(r), at.z_lower[c], at.z_upper[c]); });
  for_each_start([&](int i) { pair(at.start[i], t_.start_bounds(i), at.start_lower[i], at.start_upper[i]); });
  for_each_end([&](int r) { pair(at.end_slack[r], t_.end_bounds(r), at.end_lower[r], at.end_upper[r]); });
}

/// The barrier's share of J at the end is a hundredth of what was asked for.
double InteriorPoint::smallest_mu() const {
  double sides = 0;
  const auto count = [](const Interval& b) {
    return b.fixed() ? 0.0 : (std::isfinite(b.lower) ? 1.0 : 0.0) + (std::isfinite(b.upper) ? 1.0 : 0.0);
  };
  for (int r = 0; r < n_ + m_ + g_; ++r) sides += count(t_.row_bounds(r)) * t_.total_weight();
  for (int i = 0; i < t_.shape().node(); ++i) sides += count(t_.start_bounds(i));
  for (int r = 0; r < t_.end_rows(); ++r) sides += count(t_.end_bounds(r));
  return 0.01 * options_.tolerance * (1 + std::fabs(now_.objective)) / std::max(1.0, sides);
}

double InteriorPoint::complementarity(const Iterate& at, double mu) const {
  double worst = 0;
  const auto add = [&](double x, const Interval& b, double lower, double upper) {
    if (std::isfinite(b.lower)) worst = std::max(worst, std::fabs(lower_gap(x, b) * lower - mu));
    if (std::isfinite(b.upper)) worst = std::max(worst, std::fabs(upper_gap(x, b) * upper - mu));
  };
  for_each_row(
      [&](int r, int, std::size_t c) { add(value_of(at, r, c), t_.row_bounds(r), at.z_lower[c], at.z_upper[c]); });
  for_each_start([&](int i) { add(at.start[i], t_.start_bounds(i), at.start_lower[i], at.start_upper[i]); });
  for_each_end([&](int r) { add(at.end_slack[r], t_.end_bounds(r), at.end_lower[r], at.end_upper[r]); });
  return worst;
}

double InteriorPoint::error(const Iterate& at, double mu) const {
  double size = 0;
  for (const double l : at.lambda) size = std::max(size, std::fabs(l));
  const double scale = std::max(1.0, size);
  return std::max({result_.dual / scale, now_.worst, complementarity(at, mu) / scale});
}

double InteriorPoint::barrier(const Iterate& at) const {
  double sum = 0;
  for_each_row([&](int r, int lane, std::size_t c) {
    sum += t_.weight(lane) * distance_log(value_of(at, r, c), t_.row_bounds(r));
  });
  for_each_start([&](int i) { sum += distance_log(at.start[i], t_.start_bounds(i)); });
  for_each_end([&](int r) { sum += distance_log(at.end_slack[r], t_.end_bounds(r)); });
  return -mu_ * sum;
}

InteriorResult InteriorPoint::finish(ControlStatus status, std::string message) {
  result_.status = status, result_.message = std::move(message);
  result_.objective = now_.objective, result_.violation = now_.worst, result_.mu = mu_;
  return result_;
}

InteriorResult InteriorPoint::run(Iterate& at) {
  start(at);
  if (!now_.finite)
    return finish(
        ControlStatus::not_finite,
        fmt::format("at the first guess {} is not finite; give a guess where the formulas are defined", now_.where));
  if (!options_.keep_multipliers) least_squares_multipliers(at);
  int stuck = 0;
  double best = theory::k_infinity;
  for (result_.iterations = 0;; ++result_.iterations) {
    now_ = t_.evaluate(at, 2);
    std::string where;
    t_.update_slopes(at);
    result_.dual = t_.dual_residual(at, &where);
    const double last = smallest_mu();
    const double total = error(at, last);
    const double wanted = std::max(options_.tolerance * 1e-2, 1e-12);
    // Close to bounds rounding spoils the multipliers; then primal steps tell that the optimum is reached.
    const bool still = last_step_ < 1e-7 && accepted_ > 0.99 && now_.worst < 1e-9;
    const auto solved = [&](double mu, double bar) {
      return error(at, mu) <= bar || (still && complementarity(at, mu) <= bar);
    };
    if (mu_ <= last * 1.0000001 && (solved(last, wanted * 10) || (still && complementarity(at, 0) <= 2 * mu_)))
      return finish(ControlStatus::optimal, "");
    while (mu_ > last && solved(mu_, 10 * mu_)) {
      mu_ = std::max(last, std::min(0.2 * mu_, std::pow(mu_, 1.5)));
      filter_.clear();
    }
    // Far out, equations can only be kept relative to the size of what they hold.
    const double depth = -now_.objective / (1 + t_.total_weight());
    if (depth > 1e18 || (depth > 1e12 && now_.worst < 1e-12 * depth))
      return finish(
          ControlStatus::unbounded,
          fmt::format("the cost falls without bound ({:.3g}); bound the controls or add a price", now_.objective));
    if (result_.iterations >= options_.max_iterations)
      return finish(ControlStatus::iteration_limit,
                    fmt::format("{} iterations; largest violation {:.3g} in {}, stationarity {:.3g} in {}",
                                result_.iterations, now_.worst, now_.where, result_.dual, where));
    stuck = total < 0.5 * best ? 0 : stuck + 1;
    best = std::min(best, total);
    if (stuck > 15 && mu_ <= last * 1.01 && total < 1e-6) return finish(ControlStatus::optimal, "");
    if (!newton(at, false))
      return finish(ControlStatus::stalled,
                    fmt::format("no convex model was found around interval {}", kkt_->failed + 1));
    if (search(at)) continue;
    if (total < 1e-7 && mu_ <= last * 1.01) return finish(ControlStatus::optimal, "");
    if (now_.worst < 1e-9 && mu_ > last) {  // rounding decides at this barrier: go on with the next
      mu_ = std::max(last, 0.2 * mu_);
      filter_.clear();
      continue;
    }
    if (!restore(at)) {
      if (now_.worst > 1e-6)
        return finish(
            ControlStatus::infeasible,
            fmt::format("no point nearby satisfies the constraints: the smallest violation found is {:.3g} in "
                        "{}; relax end conditions, bounds or the horizon",
                        now_.worst, now_.where));
      return finish(total < 1e-5 ? ControlStatus::acceptable : ControlStatus::stalled,
                    fmt::format("the step became too short; stationarity {:.3g} in {}", result_.dual, where));
    }
  }
}

}  // namespace eos::solvers
