// From a discrete solution to an extremal: find the arcs, solve the multi-phase two-point problem, verify the minimum
// principle, and mend the structure where it is violated.
#pragma once

#include <optional>
#include <string>

#include "structure.hpp"

namespace eos::solvers {

struct PolishResult {
  std::optional<theory::ControlSolution> solution;  ///< verified: certificate filled
  std::string message;                              ///< structure found, or why there is no solution
  bool one_arc = false;                             ///< no switch was seen: a transcription converges at its order
};

/// start: a solution with costates, as of direct transcription. Tries a handful of structures, most plausible first.
PolishResult polish(const theory::ControlProblem& problem, const theory::ControlSolution& start);

}  // namespace eos::solvers
