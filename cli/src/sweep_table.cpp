#include "sweep_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <sstream>

#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/io/run_stack.hpp"
#include "files.hpp"
#include "sweep_runs.hpp"

namespace eos::cli {

namespace {

/// What a reader wants to know of a run, where the sweep has it: along `epoch` the last row counts.
struct Headline {
  const char* name;
  const char* title;
  Style style;
};
constexpr Headline k_headlines[] = {{"test_accuracy", "accuracy", Style::points},
                                    {"validation_loss", "validation loss", Style::number},
                                    {"energy", "energy", Style::energy},
                                    {"effective_epochs", "effective epochs", Style::number},
                                    {"cost_ratio", "MACs / dense", Style::number},
                                    {"objective", "objective", Style::precise},
                                    {"terminal_loss", "final excess loss", Style::precise},
                                    {"energy_total", "energy", Style::energy},
                                    {"horizon", "horizon", Style::precise}};

std::vector<std::string> words(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> all;
  for (std::string word; in >> word;) all.push_back(word);
  return all;
}

std::size_t runs_in(const core::Dataset& sweep) { return static_cast<std::size_t>(sweep.dims.at("run")); }

/// Variables over `run` that state the value of an axis.
std::vector<const core::Variable*> axes_of(const core::Dataset& sweep) {
  std::vector<const core::Variable*> axes;
  for (const std::string& name : words(sweep.text("sweep_axes")))
    if (const core::Variable* v = sweep.find(name); v != nullptr && v->dims.size() == 1) axes.push_back(v);
  return axes;
}

Cell value_at(const core::Variable& v, std::size_t row) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&v.values)) return texts->at(row);
  return std::visit(
      [row](const auto& values) -> Cell {
        using T = typename std::decay_t<decltype(values)>::value_type;
        if constexpr (std::is_same_v<T, std::string>)
          return {};
        else if constexpr (std::is_floating_point_v<T>)
          return static_cast<double>(values.at(row));
        else
          return static_cast<std::int64_t>(values.at(row));
      },
      v.values);
}

bool is_missing(const Cell& cell) {
  if (const auto* number = std::get_if<double>(&cell)) return std::isnan(*number);
  const auto* text = std::get_if<std::string>(&cell);
  return text != nullptr && text->empty();
}

std::string shown(const Cell& cell) {
  if (const auto* text = std::get_if<std::string>(&cell)) return *text;
  if (const auto* number = std::get_if<double>(&cell)) return fmt::format("{:g}", *number);
  return fmt::format("{}", std::get<std::int64_t>(cell));
}

/// Final values of a variable over (run) or (run, dim), per run; empty when it is something else.
std::vector<double> finals(const core::Dataset& sweep, const core::Variable& v) {
  if (v.dims.empty() || v.dims.front() != "run" || v.dims.size() > 2 ||
      std::holds_alternative<std::vector<std::string>>(v.values))
    return {};
  const std::vector<double> all = sweep.numbers(v.name);
  if (v.dims.size() == 1) return all;
  const auto length = static_cast<std::size_t>(sweep.dims.at(v.dims[1]));
  const std::vector<double> counts = sweep.has(v.dims[1] + "_count")
                                         ? sweep.numbers(v.dims[1] + "_count")
                                         : std::vector<double>(runs_in(sweep), static_cast<double>(length));
  std::vector<double> last;
  for (std::size_t run = 0; run < counts.size(); ++run)
    last.push_back(counts[run] < 1 ? std::nan("") : all[run * length + static_cast<std::size_t>(counts[run]) - 1]);
  return last;
}

struct Mean {
  double mean = 0, error = std::nan("");
};
Mean mean_of(const std::vector<double>& values, const std::vector<std::size_t>& rows) {
  Mean m;
  const auto n = static_cast<double>(rows.size());
  for (const std::size_t row : rows) m.mean += values[row] / n;
  double squares = 0;
  for (const std::size_t row : rows) squares += (values[row] - m.mean) * (values[row] - m.mean);
  if (rows.size() > 1) m.error = std::sqrt(squares / (n - 1) / n);
  return m;
}

