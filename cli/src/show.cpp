// eos show: what a file holds, its configuration, its picture, its values.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "analysis.hpp"
#include "commands.hpp"
#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "figures.hpp"
#include "files.hpp"
#include "perceptron_report.hpp"
#include "plan_control.hpp"
#include "show_model.hpp"
#include "sweep_table.hpp"
#include "train_fly.hpp"

namespace eos::cli {

namespace {

const char* type_name(const core::Array& values) {
  static constexpr const char* k_names[] = {"float64", "float32", "int64", "int32", "uint8", "text"};
  return k_names[values.index()];
}

/// "0.1 … 0.9" of numbers, or the first texts.
std::string range_of(const core::Dataset& data, const core::Variable& variable) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&variable.values)) {
    std::string joined = fmt::format("{}", fmt::join(*texts, ", "));
    constexpr std::size_t k_longest = 50;
    return display_width(joined) > k_longest ? joined.substr(0, joined.rfind(' ', k_longest)) + " …" : joined;
  }
  double low = std::numeric_limits<double>::infinity(), high = -low;
  for (const double value : data.numbers(variable.name)) low = std::min(low, value), high = std::max(high, value);
  if (low > high) return "–";
  return low == high ? fmt::format("{:.6g}", low) : fmt::format("{:.6g} … {:.6g}", low, high);
}

void list_variables(Table& table, const std::string& path, const core::Dataset& data) {
  for (const core::Variable& v : data.variables) {
    std::string shape;
    for (const std::string& dim : v.dims) shape += (shape.empty() ? "" : ", ") + dim;
    table.add({path + v.name, shape, std::string(type_name(v.values)), v.units, range_of(data, v), v.long_name});
  }
  for (const auto& [name, group] : data.groups) list_variables(table, path + name + "/", group);
}

Cell as_cell(const core::Attribute& attribute) {
  return std::visit([](const auto& value) -> Cell { return value; }, attribute);
}

Document description(const core::Dataset& data) {
  Document document("eos.show/1");
  for (const char* name : {"title", "kind", "status", "source", "history", "content_sha256"})
    if (const auto found = data.attributes.find(name); found != data.attributes.end())
      document.set(name, as_cell(found->second), name);
  if (const auto energy = measured_energy(data)) {
    if (is_run(data)) {
      const RunSummary run = summarise(data, data.text("title"));
      document.set("energy", run.energy(run.spec.prices).total(),
                   fmt::format("energy modelled, a seed, prices {}", run.spec.prices.name), Style::energy);
    }
    add_measured(document, *energy);
  }
  Table& dims = document.table("dimensions", "Dimensions", {{"name", "name"}, {"length", "length"}});
  for (const auto& [name, length] : data.dims) dims.add({name, std::int64_t{length}});
  Table& variables = document.table("variables", "Variables",
                                    {{"name", "name"},
                                     {"dims", "over"},
                                     {"type", "type"},
                                     {"units", "units"},
                                     {"range", "range"},
                                     {"long_name", "meaning"}});
  list_variables(variables, "", data);
  return document;
}

/// The table that was asked for: of a sweep the whole, or one run with its configuration.
core::Dataset read_table(const Arguments& arguments, const std::string& path) {
  core::Dataset file = io::read_hdf5(path);
  if (!arguments.has("run")) return file;
  if (!is_sweep(file))
    throw core::Error("E100", fmt::format("{} is no sweep: --run chooses one run of a sweep", path), "leave --run out");
  return run_of_sweep(file, arguments.integer("run"), path);
}

io::Figure figure_of(const core::Dataset& data, const std::string& path) {
  if (is_run(data)) return run_figure(summarise(data, data.text("title", path)));
  if (is_perceptron_grid(data)) return perceptron_figure(data);
  if (data.text("kind") == "plan") return plan_figure(data);
  if (data.text("kind") == "control") return control_figure(data);
  if (data.text("kind") == "calibration") return calibration_figure(io::calibration_from(data));
  if (data.text("kind") == "fly") return fly_figure(data);
  const std::vector<RunSummary> runs = runs_of(data, path);
  std::vector<bool> is_baseline;
  for (const RunSummary& run : runs) is_baseline.push_back(run.dense());
  return comparison_figure(runs, is_baseline, runs.front().spec.prices);
}

const core::Dataset& chosen_group(const core::Dataset& file, const Arguments& arguments) {
  if (!arguments.has("group")) return file;
  const std::string name = arguments.text("group");
  const auto found = file.groups.find(name);
  if (found != file.groups.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [group, unused] : file.groups) names.push_back(group);
  throw core::Error("E191", fmt::format("{} has no group '{}'", arguments.text("FILE"), name),
                    core::suggest(name, names));
}

void show_config(Session& session, const core::Dataset& data, const std::string& path) {
  const std::string config = stored_config(data);
  if (config.empty())
    throw core::Error("E191", fmt::format("{} holds no configuration", path),
                      "--group NAME chooses a group that may have one");
  session.out << config;
}

}  // namespace

int run_show(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string path = arguments.text("FILE");
  if (arguments.has("model")) return show_model(session);
  for (const char* option : {"input", "classes", "tokens", "vocabulary", "set"})
    if (arguments.has(option)) throw core::Error("E100", fmt::format("--{} belongs to --model", option), "add --model");
  if (path.ends_with(".toml"))
    throw core::Error("E100", fmt::format("eos show tells what a file written by eos holds, but {} is TOML", path),
                      "--model shows the network of a training file; 'eos check' checks a file");
  const core::Dataset file = read_table(arguments, path);
  const core::Dataset& data = chosen_group(file, arguments);
  if (arguments.has("plot")) {
    io::write_png(arguments.text("plot"), figure_of(data, path));
    session.note("drawn in " + arguments.text("plot"));
    if (!arguments.has("config") && !arguments.has("data")) return k_done;
  }
  if (arguments.has("config"))
    show_config(session, data, path);
  else if (arguments.has("data"))
    session.out << (session.format == Format::json ? io::to_json(data) : io::to_csv(data));
  else
    session.print(is_sweep(data) ? table_of_sweep(data) : description(data));
  return k_done;
}

}  // namespace eos::cli
