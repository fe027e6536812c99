// Damped forward-backward sweep: states forward, costates backward (both Runge-Kutta of order 4 on a fixed grid), then
// the controls move a fraction towards the pointwise minimiser of H (Krylov & Chernousko 1962; McAsey, Mou & Han 2012).
//
// The fraction grows while J falls and is halved when it does not, so that J never rises. A budget, i.e. a state whose
// rate depends on t and the controls alone and whose end value is bounded, gets one multiplier per sweep by bisection:
// for two-level controls this gives the scarce level to the steps that gain most per unit of budget.
// Treats fixed x(0), fixed T, free x(T) but for one budget, no bounds on other states.
#pragma once

#include "eos/solvers/control.hpp"

namespace eos::solvers {

/// throws Error E401 when the problem has end or path conditions that a sweep cannot keep.
theory::ControlSolution solve_sweep(const theory::ControlProblem& problem, const ControlOptions& options);

}  // namespace eos::solvers
