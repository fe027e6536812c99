// Choice of the method for a ControlProblem.
#include "eos/solvers/control.hpp"

#include <fmt/format.h>

#include "adjoint_control.hpp"
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
    case Method::radau:
    case Method::ipopt: {
      const bool named = options.method == Method::trapezoid || options.method == Method::hermite_simpson;
      const Method scheme = named ? options.method : Method::radau;
      theory::ControlSolution solution = solve_direct(problem, scheme, options);
      if (options.method == Method::automatic) solution.reason = "direct transcription treats every such problem";
      return solution;
    }
    case Method::adjoint:
      return solve_adjoint(CompiledProblem(problem), options);
    default:
      throw core::Error("E401", fmt::format("the method '{}' cannot treat this problem", to_string(options.method)),
                        "use radau, hermite-simpson or trapezoid");
  }
}

}  // namespace eos::solvers
