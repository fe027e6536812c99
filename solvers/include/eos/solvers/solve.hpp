// Solve a mode problem: the schedule rho(t), kappa(t), eta(t) of least J, with a certificate.
//
// Method: ln m_j is integrated by a fixed-step Runge-Kutta scheme on each control interval; the gradient is the discrete
// adjoint of that scheme; the bounded problem is minimised by a projected L-BFGS (Byrd, Lu, Nocedal & Zhu, SIAM J. Sci.
// Comput. 16, 1190 (1995)) from several starts, because ranked problems are not convex. A solver that stops early is an
// outcome: Plan.status says so. Determinism: same build, same result; independent of the number of threads.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/core/progress.hpp"
#include "eos/theory/problem.hpp"

namespace eos::solvers {

struct SolveOptions {
  int substeps = 4;            ///< Runge-Kutta steps per control interval; raised automatically where the problem is stiff
  int max_iterations = 2000;
  double tolerance = 1e-9;     ///< on the projected gradient, relative to |J|
  std::vector<theory::Controls> starts;  ///< constant starts as fractions of the bounds; empty: (1,1), (.6,.6), (.3,.9)
};

/// throws Error E401/E104 when the problem is not well posed.
theory::Plan solve(const theory::ModeProblem& problem, const SolveOptions& options = {});

/// J and its parts for given controls, and the certificate: for schedules that were not made by solve().
theory::Plan evaluate(const theory::ModeProblem& problem, const theory::Schedule& schedule, const SolveOptions& options = {});

}  // namespace eos::solvers
