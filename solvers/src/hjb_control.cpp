#include "eos/solvers/hjb_control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "eos/core/error.hpp"

namespace eos::solvers {

namespace {

using theory::ControlProblem;
using theory::ControlSolution;
using theory::Expr;
using theory::Program;

[[noreturn]] void refuse(const std::string& message, const std::string& help) {
  throw core::Error("E107", "dynamic programming: " + message, help);
}

void check_fits(const ControlProblem& p) {
  if (!p.path.empty()) {
    refuse(fmt::format("the path constraint '{}' cannot be kept on a grid", p.path.front().name),
           "write it as bounds on a state, or use radau");
  }
  if (!p.ends.empty()) {
    refuse(fmt::format("the end constraint '{}' cannot be kept on a grid", p.ends.front().name),
           "require ends of states instead, or use radau");
  }
  for (int i = 0; i < static_cast<int>(p.states.size()); ++i) {
    const auto& state = p.states[static_cast<std::size_t>(i)];
    if (!state.initial.fixed()) {
      refuse(fmt::format("the initial value of '{}' is not fixed", state.name), "fix it: V is reported there");
    }
    if (depends_on(p.terminal_cost(), p.initial_slot(i))) {
      refuse(fmt::format("the terminal cost depends on the initial value of '{}'", state.name), "use radau");
    }
  }
  if (!p.horizon.free) return;
  if (!p.autonomous()) refuse("a free horizon of a problem that depends on time", "fix the horizon, or use radau");
  if (depends_on(p.terminal_cost(), ControlProblem::horizon_slot())) {
    refuse("the terminal cost depends on the free horizon", "charge the time as running cost");
  }
}

/// Phi(T, x) with the parameters of the problem.
class Terminal {
 public:
  explicit Terminal(const ControlProblem& p)
      : n_(static_cast<int>(p.states.size())),
        inputs_(static_cast<std::size_t>(p.end_slots()), 0.0),
        final_slot_(p.final_slot(0)) {
    const Expr cost = p.terminal_cost();
    program_ = Program({&cost, 1}, p.end_slots());
    inputs_[0] = p.horizon.value;
    for (std::size_t k = 0; k < p.parameters.size(); ++k) {
      inputs_[static_cast<std::size_t>(p.end_parameter_slot(static_cast<int>(k)))] = p.parameters[k].value;
    }
  }
  double operator()(const double* x) const {
    std::vector<double> in = inputs_;
    std::copy_n(x, n_, in.begin() + final_slot_);
    double out = 0;
    program_(in.data(), &out);
    return out;
  }

