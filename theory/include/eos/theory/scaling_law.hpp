// Predict the loss curve of one-pass SGD under any learning-rate and batch schedule by the functional scaling law.
//
// Statement. Kernel regression with covariance spectrum lambda_j ~ j^-beta (capacity beta > 1) and source condition
// lambda_j theta_j^2 ~ j^-(s beta + 1) (s > 0). In intrinsic time t = sum of learning rates, with g = eta / batch at t,
// the excess S = V - sigma^2 = sum_j lambda_j E delta_j^2 (twice the excess loss) obeys the Volterra equation
//   S(t) = e(t) + int_0^t K(t - z) [S(z) + sigma^2] g(z) dz,
//   parents:     e(t) = sum_j n_j lambda_j m_j(0) exp(-2 lambda_j t),   K(t) = sum_j n_j lambda_j^2 exp(-2 lambda_j t)
//   power laws:  e(t) = floor + (1 + t)^-s,                             K(t) = (1 + t)^-(2 - 1/beta)
// and to first order S(t) = e(t) + int K(t - z) [e(z) + sigma^2] g(z) dz, the functional scaling law itself. With its
// parents the equation is exact for the mode model's continuous limit (mode_model.hpp) at rho = kappa = 1.
// Source: Li et al., "Functional scaling laws in kernel regression", arXiv:2509.19189 (NeurIPS 2025), eqs of section 3;
// optimal schedules and batch sizes: arXiv:2602.06797, 2602.14208. Product integration: Linz (1985), chapter 7.
//
// Guarantees: pure functions of values. The kernel is integrated exactly and only g (S + sigma^2) is interpolated, so
// nodes may be far apart where that is smooth; the error falls with the square of the mesh (tested).
#pragma once

#include <functional>
#include <span>
#include <vector>

namespace eos::theory {

/// Signal e(t) and forgetting kernel K(t).
class FunctionalLaw {
 public:
  /// e = floor + (1+t)^-source, K = (1+t)^-(2 - 1/capacity). throws E104 unless source > 0, capacity > 1, floor >= 0.
  static FunctionalLaw power(double source, double capacity, double floor = 0);
  /// The exact parents of a spectrum; arrays are [modes], multiplicity empty: all 1. throws E104/E107.
  static FunctionalLaw parents(std::vector<double> lambda, std::vector<double> initial,
                               std::vector<double> multiplicity = {});

  double signal(double t) const;
  double kernel(double t) const;
  struct Moments {
    double zeroth = 0, first = 0;
  };
  /// int_a^b K(u) du and int_a^b (u - a) K(u) du. pre: 0 <= a <= b.
  Moments moments(double a, double b) const;

 private:
  struct Mode {
    double lambda, signal, noise;  // weights of exp(-2 lambda t) in e and K
  };
  double source_ = 1, capacity_ = 2, floor_ = 0;
  std::vector<Mode> modes_;  // empty: power laws
};

/// g(t) = eta / batch over intrinsic time, linear between nodes with possible jumps at them.
struct NoiseRate {
  std::vector<double> time;   ///< [n+1] nodes, increasing from 0
  std::vector<double> left;   ///< [n] g at the beginning of each interval
  std::vector<double> right;  ///< [n] g at its end

  /// A continuous g on the given nodes.
  static NoiseRate sampled(std::vector<double> nodes, const std::function<double(double)>& g);
  /// A schedule in steps: phase i takes steps[i] steps at rate eta[i] and batch b[i] and is cut into `pieces`
  /// intervals. throws E104/E107.
  static NoiseRate phases(std::span<const double> steps, std::span<const double> eta, std::span<const double> batch,
                          int pieces);
  /// throws E107/E104 when sizes, order or signs are wrong.
  void check() const;
};

/// S at the nodes by product integration with linear elements; O(nodes^2). throws E104 when the mesh is so coarse that
/// an element feeds itself (g K(0) h / 2 >= 1).
std::vector<double> solve_volterra(const FunctionalLaw& law, const NoiseRate& rate, double noise_variance);
/// S at the nodes to first order in g: the functional scaling law.
std::vector<double> first_order_loss(const FunctionalLaw& law, const NoiseRate& rate, double noise_variance);

/// Exponents of the optimal and of the usual schedules: loss ~ D^-x for D samples, logarithms left out.
struct ScalingExponents {
  bool hard = false;          ///< s < 1 - 1/beta: the signal decays slower than the kernel
  double constant_rate = 0;   ///< best constant learning rate: s / (s + 1)
  double exponential = 0;     ///< exponential decay (loss of a logarithm): s beta / (1 + s beta), hard: s
  double stable_decay = 0;    ///< stable, then decay over the right share; hard: s without the logarithm
  double minimax = 0;         ///< s beta / (1 + s beta)
  double peak_rate = 0;       ///< eta_peak ~ N^-x: (s - 1 + 1/beta) / (s + 1/beta), hard: 0 (at the cap)
  double decay_shape = 0;     ///< eta ~ (1 - n/N)^x: 2 beta - 1
  double decay_fraction = 0;  ///< share of steps that decay, ~ N^-x: (1 - 1/beta - s) / (2 - 1/beta), easy: 0
  double batch_shape = 0;     ///< batch ~ (T - t + 1)^-x: 1 - 1/(2 beta)
};
/// throws E104 unless source > 0 and capacity > 1.
ScalingExponents scaling_exponents(double source, double capacity);

}  // namespace eos::theory
