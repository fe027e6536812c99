#include "analysis.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/io/toml.hpp"
#include "files.hpp"
#include "sweep_table.hpp"

namespace eos::cli {

namespace {

/// Columns of a run, [replica][row] whatever the number of seeds.
class SeedColumns {
 public:
  explicit SeedColumns(const core::Dataset& run) : run_(run) {
    const auto length = [&](const char* name) {
      const auto found = run.dims.find(name);
      return found == run.dims.end() ? std::int64_t{1} : found->second;
    };
    seeds = static_cast<std::size_t>(length("replica"));
    rows = static_cast<std::size_t>(length("epoch"));
  }
  double at(const std::string& name, std::size_t seed, std::size_t row) { return column(name)[seed * rows + row]; }
  double mean(const std::string& name, std::size_t row) {
    double sum = 0;
    for (std::size_t seed = 0; seed < seeds; ++seed) sum += at(name, seed, row);
    return sum / static_cast<double>(seeds);
  }
  /// The last row that this seed has: a seed that diverged has fewer, padded with -1.
  std::size_t last(std::size_t seed) {
    std::size_t row = rows;
    while (row > 1 && at("samples_offered", seed, row - 1) < 0) --row;
    return row - 1;
  }
  std::vector<double> means(const std::string& name) {
    std::vector<double> result(rows);
    for (std::size_t row = 0; row < rows; ++row) result[row] = mean(name, row);
    return result;
  }
  theory::Ledger ledger(std::size_t seed, std::size_t row) {
    const auto count = [&](const char* name) { return static_cast<std::int64_t>(at(name, seed, row)); };
    theory::Ledger l;
    l.samples_offered = count("samples_offered");
    l.samples_seen = count("samples_seen");
    l.samples_backward = count("samples_backward");
    l.steps = count("steps");
    l.forward_macs = count("forward_macs");
    l.scoring_macs = count("scoring_macs");
    l.backward_macs = count("backward_macs");
    l.writes = count("writes");
    l.path_length = at("path_length", seed, row);
    l.path_squared = at("path_squared", seed, row);
    l.transient_path = run_.has("transient_path") ? at("transient_path", seed, row) : 0.0;  // absent in older files
    l.accumulator_updates = count("accumulator_updates");
    l.maintenance = at("maintenance", seed, row);
    l.weight_reads = count("weight_reads");
    l.input_bytes = count("input_bytes");
    return l;
  }
  double scalar_mean(const std::string& name) const {
    const std::vector<double> values = run_.numbers(name);
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  }
  std::size_t seeds = 1, rows = 1;

