// Adaptive integration of dy/dt = f(t, y) with Boost.Odeint behind one plain call.
#pragma once

#include <functional>
#include <vector>

namespace eos::solvers {

using Rate = std::function<void(double t, const double* y, double* dy)>;

/// Dormand & Prince 1980 (order 5), Fehlberg 1968 (order 8 of the pair 7(8)), Bulirsch & Stoer 1966 (variable order).
enum class Integrator { dopri5, fehlberg78, bulirsch_stoer };

struct IntegrationOptions {
  Integrator integrator = Integrator::fehlberg78;
  double tolerance = 1e-12;  ///< per step, on |error| / (1 + |y|)
  long max_steps = 200000;
};

/// y(t0) -> y(t1), forward or backward. false when the step collapses, max_steps is exceeded or y is not finite.
bool integrate(const Rate& rate, std::vector<double>& y, double t0, double t1, const IntegrationOptions& options = {});

/// The same with `steps` equal steps of the explicit method (not bulirsch_stoer).
void integrate_fixed(const Rate& rate, std::vector<double>& y, double t0, double t1, int steps, Integrator integrator);

}  // namespace eos::solvers
