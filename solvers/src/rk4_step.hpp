// One step of the classical Runge-Kutta scheme for dm_j/dt = lambda_j (beta V - alpha m_j), V = w.m + sigma^2.
//
//   k1 = f(m),  a = m + h k1/2,  k2 = f(a),  b = m + h k2/2,  k3 = f(b),  c = m + h k3,  k4 = f(c)
//   m' = m + h (k1 + 2 k2 + 2 k3 + k4) / 6                                           (Kutta 1901; order four)
//   int r dt = h (r(m) + 2 r(b) + r(m')) / 4, the trapezoidal rule over m, the midpoint b, and m'   (order two)
// Exists to repeat numbers of programs that integrate this way; the exponential scheme is the accurate one. A mode with
// alpha lambda h > 2.78 is unstable.
#pragma once

#include <span>
#include <vector>

#include "etd_step.hpp"

namespace eos::solvers {

struct Rk4Coefficients {
  double step = 0;
  theory::ClockRates clock;
};

/// Stage states, their adjoints, and the residual variances at m, a, b, c.
struct Rk4Stages {
  std::vector<double> a, b, c, bar[4], bar_state;  ///< bar[i]: adjoint of k_(i+1)
  double v[4] = {};

  void resize(std::size_t modes);
  void set(const Rk4Coefficients& k, const theory::ModeModel& model, std::span<const double> m);
  void advance(const Rk4Coefficients& k, const theory::ModeModel& model, std::span<const double> m,
               std::span<double> next) const;
};

/// Adjoint of one step from m to `next`. mu is dJ/dm' on entry and dJ/dm on exit; adds to gradient.
void reverse_step(const Rk4Coefficients& k, const theory::ModeModel& model, std::span<const double> m,
                  std::span<const double> next, const RunningCost& cost, Rk4Stages& stages, std::span<double> mu,
                  StepGradient& gradient);

}  // namespace eos::solvers
