// Predict the whole loss curve of a pretraining run from its list of learning rates, by two fitted laws.
//
// Statement. eta_1 ... eta_t per step, S1 = sum_k eta_k.
//   Annealing law (Tissue, Wang & Wang, arXiv:2408.11029, eq. 1):  L = L0 + A S1^-alpha - C S2,
//     S2 = sum_i m_i,  m_i = lambda m_(i-1) + eta_(i-1) - eta_i: the momentum of the decay.
//   Multi-power law (Luo et al., arXiv:2503.12811, eqs 2-3):
//     L = L0 + A (S1 + S_W)^-alpha - B sum_(k=2)^t (eta_(k-1) - eta_k) (1 - (C eta_k^-gamma S_k + 1)^-beta),
//     S_k = sum_(tau=k)^t eta_tau, S_W the warm-up's sum; a term with S_k = 0 vanishes.
// Conventions: the lists hold the rates after the warm-up; the coefficients are the user's (they are fitted per model).
#pragma once

#include <span>
#include <vector>

namespace eos::theory {

struct AnnealingLaw {
  double floor = 0, amplitude = 1, exponent = 0.5, gain = 0, memory = 0.999;  ///< L0, A, alpha, C, lambda in [0, 1)
  /// L after each step, [steps]. throws E104 for a negative or non-finite rate, or a first rate of 0.
  std::vector<double> curve(std::span<const double> rates) const;
};

struct MultiPowerLaw {
  double floor = 0, amplitude = 1, exponent = 0.5;  ///< L0, A, alpha
  double gain = 0, reach = 1;                       ///< B, C
  double shape = 0.5, rate_power = 0.5;             ///< beta, gamma
  double warmup = 0;                                ///< S_W
  /// L after step t (the whole list when t is its length); cost proportional to t.
  double loss(std::span<const double> rates, std::size_t t) const;
  /// L after each step, [steps]; cost proportional to steps times the number of changes of the rate. throws E104.
  std::vector<double> curve(std::span<const double> rates) const;
};

}  // namespace eos::theory
