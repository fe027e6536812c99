// The runs of the demonstration: dense at three horizons, and each method once, under the specification's own defaults.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "demo.hpp"
#include "eos/core/parallel.hpp"
#include "eos/io/toml.hpp"
#include "eos/sim/calibrate.hpp"
#include "eos/sim/train.hpp"
#include "eos/solvers/fit.hpp"
#include "files.hpp"

namespace eos::cli {

namespace {

constexpr double k_dense_horizons[] = {0.25, 0.5, 1.0};  // in units of the methods' horizon
constexpr double k_probes = 12;  // about so many probe lengths: only the progress bar depends on it
// Progressive data dropout is shown twice: with its published threshold, and with the best of {0.3, 0.5, 0.6, 0.7, 0.8,
// 0.9} on this network and horizon, so that the other methods, none of which was tuned, are compared with it at its
// best.
constexpr double k_dbpd_best_tau = 0.7;
constexpr int k_rows_of_curves = 6;  // evaluations of the runs whose curves are drawn

/// A generated task that is trained in a second, for --quick.
void make_quick(DemoSetup& setup) {
  theory::TrainingSpec& base = setup.base;
  base.data.name = "teacher";
  base.data.train_samples = 4000;
  base.data.validation_samples = base.data.test_samples = 2000;
  base.data.teacher.inputs = 20;
  base.data.teacher.hidden = 16;
  base.network.hidden = {64, 64};
  base.epochs = 8;
  setup.probe_epochs = 2;
  setup.capture_samples = 500;
}

DemoRun make_run(const std::string& name, const std::string& label, const theory::TrainingSpec& base,
                 const std::string& selection, const std::string& plasticity) {
  DemoRun run;
  run.name = name, run.label = label;
  run.spec = base;
  run.spec.title = label;
  run.spec.selection = theory::selection_preset(selection);
  run.spec.plasticity = theory::plasticity_preset(plasticity);
  run.spec.evaluate_every = base.epochs;
  return run;
}

std::vector<DemoRun> make_runs(const theory::TrainingSpec& base, DemoResult& result) {
  std::vector<DemoRun> runs;
  for (const double share : k_dense_horizons) {
    theory::TrainingSpec spec = base;
    spec.epochs = share * base.epochs;
    runs.push_back(make_run(fmt::format("dense_{}", runs.size() + 1), fmt::format("dense, {:g} epochs", spec.epochs),
                            spec, "all", "all"));
    runs.back().baseline = true;
  }
  result.longest_dense = runs.size() - 1;
  runs.push_back(make_run("dbpd", "", base, "dbpd", "all"));
  runs.push_back(make_run("dbpd_tuned", "", base, "dbpd", "all"));
  runs.back().spec.selection.tau = k_dbpd_best_tau;
  for (std::size_t i = runs.size() - 2; i < runs.size(); ++i)
    runs[i].label = runs[i].spec.title = fmt::format("DBPD, τ = {:g}", runs[i].spec.selection.tau);
  runs.push_back(make_run("error_feedback", "error feedback", base, "all", "error-feedback"));
  result.planned = runs.size();
  runs.push_back(make_run("planned", "planned, open loop", base, "schedule", "schedule-feedback"));
  result.feedback = runs.size();
  runs.push_back(make_run("feedback_law", "feedback law (joint)", base, "joint", "error-feedback"));
  for (const std::size_t drawn : {result.longest_dense, result.planned, result.feedback})
    runs[drawn].spec.evaluate_every = base.epochs / k_rows_of_curves;
  return runs;
}

void train_one(DemoRun& run, const sim::TaskData& data, core::Progress& progress) {
  NamedProgress named(progress, run.label, NamedProgress::Tasks::one);
  run.table = sim::to_dataset(sim::train(run.spec, data, named));
  add_origin(run.table, run.label, io::to_toml(run.spec), "eos demo");
}

solvers::PlanGoal dense_goal(const DemoSetup& setup) {
  solvers::PlanGoal goal;
  goal.prices = setup.base.prices;
  goal.epochs = setup.base.epochs;
  return goal;
}

/// The plan must reach the loss that the model foretells for dense training, in a horizon of its own up to that long.
void calibrate_and_plan(const DemoSetup& setup, const sim::TaskData& data, core::Progress& progress,
                        DemoResult& result) {
  NamedProgress named(progress, "calibration");
  sim::CalibrateOptions options;
  options.probe_epochs = setup.probe_epochs;
  options.capture_samples = setup.capture_samples;
  theory::TrainingSpec dense = setup.base;
  result.calibration = sim::measure(dense, data, named, options);
  result.calibration.fit = solvers::fit_model(result.calibration);
  solvers::PlanGoal goal = dense_goal(setup);
  result.dense_prediction = solvers::predict_dense(result.calibration, goal, setup.base.optimiser);
  goal.target_loss = result.dense_prediction.terminal_loss + result.calibration.fit.loss_offset;
  goal.free_horizon = true;  // a schedule that learns faster should not have to fill the horizon of dense training
  result.plan = solvers::plan(result.calibration, goal);
}

}  // namespace

DemoSetup demo_setup(const Arguments& arguments, int threads) {
  DemoSetup setup;
  setup.threads = threads;
  theory::TrainingSpec& base = setup.base;
  base.data.name = arguments.text("data");
  base.prices = io::read_prices(arguments.text("prices"));
  base.seeds = {arguments.seed("seed")};
  base.checkpoint_seconds = 0;
  base.epochs = arguments.number("epochs");
  if (arguments.has("quick")) make_quick(setup);
  namespace fs = std::filesystem;
  fs::path prefix = arguments.has("out") ? arguments.text("out") : "demo";
  if (fs::is_directory(prefix)) prefix /= "demo";
  if (prefix.extension() == ".h5" || prefix.extension() == ".png") prefix.replace_extension();
  setup.h5 = prefix.string() + ".h5", setup.png = prefix.string() + ".png";
  return setup;
}

BaselineCurve DemoResult::baseline(const theory::PriceList& prices) const {
  std::vector<RunSummary> dense;
  for (std::size_t i = 0; i < summaries.size(); ++i)
    if (is_baseline[i]) dense.push_back(summaries[i]);
  return baseline_of(dense, prices);
}

Saving DemoResult::saving(std::size_t run, const theory::PriceList& prices) const {
  return baseline(prices).saving(summaries[run].accuracy, summaries[run].energy(prices).total());
}

std::vector<theory::PriceList> demo_price_lists(const DemoSetup& setup) {
  std::vector<theory::PriceList> lists = {setup.base.prices};
  for (const std::string& name : theory::builtin_price_names())
    if (name != setup.base.prices.name) lists.push_back(theory::builtin_prices(name));
  return lists;
}

DemoResult run_everything(const DemoSetup& setup, const sim::TaskData& data, ConsoleProgress& progress) {
  const auto start = std::chrono::steady_clock::now();
  DemoResult result;
  result.data_name = data.name, result.data_origin = data.origin;
  result.runs = make_runs(setup.base, result);
  double epochs = k_probes * setup.probe_epochs;
  for (const DemoRun& run : result.runs) epochs += run.spec.epochs;
  progress.expect(epochs);
  // The chain calibrate, plan, train is the longest task, so it goes first; the others fill the remaining cores.
  std::vector<std::size_t> order = {result.planned};
  for (std::size_t i = result.runs.size(); i-- > 0;)
    if (i != result.planned) order.push_back(i);
  std::stable_sort(order.begin() + 1, order.end(), [&](std::size_t a, std::size_t b) {
    return result.runs[a].spec.epochs > result.runs[b].spec.epochs;
  });
  core::parallel_for(order.size(), setup.threads, [&](std::size_t i) {
    DemoRun& run = result.runs[order[i]];
    if (order[i] == result.planned) {
      calibrate_and_plan(setup, data, progress, result);
      run.spec.schedule = result.plan.schedule();
      run.spec.epochs = run.spec.schedule.epochs;
      run.spec.evaluate_every = run.spec.epochs / k_rows_of_curves;
      run.spec.optimiser.law = theory::RateLaw::schedule;
    }
    train_one(run, data, progress);
  });
  for (const DemoRun& run : result.runs) {
    result.summaries.push_back(summarise(run.table, run.label));
    result.is_baseline.push_back(run.baseline);
  }
  for (const auto& [plan, run] :
       {std::pair{&result.dense_prediction, result.longest_dense}, {&result.plan, result.planned}})
    result.predictions.push_back(
        make_prediction(plan->trajectory, plan->problem.loss_offset, run, plan->problem.horizon_epochs, setup.base.prices));
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace eos::cli
