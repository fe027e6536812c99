// Solutions in closed form for noise and selection: what a solver must reproduce, and quick answers before one runs.
//
// All are derived in docs/theory.md. Each is held to numbers computed independently in
// tests/theory/closed_forms_test.cpp and reproduced by the solver in tests/solvers/closed_forms_test.cpp. Other topics:
// linear_quadratic.hpp, effort_forms.hpp (learning rates), path_forms.hpp (plasticity), synaptic_cache.hpp
// (consolidation), bounds.hpp (what no schedule can beat). Each throws Error E104 naming a parameter out of range.
#pragma once

#include "eos/theory/capture.hpp"

namespace eos::theory {

/// One noisy mode, dm/dt = -2 eta lambda m + eta^2 Sigma, driven to the smallest m(T) with 0 <= eta <= eta_max:
/// eta = min(eta_max, lambda m / Sigma), constant until t_s, then eta_max / (1 + lambda eta_max (t - t_s)) with
/// 1/m = 1/m_s + lambda^2 (t - t_s)/Sigma, m_s = min(m_0, Sigma eta_max / lambda).
/// Constant-then-1/t, after Li, Tai & E, "Stochastic modified equations", ICML 2017, section 4.
struct NoisyMode {
  double lambda = 1;      ///< > 0
  double noise = 1;       ///< Sigma > 0
  double initial = 1;     ///< m_0 > 0
  double rate_limit = 1;  ///< eta_max > 0

  void check() const;
  double switch_time() const;       ///< t_s, 0 if the rate anneals from the start
  double rate(double time) const;   ///< eta(t)
  double error(double time) const;  ///< m(t)
};

/// Data at a price, free stop: dm/dt = -rho lambda^2 m^2/Sigma (the best learning rate is taken), 0 <= rho <= 1, cost
/// w m(stop) + int (c_0 + c rho) dt. All data until m_s = sqrt((c + c_0) Sigma/(w lambda^2)), then stop; the value is
/// V = w m below m_s and 2 sqrt((c + c_0) w Sigma)/lambda - (c + c_0) Sigma/(lambda^2 m) above, the solution of
/// 0 = min_rho [c_0 + c rho - V' rho lambda^2 m^2/Sigma] joined to w m with equal slope. Derived in docs/theory.md.
struct PricedData {
  double lambda = 1;        ///< > 0
  double noise = 1;         ///< Sigma > 0
  double weight = 1;        ///< w > 0 per unit of m
  double sample_price = 0;  ///< c >= 0 per unit of time at rho = 1
  double time_price = 0;    ///< c_0 >= 0 per unit of time; c + c_0 > 0

  void check() const;
  double stop_error() const;            ///< m_s
  double data(double m) const;          ///< rho as a feedback law: 1 above m_s, else 0
  double value(double m) const;         ///< V(m), m >= 0
  double value_slope(double m) const;   ///< V'(m)
  double time_to_stop(double m) const;  ///< Sigma/lambda^2 (1/m_s - 1/m), 0 below m_s
};

/// Screen every sample at price r (relative to training on one), train on the hardest fraction: the fraction of most
/// clock per joule, and how many times less energy it takes than training on all.
struct HardFraction {
  double fraction = 1;
  double saving = 1;
};
/// Noise-limited: maximises F_s(rho)^2 / (F_n(rho) (r + rho)); for F_s = F_n = phi the condition is a^2 (r+rho) =
/// phi(rho). pre: r > 0.
HardFraction hard_fraction(const CaptureCurve& signal, const CaptureCurve& noise, double r);
/// Signal-limited, or one capture for both: maximises F(rho) / (r + rho).
HardFraction hard_fraction(const CaptureCurve& capture, double r);

/// Fractions of least H = c_b rho + c_w kappa - F(rho) G(kappa) S for concave captures, from
/// F'(rho) G(kappa) S = c_b, F(rho) G'(kappa) S = c_w, and rest (0, 0) where that is better.
struct JointFractions {
  double data = 0;
  double weight = 0;
  double hamiltonian = 0;  ///< H at the fractions, <= 0
};
JointFractions joint_fractions(double sample_price, double write_price, double clock_value, const CaptureCurve& data,
                               const CaptureCurve& weight);

/// Energy gain when selection divides compute by `compute_gain` and plasticity by `plasticity_gain`, of which
/// plasticity is the share `plasticity_share` in plain training: 1 / ((1 - s)/g_c + s/g_w). Energy terms add, so gains
/// do not multiply.
double two_term_gain(double plasticity_share, double compute_gain, double plasticity_gain);

}  // namespace eos::theory
