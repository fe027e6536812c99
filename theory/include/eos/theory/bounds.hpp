// Know the least energy that any schedule must spend: lower bounds, and how close a plan comes to them.
//
// Statements.
//   path (L1)      sum_t |dw|_1 >= |w_T - w_0|_1;  to reach a loss: least_path_to_loss() of path_forms.hpp
//   path (L2)      int |dw/dt| dt >= sqrt(2/lambda_max) (sqrt L_0 - sqrt L_T): sqrt L is sqrt(lambda_max/2)-Lipschitz
//   M_alpha        sum_j int |dw_j/dt|^alpha dt >= T^(1-alpha) sum_j |Delta_j|^alpha, alpha >= 1 (Jensen)
//   transport      int int p |v|^2 >= W_2^2(p_0, p_T)/T; Gaussians in one dimension: W_2^2 = (Delta mu)^2 + (Delta s)^2
//                  (Benamou & Brenier, Numer. Math. 84, 375 (2000))
//   samples        N >= (sigma^2/lambda)(1/m_T - 1/m_0) for one noisy mode, for every batch and rate; met by NoisyMode
//   wander         path length that noise adds at eta = 1/(lambda (t + t_0)): sqrt(2 Sigma/pi)/lambda ln((T+t_0)/t_0)
//   mode problem   energy_bound(): every schedule of a ModeProblem that reaches a loss; proof in docs/theory.md
// Guarantees: pure functions; each throws Error E104 or E107 naming the parameter that is out of range.
#pragma once

#include <span>
#include <string>

#include "eos/theory/problem.hpp"

namespace eos::theory {

/// sum_i |to_i - from_i|: no path between two sets of weights is shorter.
double least_path(std::span<const double> from, std::span<const double> to);
/// Euclidean path from loss L_0 to L_T; 0 if L_T >= L_0. largest_lambda > 0, losses >= 0.
double least_euclidean_path(double largest_lambda, double loss, double final_loss);
/// sum_j int |dw_j/dt|^alpha over a time > 0, alpha >= 1.
double least_plasticity(double alpha, std::span<const double> displacement, double time);

struct Gaussian {
  double mean = 0;
  double deviation = 1;  ///< standard deviation >= 0
};
/// W_2^2 of two Gaussians in one dimension.
double transport_distance_squared(const Gaussian& from, const Gaussian& to);
/// int int p v^2 dx dt over a time > 0.
double least_transport(const Gaussian& from, const Gaussian& to, double time);

/// Samples of residual variance sigma^2 >= 0 that one mode needs from m_0 to m_T > 0; 0 if m_T >= m_0.
double least_samples(double lambda, double residual_variance, double error, double final_error);
/// What noise adds to the path length under eta = 1/(lambda (t + t_0)), dw = ... + eta sqrt(Sigma) xi per step.
double wander_path(double lambda, double noise, double offset, double time);
/// E_min/E in [0, 1]; 1 when nothing was spent and nothing was needed.
double efficiency(double least_energy, double energy);

/// A lower bound on the energy of every schedule of a problem, of the same horizon, prices and bounds, that reaches a
/// loss: continuous-time dynamics, controls any functions of time.
struct EnergyBound {
  double energy = 0;      ///< J
  double clock = 0;       ///< least int 2 eta F_s G dt that noise-free learning needs
  double time_price = 0;  ///< multiplier of the horizon at which the bound is best, J per step
  double path = 0;        ///< the part of `energy` that is due to displacement at the price of path length
  std::string statement;  ///< which terms count, in words
};
/// pre: problem.check() passes. loss >= 0 is an excess loss; a loss at or above the initial one needs no clock.
EnergyBound energy_bound(const ModeProblem& problem, double loss);

}  // namespace eos::theory
