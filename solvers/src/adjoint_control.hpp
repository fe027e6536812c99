// Single shooting: piecewise-constant controls, classical Runge-Kutta steps, discrete adjoint, quasi-Newton.
#pragma once

#include "compiled_problem.hpp"
#include "eos/solvers/control.hpp"

namespace eos::solvers {

/// Controls are constant on options.intervals equal intervals (order 2 in their number); free initial states and a free
/// horizon are variables; end conditions by an augmented Lagrangian (Hestenes 1969; Powell 1969). With refinements
/// allowed the mesh is doubled until J moves less than the tolerance or the mesh reaches its limit; J is that of the last.
/// throws core::Error E401 for state bounds and path constraints, which single shooting does not treat
theory::ControlSolution solve_adjoint(const CompiledProblem& compiled, const ControlOptions& options);

}  // namespace eos::solvers
