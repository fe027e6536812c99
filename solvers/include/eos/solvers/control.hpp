// Solve a ControlProblem: optimal states, controls and costates, switching times and a certificate.
//
// Methods (theory::Method):
//   trapezoid, hermite_simpson, radau   direct transcription by collocation (Lobatto IIIA of 2 and 3 stages, Radau IIA
//   of 3
//                                       stages), a structured primal-dual interior-point method with a Riccati sweep,
//                                       and mesh refinement; orders 2, 4 and 5 (Hager 2000; Bonnans & Laurent-Varin
//                                       2006)
//   ipopt                               the same transcription, solved by Ipopt (Waechter & Biegler 2006) when linked
//   shooting                            multiple shooting on the two-point problem of the minimum principle, per arc
//   sweep                               damped forward-backward sweep
//   adjoint                             single shooting: piecewise-constant controls, discrete adjoint, quasi-Newton
//   hjb                                 dynamic programming on a grid, up to three states
//   closed_form                         where the problem matches a known solution
//   automatic                           chosen by structure, with the reason in ControlSolution::reason
// A solver that stops early is an outcome (status, message), not an exception. Deterministic; thread-safe.
#pragma once

#include <functional>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

struct ControlOptions {
  theory::Method method = theory::Method::automatic;
  int intervals = 50;          ///< of the first mesh, 2 to 100000
  double tolerance = 1e-10;    ///< on J, relative to 1 + |J|: of the discrete optimum and of the mesh
  int max_iterations = 500;    ///< of one nonlinear solve
  int max_refinements = 12;    ///< of the mesh; 0: solve on the first mesh only
  bool find_structure = true;  ///< find arcs and polish switching times
  bool certificate = true;     ///< check the result by integration, whatever the method
};

/// throws Error E401/E104/E107 when the problem is not well posed or the method cannot treat it (says which can).
theory::ControlSolution solve(const theory::ControlProblem& problem, const ControlOptions& options = {});

}  // namespace eos::solvers
