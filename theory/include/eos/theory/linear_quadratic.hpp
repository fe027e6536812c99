// Solve the linear-quadratic learning problem in closed form: the ground truth of every method for smooth controls.
//
// Statement, one error:  de/dt = -u,  minimise  1/2 int_0^T (q e^2 + r u^2) dt + 1/2 s e(T)^2.
//   With w = sqrt(q/r), g = sqrt(q r), x = T - t and S(x) = tanh(w x)/g (x/r if q = 0):
//   P(t) = (s + q r S)/(1 + s S),  u = P e / r,  e(t) = e_0 cosh(w x)(1 + s S(x)) / [cosh(w T)(1 + s S(T))],
//   J = P(0) e_0^2 / 2. For s < g this is g tanh(w x + artanh(s/g)), for s > g the same with coth and arcoth.
// Statement, vectors:  dx/dt = A x + B u,  minimise  1/2 int_0^T (x'Q x + u'R u) dt + 1/2 x(T)'S x(T).
//   [x; p]' = [[A, -B R^-1 B'], [-Q, -A']] [x; p],  p = P x,  u = -R^-1 B'P x,  J = x_0'P(0) x_0 / 2;
//   P is carried by the exponential of that Hamiltonian matrix over steps of norm <= 1 (Moebius map, renewed each
//   step).
// Source: Kalman, Bol. Soc. Mat. Mexicana 5, 102 (1960); Vaughan, IEEE Trans. Autom. Control 14, 72 (1969).
// Units are the caller's. Guarantees: pure functions; no overflow for long horizons; every function throws Error E104
// (E107 for sizes) naming the parameter that is out of range, or the time outside [0, T].
#pragma once

#include <cstddef>
#include <vector>

namespace eos::theory {

/// One error variable under a quadratic price. With q = 0 the rate is constant, u = s e_0/(r + s T) and
/// J = s r e_0^2 / (2 (r + s T)).
struct LinearQuadratic {
  double state_weight = 1;     ///< q >= 0, per error^2 and time
  double effort_weight = 1;    ///< r > 0, per rate^2 and time
  double terminal_weight = 0;  ///< s >= 0, per error^2
  double initial = 1;          ///< e_0
  double horizon = 1;          ///< T > 0

  void check() const;
  double riccati(double time) const;  ///< P(t)
  double state(double time) const;    ///< e(t)
  double control(double time) const;  ///< u(t)
  double cost() const;                ///< J
};

/// Several states and controls; matrices are row-major.
struct LinearRegulator {
  std::size_t states = 0;               ///< n > 0
  std::size_t controls = 0;             ///< m > 0
  std::vector<double> dynamics;         ///< [n, n] A
  std::vector<double> input;            ///< [n, m] B
  std::vector<double> state_weight;     ///< [n, n] Q, symmetric, positive semi-definite
  std::vector<double> effort_weight;    ///< [m, m] R, symmetric, positive definite
  std::vector<double> terminal_weight;  ///< [n, n] S, symmetric, positive semi-definite
  std::vector<double> initial;          ///< [n] x_0
  double horizon = 1;                   ///< T > 0

  void check() const;
  std::vector<double> riccati(double time) const;  ///< [n, n] P(t)
  std::vector<double> state(double time) const;    ///< [n] x(t)
  std::vector<double> control(double time) const;  ///< [m] u(t)
  double cost() const;                             ///< J
};

}  // namespace eos::theory
