#include "eos/solvers/solve.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "certificate.hpp"
#include "eos/core/error.hpp"
#include "eos/theory/bounds.hpp"
#include "mode_solver.hpp"

namespace eos::solvers {

using theory::ControlGradient;
using theory::Controls;
using theory::ModeProblem;
using theory::Plan;

namespace {

constexpr double k_finer = 0.1;  // one evaluation can afford a finer mesh than a search

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void add_energy_bound(Plan& plan) {
  // The bound is proven for the continuous dynamics, which the exact recursion can beat by O(eta).
  if (!std::isfinite(plan.objective) || plan.problem.discretisation.scheme == theory::Scheme::recursion) return;
  const theory::EnergyBound bound = theory::energy_bound(plan.problem, std::max(0.0, plan.terminal_loss));
  theory::Certificate& c = plan.certificate;
  c.energy_bound = bound.energy;
  if (std::isfinite(bound.energy)) c.efficiency = theory::efficiency(bound.energy, plan.energy);
  c.bound_statement = bound.statement;
}

}  // namespace

Plan make_plan(const theory::ModeModel& model, ModeIntegrator& integrator, std::span<const Controls> controls) {
  Plan plan;
  plan.problem = model.problem();
  plan.problem.intervals = static_cast<int>(integrator.intervals());
  const std::size_t n = integrator.intervals();
  std::vector<ControlGradient> gradient(n);
  plan.objective = integrator.forward(controls);
  integrator.backward(controls, gradient);
  theory::Trajectory& t = plan.trajectory;
  t.time = integrator.edges();
  for (std::size_t i = 0; i <= n; ++i) {
    const auto m = integrator.state(i), p = integrator.costate(i);
    t.loss.push_back(model.loss(m));
    t.energy.push_back(i == 0 ? 0 : t.energy.back() + integrator.energy(i - 1));
    t.state.emplace_back(m.begin(), m.end());
    t.costate.emplace_back(p.begin(), p.end());
  }
  for (std::size_t i = 0; i < n; ++i) {
    t.data_fraction.push_back(controls[i].data_fraction);
    t.weight_fraction.push_back(controls[i].weight_fraction);
    t.learning_rate.push_back(controls[i].learning_rate);
    t.hamiltonian.push_back(model.hamiltonian(integrator.mid_state(i), integrator.mid_costate(i), controls[i]));
  }
  plan.terminal_loss = t.loss.back();
  plan.energy = t.energy.back();
  for (std::size_t i = 0; i < n; ++i) plan.energy_terms += integrator.energy_terms(i);
  if (std::isfinite(plan.objective)) plan.certificate = certify(model, integrator, controls, gradient, plan.objective);
  return plan;
}

Plan solve(const ModeProblem& problem, const SolveOptions& options) {
  problem.check();
  const auto begin = Clock::now();
  Plan plan = ModeSolver(problem, options).solve();
  add_energy_bound(plan);
  plan.solve_seconds = seconds_since(begin);
  return plan;
}

Plan evaluate(const ModeProblem& problem, const theory::Schedule& schedule, const SolveOptions& options) {
  problem.check();
  schedule.check();
  if (schedule.learning_rate.empty()) {
    throw core::Error("E502", "the schedule has no learning rates, so its loss cannot be predicted",
                      "add learning_rate, one value per interval");
  }
  const auto begin = Clock::now();
  const theory::ModeModel model(problem);
  std::vector<double> edges;
  for (double s : schedule.edges) edges.push_back(s * problem.horizon);
  std::vector<Controls> controls;
  for (std::size_t i = 0; i < schedule.data_fraction.size(); ++i) {
    controls.push_back(
        model.effective({schedule.data_fraction[i], schedule.weight_fraction[i], schedule.learning_rate[i]}));
  }
  ModeIntegrator integrator(model, std::move(edges), options.substeps);
  integrator.forward(controls);
  integrator.refine(controls, k_finer * options.mesh_tolerance);
  Plan plan = make_plan(model, integrator, controls);
  plan.status = std::isfinite(plan.objective) ? theory::SolveStatus::evaluated : theory::SolveStatus::not_finite;
  plan.message = "controls as given, not optimised";
  plan.evaluations = 1;
  plan.solve_seconds = seconds_since(begin);
  return plan;
}

}  // namespace eos::solvers
