// The mode problem as a general control problem, so that every solver of control_problem.hpp can be held against the
// adjoint solver of mode problems.
//
// States m1 ... mP (mean squared errors), controls rho, kappa (where they are free) and eta, time in steps; formulas
// are those of problem.hpp and mode_model.hpp for random choice, or ranked choice with Gaussian or linear captures.
// Cost terms: loss (w_T L(T) + int w_r L dt), time, screening, sample, write, path, plasticity, cache; those without a
// price are left out. Guarantees: dynamics, costs and Hamiltonian equal those of ModeModel to rounding (tested).
#pragma once

#include "eos/theory/control_problem.hpp"
#include "eos/theory/problem.hpp"

namespace eos::theory {

/// throws Error E401 for what has no formula: tabulated, Laplace or contaminated captures, accumulated writes,
/// plasticity exponents other than 0, 1, 2, phases with all data, the exact recursion; and what ModeProblem::check()
/// throws.
ControlProblem to_control_problem(const ModeProblem& problem);

}  // namespace eos::theory
