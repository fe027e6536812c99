// Solutions of control problems as EOS-1 tables and back.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"

namespace eos::io {

using core::Dataset;
using core::Error;
using theory::ControlCertificate;
using theory::ControlProblem;
using theory::ControlSolution;

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

/// Units as symbols: words such as "hours" are refused in files, because xarray turns them into time differences.
std::string symbol(const std::string& unit) {
  static const std::map<std::string, std::string> k_symbols{
      {"days", "d"},          {"hours", "h"},         {"minutes", "min"},    {"seconds", "s"},
      {"milliseconds", "ms"}, {"microseconds", "us"}, {"nanoseconds", "ns"}, {"", "1"}};
  const auto found = k_symbols.find(unit);
  return found == k_symbols.end() ? unit : found->second;
}

template <class List, class Get>
std::vector<std::string> texts_of(const List& list, Get&& get) {
  std::vector<std::string> texts;
  for (const auto& item : list) texts.push_back(get(item));
  return texts;
}

/// A dimension whose coordinate is a list of names.
void add_names(Dataset& d, const std::string& dim, std::vector<std::string> names, const std::string& meaning) {
  d.dims[dim] = static_cast<std::int64_t>(names.size());
  d.add(dim, {dim}, std::move(names), "1", meaning);
}

std::vector<double> flat(const std::vector<std::vector<double>>& rows) {
  std::vector<double> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  return values;
}

void add_variables(Dataset& d, const ControlProblem& p) {
  add_names(d, "state", texts_of(p.states, [](const auto& s) { return s.name; }), "name of the state");
  add_names(d, "control", texts_of(p.controls, [](const auto& c) { return c.name; }), "name of the control");
  add_names(d, "term", texts_of(p.costs, [](const auto& c) { return c.name; }), "name of the cost term");
  add_names(d, "parameter", texts_of(p.parameters, [](const auto& k) { return k.name; }), "name of the parameter");
}

void add_units(Dataset& d, const ControlProblem& p) {
  d.add("state_units", {"state"}, texts_of(p.states, [](const auto& s) { return symbol(s.unit); }), "1",
        "unit of each state");
  d.add("control_units", {"control"}, texts_of(p.controls, [](const auto& c) { return symbol(c.unit); }), "1",
        "unit of each control");
  d.add("term_units", {"term"}, texts_of(p.costs, [](const auto& c) { return symbol(c.unit); }), "1",
        "unit of each cost term");
}

void add_arcs(Dataset& d, const ControlProblem& p, const ControlSolution& s, const std::string& unit) {
  std::vector<std::string> control, kind;
  std::vector<double> begin, end;
  for (const theory::Arc& arc : s.arcs) {
    const auto j = static_cast<std::size_t>(arc.control);
    control.push_back(j < p.controls.size() ? p.controls[j].name : "");
    kind.push_back(theory::to_string(arc.kind));
    begin.push_back(arc.begin), end.push_back(arc.end);
  }
  d.add_dim("arc", static_cast<std::int64_t>(s.arcs.size()), "stretch of time on which a control keeps one law");
  d.add("arc_control", {"arc"}, control, "1", "the control");
  d.add("arc_kind", {"arc"}, kind, "1", "its law: lower, upper, interior, singular, ...");
  d.add("arc_begin", {"arc"}, begin, unit, "start of the arc");
  d.add("arc_end", {"arc"}, end, unit, "end of the arc");
  d.add_dim("switch", static_cast<std::int64_t>(s.switch_times.size()), "change from one arc to another");
  d.add("switch_time", {"switch"}, s.switch_times, unit, "time of the change");
}

/// Names and meanings of the numbers of a certificate, in the order of the file.
struct CertificateField {
  const char* name;
  double ControlCertificate::*value;
  const char* meaning;
};
constexpr CertificateField k_certificate[] = {
    {"ode_residual", &ControlCertificate::ode_residual, "largest relative error of the states, re-integrated"},
    {"costate_residual", &ControlCertificate::costate_residual, "the same for the costates"},
    {"minimum_residual", &ControlCertificate::minimum_residual,
     "largest excess of the Hamiltonian over its minimum over the controls, relative to 1 + |J|/T"},
    {"hamiltonian_drift", &ControlCertificate::hamiltonian_drift, "range of the Hamiltonian, which should be constant"},
    {"constraint_violation", &ControlCertificate::constraint_violation, "largest violation of a bound or constraint"},
    {"transversality", &ControlCertificate::transversality, "largest violation of the end conditions on costates"}};

void add_scalars(Dataset& d, const ControlProblem& p, const ControlSolution& s, const std::string& time_unit) {
  const auto number = [&](const char* name, double value, const std::string& unit, const char* meaning) {
    d.add(name, {}, std::vector<double>{value}, unit, meaning);
  };
  const auto whole = [&](const char* name, int value, const char* meaning) {
    d.add(name, {}, std::vector<std::int64_t>{value}, "1", meaning);
  };
  const auto text = [&](const char* name, const std::string& value, const char* meaning) {
    d.add(name, {}, std::vector<std::string>{value}, "1", meaning);
  };
  number("objective", s.objective, "1", p.maximise ? "maximised objective J" : "minimised objective J");
  number("horizon", s.horizon, time_unit, "end of the time interval");
  text("solve_status", theory::to_string(s.status), "how the solver ended");
  text("message", s.message, "why the solver stopped");
  text("method", theory::to_string(s.method), "numerical method");
  text("reason", s.reason, "why this method");
  for (const CertificateField& field : k_certificate)
    number(field.name, s.certificate.*field.value, "1", field.meaning);
  number("lower_bound", s.certificate.lower_bound.value_or(k_nan), "1",
         p.maximise ? "proven upper bound on J" : "proven lower bound on J");
  text("lower_bound_source", s.certificate.lower_bound_source, "where the bound comes from");
  whole("intervals", s.intervals, "intervals of the last mesh");
  whole("iterations", s.iterations, "iterations of the solver");
  whole("refinements", s.refinements, "refinements of the mesh");
  text("problem_toml", to_toml(p), "the problem that was solved, as TOML");
}

template <class Enum>
Enum enum_of(const std::string& word, int count, Enum fallback) {
  for (int i = 0; i < count; ++i)
    if (theory::to_string(static_cast<Enum>(i)) == word) return static_cast<Enum>(i);
  return fallback;
}

/// Values over (rows, columns) as rows; empty when absent. throws Error E191 when the sizes do not fit.
std::vector<std::vector<double>> rows_of(const Dataset& d, const std::string& name, std::size_t rows,
                                         std::size_t columns) {
  std::vector<std::vector<double>> result;
  if (!d.has(name)) return result;
  const std::vector<double> values = d.numbers(name);
  if (values.size() != rows * columns)
    throw Error("E191", fmt::format("{} has {} values, {} x {} are needed", name, values.size(), rows, columns));
  for (std::size_t i = 0; i < rows; ++i)
    result.emplace_back(values.begin() + static_cast<std::ptrdiff_t>(i * columns),
                        values.begin() + static_cast<std::ptrdiff_t>((i + 1) * columns));
  return result;
}

std::vector<theory::Arc> arcs_of(const Dataset& d, const std::vector<std::string>& controls) {
  std::vector<theory::Arc> arcs;
  const std::vector<std::string> control = d.strings("arc_control"), kind = d.strings("arc_kind");
  const std::vector<double> begin = d.numbers("arc_begin"), end = d.numbers("arc_end");
  const std::size_t n = std::min({control.size(), kind.size(), begin.size(), end.size()});
  for (std::size_t i = 0; i < n; ++i) {
    const auto at = std::find(controls.begin(), controls.end(), control[i]);
    arcs.push_back(
        {static_cast<int>(at - controls.begin()), begin[i], end[i], enum_of(kind[i], 7, theory::ArcKind::interior)});
  }
  return arcs;
}

}  // namespace

