// Solve a mode problem: the schedule rho(t), kappa(t), eta(t) of least J, with a certificate.
//
// Method: the modes are integrated by a fixed-step exponential Runge-Kutta scheme on each control interval; the
// gradient is the discrete adjoint of that scheme; the bounded problem is minimised by limited-memory quasi-Newton
// steps on the free variables from several starts, because ranked problems are not convex. Learning and rest are
// separated by a barrier that descents cannot cross, so the length of a final rest is searched over, unless
// ModeProblem::discretisation fixes it. A solver that stops early is an outcome: Plan.status says so. Determinism: same build, same result; independent of the number of
// threads.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/core/progress.hpp"
#include "eos/theory/problem.hpp"

namespace eos::solvers {

struct SolveOptions {
  int substeps = 2;  ///< integration steps per control interval; raised automatically where too coarse. Ignored, like
                     ///< mesh_tolerance, where ModeProblem::discretisation fixes the steps
  int max_iterations = 2000;
  double tolerance = 1e-9;               ///< on the projected gradient, relative to |J|
  double mesh_tolerance = 1e-7;          ///< relative change of an interval's loss when its steps are halved
  std::vector<theory::Controls> starts;  ///< constant starts as fractions of the bounds; empty: (1,1), (.6,.6), (.3,.9)
  /// One descent from this schedule and no search: follows a local optimum through small changes of a problem.
  const theory::Schedule* warm_start = nullptr;
};

/// throws Error E401/E104 when the problem is not well posed.
theory::Plan solve(const theory::ModeProblem& problem, const SolveOptions& options = {});

/// J and its parts for given controls, and the certificate: for schedules that were not made by solve(). Controls are
/// taken as they are, whatever the problem says about its final rest.
theory::Plan evaluate(const theory::ModeProblem& problem, const theory::Schedule& schedule,
                      const SolveOptions& options = {});

}  // namespace eos::solvers
