// Plans as EOS-1 tables and back; schedules from plan files and run files.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"

namespace eos::io {

using core::Dataset;
using core::Error;
using theory::Plan;
using theory::Rule;
using theory::Schedule;
using theory::Trajectory;

namespace {

constexpr double k_smallest_fraction = 1e-6;  ///< an interval of a run without any sample still needs a valid fraction

constexpr std::pair<const char*, double theory::EnergyRate::*> k_energy_terms[] = {
    {"time", &theory::EnergyRate::time},     {"screening", &theory::EnergyRate::screening},
    {"sample", &theory::EnergyRate::sample}, {"write", &theory::EnergyRate::write},
    {"path", &theory::EnergyRate::path},     {"plasticity", &theory::EnergyRate::plasticity},
    {"cache", &theory::EnergyRate::cache}};

const char* word(Rule rule) { return rule == Rule::all ? "all" : rule == Rule::random ? "random" : "ranked"; }

Rule rule_of(const core::Variable* variable) {
  if (variable == nullptr) return Rule::ranked;
  const auto found = variable->attributes.find("rule");
  if (found == variable->attributes.end() || !std::holds_alternative<std::string>(found->second)) return Rule::ranked;
  const std::string& text = std::get<std::string>(found->second);
  return text == "all" ? Rule::all : text == "random" ? Rule::random : Rule::ranked;
}

std::vector<double> flat(const std::vector<std::vector<double>>& rows) {
  std::vector<double> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  return values;
}

std::vector<std::vector<double>> rows_of(const Dataset& data, const std::string& name, std::size_t rows) {
  std::vector<std::vector<double>> result;
  if (!data.has(name) || rows == 0) return result;
  const std::vector<double> values = data.numbers(name);
  const std::size_t columns = values.size() / rows;
  for (std::size_t i = 0; i < rows; ++i)
    result.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(i * columns),
                        values.begin() + static_cast<std::ptrdiff_t>((i + 1) * columns));
  return result;
}

void add_scalars(Dataset& d, const Plan& plan) {
  const theory::Certificate& c = plan.certificate;
  d.add("objective", {}, std::vector<double>{plan.objective}, "J", "minimised objective J");
  d.add("terminal_loss", {}, std::vector<double>{plan.terminal_loss}, "1", "excess loss at the horizon");
  d.add("loss_offset", {}, std::vector<double>{plan.problem.loss_offset}, "1",
        "irreducible loss, to be added to the loss");
  d.add("energy_total", {}, std::vector<double>{plan.energy}, "J", "energy spent over the horizon");
  for (const auto& [name, term] : k_energy_terms) {
    d.add(fmt::format("energy_{}", name), {}, std::vector<double>{plan.energy_terms.*term}, "J",
          fmt::format("of which {}", name));
  }
  d.add("solve_status", {}, std::vector<std::string>{theory::to_string(plan.status)}, "1", "how the solver ended");
  d.add("message", {}, std::vector<std::string>{plan.message}, "1", "why the solver stopped");
  d.add("stationarity_residual", {}, std::vector<double>{c.stationarity_residual}, "1",
        "largest projected gradient per unit time, relative to |J|/T");
  d.add("hamiltonian_drift", {}, std::vector<double>{c.hamiltonian_drift}, "J",
        "range of the Hamiltonian over midpoints between switches");
  d.add("hamiltonian_jump", {}, std::vector<double>{c.hamiltonian_jump}, "J",
        "largest change of the Hamiltonian across a switch");
  d.add("rate_condition", {}, std::vector<double>{c.rate_condition}, "1",
        "largest violation of the learning-rate condition");
  d.add("data_condition", {}, std::vector<double>{c.data_condition}, "1",
        "largest relative violation of the data condition");
  d.add("weight_condition", {}, std::vector<double>{c.weight_condition}, "1",
        "largest relative violation of the weight condition");
  d.add("minimum_gap", {}, std::vector<double>{c.minimum_gap}, "1",
        "largest excess of the Hamiltonian over its pointwise minimum, relative to |J|/T");
  d.add("energy_bound", {}, std::vector<double>{c.energy_bound}, "J",
        "energy that every schedule of the same horizon, prices and bounds needs for the terminal loss");
  d.add("efficiency", {}, std::vector<double>{c.efficiency}, "1", "energy_bound / energy_total");
  d.add("bound_statement", {}, std::vector<std::string>{c.bound_statement}, "1", "what the energy bound counts");
  d.add("interior_intervals", {}, std::vector<std::int64_t>{c.interior_intervals}, "1", "intervals inside all bounds");
  d.add("starts", {}, std::vector<std::int64_t>{plan.starts}, "1", "starting points tried");
  d.add("iterations", {}, std::vector<std::int64_t>{plan.iterations}, "1", "iterations of the best start");
  d.add("evaluations", {}, std::vector<std::int64_t>{plan.evaluations}, "1", "objective and gradient evaluations");
  d.add("problem_toml", {}, std::vector<std::string>{to_toml(plan.problem)}, "1",
        "the problem that was solved, as TOML");
}

/// Rows of a run table: the epoch axis and one replica's values along it.
std::vector<double> first_replica(const Dataset& data, const std::string& name, std::size_t rows) {
  if (!data.has(name)) return {};
  std::vector<double> values = data.numbers(name);
  values.resize(std::min(values.size(), rows));
  return values;
}

/// The rate at a row is that of its end; a constant per interval takes the mean of both ends, extrapolated at the
/// start.
std::vector<double> interval_rates(const std::vector<double>& at_rows, bool starts_at_zero) {
  std::vector<double> rates;
  for (std::size_t i = starts_at_zero ? 1 : 0; i < at_rows.size(); ++i) {
    const double here = at_rows[i];
    const double before = i > 0 ? at_rows[i - 1] : at_rows.size() > 1 ? 2 * here - at_rows[1] : here;
    rates.push_back(std::max(0.0, 0.5 * (before + here)));
  }
  return rates;
}

Schedule recorded(const Dataset& run) {
  Schedule s;
  std::vector<double> epoch = run.numbers("epoch");
  if (epoch.empty() || epoch.back() <= 0)
    throw Error("E502", "the run file has no completed epoch to take a schedule from");
  const std::size_t rows = epoch.size();
  const bool starts_at_zero = epoch.front() == 0;
  const auto fractions = [&](const std::string& name) {
    std::vector<double> values = first_replica(run, name, rows);
    if (starts_at_zero && !values.empty()) values.erase(values.begin());
    for (double& v : values) v = std::isfinite(v) ? std::clamp(v, k_smallest_fraction, 1.0) : 1.0;
    return values;
  };
  s.data_fraction = fractions("data_fraction");
  s.weight_fraction = fractions("weight_fraction");
  s.learning_rate = interval_rates(first_replica(run, "learning_rate", rows), starts_at_zero);
  if (!starts_at_zero) s.edges.push_back(0);
  for (const double e : epoch) s.edges.push_back(e / epoch.back());
  s.epochs = epoch.back();
  s.data_rule = rule_of(run.find("data_fraction"));
  s.weight_rule = rule_of(run.find("weight_fraction"));
  s.origin = "recorded from a run" + (run.text("title").empty() ? "" : ": " + run.text("title"));
  s.check();
  return s;
}

}  // namespace