Dataset to_dataset(const ControlProblem& p, const ControlSolution& s) {
  Dataset d;
  d.attributes["title"] = p.title.empty() ? std::string("control problem") : p.title;
  d.attributes["kind"] = std::string("control");
  if (!p.source.empty()) d.attributes["problem_source"] = p.source;
  const std::string unit = symbol(p.time_unit);
  d.add_dim("time", s.time, unit, "time; a control that jumps has two rows at its time, before and after");
  add_variables(d, p);
  d.add("x", {"state", "time"}, flat(s.states), "1", "states");
  d.add("u", {"control", "time"}, flat(s.controls), "1", "controls");
  if (!s.costates.empty())
    d.add("costate", {"state", "time"}, flat(s.costates), "1", "costates dJ/dx, of the minimised objective");
  if (!s.hamiltonian.empty()) d.add("hamiltonian", {"time"}, s.hamiltonian, "1", "Hamiltonian");
  if (!s.switching.empty())
    d.add("switching", {"control", "time"}, flat(s.switching), "1",
          "dH/du: positive at a lower, negative at an upper bound");
  std::vector<double> weights;
  for (const theory::CostTerm& c : p.costs) {
    const auto k = static_cast<std::size_t>(c.weight);
    weights.push_back(k < s.parameters.size() ? s.parameters[k] : p.parameters.at(k).value);
  }
  std::vector<double> parameters = s.parameters;
  for (std::size_t k = parameters.size(); k < p.parameters.size(); ++k) parameters.push_back(p.parameters[k].value);
  add_units(d, p);
  d.add("term_value", {"term"}, s.terms, "1", "cost term without its weight");
  d.add("term_weight", {"term"}, weights, "1", "weight of the term in J");
  d.add("parameter_value", {"parameter"}, parameters, "1", "value of the parameter");
  add_arcs(d, p, s, unit);
  add_scalars(d, p, s, unit);
  d.groups["provenance"].attributes["solve_seconds"] = s.solve_seconds;
  return d;
}

