// Tables and plans as JSON and CSV text.
#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "eos/io/convert.hpp"

namespace eos::io {

using core::Dataset;
using core::Variable;
using Json = nlohmann::ordered_json;

namespace {

std::string dump(const Json& json) { return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"; }

Json attributes_of(const std::map<std::string, core::Attribute>& attributes) {
  Json json = Json::object();
  for (const auto& [name, value] : attributes) std::visit([&, &key = name](const auto& v) { json[key] = v; }, value);
  return json;
}

Json table(const Dataset& data) {
  Json json = Json::object();
  json["attributes"] = attributes_of(data.attributes);
  json["dims"] = data.dims;
  json["variables"] = Json::object();
  for (const Variable& v : data.variables) {
    Json& entry = json["variables"][v.name];
    entry["dims"] = v.dims;
    entry["units"] = v.units;
    entry["long_name"] = v.long_name;
    if (!v.attributes.empty()) entry["attributes"] = attributes_of(v.attributes);
    std::visit(
        [&](const auto& values) {
          if (v.dims.empty() && values.size() == 1)
            entry["values"] = values.front();
          else
            entry["values"] = values;
        },
        v.values);
  }
  json["groups"] = Json::object();
  for (const auto& [name, group] : data.groups) json["groups"][name] = table(group);
  return json;
}

/// RFC 4180: quoted when needed, quotes doubled.
std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"') quoted += c;
    quoted += c;
  }
  quoted += '"';
  return quoted;
}

std::string csv_value(const core::Array& values, std::size_t i) {
  return std::visit(
      [&](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v[0])>;
        if constexpr (std::is_same_v<T, std::string>)
          return csv_field(v[i]);
        else if constexpr (std::is_floating_point_v<T>)
          return std::isfinite(v[i]) ? fmt::format("{}", v[i]) : std::string();
        else
          return fmt::format("{}", v[i]);
      },
      values);
}

struct Column {
  const Variable* variable;
  std::size_t stride, length;  ///< row r shows element (r / stride) % length
};

/// Coordinates of the dimensions first, then the variables over exactly these dimensions.
std::vector<Column> columns_of(const Dataset& data, const std::vector<std::string>& dims, std::size_t rows) {
  std::vector<Column> columns;
  std::size_t stride = rows;
  for (const std::string& dim : dims) {
    const auto length = static_cast<std::size_t>(data.dims.at(dim));
    stride = length == 0 ? 1 : stride / length;
    if (const Variable* coordinate = data.find(dim))
      columns.push_back({coordinate, std::max<std::size_t>(stride, 1), length});
  }
  for (const Variable& v : data.variables) {
    const bool coordinate = v.dims.size() == 1 && v.dims[0] == v.name;
    if (v.dims == dims && !coordinate) columns.push_back({&v, 1, std::max<std::size_t>(rows, 1)});
  }
  return columns;
}

}  // namespace

std::string to_json(const Dataset& data) {
  Json json;
  json["schema"] = "eos.table/1";
  json.update(table(data));
  return dump(json);
}

namespace {

/// {name: values of one row}, rows in the order of the list.
template <class List>
Json by_name(const List& list, const std::vector<std::vector<double>>& rows) {
  Json json = Json::object();
  for (std::size_t i = 0; i < std::min(list.size(), rows.size()); ++i) json[list[i].name] = rows[i];
  return json;
}

}  // namespace

