// The projected quasi-Newton iteration of one lane as a state machine: it is asked for a point, told J and dJ/dx there,
// and answers with the next point. Variables lie in [lower, upper] within [0, 1].
//
// Variables at a bound whose gradient points outwards are fixed; the limited-memory inverse Hessian (Nocedal 1980) acts
// on the rest; steps are projected on the box and shortened until J falls enough (Armijo; Bertsekas 1982).
#pragma once

#include <cmath>

#include "batch_layout.hpp"

namespace eos::solvers::batch {

template <class View>
class Descent {
 public:
  EOS_HD Descent(const Sizes& sizes, const View& view) : z_(sizes), l_(sizes), v_(view), n_(sizes.variables()) {}

  /// pre: trial holds the start, trial_gradient and s_trial_value what was found there.
  EOS_HD void begin() {
    for (int k = 0; k < 16; ++k)
      if (k != s_trial_value && k != s_loss && k != s_energy) set(k, 0);
    if (!std::isfinite(get(s_trial_value))) return set(s_done, not_finite);
    accept();
    next_direction();
  }

  /// pre: J and gradient at the trial point are stored. Moves on; s_done tells when to stop.
  EOS_HD void advance() {
    if (sufficient()) {
      update_pairs();
      accept();
      set(s_iterations, get(s_iterations) + 1);
      if (get(s_iterations) >= z_.max_iterations) return set(s_done, iteration_limit);
      next_direction();
      return;
    }
    set(s_failures, get(s_failures) + 1);
    set(s_length, get(s_length) * (get(s_failures) > 3 ? 0.1 : 0.4));
    if (get(s_failures) < 25) return place_trial();
    if (get(s_pairs) == 0) return set(s_done, get(s_residual) < 100 * z_.tolerance ? converged : stalled);
    set(s_pairs, 0);
    next_direction();
  }

 private:
  EOS_HD double get(int scalar) const { return v_.scalar(l_.scalars + scalar); }
  EOS_HD void set(int scalar, double value) { v_.set_scalar(l_.scalars + scalar, value); }
  EOS_HD double at(int section, int i) const { return v_.scalar(section + i); }
  EOS_HD void put(int section, int i, double value) { v_.set_scalar(section + i, value); }
  EOS_HD double clamp(int i, double value) const {
    const double low = at(l_.lower, i), high = at(l_.upper, i);
    return value < low ? low : value > high ? high : value;
  }
  EOS_HD bool fixed(int i) const {
    const double x = at(l_.x, i), g = at(l_.gradient, i);
    return (x <= at(l_.lower, i) && g > 0) || (x >= at(l_.upper, i) && g < 0);
  }

  EOS_HD bool sufficient() const {
    const double f = get(s_trial_value);
    if (!std::isfinite(f)) return false;
    double promised = 0;
    for (int i = 0; i < n_; ++i) promised += at(l_.gradient, i) * (at(l_.trial, i) - at(l_.x, i));
    return f <= get(s_value) + 1e-4 * promised && (promised < 0 || f < get(s_value));
  }

  EOS_HD void accept() {
    double residual = 0;
    for (int i = 0; i < n_; ++i) {
      put(l_.x, i, at(l_.trial, i));
      put(l_.gradient, i, at(l_.trial_gradient, i));
      const double x = at(l_.x, i), move = std::fabs(clamp(i, x - at(l_.gradient, i)) - x);
      residual = residual < move ? move : residual;
    }
    set(s_value, get(s_trial_value));
    set(s_residual, residual / (1e-300 + std::fabs(get(s_value))));
    set(s_failures, 0);
    if (get(s_residual) < z_.tolerance) set(s_done, converged);
  }

  EOS_HD void update_pairs() {
    const int slot = (static_cast<int>(get(s_newest)) + 1) % k_pairs;
    double sy = 0, yy = 0;
    for (int i = 0; i < n_; ++i) {
      const double s = at(l_.trial, i) - at(l_.x, i), y = at(l_.trial_gradient, i) - at(l_.gradient, i);
      put(l_.s, slot * n_ + i, s);
      put(l_.y, slot * n_ + i, y);
      sy += s * y, yy += y * y;
    }
    if (!(sy > 1e-12 * yy) || !(yy > 0)) return;
    put(l_.rho, slot, 1 / sy);
    set(s_newest, slot);
    set(s_pairs, get(s_pairs) < k_pairs ? get(s_pairs) + 1 : k_pairs);
  }

  /// The two-loop recursion on the free variables.
  EOS_HD void next_direction() {
    if (get(s_done) != running) return;
    const int pairs = static_cast<int>(get(s_pairs)), newest = static_cast<int>(get(s_newest));
    double largest = 0;
    for (int i = 0; i < n_; ++i) {
      const double g = fixed(i) ? 0 : at(l_.gradient, i);
      put(l_.direction, i, -g);
      largest = largest < std::fabs(g) ? std::fabs(g) : largest;
    }
    double scale = pairs == 0 && largest > 0 ? 0.1 / largest : 1;
    for (int k = 0; k < pairs; ++k) {
      const int slot = (newest - k + 2 * k_pairs) % k_pairs;
      const double a = at(l_.rho, slot) * dot(l_.s + slot * n_, l_.direction);
      put(l_.alpha, slot, a);
      add(l_.direction, -a, l_.y + slot * n_);
      if (k == 0) scale = 1 / (at(l_.rho, slot) * dot(l_.y + slot * n_, l_.y + slot * n_));
    }
    for (int i = 0; i < n_; ++i) put(l_.direction, i, scale * at(l_.direction, i));
    for (int k = pairs; k-- > 0;) {
      const int slot = (newest - k + 2 * k_pairs) % k_pairs;
      add(l_.direction, at(l_.alpha, slot) - at(l_.rho, slot) * dot(l_.y + slot * n_, l_.direction), l_.s + slot * n_);
    }
    double slope = 0;
    for (int i = 0; i < n_; ++i) {
      if (fixed(i)) put(l_.direction, i, 0);
      slope += at(l_.direction, i) * at(l_.gradient, i);
    }
    if (!(slope < 0)) {
      set(s_pairs, 0);
      for (int i = 0; i < n_; ++i)
        put(l_.direction, i, fixed(i) || largest == 0 ? 0 : -0.1 / largest * at(l_.gradient, i));
    }
    set(s_length, 1);
    place_trial();
  }

  EOS_HD void place_trial() {
    for (int i = 0; i < n_; ++i) put(l_.trial, i, clamp(i, at(l_.x, i) + get(s_length) * at(l_.direction, i)));
  }
  EOS_HD double dot(int a, int b) const {
    double sum = 0;
    for (int i = 0; i < n_; ++i) sum += at(a, i) * at(b, i);
    return sum;
  }
  EOS_HD void add(int to, double factor, int from) {
    for (int i = 0; i < n_; ++i) put(to, i, at(to, i) + factor * at(from, i));
  }

  const Sizes& z_;
  Layout l_;
  View v_;
  int n_;
};

}  // namespace eos::solvers::batch
