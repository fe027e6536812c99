// Methods that use the minimum principle: shooting, and the automatic choice.
#pragma once

#include "eos/solvers/control.hpp"

namespace eos::solvers {

/// Multiple shooting from a coarse discrete solution. status: acceptable with a message when no structure of arcs
/// could be verified; the discrete solution, refined, is returned then.
theory::ControlSolution solve_shooting(const theory::ControlProblem& problem, const ControlOptions& options);

/// Closed form where the problem matches one, else arcs by transcription polished by shooting, else transcription.
theory::ControlSolution solve_automatic(const theory::ControlProblem& problem, const ControlOptions& options);

/// throws Error E401 when the problem matches no known solution.
theory::ControlSolution solve_closed_form(const theory::ControlProblem& problem);

}  // namespace eos::solvers
