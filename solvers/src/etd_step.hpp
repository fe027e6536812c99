// One step of the exponential Runge-Kutta scheme for dm/dt = -alpha lambda m + (beta V) lambda, V = w.m + sigma^2.
//
// ETDRK4 of Cox & Matthews, J. Comput. Phys. 176, 430 (2002), eqs 26-29: with E = exp(-alpha lambda h), N = beta lambda
// V
//   a = E^(1/2) m + g V(m),  b = E^(1/2) m + g V(a),  c = E^(1/2) a + g (2 V(b) - V(m))         g per unit of beta V
//   m' = E m + w1 V(m) + w2 (V(a) + V(b)) + w3 V(c)
// Integrals over the step use the same scheme for a component without decay: h/6 (r(m) + 2 r(a) + 2 r(b) + r(c)).
#pragma once

#include <span>
#include <vector>

#include "eos/theory/mode_model.hpp"

namespace eos::solvers {

/// Coefficients for one step length and one pair of rates, [modes] each, and their derivatives by alpha.
struct EtdCoefficients {
  double step = 0, diffusion = 0;
  std::vector<double> half, full, g, w1, w2, w3;
  std::vector<double> d_half, d_full, d_g, d_w1, d_w2, d_w3;

  void set(std::span<const double> lambda, theory::ClockRates clock, double length);
};

/// Stage states and the residual variances at m, a, b, c.
struct EtdStages {
  std::vector<double> a, b, c, bar_a, bar_b, bar_c;  // states and their adjoints
  double v[4] = {};

  void resize(std::size_t modes);
  void set(const EtdCoefficients& k, const theory::ModeModel& model, std::span<const double> m);
  void advance(const EtdCoefficients& k, std::span<const double> m, std::span<double> next) const;
};

/// What a step adds to the objective besides its effect on the state.
struct RunningCost {
  double loss = 0;                               ///< weight of L
  bool size = false;                             ///< whether the size of writes has a price
  double rate = 0;                               ///< eta, for that
  const theory::PathFactors* factors = nullptr;  ///< where size
};

/// Derivatives of the objective by the rates, and directly by the controls through the size of writes.
struct StepGradient {
  double drift = 0, diffusion = 0;
  theory::ControlGradient direct;
};

/// Adjoint of one step. mu is dJ/dm' on entry and dJ/dm on exit; adds to gradient. `stages` is scratch.
void reverse_step(const EtdCoefficients& k, const theory::ModeModel& model, std::span<const double> m,
                  const RunningCost& cost, EtdStages& stages, std::span<double> mu, StepGradient& gradient);

}  // namespace eos::solvers
