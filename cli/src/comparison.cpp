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
    if (std::any_of(runs.begin(), runs.end(), [&](const RunSummary& run) { return theory::terms(run.energy(prices))[k].second > 0; }))
      used.push_back(k);
  return used;
}

std::string shown_accuracy(const RunSummary& run) {
  return run.seeds > 1 ? fmt::format("{:.2f} ± {:.2f} %", 100 * run.accuracy, 100 * run.accuracy_error) : fmt::format("{:.2f} %", 100 * run.accuracy);
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
                                 {"", "test accuracy", Style::shown},
                                 {"samples_seen", "seen", Style::count},
                                 {"samples_backward", "back-prop.", Style::count},
                                 {"steps", "updates", Style::count},
                                 {"writes", "writes", Style::count},
                                 {"path_length", "path", Style::count},
                                 {"effective_epochs", "", Style::number},
                                 {"cost_ratio", "", Style::number}};
  for (const std::size_t k : terms) columns.push_back({"energy_" + names[k].first, names[k].first, Style::energy});
  columns.insert(columns.end(), {{"energy", "total", Style::energy}, {"saving", "", Style::factor}, {"saving_bound", ""}, {"", "saving", Style::shown}});
  Table& table = document.table("runs", fmt::format("At what price: {} ({})", prices.name, prices.title), columns);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const RunSummary& run = runs[i];
    const theory::Energy energy = run.energy(prices);
    const Saving saving = is_baseline[i] ? Saving{1, Bound::exact} : baseline.saving(run.accuracy, energy.total());
    const auto mean = [&run](auto sum) { return run.per_seed(static_cast<double>(sum)); };
    std::vector<Cell> row = {run.label, std::int64_t{run.seeds}, run.accuracy, run.accuracy_error, shown_accuracy(run), mean(run.total.samples_seen),
                             mean(run.total.samples_backward), mean(run.total.steps), mean(run.total.writes), mean(run.total.path_length), run.effective_epochs, run.cost_ratio};
    for (const std::size_t k : terms) row.push_back(theory::terms(energy)[k].second);
    row.insert(row.end(), {energy.total(), number_of(saving), sign(saving), is_baseline[i] ? std::string("baseline") : shown(saving)});
    table.add(std::move(row));
  }
  document.set("prices", prices.name);
}

void add_work_table(Document& document, const std::vector<RunSummary>& runs) {
  Table& table = document.table("work", "Work",
                                {{"run", "run"},
                                 {"effective_epochs", "effective epochs", Style::number},
                                 {"cost_ratio", "MACs / dense of same horizon", Style::number},
                                 {"validation_loss", "validation loss", Style::number},
                                 {"accumulator_updates", "accumulator updates", Style::count},
                                 {"maintenance", "maintenance Σ|s|", Style::number}});
  for (const RunSummary& run : runs)
    table.add({run.label, run.effective_epochs, run.cost_ratio, run.validation_loss.back(),
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
  Table& table = document.table("savings", "Saving at equal accuracy under other prices (the same runs, priced again)", columns);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (is_baseline[i]) continue;
    std::vector<Cell> row = {runs[i].label};
    for (const theory::PriceList& prices : lists) {
      const Saving saving = baseline_of(chosen(runs, is_baseline), prices).saving(runs[i].accuracy, runs[i].energy(prices).total());
      row.insert(row.end(), {number_of(saving), sign(saving), shown(saving)});
    }
    table.add(std::move(row));
  }
}

Prediction prediction_of(const core::Dataset& plan, const std::string& path, const std::vector<RunSummary>& runs) {
  const theory::Schedule schedule = io::schedule_from(plan);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const theory::Schedule& followed = runs[i].spec.schedule;
    if (followed.data_fraction != schedule.data_fraction || followed.weight_fraction != schedule.weight_fraction) continue;
    Prediction p{i, plan.number("terminal_loss") + plan.number("loss_offset"), plan.number("energy_total"), runs[i].spec.prices};
    const std::string name = plan.text("prices", p.prices.name);
    if (name != p.prices.name) p.prices = io::read_prices(name);
    return p;
  }
  throw core::Error("E107", fmt::format("no run among the files followed the plan {}", path), "give the run whose training file names this plan");
}

void add_predictions(Document& document, const std::vector<Prediction>& predictions, const std::vector<RunSummary>& runs) {
  Table& table = document.table("predictions", "Predicted before the run, measured after it",
                                {{"run", "run"},
                                 {"predicted_loss", "predicted loss", Style::number},
                                 {"measured_loss", "measured loss", Style::number},
                                 {"loss_error", "error", Style::percent},
                                 {"predicted_energy", "predicted energy", Style::energy},
                                 {"measured_energy", "measured energy", Style::energy},
                                 {"energy_error", "error", Style::percent}});
  for (const Prediction& p : predictions) {
    const RunSummary& run = runs[p.run];
    const double loss = run.validation_loss.back(), energy = run.energy(p.prices).total();
    table.add({run.label, p.loss, loss, (p.loss - loss) / loss, p.energy, energy, (p.energy - energy) / energy});
  }
}

}  // namespace eos::cli
