// Direct transcription from a guess to a ControlSolution: first mesh, interior point, refinement.
#pragma once

#include <span>
#include <vector>

#include "eos/solvers/control.hpp"
#include "interior_point.hpp"

namespace eos::solvers {

/// A discrete optimum with the mesh it lives on, so that others can start from it.
struct DirectResult {
  theory::ControlSolution solution;
  theory::Method scheme = theory::Method::radau;
  Mesh mesh;
  Iterate at;
  InteriorResult last;
  double mesh_error = 0;  ///< estimated error of J on this mesh
};

/// Solve on a given mesh. start: a solution on any mesh, or null for the constant guess.
DirectResult solve_on_mesh(const CompiledProblem& compiled, std::span<const double> parameters, theory::Method scheme,
                           const Mesh& mesh, const ControlOptions& options, const DirectResult* start = nullptr);
/// Solve and refine until the estimated error of J is below options.tolerance (1 + |J|).
DirectResult solve_direct(const CompiledProblem& compiled, std::span<const double> parameters, theory::Method scheme,
                          const ControlOptions& options, const DirectResult* start = nullptr);

/// The same for a problem with |u|, which is split first (absolute_values.hpp).
theory::ControlSolution solve_direct(const theory::ControlProblem& problem, theory::Method scheme,
                                     const ControlOptions& options);

// Pieces, for other solvers of this room.
/// Constant or linear guess on the mesh of `t`.
Iterate constant_guess(const Transcription& t);
/// The iterate of `from` carried to the mesh of `t`.
Iterate carry_over(const DirectResult& from, const CompiledProblem& compiled, const Transcription& t);
/// Grid, states, controls, costates, Hamiltonian, H_u, terms. t must have been evaluated at `at` with level 2.
theory::ControlSolution describe(Transcription& t, const Iterate& at, theory::Method scheme);
/// Estimated error of J per interval: |int l + p (f - x') dt - quadrature| plus the distance from min_u H.
std::vector<double> interval_errors(Transcription& t, const Iterate& at);
/// Edges that spread the error evenly; local errors fall as size^(order + 1).
Mesh refine(const Mesh& mesh, const std::vector<double>& errors, double tolerance, int order, int max_intervals);

}  // namespace eos::solvers
