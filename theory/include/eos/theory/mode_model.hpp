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
// fixed size. Exact discrete recursion (q = 1): m_j' = m_j + G ( -2 eta F_s lambda_j m_j + eta^2 v_j ); where the
// problem asks for it, dynamics and H hold m' - m in place of dm/dt, and H is the discrete one with p at the step's
// end.
//   plasticity rate M_alpha = q c_alpha(kappa) eta^alpha sum n_j v_j^(alpha/2),   c_alpha = E[|z|^alpha; written]
//   caching rate = 2 sqrt(e_m e_c / 3) sqrt(q G) eta sum n_j sqrt(v_j): updates diffuse with D_j = q G eta^2 v_j into a
// transient store of upkeep e_m |s| that is consolidated at price e_c |s| when |s| = theta; e_m theta/3 + e_c D/theta
// is least at theta = sqrt(3 e_c D / e_m) (synaptic caching: Li & van Rossum, eLife 9, e50804 (2020)). Source: derived
// in docs/theory.md; minimum principle: Pontryagin et al. (1962).
//
// Conventions. Time counts candidate chunks of B samples; arrays are [modes]; a fraction under Rule::all is taken as 1.
// Guarantees: pure functions, safe to share between threads; only minimise_hamiltonian allocates.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
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
  double captured = 1, d_captured = 0;   ///< G and G' by kappa, for caching
  std::vector<double> moment, d_moment;  ///< c_alpha(kappa) and its derivative, one per plasticity price
};

/// What writing costs per step beyond the fixed price of a write, J.
struct WriteCost {
  double path = 0, plasticity = 0, cache = 0;
  double total() const { return path + plasticity + cache; }
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
  void step(std::span<const double> m, double rate, const Captures& captures, const PathFactors& factors,
            std::span<double> next) const;

  EnergyRate energy_rate(std::span<const double> m, const Controls& controls) const;
  /// The terms that do not depend on m: all but those of write_cost().
  EnergyRate control_energy(const Controls& controls) const;
  /// d(control_energy)/d(controls).
  ControlGradient control_price(const Controls& controls) const;
  /// M_1 per step (not priced). Where given, adds scale * derivatives to gradient_m and by_controls.
  double path_rate(std::span<const double> m, double rate, const PathFactors& factors, double scale = 0,
                   std::span<double> gradient_m = {}, ControlGradient* by_controls = nullptr) const;
  double path_rate(std::span<const double> m, const Controls& controls) const;
  /// Whether path, plasticity or caching have a price, so that the energy depends on m.
  bool prices_size() const { return prices_size_; }
  /// Price of path, plasticity and caching per step, J. Where given, adds scale * derivatives of the total.
  WriteCost write_cost(std::span<const double> m, double rate, const PathFactors& factors, double scale = 0,
                       std::span<double> gradient_m = {}, ControlGradient* by_controls = nullptr) const;
  bool recursion() const { return recursion_; }

  double hamiltonian(std::span<const double> m, std::span<const double> p, const Controls& controls) const;
  ControlGradient hamiltonian_gradient(std::span<const double> m, std::span<const double> p,
                                       const Controls& controls) const;
  void costate_rate(std::span<const double> m, std::span<const double> p, const Controls& controls,
                    std::span<double> rate) const;  ///< dp/dt
  void terminal_costate(std::span<double> p) const;

  /// Minimiser of H over the rate at given fractions: clip( (2 G F_s A - e_1 d path/d eta) B / (2 nu G F_n V C) ),
  /// which is clip(B A / (V C)) when F_s = F_n, nu = 1 and the path is free. A search where M_alpha has a price with
  /// alpha other than 0, 1, 2.
  double optimal_rate(std::span<const double> m, std::span<const double> p, const Controls& controls) const;
  /// Value produced per unit of clock at the best rate, S* = max_eta (2 eta A - nu eta^2 V C / B).
  double clock_value(std::span<const double> m, std::span<const double> p) const;
  /// Controls of least H on a logarithmic grid of `points` values per free fraction and the best rate for each.
  Controls minimise_hamiltonian(std::span<const double> m, std::span<const double> p, int points = 17) const;

 private:
  struct Sums {
    double a, c, v;   // A, C, V
    double self = 0;  // sum p_j lambda_j^2 m_j, for the recursion
  };
  /// H over the rate: curvature/2 eta^2 - linear eta + constant + sum of coefficient eta^exponent.
  struct RateCurve {
    double linear = 0, curvature = 0, constant = 0;
    std::vector<std::pair<double, double>> powers;  // exponent, coefficient
    double value(double eta) const;
    double slope(double eta) const;
  };
  /// A factor of a power sum and its derivatives.
  struct Front {
    double value = 0, data = 0, weight = 0, rate = 0;
  };
  Sums sums(std::span<const double> m, std::span<const double> p) const;
  double best_rate(double linear, double curvature) const;
  double best_rate(const RateCurve& curve) const;
  RateCurve rate_curve(std::span<const double> m, const Sums& sums, const Controls& unit, const Captures& f) const;
  double power_rate(std::span<const double> m, const PathFactors& k, double power, const Front& front, double scale,
                    std::span<double> gradient_m, ControlGradient* by_controls) const;
  Front path_front(double rate, const PathFactors& k) const;
  Front plasticity_front(std::size_t term, double rate, const PathFactors& k) const;
  Front cache_front(double rate, const PathFactors& k) const;

  ModeProblem problem_;
  std::vector<double> weight_;
  bool prices_size_ = false, recursion_ = false;
};

}  // namespace eos::theory
