#include "eos/solvers/hjb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "hjb_scheme.hpp"

namespace eos::solvers {

namespace {

using core::Error;

bool finite_horizon(const HjbProblem& p) { return std::isfinite(p.horizon); }

void check_problem(const HjbProblem& p) {
  if (!p.model) throw Error("E401", "dynamic programming: the problem has no model");
  p.grid.check();
  const int n = p.model->states(), m = p.model->affine_controls();
  if (n != p.grid.dimensions()) {
    throw Error("E107", fmt::format("dynamic programming: {} states on a grid of {} axes", n, p.grid.dimensions()),
                "give one axis per state");
  }
  if (m > k_hjb_controls || p.model->branches() < 1) {
    throw Error("E401", fmt::format("dynamic programming: {} affine controls, allowed are up to {}", m, k_hjb_controls),
                "sample the others");
  }
  const std::vector<double> lower = p.model->lower(), upper = p.model->upper();
  for (std::size_t j = 0; j < lower.size(); ++j) {
    if (lower[j] <= upper[j] && std::isfinite(upper[j] - lower[j])) continue;
    throw Error("E401", fmt::format("dynamic programming: control {} is bounded by [{}, {}]", j, lower[j], upper[j]),
                "give finite bounds, lower <= upper: a grid needs a largest speed");
  }
  if (!(p.horizon > 0)) throw Error("E401", fmt::format("dynamic programming: horizon {}", p.horizon));
  if (!(p.discount >= 0) || !std::isfinite(p.discount)) {
    throw Error("E401", fmt::format("dynamic programming: discount rate {}, allowed is 0 or above", p.discount));
  }
  if (finite_horizon(p)) return;
  if (p.discount == 0 && !p.exit && !p.stop) {
    throw Error("E401", "dynamic programming: an infinite horizon without discount, exit or stop: the cost never ends",
                "discount, name exit points, allow to stop, or set a horizon");
  }
  if (!p.model->autonomous()) throw Error("E107", "dynamic programming: an infinite horizon needs an autonomous model");
}

void check_options(const HjbProblem& p, const HjbOptions& o) {
  const bool finite = finite_horizon(p);
  const auto refuse = [](const std::string& message, const std::string& help) { throw Error("E107", message, help); };
  if (!(o.cfl > 0 && o.cfl <= 1)) throw Error("E104", fmt::format("cfl = {}, allowed is (0, 1]", o.cfl));
  if (!(o.cells > 0)) throw Error("E104", fmt::format("cells = {}, allowed is above 0", o.cells));
  if (o.slices < 2) throw Error("E104", fmt::format("slices = {}, allowed is at least 2", o.slices));
  const bool central = o.scheme == HjbScheme::lax_friedrichs || o.scheme == HjbScheme::weno5;
  if (central && !finite) {
    refuse(to_string(o.scheme) + " marches in time, the horizon is infinite", "use upwind or semi_lagrangian");
  }
  for (const HjbAxis& axis : p.grid.axes) {
    const auto has = [&](Edge edge) { return axis.lower_edge == edge || axis.upper_edge == edge; };
    if (central && has(Edge::constrain)) {
      refuse(to_string(o.scheme) + " uses differences across edges, an edge is constrained",
             "use upwind or semi_lagrangian, or let the edge reflect or extrapolate");
    }
    if (!finite && has(Edge::extrapolate)) {
      refuse("a stationary problem on a grid with extrapolated edges has no unique solution",
             "constrain or reflect the edge, or make it an exit");
    }
  }
  if (o.device == HjbDevice::cuda && (o.scheme != HjbScheme::upwind || !finite || !p.model->autonomous())) {
    refuse("the CUDA backend marches autonomous problems of finite horizon by upwind", "use device = cpu");
  }
}

/// Values of a function of x on the grid.
std::vector<double> tabulate(const HjbGrid& grid, const std::function<double(const double*)>& f) {
  std::vector<double> values(static_cast<std::size_t>(grid.size()));
  for (std::size_t k = 0; k < values.size(); ++k) {
    double x[k_hjb_states];
    grid.point(static_cast<std::int64_t>(k), x);
    values[k] = f(x);
  }
  return values;
}

}  // namespace

std::string to_string(HjbStatus status) {
  switch (status) {
    case HjbStatus::solved:
      return "solved";
    case HjbStatus::sweep_limit:
      return "sweep limit";
    case HjbStatus::step_limit:
      return "step limit";
    case HjbStatus::not_finite:
      return "not finite";
  }
  return "unknown";
}

std::string to_string(HjbScheme scheme) {
  switch (scheme) {
    case HjbScheme::upwind:
      return "upwind";
    case HjbScheme::lax_friedrichs:
      return "lax_friedrichs";
    case HjbScheme::weno5:
      return "weno5";
    case HjbScheme::semi_lagrangian:
      return "semi_lagrangian";
  }
  return "unknown";
}

HjbSolution solve_hjb(const HjbProblem& problem, const HjbOptions& options) {
  check_problem(problem);
  check_options(problem, options);
  HjbWork work{problem, options, nullptr, {}, {}, 0};
  work.retabulate(finite_horizon(problem) ? problem.horizon : 0);
  if (problem.exit) work.exit_cost = tabulate(problem.grid, problem.exit);
  if (problem.stop) work.stop_cost = tabulate(problem.grid, problem.stop);
  HjbSolution solution;
  solution.scheme = options.scheme;
  solution.grid = problem.grid;
  if (finite_horizon(problem)) {
    double largest = 1 + problem.horizon * work.tables->largest_running();
    if (problem.terminal) {
      for (const double g : tabulate(problem.grid, problem.terminal)) largest = std::max(largest, std::abs(g));
    }
    work.wall = 1e6 * largest;
    march(work, solution);
  } else if (options.scheme == HjbScheme::upwind) {
    sweep_upwind(work, solution);
  } else {
    sweep_semi_lagrangian(work, solution);
  }
  return solution;
}

}  // namespace eos::solvers
