// J and dJ/d(controls) of a mode problem for one lane (Real = double) or several at once (Real = Pack).
//
// Dynamics, energy and quadrature as in rk4_step.hpp and mode_model.hpp with F = G = u or the Gaussian capture. A
// ranked fraction is controlled by its threshold a: u = erfc(a/sqrt 2), phi = u + 2 a n(a), du/da = -2 n(a), dphi/da =
// a^2 du/da.
#pragma once

#include <cmath>

#include "batch_layout.hpp"

namespace eos::solvers::batch {

/// Access to the numbers of a lane: value(i) and store(i, v).
template <class Real, class View>
class LaneModel {
 public:
  EOS_HD LaneModel(const Sizes& sizes, const View& view) : z_(sizes), l_(sizes), v_(view) {}

  /// J at the controls stored from `x` on; writes dJ/dx from `gradient` on unless it is negative.
  EOS_HD Real evaluate(int x, int gradient) {
    const int n = z_.modes;
    for (int j = 0; j < n; ++j) set_state(0, j, mode(2, j));
    Real spent = 0.0, ran = 0.0;
    for (int i = 0; i < z_.intervals; ++i) {
      const Interval u = interval(x, i);
      spent += parameter(p_step) * z_.steps * u.price;
      for (int k = 0; k < z_.steps; ++k) ran += advance(u, i * z_.steps + k);
    }
    const Real loss = half_loss(z_.nodes() - 1);
    v_.store(l_.scalars + s_loss, loss);
    v_.store(l_.scalars + s_energy, spent);
    if (gradient >= 0) reverse(x, gradient);
    return parameter(p_terminal) * loss + parameter(p_running) * ran + spent;
  }

 private:
  /// What the controls of an interval do, and how that changes with the three variables.
  struct Interval {
    Real alpha, beta, price;
    Real d_alpha[3], d_beta[3], d_price[3];
  };
  struct Fraction {
    Real used, captured, d_used, d_captured;
  };

  EOS_HD Real parameter(int p) const { return v_.value(l_.parameters + p); }
  /// 0: lambda, 1: multiplicity, 2: initial.
  EOS_HD Real mode(int which, int j) const { return v_.value(l_.parameters + p_scalars + which * z_.modes + j); }
  EOS_HD Real state(int node, int j) const { return v_.value(l_.states + node * z_.modes + j); }
  EOS_HD void set_state(int node, int j, const Real& m) { v_.store(l_.states + node * z_.modes + j, m); }
  EOS_HD Real work(int row, int j) const { return v_.value(l_.work + row * z_.modes + j); }
  EOS_HD void set_work(int row, int j, const Real& m) { v_.store(l_.work + row * z_.modes + j, m); }

  EOS_HD static Fraction fraction(Choice choice, const Real& at, const Real& range) {
    if (choice == Choice::all) return {1.0, 1.0, 0.0, 0.0};
    if (choice == Choice::random) return {at, at, range, range};
    using std::erfc;
    using std::exp;
    const Real density = exp(-0.5 * at * at) * 0.39894228040143267794;
    const Real used = erfc(at * 0.70710678118654752440), slope = -2.0 * density * range;
    return {used, used + 2.0 * at * density, slope, at * at * slope};
  }

  EOS_HD Interval interval(int x, int i) const {
    const auto scaled = [&](int which, int lower, int range) {
      return parameter(lower) + parameter(range) * v_.value(x + k_controls * i + which);
    };
    const Fraction data = fraction(z_.data, scaled(0, p_data_lower, p_data_range), parameter(p_data_range));
    const Fraction weight = fraction(z_.weight, scaled(1, p_weight_lower, p_weight_range), parameter(p_weight_range));
    const Real eta = scaled(2, p_rate_lower, p_rate_range), d_eta = parameter(p_rate_range);
    const Real clock = data.captured * weight.captured;
    const Real noise = parameter(p_scale) / parameter(p_batch);
    const Real d_clock[2] = {data.d_captured * weight.captured, data.captured * weight.d_captured};
    Interval u;
    u.alpha = 2.0 * eta * clock;
    u.beta = noise * eta * eta * clock;
    u.price = parameter(p_constant) + parameter(p_sample) * data.used + parameter(p_write) * weight.used;
    for (int c = 0; c < 2; ++c) u.d_alpha[c] = 2.0 * eta * d_clock[c], u.d_beta[c] = noise * eta * eta * d_clock[c];
    u.d_alpha[2] = 2.0 * d_eta * clock, u.d_beta[2] = 2.0 * noise * eta * d_eta * clock;
    u.d_price[0] = parameter(p_sample) * data.d_used, u.d_price[1] = parameter(p_write) * weight.d_used;
    u.d_price[2] = 0.0;
    return u;
  }

  /// V of a row of stage values, minus sigma^2, is twice the loss.
  template <class Get>
  EOS_HD Real trace(Get&& m) const {
    Real sum = 0.0;
    for (int j = 0; j < z_.modes; ++j) sum += mode(1, j) * mode(0, j) * m(j);
    return sum;
  }
  EOS_HD Real half_loss(int node) const {
    return 0.5 * trace([&](int j) { return state(node, j); });
  }

