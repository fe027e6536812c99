// Choice of the method for a ControlProblem.
#include "eos/solvers/control.hpp"

#include <fmt/format.h>

#include <cmath>

#include "adjoint_control.hpp"
#include "certify.hpp"
#include "direct.hpp"
#include "eos/core/error.hpp"
#include "eos/solvers/hjb_control.hpp"
#include "indirect.hpp"
#include "sweep.hpp"

namespace eos::solvers {

using theory::ControlSolution;
using theory::Method;

namespace {

ControlSolution by_method(const theory::ControlProblem& problem, const ControlOptions& options) {
  switch (options.method) {
    case Method::automatic:
      return solve_automatic(problem, options);
    case Method::closed_form:
      return solve_closed_form(problem);
    case Method::shooting:
      return solve_shooting(problem, options);
    case Method::sweep:
      return solve_sweep(problem, options);
    case Method::trapezoid:
    case Method::hermite_simpson:
    case Method::radau:
    case Method::ipopt: {
      const bool named = options.method == Method::trapezoid || options.method == Method::hermite_simpson;
      return solve_direct(problem, named ? options.method : Method::radau, options);
    }
    case Method::adjoint:
      return solve_adjoint(CompiledProblem(problem), options);
    case Method::hjb:
      return solve_hjb(problem, hjb_grid_of(problem, options.intervals + 1)).control;
  }
  return {};
}

/// States that cannot even be integrated anew are no solution, whatever the mesh said. (A finite residual is no proof:
/// open loop, long intervals of sensitive problems amplify the last digits.)
void reject_what_does_not_hold(ControlSolution& s) {
  if (!s.ok() || !std::isinf(s.certificate.ode_residual)) return;
  s.status = theory::ControlStatus::stalled;
  s.message =
      "the states cannot be integrated anew under the controls found: the dynamics are too stiff for this mesh; take "
      "more intervals, method radau, or write slow variables for the fast ones";
}

}  // namespace

ControlSolution solve(const theory::ControlProblem& problem, const ControlOptions& options) {
  problem.check();
  if (options.intervals < 2 || options.intervals > 100000)
    throw core::Error("E104", fmt::format("the number of intervals must be 2 to 100000, got {}", options.intervals));
  ControlSolution s = by_method(problem, options);
  if (options.certificate && s.ok() && std::isnan(s.certificate.ode_residual)) s.certificate = certify(problem, s);
  reject_what_does_not_hold(s);
  return s;
}

}  // namespace eos::solvers