void add_axes(Document& document, const core::Dataset& sweep) {
  const std::vector<const core::Variable*> axes = axes_of(sweep);
  if (axes.empty()) return;
  Table& table = document.table(
      "axes", "Axes", {{"name", "axis"}, {"values", "values", Style::count}, {"range", "range"}, {"long_name", "of"}});
  for (const core::Variable* v : axes) {
    std::vector<Cell> seen;
    for (std::size_t row = 0; row < runs_in(sweep); ++row)
      if (const Cell cell = value_at(*v, row);
          !is_missing(cell) && std::find(seen.begin(), seen.end(), cell) == seen.end())
        seen.push_back(cell);
    std::string range;
    if (!seen.empty() && std::holds_alternative<std::string>(seen.front())) {
      for (const Cell& cell : seen) range += (range.empty() ? "" : ", ") + shown(cell);
    } else if (!seen.empty()) {
      const auto [low, high] = std::minmax_element(seen.begin(), seen.end());
      range = *low == *high ? shown(*low) : shown(*low) + " … " + shown(*high);
    }
    table.add({v->name, static_cast<std::int64_t>(seen.size()), range, v->long_name});
  }
}

void add_statuses(Document& document, const core::Dataset& sweep) {
  const char* name = sweep.has("run_status") ? "run_status" : "solve_status";
  if (!sweep.has(name)) return;
  std::map<std::string, std::int64_t> count;
  for (const std::string& status : sweep.strings(name)) ++count[status];
  Table& table = document.table("statuses", "How runs ended", {{"status", "status"}, {"runs", "runs", Style::count}});
  for (const auto& [status, runs] : count) table.add({status, runs});
}

void add_points(Document& document, const core::Dataset& sweep) {
  constexpr std::size_t k_rows_in_text = 40;
  const std::vector<const core::Variable*> axes = axes_of(sweep);
  std::vector<Column> columns{{"design_index", "point"}};
  for (const core::Variable* v : axes)
    columns.push_back(
        {v->name, v->name, std::holds_alternative<std::vector<std::string>>(v->values) ? Style::text : Style::number});
  columns.push_back({"seeds", "seeds", Style::count});
  std::vector<std::vector<double>> values;
  for (const Headline& h : k_headlines) {
    const core::Variable* v = sweep.find(h.name);
    std::vector<double> last = v == nullptr ? std::vector<double>() : finals(sweep, *v);
    if (last.empty()) continue;
    values.push_back(std::move(last));
    columns.push_back({h.name, h.title, h.style});
    columns.push_back({std::string(h.name) + "_stderr", "±", h.style});
  }
  const std::vector<DesignPoint> points = design_points(sweep);
  Table& table = document.table("points", "Design points: mean and standard error over seeds", std::move(columns));
  table.text_rows = k_rows_in_text;
  for (const DesignPoint& point : points) {
    std::vector<Cell> row{point.index};
    for (const core::Variable* v : axes) row.push_back(value_at(*v, point.rows.front()));
    row.emplace_back(static_cast<std::int64_t>(point.rows.size()));
    for (const std::vector<double>& last : values) {
      const Mean m = mean_of(last, point.rows);
      row.emplace_back(m.mean);
      row.push_back(std::isnan(m.error) ? Cell{} : Cell(m.error));
    }
    table.add(std::move(row));
  }
}

/// Joules of several runs, which are stored run by run; nothing unless every one was measured.
std::optional<sim::MeasuredEnergy> measured_of(const core::Dataset& sweep, const std::vector<std::size_t>& rows) {
  const auto provenance = sweep.groups.find("provenance");
  if (provenance == sweep.groups.end() || !provenance->second.has("energy_measured")) return std::nullopt;
  std::optional<sim::MeasuredEnergy> sum;
  for (const std::size_t row : rows) {
    const std::optional<sim::MeasuredEnergy> one = measured_energy(io::runs_of_cell(sweep, {row}));
    if (!one) return std::nullopt;
    if (sum)
      sum->reading += one->reading, sum->coverage = std::min(sum->coverage, one->coverage);
    else
      sum = one;
  }
  if (sum) sum->replica_joules = {sum->reading.joules()};
  return sum;
}

/// The configurations of a sweep's runs, from the sweep file that is stored with it.
class Configurations {
 public:
  Configurations(const core::Dataset& sweep, const std::string& path) : sweep_(sweep), path_(path) {}

  theory::TrainingSpec of(std::size_t row, const core::Dataset& run) {
    const std::string own = stored_config(run);
    if (!own.empty() && own != stored_config(sweep_)) return io::parse_training(own, path_);
    if (!runs_) read(run);
    const auto point = static_cast<std::int64_t>(sweep_.numbers("design_index").at(row));
    if (point < 0 || point >= static_cast<std::int64_t>(runs_->points().size()))
      throw core::Error("E191", fmt::format("{} has no design point {}", path_, point));
    return runs_->spec(point, static_cast<std::uint64_t>(run.number("seed")));
  }