 private:
  const std::vector<double>& column(const std::string& name) {
    const auto [entry, added] = cache_.try_emplace(name);
    if (added) {
      entry->second = run_.numbers(name);
      if (entry->second.size() != seeds * rows)
        throw core::Error("E191", fmt::format("variable '{}' has {} values, a run of {} seeds and {} rows needs {}",
                                              name, entry->second.size(), seeds, rows, seeds * rows));
    }
    return entry->second;
  }
  const core::Dataset& run_;
  std::map<std::string, std::vector<double>> cache_;
};

theory::Energy scaled(theory::Energy e, double factor) {
  for (double* term : {&e.forward, &e.scoring, &e.backward, &e.write, &e.path, &e.transient, &e.accumulator,
                       &e.maintenance, &e.read, &e.input, &e.upkeep})
    *term *= factor;
  return e;
}

}  // namespace

bool RunSummary::dense() const { return spec.selection.method == "all" && spec.plasticity.method == "all"; }

theory::Energy RunSummary::energy(const theory::PriceList& prices) const {
  return scaled(theory::energy(total, prices), 1.0 / seeds);
}

std::vector<double> RunSummary::energy_curve(const theory::PriceList& prices) const {
  std::vector<double> curve;
  for (const theory::Ledger& ledger : ledgers) curve.push_back(theory::energy(ledger, prices).total() / seeds);
  return curve;
}

bool is_run(const core::Dataset& data) {
  return data.has("test_accuracy") && data.dims.count("epoch") != 0 && data.has("samples_backward") && !is_sweep(data);
}

std::string label_of(const theory::TrainingSpec& spec) {
  const std::string& s = spec.selection.method;
  const std::string& p = spec.plasticity.method;
  std::string method = s == "all" && p == "all" ? "dense" : s == "all" ? p : p == "all" ? s : s + " + " + p;
  return fmt::format("{}, {:g} epochs", method, spec.epochs);
}

RunSummary summarise(const core::Dataset& run, const std::string& label) {
  const std::string config = stored_config(run);
  if (config.empty())
    throw core::Error("E210", fmt::format("{} holds no configuration", label), "was it written by 'eos train'?");
  return summarise(run, io::parse_training(config, label), label);
}

RunSummary summarise(const core::Dataset& run, theory::TrainingSpec spec, const std::string& label) {
  RunSummary summary;
  summary.spec = std::move(spec);
  summary.label = label.empty() ? label_of(summary.spec) : label;
  SeedColumns columns(run);
  summary.seeds = static_cast<int>(columns.seeds);
  for (const std::string& status : run.strings("run_status"))
    if (summary.status.empty() || status != "complete") summary.status = status;
  std::vector<double> accuracies;
  for (std::size_t seed = 0; seed < columns.seeds; ++seed)
    accuracies.push_back(columns.at("test_accuracy", seed, columns.last(seed)));
  summary.accuracy = std::accumulate(accuracies.begin(), accuracies.end(), 0.0) / summary.seeds;
  double squares = 0;
  for (const double a : accuracies) squares += (a - summary.accuracy) * (a - summary.accuracy);
  summary.accuracy_error = summary.seeds > 1 ? std::sqrt(squares / (summary.seeds - 1) / summary.seeds) : std::nan("");
  summary.epoch = run.has("epoch") ? run.numbers("epoch") : std::vector<double>(columns.rows);
  summary.train_loss = columns.means("train_loss");
  summary.validation_loss = columns.means("validation_loss");
  summary.data_fraction = columns.means("data_fraction");
  summary.weight_fraction = columns.means("weight_fraction");
  summary.learning_rate = columns.means("learning_rate");
  for (std::size_t row = 0; row < columns.rows; ++row) {
    theory::Ledger sum;
    for (std::size_t seed = 0; seed < columns.seeds; ++seed)
      sum += columns.ledger(seed, std::min(row, columns.last(seed)));
    summary.ledgers.push_back(sum);
  }
  summary.total = summary.ledgers.back();
  summary.effective_epochs = columns.scalar_mean("effective_epochs");
  summary.cost_ratio = columns.scalar_mean("cost_ratio");
  summary.measured = measured_energy(run);
  return summary;
}

std::vector<RunSummary> runs_of(const core::Dataset& file, const std::string& path) {
  std::vector<RunSummary> runs;
  if (is_sweep(file)) runs = runs_of_sweep(file, path);
  if (is_run(file)) runs.push_back(summarise(file, std::filesystem::path(path).stem().string()));
  for (const auto& [name, group] : file.groups)
    if (is_run(group)) runs.push_back(summarise(group, group.text("title", name)));
  if (runs.empty())
    throw core::Error("E210", fmt::format("{} holds no run", path), "'eos show " + path + "' tells what it holds");
  return runs;
}

double number_of(const Saving& saving) { return saving.bound == Bound::none ? std::nan("") : saving.factor; }

std::string shown(const Saving& saving) {
  switch (saving.bound) {
    case Bound::exact:
      return fmt::format("{:.2f} ×", saving.factor);
    case Bound::at_least:
      return fmt::format("≥ {:.2f} ×", saving.factor);
    case Bound::at_most:
      return fmt::format("≤ {:.2f} ×", saving.factor);
    case Bound::none:
      break;
  }
  return "–";
}

std::string sign(const Saving& saving) {
  switch (saving.bound) {
    case Bound::exact:
      return "=";
    case Bound::at_least:
      return ">=";
    case Bound::at_most:
      return "<=";
    case Bound::none:
      break;
  }
  return "";
}

BaselineCurve::BaselineCurve(std::vector<Point> points) {
  std::sort(points.begin(), points.end(), [](const Point& a, const Point& b) { return a.energy < b.energy; });
  for (const Point& point : points)
    if (point.energy > 0 && (points_.empty() || point.accuracy > points_.back().accuracy)) points_.push_back(point);
}

double BaselineCurve::energy_at(double accuracy) const {
  if (points_.empty() || accuracy < points_.front().accuracy || accuracy > points_.back().accuracy) return std::nan("");
  const auto right = std::lower_bound(points_.begin(), points_.end(), accuracy,
                                      [](const Point& p, double a) { return p.accuracy < a; });
  if (right == points_.begin()) return right->energy;
  const Point &a = *std::prev(right), &b = *right;
  const double share = (accuracy - a.accuracy) / (b.accuracy - a.accuracy);
  return std::exp((1 - share) * std::log(a.energy) + share * std::log(b.energy));
}

Saving BaselineCurve::saving(double accuracy, double energy) const {
  if (points_.empty() || !(energy > 0) || std::isnan(accuracy)) return {};
  if (accuracy > points_.back().accuracy) return {points_.back().energy / energy, Bound::at_least};
  if (accuracy < points_.front().accuracy) return {points_.front().energy / energy, Bound::at_most};
  return {energy_at(accuracy) / energy, Bound::exact};
}

BaselineCurve baseline_of(const std::vector<RunSummary>& runs, const theory::PriceList& prices) {
  std::vector<BaselineCurve::Point> points;
  for (const RunSummary& run : runs) points.push_back({run.accuracy, run.energy(prices).total()});
  return BaselineCurve(std::move(points));
}

}  // namespace eos::cli
