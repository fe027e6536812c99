#include "comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/toml.hpp"

namespace eos::cli {

namespace {

std::vector<RunSummary> chosen(const std::vector<RunSummary>& runs, const std::vector<bool>& wanted) {
  std::vector<RunSummary> result;
  for (std::size_t i = 0; i < runs.size(); ++i)
    if (wanted[i]) result.push_back(runs[i]);
  return result;
}

/// Indices into theory::terms() of the terms that some run spends energy on.
std::vector<std::size_t> terms_spent(const std::vector<RunSummary>& runs, const theory::PriceList& prices) {
  std::vector<std::size_t> used;
  const std::size_t count = theory::terms(theory::Energy{}).size();
  for (std::size_t k = 0; k < count; ++k)
    if (std::any_of(runs.begin(), runs.end(),
                    [&](const RunSummary& run) { return theory::terms(run.energy(prices))[k].second > 0; }))
      used.push_back(k);
  return used;
}

std::string shown_accuracy(const RunSummary& run) {
  return run.seeds > 1 ? fmt::format("{:.2f} ± {:.2f} %", 100 * run.accuracy, 100 * run.accuracy_error)
                       : fmt::format("{:.2f} %", 100 * run.accuracy);
}

}  // namespace

void add_cost_table(Document& document, const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                    const theory::PriceList& prices) {
  const BaselineCurve baseline = baseline_of(chosen(runs, is_baseline), prices);
  const std::vector<std::size_t> terms = terms_spent(runs, prices);
  const auto names = theory::terms(theory::Energy{});
  std::vector<Column> columns = {{"run", "run"},
                                 {"seeds", "", Style::count},
                                 {"test_accuracy", "", Style::points},
                                 {"test_accuracy_stderr", "", Style::points},
                                 {"", "accuracy", Style::shown},
                                 {"samples_seen", "seen", Style::count},
                                 {"samples_backward", "learned", Style::count},
                                 {"steps", "", Style::count},
                                 {"writes", "writes", Style::count},
                                 {"path_length", "", Style::count},
                                 {"effective_epochs", "", Style::number},
                                 {"cost_ratio", "", Style::number}};
  for (const std::size_t k : terms)
    columns.push_back(
        {"energy_" + names[k].first, names[k].first == "accumulator" ? "accum." : names[k].first, Style::energy});
  columns.insert(columns.end(), {{"energy", "total", Style::energy},
                                 {"saving", "", Style::factor},
                                 {"saving_bound", ""},
                                 {"", "saving", Style::shown}});
  Table& table = document.table("runs", fmt::format("Prices {}: {}", prices.name, prices.title), columns);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunSummary& run = runs[i];
    const theory::Energy energy = run.energy(prices);
    const Saving saving = is_baseline[i] ? Saving{1, Bound::exact} : baseline.saving(run.accuracy, energy.total());
    const auto mean = [&run](auto sum) { return run.per_seed(static_cast<double>(sum)); };
    std::vector<Cell> row = {run.label,
                             std::int64_t{run.seeds},
                             run.accuracy,
                             run.accuracy_error,
                             shown_accuracy(run),
                             mean(run.total.samples_seen),
                             mean(run.total.samples_backward),
                             mean(run.total.steps),
                             mean(run.total.writes),
                             mean(run.total.path_length),
                             run.effective_epochs,
                             run.cost_ratio};
    for (const std::size_t k : terms) row.emplace_back(theory::terms(energy)[k].second);
    row.insert(row.end(), {energy.total(), number_of(saving), sign(saving),
                           is_baseline[i] ? std::string("baseline") : shown(saving)});
    table.add(std::move(row));
  }
  document.set("prices", prices.name);
}

void add_work_table(Document& document, const std::vector<RunSummary>& runs) {
  Table& table = document.table("work", "Work (MACs include scoring; dense is of the same horizon)",
                                {{"run", "run"},
                                 {"effective_epochs", "effective epochs", Style::number},
                                 {"cost_ratio", "MACs / dense", Style::number},
                                 {"validation_loss", "validation loss", Style::number},
                                 {"steps", "updates", Style::count},
                                 {"path_length", "path length", Style::count},
                                 {"accumulator_updates", "accumulations", Style::count},
                                 {"maintenance", "Σ|s| held", Style::count}});
  for (const RunSummary& run : runs)
    table.add({run.label, run.effective_epochs, run.cost_ratio, run.validation_loss.back(),
               run.per_seed(static_cast<double>(run.total.steps)), run.per_seed(run.total.path_length),
               run.per_seed(static_cast<double>(run.total.accumulator_updates)), run.per_seed(run.total.maintenance)});
}