 private:
  /// `run`: any of them. Folders of one sweep may have been made at different places.
  void read(const core::Dataset& run) {
    const std::string text = stored_config(run);
    if (text.empty()) throw core::Error("E210", fmt::format("{} holds no configuration", path_));
    const core::Dataset& provenance = run.groups.at("provenance");
    io::Overrides overrides;
    std::istringstream lines(provenance.text("sweep_overrides"));
    for (std::string line; std::getline(lines, line);) overrides.set.push_back(line);
    runs_.emplace(io::parse_sweep(text, provenance.text("sweep_origin", path_), overrides));
    if (const std::string made_for = sweep_.text("sweep_sha256"); !made_for.empty() && made_for != runs_->hash())
      throw core::Error("E504",
                        fmt::format("{} was made with another content of the file {}", path_, runs_->file().base_name),
                        "undo the change of that file: the configuration of the runs is in it");
  }
  const core::Dataset& sweep_;
  std::string path_;
  std::optional<SweepRuns> runs_;
};

}  // namespace

bool is_sweep(const core::Dataset& data) { return data.dims.count("run") != 0 && data.text("kind") == "sweep"; }

std::vector<DesignPoint> design_points(const core::Dataset& sweep) {
  const std::size_t runs = runs_in(sweep);
  std::vector<double> index(runs);
  std::iota(index.begin(), index.end(), 0.0);
  if (sweep.has("design_index")) index = sweep.numbers("design_index");
  const std::vector<const core::Variable*> axes = axes_of(sweep);
  std::vector<DesignPoint> points;
  std::map<double, std::size_t> known;
  for (std::size_t row = 0; row < runs; ++row) {
    const auto [entry, added] = known.try_emplace(index[row], points.size());
    if (added) {
      DesignPoint point{static_cast<std::int64_t>(index[row]), {}, {}};
      for (const core::Variable* v : axes)
        if (const Cell cell = value_at(*v, row); !is_missing(cell))
          point.label += fmt::format("{}{} = {}", point.label.empty() ? "" : ", ", v->name, shown(cell));
      if (point.label.empty()) point.label = fmt::format("point {}", point.index);
      points.push_back(std::move(point));
    }
    points[entry->second].rows.push_back(row);
  }
  return points;
}

Document table_of_sweep(const core::Dataset& sweep) {
  Document document("eos.sweep/1");
  for (const char* name : {"title", "status", "source", "history", "content_sha256"})
    if (const std::string text = sweep.text(name); !text.empty()) document.set(name, text, name);
  const auto runs = static_cast<std::int64_t>(runs_in(sweep));
  document.set("runs", runs, "runs", Style::exact);
  const auto planned = sweep.attributes.find("planned_runs");
  if (planned != sweep.attributes.end() && std::holds_alternative<std::int64_t>(planned->second)) {
    const std::int64_t missing = std::get<std::int64_t>(planned->second) - runs;
    document.set("missing", missing, missing > 0 ? "missing runs" : "", Style::exact);
  }
  document.set("design_points", static_cast<std::int64_t>(design_points(sweep).size()), "design points", Style::exact);
  add_axes(document, sweep);
  add_statuses(document, sweep);
  add_points(document, sweep);
  return document;
}

std::vector<RunSummary> runs_of_sweep(const core::Dataset& sweep, const std::string& path) {
  Configurations configurations(sweep, path);
  std::vector<RunSummary> runs;
  for (const DesignPoint& point : design_points(sweep)) {
    const core::Dataset first = io::runs_of_cell(sweep, {point.rows.front()});
    if (!is_run(first))
      throw core::Error("E210", fmt::format("{} holds no training runs", path),
                        "'eos show " + path + "' tells what it holds");
    const core::Dataset cell = point.rows.size() > 1 ? io::runs_of_cell(sweep, point.rows) : first;
    runs.push_back(summarise(cell, configurations.of(point.rows.front(), first), point.label));
    if (point.rows.size() > 1) runs.back().measured = measured_of(sweep, point.rows);
  }
  return runs;
}

core::Dataset run_of_sweep(const core::Dataset& sweep, std::int64_t run, const std::string& path) {
  if (run < 0 || run >= sweep.dims.at("run"))
    throw core::Error("E191", fmt::format("{} has no run {}", path, run),
                      fmt::format("its runs are 0 to {}", sweep.dims.at("run") - 1));
  const auto row = static_cast<std::size_t>(run);
  core::Dataset table = io::runs_of_cell(sweep, {row});
  if (!is_run(table)) return table;
  const std::string config = io::to_toml(Configurations(sweep, path).of(row, table));
  table.groups["provenance"].attributes["effective_toml"] = config;
  return table;
}

}  // namespace eos::cli
