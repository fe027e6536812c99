// Choice of the method for a ControlProblem.
#include "eos/solvers/control.hpp"

#include <fmt/format.h>

#include "direct.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

using theory::Method;

theory::ControlSolution solve(const theory::ControlProblem& problem, const ControlOptions& options) {
  problem.check();
  if (options.intervals < 2 || options.intervals > 100000)
    throw core::Error("E104", fmt::format("the number of intervals must be 2 to 100000, got {}", options.intervals));
  switch (options.method) {
    case Method::automatic:
    case Method::trapezoid:
    case Method::hermite_simpson:
    case Method::radau: {
      const Method scheme = options.method == Method::automatic ? Method::radau : options.method;
      theory::ControlSolution solution = solve_direct(problem, scheme, options);
      if (options.method == Method::automatic) solution.reason = "direct transcription treats every such problem";
      return solution;
    }
    default:
      throw core::Error("E401", fmt::format("the method '{}' cannot treat this problem", to_string(options.method)),
                        "use radau, hermite-simpson or trapezoid");
  }
}

}  // namespace eos::solvers