void add_savings_table(Document& document, const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                       const std::vector<theory::PriceList>& lists) {
  std::vector<Column> columns = {{"run", "run"}};
  for (const theory::PriceList& prices : lists) {
    columns.push_back({prices.name, "", Style::factor});
    columns.push_back({prices.name + "_bound", ""});
    columns.push_back({"", prices.name, Style::shown});
  }
  Table& table =
      document.table("savings", "Saving at equal accuracy under other prices (the same runs, priced again)", columns);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (is_baseline[i]) continue;
    std::vector<Cell> row = {runs[i].label};
    for (const theory::PriceList& prices : lists) {
      const Saving saving =
          baseline_of(chosen(runs, is_baseline), prices).saving(runs[i].accuracy, runs[i].energy(prices).total());
      row.insert(row.end(), {number_of(saving), sign(saving), shown(saving)});
    }
    table.add(std::move(row));
  }
}

Prediction make_prediction(const theory::Trajectory& trajectory, double loss_offset, std::size_t run, double epochs,
                           const theory::PriceList& prices) {
  Prediction p;
  p.run = run, p.prices = prices;
  p.energy = trajectory.energy.back();
  const double horizon = trajectory.time.back();
  for (std::size_t i = 0; i < trajectory.time.size(); ++i) {
    p.epoch.push_back(trajectory.time[i] * epochs / horizon);
    p.loss_curve.push_back(trajectory.loss[i] + loss_offset);
  }
  p.loss = p.loss_curve.back();
  return p;
}

Prediction prediction_of(const core::Dataset& plan, const std::string& path, const std::vector<RunSummary>& runs) {
  const theory::Schedule schedule = io::schedule_from(plan);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const theory::Schedule& followed = runs[i].spec.schedule;
    if (followed.data_fraction != schedule.data_fraction || followed.weight_fraction != schedule.weight_fraction)
      continue;
    const std::string name = plan.text("prices", runs[i].spec.prices.name);
    const theory::PriceList prices = name == runs[i].spec.prices.name ? runs[i].spec.prices : io::read_prices(name);
    return make_prediction(io::plan_from(plan).trajectory, plan.number("loss_offset"), i, runs[i].spec.epochs, prices);
  }
  throw core::Error("E107", fmt::format("no run among the files followed the plan {}", path),
                    "give the run whose training file names this plan");
}

double error_along_the_way(const Prediction& prediction, const RunSummary& run) {
  std::vector<double> errors;
  for (std::size_t i = 0; i < run.epoch.size(); ++i) {
    const auto right = std::lower_bound(prediction.epoch.begin(), prediction.epoch.end(), run.epoch[i]);
    if (right == prediction.epoch.begin() || right == prediction.epoch.end()) continue;
    const auto k = static_cast<std::size_t>(right - prediction.epoch.begin());
    const double share = (run.epoch[i] - prediction.epoch[k - 1]) / (prediction.epoch[k] - prediction.epoch[k - 1]);
    const double loss = (1 - share) * prediction.loss_curve[k - 1] + share * prediction.loss_curve[k];
    errors.push_back(std::abs(loss - run.validation_loss[i]) / run.validation_loss[i]);
  }
  if (errors.empty()) return std::nan("");
  const auto middle = errors.begin() + static_cast<std::ptrdiff_t>(errors.size() / 2);
  std::nth_element(errors.begin(), middle, errors.end());
  return *middle;
}

void add_predictions(Document& document, const std::vector<Prediction>& predictions,
                     const std::vector<RunSummary>& runs) {
  Table& table = document.table("predictions", "Foretold by the fitted model, measured by training",
                                {{"run", "run"},
                                 {"predicted_loss", "final loss foretold", Style::number},
                                 {"measured_loss", "measured", Style::number},
                                 {"loss_error", "error", Style::percent},
                                 {"median_loss_error", "median along the way", Style::percent},
                                 {"predicted_energy", "energy foretold", Style::energy},
                                 {"measured_energy", "measured", Style::energy},
                                 {"energy_error", "error", Style::percent}});
  for (const Prediction& p : predictions) {
    const RunSummary& run = runs[p.run];
    const double loss = run.validation_loss.back(), energy = run.energy(p.prices).total();
    table.add({run.label, p.loss, loss, (p.loss - loss) / loss, error_along_the_way(p, run), p.energy, energy,
               (p.energy - energy) / energy});
  }
}

}  // namespace eos::cli
