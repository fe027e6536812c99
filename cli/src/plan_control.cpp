#include "plan_control.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "files.hpp"
#include "plan_front.hpp"
#include "plan_sweep.hpp"

namespace eos::cli {

namespace {

/// Options that only make sense for mode problems and calibrated plans.
const std::vector<std::string> k_other_options = {"prices",          "epochs",       "target-loss",
                                                  "terminal-weight", "all-data",     "all-weights",
                                                  "discard",         "free-horizon", "batched"};

constexpr std::size_t k_most_columns = 8;  ///< of the trajectory in text; JSON and CSV have all

void add_trajectory(Document& document, const theory::ControlProblem& p, const theory::ControlSolution& s) {
  constexpr std::size_t k_rows_in_text = 14;
  std::vector<Column> columns{
      {"time", p.time_unit == "1" ? p.time_name : fmt::format("{} ({})", p.time_name, p.time_unit), Style::precise}};
  std::vector<const std::vector<double>*> values;
  const auto add = [&](const std::string& key, const std::string& title, const std::vector<double>& row) {
    columns.push_back({key, columns.size() <= k_most_columns ? title : "", Style::number});
    values.push_back(&row);
  };
  for (std::size_t j = 0; j < s.controls.size(); ++j) add(p.controls[j].name, p.controls[j].name, s.controls[j]);
  for (std::size_t i = 0; i < s.states.size(); ++i) add(p.states[i].name, p.states[i].name, s.states[i]);
  for (std::size_t i = 0; i < s.costates.size(); ++i) add("costate_" + p.states[i].name, "", s.costates[i]);
  for (std::size_t j = 0; j < s.switching.size(); ++j) add("switching_" + p.controls[j].name, "", s.switching[j]);
  Table& table = document.table("trajectory", "", std::move(columns));
  table.text_rows = k_rows_in_text;
  for (std::size_t k = 0; k < s.time.size(); ++k) {
    std::vector<Cell> row{s.time[k]};
    for (const std::vector<double>* v : values) row.push_back((*v)[k]);
    table.add(std::move(row));
  }
}

void add_terms(Document& document, const theory::ControlProblem& p, const theory::ControlSolution& s) {
  if (p.costs.size() < 2) return;
  Table& table = document.table(
      "terms", "Terms of the objective",
      {{"name", "term"}, {"value", "value", Style::precise}, {"weight", "weight", Style::number}, {"unit", "unit"}});
  for (std::size_t i = 0; i < std::min(p.costs.size(), s.terms.size()); ++i) {
    const auto k = static_cast<std::size_t>(p.costs[i].weight);
    table.add({p.costs[i].name, s.terms[i], k < s.parameters.size() ? s.parameters[k] : p.parameters[k].value,
               p.costs[i].unit});
  }
}

void add_arcs(Document& document, const theory::ControlProblem& p, const theory::ControlSolution& s) {
  if (s.arcs.empty()) return;
  Table& table = document.table(
      "arcs", "Arcs",
      {{"control", "control"}, {"kind", "law"}, {"begin", "from", Style::shown}, {"end", "to", Style::shown}});
  constexpr std::size_t k_rows_in_text = 24;
  table.text_rows = k_rows_in_text;
  for (const theory::Arc& arc : s.arcs)
    table.add({p.controls.at(static_cast<std::size_t>(arc.control)).name, theory::to_string(arc.kind),
               fmt::format("{:.10g}", arc.begin), fmt::format("{:.10g}", arc.end)});
}

void add_certificate(Document& document, const theory::ControlProblem& p, const theory::ControlCertificate& c) {
  const auto residual = [&](const char* key, double value, const char* title) {
    if (!std::isnan(value)) document.set(key, value, title, Style::number);
  };
  residual("ode_residual", c.ode_residual, "error of the states");
  residual("costate_residual", c.costate_residual, "error of the costates");
  residual("minimum_residual", c.minimum_residual, "minimum principle");
  residual("hamiltonian_drift", c.hamiltonian_drift, "Hamiltonian drift");
  residual("constraint_violation", c.constraint_violation, "constraint violation");
  residual("transversality", c.transversality, "end conditions");
  if (!c.lower_bound.has_value()) return;
  document.set("lower_bound", *c.lower_bound, p.maximise ? "proven upper bound" : "proven lower bound", Style::shown);
  document.set("lower_bound_source", c.lower_bound_source, "by");
}

/// One solution, within a budget if one is given.
struct Solved {
  theory::ControlSolution solution;
  std::string note;
};
Solved solve_one(const Arguments& arguments, const theory::ControlProblem& problem) {
  if (!arguments.has("budget")) return {solvers::solve(problem, control_options(arguments)), {}};
  solvers::BudgetResult r = plan_within(problem, arguments.text("budget"), control_options(arguments));
  const std::string term = parse_budget(arguments.text("budget")).term;
  return {std::move(r.solution),
          fmt::format("budget: {:.10g} of {} is used at a price of {:.10g} per unit", r.attained, term, r.multiplier)};
}

int pareto(Session& session) {
  const Arguments& arguments = session.arguments;
  const theory::ControlProblem problem = control_problem(arguments, {arguments.list("set")});
  Front front = trace(problem, arguments.text("pareto"), control_options(arguments));
  return finish_plans(session, front.table, front_report(front), front_figure(front));
}

int sweep(Session& session) {
  const Arguments& arguments = session.arguments;
  std::vector<SweepAxis> axes;
  for (const std::string& text : arguments.list("sweep")) axes.push_back(parse_axis(text));
  const solvers::ControlOptions options = control_options(arguments);
  const auto solve = [&](const std::vector<std::string>& overrides) {
    io::Overrides all{arguments.list("set")};
    all.set.insert(all.set.end(), overrides.begin(), overrides.end());
    const theory::ControlProblem problem = control_problem(arguments, all);
    return io::to_dataset(problem, solvers::solve(problem, options));
  };
  core::Dataset table = sweep_plans(axes, solve, session.progress(), session.threads());
  return finish_plans(session, table, sweep_report(table, axes), sweep_figure(table, axes));
}

}  // namespace

bool is_control_problem(const Arguments& arguments) {
  const std::string path = arguments.text("FILE");
  return is_toml(path) && io::kind_of(path) == io::FileKind::control;
}

theory::ControlProblem control_problem(const Arguments& arguments, const io::Overrides& overrides) {
  const std::string path = arguments.text("FILE");
  for (const std::string& option : k_other_options)
    if (arguments.given.count(option) != 0)
      throw core::Error("E100", fmt::format("--{} has no meaning for {}, which states a control problem", option, path),
                        "change the file or use --set, e.g. --set control_problem.horizon=80");
  return io::read_control(path, overrides);
}

solvers::ControlOptions control_options(const Arguments& arguments) {
  solvers::ControlOptions options;
  const std::vector<std::string>& names = theory::method_names();
  const auto found = std::find(names.begin(), names.end(), arguments.text("method"));
  if (found != names.end()) options.method = static_cast<theory::Method>(found - names.begin());
  if (arguments.has("intervals")) options.intervals = static_cast<int>(arguments.integer("intervals"));
  if (arguments.has("tolerance")) options.tolerance = arguments.number("tolerance");
  return options;
}

Document control_report(const theory::ControlProblem& p, const theory::ControlSolution& s) {
  Document document("eos.control_table/1");
  document.set("title", p.title, p.title.empty() ? "" : "problem");
  document.set("status", theory::to_string(s.status), "status");
  if (!s.message.empty()) document.set("message", s.message, "because");
  document.set("method", theory::to_string(s.method), "method");
  if (!s.reason.empty()) document.set("reason", s.reason, "chosen since");
  add_trajectory(document, p, s);
  add_arcs(document, p, s);
  add_terms(document, p, s);
  document.set("objective", fmt::format("{:.12g}", s.objective), p.maximise ? "objective J (max)" : "objective J",
               Style::shown);
  if (p.horizon.free)
    document.set("horizon", fmt::format("{:.12g}", s.horizon),
                 p.time_unit == "1" ? "horizon T" : fmt::format("horizon T ({})", p.time_unit), Style::shown);
  add_certificate(document, p, s.certificate);
  document.set("intervals", std::int64_t{s.intervals}, "intervals");
  document.set("iterations", std::int64_t{s.iterations}, "iterations");
  document.set("solve_seconds", s.solve_seconds, "solved in", Style::seconds);
  return document;
}

int run_plan_control(Session& session) {
  const Arguments& arguments = session.arguments;
  if (arguments.has("sweep")) return sweep(session);
  if (arguments.has("pareto")) return pareto(session);
  const theory::ControlProblem problem = control_problem(arguments, {arguments.list("set")});
  const Solved solved = solve_one(arguments, problem);
  const theory::ControlSolution& solution = solved.solution;
  core::Dataset table = io::to_dataset(problem, solution);
  add_origin(table, table.text("title"), io::to_toml(problem), arguments.command_line);
  if (arguments.has("out")) io::write_hdf5(arguments.text("out"), table);
  if (arguments.has("plot")) io::write_png(arguments.text("plot"), control_figure(table));
  Document document = control_report(problem, solution);
  if (arguments.has("out"))
    document.note(fmt::format("Stored in {0}. Next: eos show {0} --plot plan.png", arguments.text("out")));
  if (!solved.note.empty()) document.note(solved.note);
  if (session.format == Format::json)
    session.out << io::to_json(problem, solution);
  else
    session.print(document);
  return solution.ok() ? k_done : k_check_failed;
}

}  // namespace eos::cli
