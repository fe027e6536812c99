#include "indirect.hpp"

#include <fmt/format.h>

#include <chrono>

#include "closed_form_match.hpp"
#include "direct.hpp"
#include "eos/core/error.hpp"
#include "polish.hpp"

namespace eos::solvers {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::ControlStatus;
using theory::Method;

namespace {

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// A discrete optimum by the first scheme that finds one.
ControlSolution discrete(const ControlProblem& problem, const ControlOptions& options) {
  ControlSolution s = solve_direct(problem, Method::radau, options);
  for (Method scheme : {Method::hermite_simpson, Method::trapezoid}) {
    if (s.ok()) break;
    ControlSolution other = solve_direct(problem, scheme, options);
    if (other.ok()) s = std::move(other);
  }
  return s;
}

/// Too many canonical equations for dense variational equations to pay.
bool small(const ControlProblem& problem) { return problem.states.size() <= 16; }

}  // namespace

ControlSolution solve_shooting(const ControlProblem& problem, const ControlOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  ControlOptions coarse = options;
  coarse.find_structure = false;
  std::string message;
  bool one_arc = false;
  // Arcs show on a coarse solution already; a finer one is the second try.
  for (int pass = 0; pass < 2 && small(problem); ++pass) {
    coarse.tolerance = pass == 0 ? std::max(options.tolerance, 1e-5) : options.tolerance;
    coarse.max_refinements = pass == 0 ? std::min(options.max_refinements, 2) : options.max_refinements;
    const ControlSolution start = discrete(problem, coarse);
    if (!start.ok() && pass == 1) return start;
    PolishResult polished = polish(problem, start);
    if (polished.solution) {
      ControlSolution& s = *polished.solution;
      s.method = Method::shooting;
      s.reason = fmt::format("multiple shooting from a transcription with {} intervals{}{}", start.intervals,
                             polished.message.empty() ? "" : "; arcs: ", polished.message);
      s.solve_seconds = seconds_since(begin);
      return std::move(s);
    }
    message = polished.message;
    one_arc = polished.one_arc;
    if (one_arc) break;  // a finer start shows the same arc
  }
  ControlSolution s = discrete(problem, options);
  if (s.status == ControlStatus::optimal && !one_arc) s.status = ControlStatus::acceptable;
  s.solve_seconds = seconds_since(begin);
  if (!s.ok()) return s;  // its own message names the cause
  s.message = "not polished by shooting: " +
              (message.empty() ? fmt::format("{} states are more than 16", problem.states.size()) : message);
  return s;
}

ControlSolution solve_closed_form(const ControlProblem& problem) {
  const auto begin = std::chrono::steady_clock::now();
  std::optional<ControlSolution> s = match_closed_form(problem);
  if (!s)
    throw core::Error("E401", "the problem matches no solution in closed form",
                      "known: linear-quadratic, minimum time of a double integrator, rate with quadratic effort, noisy "
                      "mode; use --method auto");
  s->solve_seconds = seconds_since(begin);
  return std::move(*s);
}

ControlSolution solve_automatic(const ControlProblem& problem, const ControlOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  if (std::optional<ControlSolution> s = match_closed_form(problem)) {
    s->reason = "closed form, " + s->reason + "; its conditions are checked by integration";
    s->solve_seconds = seconds_since(begin);
    return std::move(*s);
  }
  if (!options.find_structure || !small(problem)) {
    ControlSolution s = solve_direct(problem, Method::radau, options);
    s.reason = "direct transcription treats every such problem";
    return s;
  }
  ControlSolution s = solve_shooting(problem, options);
  if (s.method != Method::shooting) s.reason = "direct transcription; its arcs could not be polished";
  return s;
}

}  // namespace eos::solvers
