#include "bounded_minimiser.hpp"

#include <algorithm>
#include <cmath>
#include <deque>

namespace eos::solvers {
namespace {

using Vector = std::vector<double>;

struct Pair {
  Vector s, y;  // steps of x and of the gradient
};

class Minimiser {
 public:
  Minimiser(const Objective& objective, std::span<const double> lower, std::span<const double> upper,
            const MinimiserOptions& options)
      : objective_(objective), lower_(lower), upper_(upper), options_(options), n_(lower.size()), free_(n_) {}

  Minimum run(Vector start) {
    for (std::size_t i = 0; i < n_; ++i) start[i] = std::clamp(start[i], lower_[i], upper_[i]);
    x_ = std::move(start);
    g_.assign(n_, 0);
    result_.value = evaluate(x_, g_);
    result_.status = theory::SolveStatus::iteration_limit;
    if (!std::isfinite(result_.value)) result_.status = theory::SolveStatus::not_finite;
    while (result_.status == theory::SolveStatus::iteration_limit && result_.iterations < options_.max_iterations &&
           result_.evaluations < options_.max_evaluations) {
      if (projected_gradient() <= options_.tolerance) {
        result_.status = theory::SolveStatus::optimal;
      } else {
        iterate();
      }
    }
    result_.projected_gradient = projected_gradient();
    result_.x = x_;
    return result_;
  }

 private:
  double evaluate(const Vector& x, Vector& g) {
    ++result_.evaluations;
    return objective_(x, g);
  }

  double projected_gradient() const {
    double largest = 0;
    for (std::size_t i = 0; i < n_; ++i) {
      largest = std::max(largest, std::abs(std::clamp(x_[i] - g_[i], lower_[i], upper_[i]) - x_[i]));
    }
    return largest;
  }

  void find_free() {
    for (std::size_t i = 0; i < n_; ++i) {
      const bool held = (x_[i] <= lower_[i] && g_[i] > 0) || (x_[i] >= upper_[i] && g_[i] < 0);
      free_[i] = !held && lower_[i] < upper_[i];
    }
  }

  double dot(const Vector& a, const Vector& b) const {
    double sum = 0;
    for (std::size_t i = 0; i < n_; ++i) sum += free_[i] ? a[i] * b[i] : 0;
    return sum;
  }

  /// Two-loop recursion on the free variables; falls back to steepest descent.
  Vector direction() {
    Vector d(n_, 0);
    for (std::size_t i = 0; i < n_; ++i) d[i] = free_[i] ? -g_[i] : 0;
    std::vector<double> alpha(pairs_.size()), curvature(pairs_.size());
    double scale = 0;
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      curvature[k] = dot(pairs_[k].s, pairs_[k].y);
      const double yy = dot(pairs_[k].y, pairs_[k].y);
      if (curvature[k] <= 1e-10 * yy) {  // also skips pairs that lie in the held variables
        curvature[k] = 0;
        continue;
      }
      if (scale == 0) scale = curvature[k] / yy;
      alpha[k] = dot(pairs_[k].s, d) / curvature[k];
      for (std::size_t i = 0; i < n_; ++i) d[i] -= free_[i] ? alpha[k] * pairs_[k].y[i] : 0;
    }
    if (scale == 0) {
      pairs_.clear();
      scale = 0.1 / std::max(1e-300, std::sqrt(dot(g_, g_)));  // a tenth of the typical range of a variable
      for (double& value : d) value *= scale;
      return d;
    }
    for (double& value : d) value *= scale;
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      if (curvature[k] == 0) continue;
      const double beta = alpha[k] - dot(pairs_[k].y, d) / curvature[k];
      for (std::size_t i = 0; i < n_; ++i) d[i] += free_[i] ? beta * pairs_[k].s[i] : 0;
    }
    return d;
  }

  /// Tries x(t) = P(x + t d); true if it was accepted and x_, g_ moved.
  bool search(const Vector& d) {
    constexpr double k_armijo = 1e-4;
    Vector x(n_), g(n_), s(n_), y(n_);
    double t = 1;
    for (int trial = 0; trial < 40; ++trial) {
      double slope = 0, moved = 0;
      for (std::size_t i = 0; i < n_; ++i) {
        x[i] = std::clamp(x_[i] + t * d[i], lower_[i], upper_[i]);
        s[i] = x[i] - x_[i];
        slope += g_[i] * s[i];
        moved = std::max(moved, std::abs(s[i]));
      }
      if (moved == 0 || slope >= 0) return false;
      const double f = evaluate(x, g);
      double slope_there = 0;
      for (std::size_t i = 0; i < n_; ++i) slope_there += g[i] * s[i];
      const bool armijo = f <= result_.value + k_armijo * slope;
      const bool flat = f <= result_.value + 1e-14 * std::abs(result_.value) && slope_there <= -0.8 * slope;
      if (std::isfinite(f) && (armijo || flat)) {
        for (std::size_t i = 0; i < n_; ++i) y[i] = g[i] - g_[i];
        pairs_.push_back({s, y});
        if (pairs_.size() > static_cast<std::size_t>(options_.memory)) pairs_.pop_front();
        x_ = x;
        g_ = g;
        result_.value = f;
        return true;
      }
      // Minimiser of the parabola through f, slope and the new f, kept within [0.1, 0.5] t.
      const double parabola = std::isfinite(f) ? -0.5 * slope / (f - result_.value - slope) : 0.1;
      t *= std::clamp(parabola, 0.1, 0.5);
    }
    return false;
  }

  void iterate() {
    ++result_.iterations;
    find_free();
    if (search(direction())) return;
    if (pairs_.empty()) {
      result_.status = theory::SolveStatus::stalled;
      return;
    }
    pairs_.clear();  // the memory misled: start again from steepest descent
  }

  const Objective& objective_;
  std::span<const double> lower_, upper_;
  const MinimiserOptions& options_;
  std::size_t n_;
  std::vector<char> free_;
  Vector x_, g_;
  std::deque<Pair> pairs_;
  Minimum result_;
};

}  // namespace

Minimum minimise_bounded(const Objective& objective, std::vector<double> start, std::span<const double> lower,
                         std::span<const double> upper, const MinimiserOptions& options) {
  return Minimiser(objective, lower, upper, options).run(std::move(start));
}

}  // namespace eos::solvers
