// Scores of trials, and which configurations go on.
#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/theory/equal_quality.hpp"
#include "evidence.hpp"
#include "run_columns.hpp"

namespace eos::cli {

namespace {

/// Dense training is extended beyond its horizons by no more than this factor in energy: a trial that is better, or
/// worse, than all of it is still ranked, but extrapolation does not decide.
constexpr double k_extension = 2;

}  // namespace

FinishedRun end_of_run(RunColumns& columns, std::size_t row, const std::string& status, bool accuracy) {
  FinishedRun run;
  run.seed = static_cast<std::uint64_t>(columns.last("seed", row));
  run.complete = status == "complete" && columns.rows(row) > 0;
  if (columns.rows(row) == 0) return run;
  run.validation_quality = accuracy ? columns.last("validation_accuracy", row) : -columns.last("validation_loss", row);
  run.test_quality = accuracy ? columns.last("test_accuracy", row) : -columns.last("test_loss", row);
  run.seconds = columns.last("training_seconds", row);
  run.ledger = columns.ledger(row);
  return run;
}

std::vector<FinishedRun> runs_of_stage(const Stage& stage, theory::Metric metric) {
  std::vector<FinishedRun> runs;
  if (stage.table.dims.count("run") == 0) return runs;
  RunColumns columns(stage.table);
  const std::vector<double> points = stage.table.numbers("design_index");
  const std::vector<std::string> status = stage.table.strings("run_status");
  for (std::size_t i = 0; i < columns.runs(); ++i) {
    const StagePoint& point = stage.points.at(static_cast<std::size_t>(points[i]));
    FinishedRun run = end_of_run(columns, i, status[i], metric == theory::Metric::accuracy);
    run.method = stage.method, run.configuration = point.configuration, run.factor = point.factor;
    runs.push_back(std::move(run));
  }
  return runs;
}

double trial_score(const std::vector<FinishedRun>& dense, const FinishedRun& trial, const theory::PriceList& prices) {
  std::vector<theory::QualityPoint> points;
  for (const FinishedRun& run : dense)
    if (run.complete) points.push_back({run.validation_quality, theory::energy(run.ledger, prices).total()});
  const double own = theory::energy(trial.ledger, prices).total();
  if (!trial.complete || !(own > 0)) return std::numeric_limits<double>::quiet_NaN();
  return theory::QualityCurve(std::move(points)).extended_energy_at(trial.validation_quality, k_extension) / own;
}

double mean_score(const MethodState& state, const std::vector<std::string>& lists, std::size_t trial) {
  double sum = 0;
  for (const std::string& list : lists) {
    const auto found = state.scores.find(list);
    const double score = found == state.scores.end() ? 0 : found->second[trial];
    if (!(score > 0)) return 0;
    sum += std::log(score);
  }
  return lists.empty() ? 0 : std::exp(sum / static_cast<double>(lists.size()));
}

std::vector<Configuration> choose(const theory::EvidenceSpec& spec, const theory::EvidenceTask& task,
                                  const theory::EvidenceMethod& method, const MethodState& state) {
  const double target = task.metric == theory::Metric::accuracy ? task.target : -task.target;
  std::vector<Configuration> chosen;
  const auto put = [&](std::size_t trial, const std::string& prices, const std::string& purpose) {
    for (Configuration& c : chosen)
      if (c.number == static_cast<int>(trial) && c.prices == prices) {
        c.chosen_for += ", " + purpose;
        return;
      }
    chosen.push_back({state.trials[trial], static_cast<int>(trial), prices, purpose});
  };
  for (const bool plasticity : {true, false}) {
    const std::vector<std::string> lists = plasticity ? spec.plasticity : spec.digital();
    if (lists.empty() || (!method.stack.empty() && (method.stack == "plasticity") != plasticity)) continue;
    std::size_t best = state.trials.size();
    bool best_reaches = false;
    for (std::size_t i = 0; i < state.trials.size(); ++i) {
      if (mean_score(state, lists, i) <= 0) continue;
      const bool reaches = state.tuning[i].validation_quality >= target - task.margin;
      const bool better = best == state.trials.size() || reaches > best_reaches ||
                          (reaches == best_reaches && mean_score(state, lists, i) > mean_score(state, lists, best));
      if (better) best = i, best_reaches = reaches;
    }
    if (best == state.trials.size()) continue;
    const std::string purpose = plasticity ? "plasticity" : "digital";
    if (method.prices.empty()) {
      put(best, "", purpose);
      continue;
    }
    const std::vector<std::string>& trained = task.trained_prices.empty() ? method.prices : task.trained_prices;
    for (const std::string& list : trained)
      if (std::find(lists.begin(), lists.end(), list) != lists.end()) put(best, list, list);
  }
  return chosen;
}

}  // namespace eos::cli