Dataset to_dataset(const Plan& plan) {
  const Trajectory& t = plan.trajectory;
  Dataset d;
  d.attributes["title"] = plan.problem.title.empty() ? std::string("plan") : plan.problem.title;
  d.attributes["kind"] = std::string("plan");
  if (plan.problem.horizon_epochs > 0) d.attributes["epochs"] = plan.problem.horizon_epochs;
  std::vector<double> middle;
  for (std::size_t i = 0; i + 1 < t.time.size(); ++i) middle.push_back(0.5 * (t.time[i] + t.time[i + 1]));
  d.add_dim("interval", middle, "1", "time in steps, middle of an interval of constant controls");
  d.add_dim("time", t.time, "1", "time in steps, edges of the intervals");
  d.add_dim("mode", static_cast<std::int64_t>(plan.problem.lambda.size()), "mode of the error spectrum");
  d.add("data_fraction", {"interval"}, t.data_fraction, "1", "fraction of the samples that is learned")
      .attributes["rule"] = std::string(word(plan.problem.data_rule));
  d.add("weight_fraction", {"interval"}, t.weight_fraction, "1", "fraction of the weights that is written")
      .attributes["rule"] = std::string(word(plan.problem.weight_rule));
  d.add("learning_rate", {"interval"}, t.learning_rate, "1", "learning rate");
  d.add("loss", {"time"}, t.loss, "1", "excess loss, predicted");
  d.add("energy", {"time"}, t.energy, "J", "energy spent so far, predicted");
  if (!t.hamiltonian.empty())
    d.add("hamiltonian", {"interval"}, t.hamiltonian, "J", "Hamiltonian per step; constant at an optimum");
  d.add("lambda", {"mode"}, plan.problem.lambda, "1", "eigenvalue of the feature covariance");
  if (!t.state.empty()) d.add("state", {"time", "mode"}, flat(t.state), "1", "mean squared error of each mode");
  if (!t.costate.empty())
    d.add("costate", {"time", "mode"}, flat(t.costate), "J", "joule value of one unit of squared error");
  add_scalars(d, plan);
  d.groups["provenance"].attributes["solve_seconds"] = plan.solve_seconds;
  return d;
}