std::string to_json(const theory::ControlProblem& problem, const theory::ControlSolution& s) {
  const theory::ControlCertificate& c = s.certificate;
  Json json;
  json["schema"] = "eos.control/1";
  json["title"] = problem.title;
  json["status"] = theory::to_string(s.status);
  json["message"] = s.message;
  json["method"] = theory::to_string(s.method);
  json["reason"] = s.reason;
  json["objective"] = s.objective;
  json["maximised"] = problem.maximise;
  json["horizon"] = s.horizon;
  json["terms"] = json["parameters"] = Json::object();
  for (std::size_t i = 0; i < std::min(s.terms.size(), problem.costs.size()); ++i)
    json["terms"][problem.costs[i].name] = s.terms[i];
  for (std::size_t k = 0; k < std::min(s.parameters.size(), problem.parameters.size()); ++k)
    json["parameters"][problem.parameters[k].name] = s.parameters[k];
  json["certificate"] = {{"ode_residual", c.ode_residual},
                         {"costate_residual", c.costate_residual},
                         {"minimum_residual", c.minimum_residual},
                         {"hamiltonian_drift", c.hamiltonian_drift},
                         {"constraint_violation", c.constraint_violation},
                         {"transversality", c.transversality},
                         {"lower_bound", c.lower_bound.has_value() ? Json(*c.lower_bound) : Json()},
                         {"lower_bound_source", c.lower_bound_source}};
  json["arcs"] = Json::array();
  for (const theory::Arc& arc : s.arcs)
    json["arcs"].push_back({{"control", problem.controls.at(static_cast<std::size_t>(arc.control)).name},
                            {"kind", theory::to_string(arc.kind)},
                            {"begin", arc.begin},
                            {"end", arc.end}});
  json["switch_times"] = s.switch_times;
  json["intervals"] = s.intervals;
  json["iterations"] = s.iterations;
  json["refinements"] = s.refinements;
  json["solve_seconds"] = s.solve_seconds;
  json["time"] = s.time;
  json["states"] = by_name(problem.states, s.states);
  json["controls"] = by_name(problem.controls, s.controls);
  json["costates"] = by_name(problem.states, s.costates);
  json["switching"] = by_name(problem.controls, s.switching);
  json["hamiltonian"] = s.hamiltonian;
  return dump(json);
}

std::string to_json(const theory::Plan& plan) {
  const theory::Trajectory& t = plan.trajectory;
  const theory::Certificate& c = plan.certificate;
  Json json;
  json["schema"] = "eos.plan/1";
  json["title"] = plan.problem.title;
  json["status"] = theory::to_string(plan.status);
  json["message"] = plan.message;
  json["objective"] = plan.objective;
  json["terminal_loss"] = plan.terminal_loss;
  json["loss_offset"] = plan.problem.loss_offset;
  json["energy"] = plan.energy;
  json["stationarity_residual"] = c.stationarity_residual;
  json["hamiltonian_drift"] = c.hamiltonian_drift;
  json["hamiltonian_jump"] = c.hamiltonian_jump;
  json["rate_condition"] = c.rate_condition;
  json["data_condition"] = c.data_condition;
  json["weight_condition"] = c.weight_condition;
  json["minimum_gap"] = c.minimum_gap;
  json["interior_intervals"] = c.interior_intervals;
  json["energy_bound"] = c.energy_bound;
  json["efficiency"] = c.efficiency;
  json["bound_statement"] = c.bound_statement;
  json["solve_seconds"] = plan.solve_seconds;
  json["starts"] = plan.starts;
  json["iterations"] = plan.iterations;
  json["evaluations"] = plan.evaluations;
  json["units"] = {{"objective", "J"}, {"energy", "J"}, {"time", "steps"}, {"solve_seconds", "s"}};
  json["time"] = t.time;
  json["data_fraction"] = t.data_fraction;
  json["weight_fraction"] = t.weight_fraction;
  json["learning_rate"] = t.learning_rate;
  json["loss"] = t.loss;
  json["cumulative_energy"] = t.energy;
  json["hamiltonian"] = t.hamiltonian;
  return dump(json);
}

std::string to_csv(const Dataset& data) {
  std::vector<std::string> dims;
  for (const Variable& v : data.variables)
    if (dims.empty() && !v.dims.empty() && v.dims != std::vector<std::string>{v.name}) dims = v.dims;
  std::size_t rows = 1;
  for (const std::string& dim : dims) rows *= static_cast<std::size_t>(data.dims.at(dim));
  const std::vector<Column> columns = columns_of(data, dims, rows);
  std::string text;
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const Variable& v = *columns[i].variable;
    const std::string header = v.units.empty() || v.units == "1" ? v.name : fmt::format("{} ({})", v.name, v.units);
    if (i > 0) text += ',';
    text += csv_field(header);
  }
  text += '\n';
  for (std::size_t row = 0; row < rows; ++row) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) text += ',';
      text += csv_value(columns[i].variable->values, (row / columns[i].stride) % columns[i].length);
    }
    text += '\n';
  }
  return text;
}

}  // namespace eos::io
