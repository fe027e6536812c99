// Evaluate the learning dynamics of a ModeProblem: rates of error, loss and energy, Hamiltonian and costates.
//
// Statement. Controls (rho, kappa, eta), captures F_s(rho), F_n(rho), G(kappa), V = sum n_j lambda_j m_j + sigma^2:
//   dm_j/dt = -alpha lambda_j m_j + beta lambda_j V,      alpha = 2 eta F_s G,  beta = nu eta^2 F_n G / B
//   H   = w_r L + e - eta G (2 F_s A - nu eta F_n V C / B),      A = sum p_j lambda_j m_j,  C = sum p_j lambda_j
//   dp_i/dt = -dH/dm_i,  p_i(T) = w_T n_i lambda_i / 2,   p_i = dJ/dm_i
//   path rate = q c_1(kappa) eta sum n_j sqrt(v_j),   v_j = D lambda_j^2 m_j + nu F_n lambda_j V / (q B),
// where q = rho if kept samples are re-batched, else 1; c_1 = E[|z|; written], or sqrt(2/pi) times a measured curve for
// accumulated writes; v_j is the second moment of one update
// per rate^2 and D = (1-1/B)(F_s/q)^2 + (X - F_n)/(q B) with X = E[z^4; kept], or rho^2 + rho/B for a random subset of
// fixed size. Exact discrete recursion (q = 1): m_j' = m_j + G ( -2 eta F_s lambda_j m_j + eta^2 v_j ).
// Source: derived in docs/theory.md; minimum principle: Pontryagin et al. (1962).
//
// Conventions. Time counts candidate chunks of B samples; arrays are [modes]; a fraction under Rule::all is taken as 1.
// Guarantees: pure functions, safe to share between threads; only minimise_hamiltonian allocates.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "eos/theory/problem.hpp"

namespace eos::theory {

/// What the controls do: captured shares and their derivatives by the fraction.
struct Captures {
  double signal = 1, noise = 1, weight = 1;        ///< F_s, F_n, G
  double d_signal = 0, d_noise = 0, d_weight = 0;  ///< F_s', F_n', G'
};

/// The two rates through which controls enter the dynamics.
struct ClockRates {
  double drift = 0;      ///< alpha
  double diffusion = 0;  ///< beta
};

/// Derivatives of a scalar by the three controls.
struct ControlGradient {
  double data = 0, weight = 0, rate = 0;
};

/// What the controls do to the path length of one update, and the derivatives (by rho; absolute: by kappa).
struct PathFactors {
  double updates = 1, absolute = 0, drift = 0, noise = 0;  ///< q, c_1(kappa), D, nu F_n / (q B)
  double d_updates = 0, d_absolute = 0, d_drift = 0, d_noise = 0;
};

/// Energy per step by term, J.
struct EnergyRate {
  double time = 0, screening = 0, sample = 0, write = 0, path = 0;
  double total() const { return time + screening + sample + write + path; }
};

class ModeModel {
 public:
  /// pre: problem.check() passes.
  explicit ModeModel(const ModeProblem& problem);

  const ModeProblem& problem() const { return problem_; }
  std::size_t modes() const { return problem_.lambda.size(); }
  /// n_j lambda_j: weights of V.
  std::span<const double> variance_weights() const { return weight_; }

  /// Fractions under Rule::all become 1.
  Controls effective(const Controls& controls) const;
  Captures captures(const Controls& controls) const;
  ClockRates clock(const Controls& controls) const { return clock(controls, captures(controls)); }
  ClockRates clock(const Controls& controls, const Captures& captures) const;
  /// d(alpha)/d(controls) and d(beta)/d(controls).
  void clock_gradient(const Controls& controls, const Captures& captures, ControlGradient& drift,
                      ControlGradient& diffusion) const;
  PathFactors path_factors(const Controls& controls, const Captures& captures) const;

  double residual_variance(std::span<const double> m) const;                                         ///< V
  double loss(std::span<const double> m) const;                                                      ///< excess loss L
  void dynamics(std::span<const double> m, const Controls& controls, std::span<double> rate) const;  ///< dm/dt
  /// One step of the exact discrete recursion. pre: kept samples are not re-batched.
  void step(std::span<const double> m, const Controls& controls, std::span<double> next) const;

  EnergyRate energy_rate(std::span<const double> m, const Controls& controls) const;
  /// The terms that do not depend on m: all but the path length.
  EnergyRate control_energy(const Controls& controls) const;
  /// d(control_energy)/d(controls).
  ControlGradient control_price(const Controls& controls) const;
  /// M_1 per step (not priced). Where given, adds scale * derivatives to gradient_m and by_controls.
  double path_rate(std::span<const double> m, double rate, const PathFactors& factors, double scale = 0,
                   std::span<double> gradient_m = {}, ControlGradient* by_controls = nullptr) const;
  double path_rate(std::span<const double> m, const Controls& controls) const;

  double hamiltonian(std::span<const double> m, std::span<const double> p, const Controls& controls) const;
  ControlGradient hamiltonian_gradient(std::span<const double> m, std::span<const double> p,
                                       const Controls& controls) const;
  void costate_rate(std::span<const double> m, std::span<const double> p, const Controls& controls,
                    std::span<double> rate) const;  ///< dp/dt
  void terminal_costate(std::span<double> p) const;

  /// Minimiser of H over the rate at given fractions: clip( (2 G F_s A - e_1 d path/d eta) B / (2 nu G F_n V C) ),
  /// which is clip(B A / (V C)) when F_s = F_n, nu = 1 and the path is free.
  double optimal_rate(std::span<const double> m, std::span<const double> p, const Controls& controls) const;
  /// Value produced per unit of clock at the best rate, S* = max_eta (2 eta A - nu eta^2 V C / B).
  double clock_value(std::span<const double> m, std::span<const double> p) const;
  /// Controls of least H on a logarithmic grid of `points` values per free fraction and the best rate for each.
  Controls minimise_hamiltonian(std::span<const double> m, std::span<const double> p, int points = 17) const;

 private:
  struct Sums {
    double a, c, v;  // A, C, V
  };
  Sums sums(std::span<const double> m, std::span<const double> p) const;
  double best_rate(double linear, double curvature) const;

  ModeProblem problem_;
  std::vector<double> weight_;
};

}  // namespace eos::theory
