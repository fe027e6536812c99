// Solutions in closed form: what a solver must reproduce, and quick answers before any solver runs.
//
// All are derived in docs/theory.md. Each is held to numbers computed independently in
// tests/theory/closed_forms_test.cpp and reproduced by the solver in tests/solvers/closed_forms_test.cpp.
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

  double switch_time() const;       ///< t_s, 0 if the rate anneals from the start
  double rate(double time) const;   ///< eta(t)
  double error(double time) const;  ///< m(t)
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