Plan plan_from(const Dataset& d) {
  Plan plan;
  const auto whole = [&](const char* name) { return static_cast<int>(d.number(name)); };
  const std::vector<std::string> problem = d.strings("problem_toml"), status = d.strings("solve_status");
  plan.problem = parse_problem(problem.at(0), "problem_toml");
  for (const auto s : {theory::SolveStatus::optimal, theory::SolveStatus::iteration_limit, theory::SolveStatus::stalled,
                       theory::SolveStatus::not_finite, theory::SolveStatus::evaluated})
    if (theory::to_string(s) == status.at(0)) plan.status = s;
  plan.message = d.strings("message").at(0);
  plan.objective = d.number("objective");
  plan.terminal_loss = d.number("terminal_loss");
  plan.energy = d.number("energy_total");
  for (const auto& [name, term] : k_energy_terms) {
    const std::string variable = fmt::format("energy_{}", name);
    if (d.has(variable)) plan.energy_terms.*term = d.number(variable);
  }
  plan.starts = whole("starts"), plan.iterations = whole("iterations"), plan.evaluations = whole("evaluations");
  theory::Certificate& c = plan.certificate;
  c.stationarity_residual = d.number("stationarity_residual");
  c.hamiltonian_drift = d.number("hamiltonian_drift");
  if (d.has("hamiltonian_jump")) c.hamiltonian_jump = d.number("hamiltonian_jump");
  c.rate_condition = d.number("rate_condition");
  c.data_condition = d.number("data_condition");
  c.weight_condition = d.number("weight_condition");
  c.minimum_gap = d.number("minimum_gap");
  c.interior_intervals = whole("interior_intervals");
  if (d.has("energy_bound")) {
    c.energy_bound = d.number("energy_bound");
    c.efficiency = d.number("efficiency");
    c.bound_statement = d.strings("bound_statement").at(0);
  }
  Trajectory& t = plan.trajectory;
  t.time = d.numbers("time");
  t.data_fraction = d.numbers("data_fraction");
  t.weight_fraction = d.numbers("weight_fraction");
  t.learning_rate = d.numbers("learning_rate");
  t.loss = d.numbers("loss");
  t.energy = d.numbers("energy");
  if (d.has("hamiltonian")) t.hamiltonian = d.numbers("hamiltonian");
  t.state = rows_of(d, "state", t.time.size());
  t.costate = rows_of(d, "costate", t.time.size());
  if (const auto p = d.groups.find("provenance"); p != d.groups.end())
    if (const auto s = p->second.attributes.find("solve_seconds"); s != p->second.attributes.end())
      if (const double* seconds = std::get_if<double>(&s->second)) plan.solve_seconds = *seconds;
  return plan;
}

Schedule schedule_from(const Dataset& data) {
  if (data.has("epoch") && data.has("data_fraction")) return recorded(data);
  if (!data.has("time") || !data.has("data_fraction") || !data.has("weight_fraction"))
    throw Error("E502", "the file holds no schedule: it is neither a plan nor a run",
                "make one with `eos plan`, or name the file of a run");
  Schedule s;
  s.edges = data.numbers("time");
  if (s.edges.size() < 2 || !(s.edges.back() > 0)) throw Error("E502", "the plan has no intervals");
  const double horizon = s.edges.back();
  for (double& edge : s.edges) edge /= horizon;
  s.data_fraction = data.numbers("data_fraction");
  s.weight_fraction = data.numbers("weight_fraction");
  if (data.has("learning_rate")) s.learning_rate = data.numbers("learning_rate");
  s.data_rule = rule_of(data.find("data_fraction"));
  s.weight_rule = rule_of(data.find("weight_fraction"));
  if (const auto epochs = data.attributes.find("epochs"); epochs != data.attributes.end())
    if (const double* number = std::get_if<double>(&epochs->second)) s.epochs = *number;
  s.origin = data.text("title") == "plan" ? "plan" : "plan: " + data.text("title");
  s.check();
  return s;
}

}  // namespace eos::io
