#include "integrate.hpp"

#include <boost/numeric/odeint/stepper/bulirsch_stoer.hpp>
#include <boost/numeric/odeint/stepper/controlled_runge_kutta.hpp>
#include <boost/numeric/odeint/stepper/generation.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_dopri5.hpp>
#include <boost/numeric/odeint/stepper/runge_kutta_fehlberg78.hpp>
#include <cmath>

namespace eos::solvers {

namespace {

namespace odeint = boost::numeric::odeint;
using State = std::vector<double>;

bool finite(const State& y) {
  for (double v : y)
    if (!std::isfinite(v)) return false;
  return true;
}

template <class Stepper>
bool march(Stepper stepper, const Rate& rate, State& y, double t0, double t1, const IntegrationOptions& options) {
  const auto f = [&](const State& s, State& ds, double t) { rate(t, s.data(), ds.data()); };
  const double span = t1 - t0, smallest = 1e-15 * (std::fabs(t0) + std::fabs(t1));
  double t = t0, step = span / 8;
  long failed = 0;
  for (long k = 0; k < options.max_steps; ++k) {
    const double left = t1 - t;
    if (left == 0 || left * span < 0) break;
    const bool last = std::fabs(step) >= std::fabs(left) * (1 - 1e-12);
    double used = last ? left : step;
    const double tried = used;
    const double before = t;
    if (stepper.try_step(f, y, t, used) == odeint::success) {
      failed = 0;
      if (!finite(y)) return false;
      if (last && t != before) t = t1;
      step = last ? std::max(std::fabs(used), std::fabs(tried)) * (span < 0 ? -1 : 1) : used;
    } else {
      step = used;
      if (++failed > 200 || std::fabs(step) <= smallest || !std::isfinite(step)) return false;
    }
    if (t == t1) return true;
  }
  return t == t1;
}

}  // namespace

bool integrate(const Rate& rate, std::vector<double>& y, double t0, double t1, const IntegrationOptions& options) {
  if (t0 == t1) return finite(y);
  const double tol = options.tolerance;
  switch (options.integrator) {
    case Integrator::dopri5:
      return march(odeint::make_controlled(tol, tol, odeint::runge_kutta_dopri5<State>()), rate, y, t0, t1, options);
    case Integrator::fehlberg78:
      return march(odeint::make_controlled(tol, tol, odeint::runge_kutta_fehlberg78<State>()), rate, y, t0, t1,
                   options);
    case Integrator::bulirsch_stoer:
      return march(odeint::bulirsch_stoer<State>(tol, tol), rate, y, t0, t1, options);
  }
  return false;
}

void integrate_fixed(const Rate& rate, std::vector<double>& y, double t0, double t1, int steps, Integrator integrator) {
  const auto f = [&](const State& s, State& ds, double t) { rate(t, s.data(), ds.data()); };
  odeint::runge_kutta_dopri5<State> five;
  odeint::runge_kutta_fehlberg78<State> eight;
  const double h = (t1 - t0) / steps;
  for (int k = 0; k < steps; ++k) {
    const double t = t0 + k * h;
    if (integrator == Integrator::dopri5)
      five.do_step(f, y, t, h);
    else
      eight.do_step(f, y, t, h);
  }
}

}  // namespace eos::solvers