 private:
  int n_;
  std::vector<double> inputs_;
  int final_slot_;
  Program program_;
};

/// Distance of x from the required end along each axis, summed.
double end_distance(const ControlProblem& p, const double* x) {
  double distance = 0;
  for (std::size_t i = 0; i < p.states.size(); ++i) {
    distance += std::max({0.0, p.states[i].final.lower - x[i], x[i] - p.states[i].final.upper});
  }
  return distance;
}

/// Whether x is at the required end, to half a cell.
bool at_end(const ControlProblem& p, const HjbGrid& grid, const double* x) {
  for (std::size_t i = 0; i < p.states.size(); ++i) {
    const HjbAxis& axis = grid.axes[i];
    const double slack = .5 * axis.step() / axis.stretch(x[i]) * (1 + 1e-9);
    const double distance = std::max(p.states[i].final.lower - x[i], x[i] - p.states[i].final.upper);
    if (distance > slack) return false;
  }
  return true;
}

HjbProblem grid_problem(const ControlProblem& p, const HjbGrid& grid, const HjbFormulaModel& model,
                        const HjbControlOptions& options) {
  HjbProblem result;
  result.model = model.model;
  result.grid = grid;
  const Terminal phi(p);
  if (p.horizon.free) {
    result.stop = [p, grid, phi](const double* x) { return at_end(p, grid, x) ? phi(x) : theory::k_infinity; };
  } else {
    result.horizon = p.horizon.value;
    result.terminal = [p, phi, price = options.end_price](const double* x) {
      return phi(x) + price * end_distance(p, x);
    };
  }
  return result;
}

/// Controls of a run in the order and origin of the problem.
std::vector<double> controls_of(const HjbFormulaModel& model, const std::vector<double>& u) {
  std::vector<double> controls(u.size());
  for (std::size_t k = 0; k < u.size(); ++k)
    controls[static_cast<std::size_t>(model.index[k])] = model.origin[k] + u[k];
  return controls;
}

/// grad V by differences over one cell.
std::vector<double> gradient(const HjbSolution& solution, double time, const std::vector<double>& x) {
  std::vector<double> slope(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const HjbAxis& axis = solution.grid.axes[i];
    const double reach = .5 * axis.step() / axis.stretch(x[i]);
    std::vector<double> low = x, high = x;
    low[i] = std::max(axis.lower, x[i] - reach), high[i] = std::min(axis.upper, x[i] + reach);
    slope[i] = (solution.value(time, high.data()) - solution.value(time, low.data())) / (high[i] - low[i]);
  }
  return slope;
}

/// The terms C_i along the run, by the trapezoidal rule with the control held over each step, and at its end.
std::vector<double> terms_of(const ControlProblem& p, const ControlSolution& s) {
  std::vector<Expr> running, terminal;
  for (const auto& cost : p.costs) running.push_back(cost.running), terminal.push_back(cost.terminal);
  const Program along(running, p.path_slots()), at_ends(terminal, p.end_slots());
  std::vector<double> terms(p.costs.size(), 0.0), in(static_cast<std::size_t>(p.path_slots())), now(terms.size());
  for (std::size_t k = 0; k < p.parameters.size(); ++k) {
    in[static_cast<std::size_t>(p.parameter_slot(static_cast<int>(k)))] = p.parameters[k].value;
  }
  for (std::size_t k = 0; k + 1 < s.time.size(); ++k) {
    for (const std::size_t at : {k, k + 1}) {
      in[0] = s.time[at];
      for (std::size_t i = 0; i < p.states.size(); ++i) in[1 + i] = s.states[i][at];
      for (std::size_t j = 0; j < p.controls.size(); ++j) in[1 + p.states.size() + j] = s.controls[j][k];
      along(in.data(), now.data());
      for (std::size_t i = 0; i < terms.size(); ++i) terms[i] += .5 * (s.time[k + 1] - s.time[k]) * now[i];
    }
  }
  std::vector<double> ends(static_cast<std::size_t>(p.end_slots()));
  ends[0] = s.horizon;
  for (int i = 0; i < static_cast<int>(p.states.size()); ++i) {
    ends[static_cast<std::size_t>(p.initial_slot(i))] = s.states[static_cast<std::size_t>(i)].front();
    ends[static_cast<std::size_t>(p.final_slot(i))] = s.states[static_cast<std::size_t>(i)].back();
  }
  for (std::size_t k = 0; k < p.parameters.size(); ++k) {
    ends[static_cast<std::size_t>(p.end_parameter_slot(static_cast<int>(k)))] = p.parameters[k].value;
  }
  at_ends(ends.data(), now.data());
  for (std::size_t i = 0; i < terms.size(); ++i) terms[i] += now[i];
  return terms;
}

ControlSolution solution_of(const ControlProblem& p, const HjbFormulaModel& model, const HjbPlan& plan) {
  ControlSolution s;
  s.method = theory::Method::hjb;
  const std::size_t n = p.states.size(), m = p.controls.size();
  s.states.resize(n), s.costates.resize(n), s.controls.resize(m);
  s.time = plan.run.time;
  const double sign = p.maximise ? -1 : 1;
  for (std::size_t k = 0; k < s.time.size(); ++k) {
    const std::vector<double> u = controls_of(model, plan.run.controls[k]);
    const std::vector<double> slope = gradient(plan.solution, s.time[k], plan.run.states[k]);
    for (std::size_t i = 0; i < n; ++i) s.states[i].push_back(plan.run.states[k][i]), s.costates[i].push_back(slope[i]);
    for (std::size_t j = 0; j < m; ++j) s.controls[j].push_back(u[j]);
  }
  s.horizon = s.time.back();
  for (const auto& parameter : p.parameters) s.parameters.push_back(parameter.value);
  s.terms = terms_of(p, s);
  for (std::size_t i = 0; i < p.costs.size(); ++i) {
    s.objective += s.terms[i] * p.parameters[static_cast<std::size_t>(p.costs[i].weight)].value;
  }
  s.certificate.constraint_violation = end_distance(p, plan.run.states.back().data());
  s.intervals = static_cast<int>(s.time.size()) - 1;
  s.iterations = static_cast<int>(plan.solution.steps);
  if (std::isfinite(plan.bound.lower)) {
    s.certificate.lower_bound = sign * plan.bound.lower;
    s.certificate.lower_bound_source = "HJB sub-solution";
  }
  switch (plan.solution.status) {
    case HjbStatus::solved:
      s.status = theory::ControlStatus::acceptable;
      break;
    case HjbStatus::sweep_limit:
    case HjbStatus::step_limit:
      s.status = theory::ControlStatus::iteration_limit;
      break;
    case HjbStatus::not_finite:
      s.status = theory::ControlStatus::not_finite;
      break;
  }
  s.message = fmt::format("value function by {} on {} points{}: V = {:.6g} at the start",
                          to_string(plan.solution.scheme), plan.solution.grid.size(),
                          plan.solution.scheme == HjbScheme::weno5 ? "" : ", first order in the grid", plan.value);
  if (!plan.run.finished) {
    s.status = theory::ControlStatus::infeasible;
    s.message += "; the run under the feedback law does not reach the required end";
  }
  return s;
}

}  // namespace

HjbGrid hjb_grid_of(const ControlProblem& problem, std::int64_t points) {
  HjbGrid grid;
  for (const auto& state : problem.states) {
    if (!std::isfinite(state.bounds.lower) || !std::isfinite(state.bounds.upper)) {
      refuse(fmt::format("the state '{}' has no finite bounds", state.name), "bound it, so that a grid can cover it");
    }
    grid.axes.push_back(
        {state.bounds.lower, state.bounds.upper, points, Spacing::uniform, Edge::reflect, Edge::reflect});
  }
  return grid;
}

HjbPlan solve_hjb(const ControlProblem& problem, const HjbGrid& grid, const HjbControlOptions& options) {
  const auto begin = std::chrono::steady_clock::now();
  problem.check();
  check_fits(problem);
  grid.check();
  const HjbFormulaModel model = hjb_model_of(problem, grid, options);
  HjbPlan plan;
  plan.problem = grid_problem(problem, grid, model, options);
  plan.solution = solve_hjb(plan.problem, options.grid);
  std::vector<double> start;
  for (const auto& state : problem.states) start.push_back(state.initial.lower);
  if (plan.solution.slices.empty()) {
    plan.control.method = theory::Method::hjb;
    plan.control.status = theory::ControlStatus::iteration_limit;
    plan.control.message = "the grid needs more time steps than allowed: coarsen it or raise max_steps";
    return plan;
  }
  const double sign = problem.maximise ? -1 : 1;
  plan.value = sign * plan.solution.value(0, start.data());
  const double longest = problem.horizon.free ? std::min(problem.horizon.bounds.upper, 100 * problem.horizon.value)
                                              : problem.horizon.value;
  const double step = options.run_step > 0 ? options.run_step : problem.horizon.value / 1000;
  plan.run = simulate_hjb(plan.problem, plan.solution, start, step, longest);
  if (options.bound) plan.bound = bound_hjb(plan.problem, plan.solution, start, options.bound_options);
  plan.control = solution_of(problem, model, plan);
  plan.control.solve_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return plan;
}

}  // namespace eos::solvers