  /// Stages a, b, c into work rows 0, 1, 2; V at m, a, b, c into v.
  EOS_HD void stages(const Interval& u, int node, Real v[4]) {
    const Real h = parameter(p_step), sigma2 = parameter(p_noise);
    v[0] = trace([&](int j) { return state(node, j); }) + sigma2;
    for (int s = 0; s < 3; ++s) {
      const Real reach = s == 2 ? h : 0.5 * h;
      for (int j = 0; j < z_.modes; ++j) {
        const Real from = s == 0 ? state(node, j) : work(s - 1, j);
        set_work(s, j, state(node, j) + reach * mode(0, j) * (u.beta * v[s] - u.alpha * from));
      }
      v[s + 1] = trace([&](int j) { return work(s, j); }) + sigma2;
    }
  }

  /// One step; returns the integral of the loss over it.
  EOS_HD Real advance(const Interval& u, int node) {
    Real v[4];
    stages(u, node, v);
    const Real h = parameter(p_step);
    for (int j = 0; j < z_.modes; ++j) {
      const Real m = state(node, j);
      const Real sum = u.beta * (v[0] + 2.0 * v[1] + 2.0 * v[2] + v[3]) -
                       u.alpha * (m + 2.0 * work(0, j) + 2.0 * work(1, j) + work(2, j));
      set_state(node + 1, j, m + h / 6.0 * mode(0, j) * sum);
    }
    const Real sigma2 = parameter(p_noise), after = 2.0 * half_loss(node + 1);
    return 0.125 * h * (v[0] - sigma2 + 2.0 * (v[2] - sigma2) + after);
  }

  /// Adjoint sweep: work row 8 holds mu = dJ/dm, rows 3 to 6 the adjoints of k1 to k4, row 7 a stage adjoint.
  EOS_HD void reverse(int x, int gradient) {
    const Real h = parameter(p_step), by_loss = parameter(p_running);
    for (int j = 0; j < z_.modes; ++j)
      set_work(8, j, 0.5 * (parameter(p_terminal) + 0.25 * h * by_loss) * mode(1, j) * mode(0, j));
    for (int i = z_.intervals; i-- > 0;) {
      const Interval u = interval(x, i);
      Real by_alpha = 0.0, by_beta = 0.0;
      for (int k = z_.steps; k-- > 0;) reverse_step(u, i * z_.steps + k, by_alpha, by_beta);
      for (int c = 0; c < k_controls; ++c)
        v_.store(gradient + k_controls * i + c,
                 by_alpha * u.d_alpha[c] + by_beta * u.d_beta[c] + h * z_.steps * u.d_price[c]);
    }
  }

  /// A' v for stage adjoint `row` into row 7: transposed dynamics, and the share in dJ/dalpha, dJ/dbeta.
  template <class Get>
  EOS_HD void transpose(const Interval& u, int row, Get&& at, const Real& v, Real& by_alpha, Real& by_beta) {
    Real pull = 0.0;
    for (int j = 0; j < z_.modes; ++j) {
      const Real k = mode(0, j) * work(row, j);
      pull += k;
      by_alpha -= k * at(j);
    }
    by_beta += pull * v;
    for (int j = 0; j < z_.modes; ++j)
      set_work(7, j, u.beta * mode(1, j) * mode(0, j) * pull - u.alpha * mode(0, j) * work(row, j));
  }

  EOS_HD void reverse_step(const Interval& u, int node, Real& by_alpha, Real& by_beta) {
    Real v[4];
    stages(u, node, v);
    const Real h = parameter(p_step), ell = 0.125 * h * parameter(p_running);  // h/4 w_r n lambda / 2
    for (int j = 0; j < z_.modes; ++j) set_work(6, j, h / 6.0 * work(8, j));
    transpose(
        u, 6, [&](int j) { return work(2, j); }, v[3], by_alpha, by_beta);
    for (int j = 0; j < z_.modes; ++j) {  // row 5: adjoint of k3; row 3 collects dJ/dm
      set_work(3, j, work(8, j) + work(7, j));
      set_work(5, j, h / 3.0 * work(8, j) + h * work(7, j));
    }
    transpose(
        u, 5, [&](int j) { return work(1, j); }, v[2], by_alpha, by_beta);
    for (int j = 0; j < z_.modes; ++j) {
      const Real stage = work(7, j) + 2.0 * ell * mode(1, j) * mode(0, j);
      set_work(3, j, work(3, j) + stage);
      set_work(4, j, h / 3.0 * work(8, j) + 0.5 * h * stage);
    }
    transpose(
        u, 4, [&](int j) { return work(0, j); }, v[1], by_alpha, by_beta);
    for (int j = 0; j < z_.modes; ++j) {
      set_work(3, j, work(3, j) + work(7, j));
      set_work(4, j, h / 6.0 * work(8, j) + 0.5 * h * work(7, j));
    }
    transpose(
        u, 4, [&](int j) { return state(node, j); }, v[0], by_alpha, by_beta);
    // dJ/dm gets the loss at m twice: as the end of the step before (but at node 0) and as the begin of this one.
    const Real twice = node > 0 ? 2.0 : 1.0;
    for (int j = 0; j < z_.modes; ++j) set_work(8, j, work(3, j) + work(7, j) + twice * ell * mode(1, j) * mode(0, j));
  }

  const Sizes& z_;
  Layout l_;
  View v_;
};

}  // namespace eos::solvers::batch