ControlProblem control_problem_from(const Dataset& d) {
  return parse_control(d.strings("problem_toml").at(0), "problem_toml");
}

ControlSolution control_solution_from(const Dataset& d) {
  ControlSolution s;
  const auto word = [&](const char* name) { return d.strings(name).at(0); };
  const std::vector<std::string> states = d.strings("state"), controls = d.strings("control");
  s.method = enum_of(word("method"), static_cast<int>(theory::method_names().size()), theory::Method::automatic);
  s.status = enum_of(word("solve_status"), 7, theory::ControlStatus::stalled);
  s.reason = word("reason"), s.message = word("message");
  s.objective = d.number("objective"), s.horizon = d.number("horizon");
  s.terms = d.numbers("term_value"), s.parameters = d.numbers("parameter_value");
  s.time = d.numbers("time");
  s.states = rows_of(d, "x", states.size(), s.time.size());
  s.controls = rows_of(d, "u", controls.size(), s.time.size());
  s.costates = rows_of(d, "costate", states.size(), s.time.size());
  s.switching = rows_of(d, "switching", controls.size(), s.time.size());
  if (d.has("hamiltonian")) s.hamiltonian = d.numbers("hamiltonian");
  s.arcs = arcs_of(d, controls);
  s.switch_times = d.numbers("switch_time");
  for (const CertificateField& field : k_certificate) s.certificate.*field.value = d.number(field.name);
  if (const double bound = d.number("lower_bound"); std::isfinite(bound)) s.certificate.lower_bound = bound;
  s.certificate.lower_bound_source = word("lower_bound_source");
  s.intervals = static_cast<int>(d.number("intervals")), s.iterations = static_cast<int>(d.number("iterations"));
  s.refinements = static_cast<int>(d.number("refinements"));
  if (const auto p = d.groups.find("provenance"); p != d.groups.end())
    if (const auto t = p->second.attributes.find("solve_seconds"); t != p->second.attributes.end())
      if (const double* seconds = std::get_if<double>(&t->second)) s.solve_seconds = *seconds;
  return s;
}

}  // namespace eos::io
