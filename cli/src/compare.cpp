// eos compare: runs at equal accuracy, priced with any list, with the prediction beside the measurement.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>

#include "analysis.hpp"
#include "commands.hpp"
#include "comparison.hpp"
#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "figures.hpp"

namespace eos::cli {

namespace {

std::vector<theory::PriceList> price_lists(const Arguments& arguments, const RunSummary& first) {
  if (!arguments.has("prices")) return {first.spec.prices};
  std::vector<theory::PriceList> lists;
  std::istringstream names(arguments.text("prices"));
  for (std::string name; std::getline(names, name, ',');) {
    if (name == "all")
      for (const std::string& each : theory::builtin_price_names()) lists.push_back(theory::builtin_prices(each));
    else if (!name.empty())
      lists.push_back(io::read_prices(name));
  }
  return lists;
}

std::vector<RunSummary> read_runs(const std::vector<std::string>& paths) {
  std::vector<RunSummary> runs;
  for (const std::string& path : paths)
    for (RunSummary& run : runs_of(io::read_hdf5(path), path)) runs.push_back(std::move(run));
  return runs;
}

}  // namespace

int run_compare(Session& session) {
  const Arguments& arguments = session.arguments;
  std::vector<RunSummary> runs = read_runs(arguments.list("FILE.h5"));
  std::vector<bool> is_baseline;
  const bool named = arguments.has("baseline");
  for (const RunSummary& run : runs) is_baseline.push_back(!named && run.dense());
  if (named)
    for (RunSummary& run : read_runs(arguments.list("baseline"))) {
      const auto same =
          std::find_if(runs.begin(), runs.end(), [&run](const RunSummary& other) { return other.label == run.label; });
      if (same != runs.end())
        is_baseline[static_cast<std::size_t>(same - runs.begin())] = true;
      else
        runs.push_back(std::move(run)), is_baseline.push_back(true);
    }
  const std::vector<theory::PriceList> lists = price_lists(arguments, runs.front());

  Document document("eos.compare/1");
  add_cost_table(document, runs, is_baseline, lists.front());
  add_work_table(document, runs);
  add_measured_table(document, runs, lists.front());
  if (lists.size() > 1) add_savings_table(document, runs, is_baseline, lists);
  std::vector<Prediction> predictions;
  for (const std::string& path : arguments.list("plan"))
    predictions.push_back(prediction_of(io::read_hdf5(path), path, runs));
  if (!predictions.empty()) add_predictions(document, predictions, runs);
  const auto baselines = std::count(is_baseline.begin(), is_baseline.end(), true);
  if (baselines == 0)
    document.note("No dense run among the files: name a baseline with --baseline to see savings.");
  else if (baselines == 1)
    document.note(
        "One baseline run gives bounds only: train it at two or more horizons for a curve, e.g. --set train.epochs=2, "
        "4 and 8.");
  if (arguments.has("plot")) io::write_png(arguments.text("plot"), comparison_figure(runs, is_baseline, lists.front()));
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
