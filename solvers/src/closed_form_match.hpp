// Problems with a known solution, recognised by their formulas.
//
//   linear-quadratic   x' = A x + B u + c, quadratic cost, fixed or free ends, fixed horizon, no active bounds:
//                      exponential of the Hamiltonian matrix (Vaughan 1969)
//   minimum time       x'' = b u, |u| <= U, to rest at the origin: T = v + sqrt(4 x + 2 v^2) in units of b U
//   effort             x' = -a u x, cost k u^2/2, end cost linear or quadratic in x: constant rate by Lambert's W
//   noisy mode         m' = -2 eta lambda m + eta^2 Sigma, least m(T): constant, then 1/t (theory::NoisyMode)
#pragma once

#include <optional>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

/// The full solution with method closed_form and the name of the family in `reason`, or nothing. Certificate filled.
std::optional<theory::ControlSolution> match_closed_form(const theory::ControlProblem& problem);

}  // namespace eos::solvers
