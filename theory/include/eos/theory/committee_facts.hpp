// Look up where a soft committee machine gets stuck, which learning rates it survives, and how fast it may anneal.
//
// For K = M, isotropic teacher T = I, readouts 1 (conventions of order_parameters.hpp). Plateau and escape rate: Saad &
// Solla, PRE 52, 4225 (1995), section IV. Annealing: Leen, Schottky & Saad, NIPS 10, 301 (1997). Numbers of the papers
// are reproduced, and each form is checked on the equations of motion, in tests/theory/committee_facts_test.cpp.
#pragma once

#include <array>

namespace eos::theory {

/// The symmetric plateau of small learning rates, on which every hidden unit imitates the mean of the teacher's.
struct CommitteePlateau {
  double student_overlap;  ///< Q* = C* = 1 / (2K - 1)
  double teacher_overlap;  ///< R* = 1 / sqrt(K (2K - 1))
  double error;            ///< eps* = (K/pi) (pi/6 - K asin(1/(2K)))
  double escape_rate;      ///< growth rate of the asymmetry per unit of eta alpha: (2K/pi)(2K-1)^{-1/2}(2K+1)^{-3/2}
};
/// pre: hidden_units >= 2, else Error E104.
CommitteePlateau committee_plateau(int hidden_units);

/// Rise of the plateau error by output noise, to first order in eta sigma^2:
/// eta sigma^2 K sqrt(2K-1) / (2 pi sqrt(2K+1)).
double plateau_noise_error(int hidden_units, double rate, double noise_variance);
/// Error that remains at a small constant rate after specialisation: (sqrt 3 / 6 pi) eta sigma^2 K.
double asymptotic_noise_error(int hidden_units, double rate, double noise_variance);

/// Linearisation about perfect specialisation R_ij = Q_ij = delta_ij within permutation-symmetric order parameters
/// (R_ii, R_ij, Q_ii, Q_ij): d delta/d alpha = (eta A + eta^2 B) delta + eta^2 sigma^2 n, d eps_g = gradient . delta.
struct SpecialisedLinearisation {
  std::array<std::array<double, 4>, 4> first{}, second{};  ///< A, B
  std::array<double, 4> noise{}, gradient{};
};
SpecialisedLinearisation specialised_linearisation(int hidden_units);

/// Largest constant rate at which perfect specialisation is stable; sqrt(3) pi / K for large K. Found from the
/// eigenvalues of eta A + eta^2 B.
double largest_stable_rate(int hidden_units);

/// Annealing eta = eta_0 / alpha after specialisation: relaxation rates per eta,
/// slow (4/sqrt 3 - 2)/pi (absent for K = 1: 0) and fast (4/sqrt 3 + 2 (K - 1))/pi.
struct AnnealingRates {
  double slow, fast;
};
AnnealingRates annealing_rates(int hidden_units);
/// Smallest eta_0 for which eps_g ~ 1/alpha: 1/slow = 10.154 for every K >= 2, sqrt(3) pi / 4 for K = 1.
double annealing_threshold(int hidden_units);
/// lim alpha eps_g / sigma^2 at eta = eta_0/alpha. pre: eta_0 > annealing_threshold, else Error E104.
double annealing_prefactor(int hidden_units, double eta0);
/// eta_0 of least prefactor; sqrt(3) pi / 2 for K = 1.
double annealing_optimum(int hidden_units);

}  // namespace eos::theory
