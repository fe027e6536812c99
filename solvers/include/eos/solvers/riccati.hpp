// Solve linear-quadratic control problems: algebraic Riccati equations in continuous and discrete time, and the Riccati
// differential equation of a finite horizon.
//
// Statement. Continuous: dx/dt = A x + B u, least  1/2 int x'Q x + u'R u dt (+ 1/2 x(T)'S x(T));  V(x) = 1/2 x'P x,
//   A'P + P A - P B R^-1 B'P + Q = 0  (-dP/dt on the left, P(T) = S, when the horizon is finite),  u = -K x,  K = R^-1
//   B'P.
// Discrete: x_{k+1} = A x_k + B u_k, least 1/2 sum x'Q x + u'R u,
//   P = A'P A - A'P B (R + B'P B)^-1 B'P A + Q,  K = (R + B'P B)^-1 B'P A.
// Methods. Continuous: matrix sign of the Hamiltonian with determinantal scaling (Roberts 1980; Byers 1987), polished
// by Newton's method on Lyapunov equations (Kleinman 1968). Discrete: structure-preserving doubling (Anderson 1978;
// Chu, Fan, Lin & Wang 2004), polished by Newton's method on Stein equations (Hewer 1971). Finite horizon: exponential
// of the Hamiltonian, restarted at every step (Davison & Maki 1973; Kenney & Leipnik 1985): exact but for rounding.
// Conventions: matrices are row-major; A [n,n], B [n,m], Q [n,n], R [m,m]. Thread-safe, deterministic.
#pragma once

#include <string>
#include <vector>

namespace eos::solvers {

struct LinearQuadratic {
  int states = 1;         ///< n, 1 to 64
  int controls = 1;       ///< m, 1 to 64
  std::vector<double> a;  ///< A [n,n]
  std::vector<double> b;  ///< B [n,m]
  std::vector<double> q;  ///< Q [n,n], symmetric, positive semidefinite
  std::vector<double> r;  ///< R [m,m], symmetric, positive definite
};

enum class RiccatiStatus {
  solved,
  no_stabilising_solution,  ///< (A, B) cannot be stabilised, or an eigenvalue of the closed loop lies on the boundary
  escape                    ///< finite horizon: P leaves every bound within it
};
std::string to_string(RiccatiStatus status);

struct RiccatiSolution {
  RiccatiStatus status = RiccatiStatus::solved;
  std::vector<double> value;   ///< P [n,n]
  std::vector<double> gain;    ///< K [m,n]
  double residual = 0;         ///< largest entry of the equation's left side minus right, relative to 1 + |P|
  double spectral_margin = 0;  ///< continuous: -max Re of eig(A - B K); discrete: 1 - max |eig(A - B K)|. > 0: stable
  int newton_steps = 0;
};

/// The stabilising solution P >= 0. throws Error E401 for matrices of wrong size, not symmetric, or R not positive.
RiccatiSolution solve_continuous_riccati(const LinearQuadratic& problem);
RiccatiSolution solve_discrete_riccati(const LinearQuadratic& problem);

struct RiccatiPath {
  RiccatiStatus status = RiccatiStatus::solved;
  std::vector<double> time;                ///< [k], ascending from 0 to T
  std::vector<std::vector<double>> value;  ///< P(t_k) [k][n,n]
  std::vector<std::vector<double>> gain;   ///< K(t_k) [k][m,n]
  double residual = 0;  ///< largest relative difference between P(0) from this and from half as long steps
};

/// P(t) on [0, T] at steps + 1 equally spaced times; end_cost is S [n,n] (empty: none).
/// throws Error E401 as above, or when T <= 0 or steps < 1.
RiccatiPath solve_finite_horizon_riccati(const LinearQuadratic& problem, double horizon, int steps,
                                         const std::vector<double>& end_cost = {});

/// 1/2 x'P x.
double quadratic_value(const std::vector<double>& p, const std::vector<double>& x);

}  // namespace eos::solvers
