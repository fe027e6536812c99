#include "evidence_prediction.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "analysis.hpp"
#include "comparison.hpp"
#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/evidence_file.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_stack.hpp"
#include "eos/io/toml.hpp"
#include "eos/sim/calibrate.hpp"
#include "eos/solvers/fit.hpp"
#include "files.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

namespace {

/// One prediction beside the runs that it is about.
struct Foretold {
  std::string name, list;
  Prediction prediction;
  RunSummary measured;
};

theory::TrainingSpec dense_run(const TaskState& state) {
  theory::TrainingSpec run = state.task.run;
  run.optimiser.learning_rate = state.rate, run.epochs = state.task.horizon;
  return run;
}

/// The calibration in the folder; else measured and stored. Nothing when it is not there and nobody may work.
std::optional<theory::Calibration> calibration_of(Session& session, const TaskState& state, const std::string& path,
                                                  SweepData& data, bool work) {
  const theory::TrainingSpec dense = dense_run(state);
  const std::string config = io::to_toml(dense);
  if (fs::exists(path)) {
    if (stored_config(io::read_hdf5(path)) != config)
      throw core::Error("E504", fmt::format("{} was made of other settings", path), "remove it to have it made again");
    return read_calibration(path);
  }
  if (!work) return std::nullopt;
  sim::CalibrateOptions options;
  options.probe_epochs = state.task.probe * state.task.horizon;
  options.threads = session.threads();
  NamedProgress progress(session.progress(), state.task.name + ", calibration");
  theory::Calibration calibration = sim::measure(dense, *data.get(dense.data), progress, options);
  session.progress().finish();
  calibration.fit = solvers::fit_model(calibration);
  core::Dataset table = io::to_dataset(calibration);
  add_origin(table, "calibration of " + state.task.name, config, session.arguments.command_line);
  io::write_hdf5(path, table);
  return calibration;
}

/// Runs of one configuration at its own horizon, all seeds, as one run with replicas.
std::optional<RunSummary> summary_of(const Stage& stage, const theory::TrainingSpec& spec, const std::string& label) {
  const std::vector<double> points = stage.table.numbers("design_index");
  std::vector<std::size_t> rows;
  for (std::size_t row = 0; row < points.size(); ++row) {
    const StagePoint& point = stage.points[static_cast<std::size_t>(points[row])];
    if (point.configuration == 0 && point.factor == 1) rows.push_back(row);
  }
  if (rows.empty()) return std::nullopt;
  return summarise(io::runs_of_cell(stage.table, rows), spec, label);
}

/// One list of each kind: the first that is trained with.
std::vector<theory::PriceList> lists_to_plan(const theory::EvidenceSpec& spec, const TaskState& state) {
  std::vector<theory::PriceList> lists;
  for (const auto& kind : {spec.plasticity, spec.digital()})
    if (!kind.empty())
      lists.push_back(*std::find_if(state.prices.begin(), state.prices.end(),
                                    [&](const theory::PriceList& list) { return list.name == kind.front(); }));
  return lists;
}

core::Dataset table_of(const std::vector<Foretold>& all) {
  constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
  std::size_t points = 0, rows = 0;
  for (const Foretold& f : all)
    points = std::max(points, f.prediction.epoch.size()), rows = std::max(rows, f.measured.epoch.size());
  std::vector<std::string> names, lists;
  std::vector<double> epoch, loss, measured_epoch, measured_loss, energy, measured_energy, error, energy_error, final_error;
  const auto pad = [&](std::vector<double>& to, const std::vector<double>& values, std::size_t length) {
    for (std::size_t i = 0; i < length; ++i) to.push_back(i < values.size() ? values[i] : k_nan);
  };
  for (const Foretold& f : all) {
    names.push_back(f.name), lists.push_back(f.list);
    pad(epoch, f.prediction.epoch, points), pad(loss, f.prediction.loss_curve, points);
    pad(measured_epoch, f.measured.epoch, rows), pad(measured_loss, f.measured.validation_loss, rows);
    const double joules = f.measured.energy(f.prediction.prices).total();
    energy.push_back(f.prediction.energy), measured_energy.push_back(joules);
    error.push_back(error_along_the_way(f.prediction, f.measured));
    energy_error.push_back(f.prediction.energy / joules - 1);
    final_error.push_back(f.prediction.loss / f.measured.validation_loss.back() - 1);
  }
  core::Dataset table;
  table.dims["prediction"] = static_cast<std::int64_t>(all.size());
  table.dims["foretold"] = static_cast<std::int64_t>(points), table.dims["evaluation"] = static_cast<std::int64_t>(rows);
  table.add("prediction", {"prediction"}, names, "1", "what is foretold: dense training, or the runs of a plan");
  table.add("prediction_prices", {"prediction"}, lists, "1", "price list of the plan and of the energies");
  table.add("foretold_epoch", {"prediction", "foretold"}, epoch, "1", "stream positions per training sample");
  table.add("foretold_loss", {"prediction", "foretold"}, loss, "1", "validation loss, foretold");
  table.add("measured_epoch", {"prediction", "evaluation"}, measured_epoch, "1", "stream positions per training sample");
  table.add("measured_loss", {"prediction", "evaluation"}, measured_loss, "1", "validation loss, mean over seeds");
  table.add("foretold_energy", {"prediction"}, energy, "J", "energy of the run, foretold");
  table.add("measured_energy", {"prediction"}, measured_energy, "J", "energy of the run, mean over seeds");
  table.add("loss_error", {"prediction"}, error, "1", "median over evaluations of |foretold - measured| / measured loss");
  table.add("final_loss_error", {"prediction"}, final_error, "1", "final loss foretold / measured - 1");
  table.add("energy_error", {"prediction"}, energy_error, "1", "energy foretold / measured - 1");
  return table;
}

}  // namespace

PredictionState predict(Session& session, const theory::EvidenceSpec& spec, const TaskState& state, Stages& stages,
                        const std::string& folder, SweepData& data, bool work) {
  PredictionState result;
  const auto dense_stage = std::find_if(state.runs.begin(), state.runs.end(),
                                        [](const Stage& stage) { return stage.method == "dense"; });
  if (state.task.probe <= 0 || dense_stage == state.runs.end()) return result;
  const std::vector<theory::PriceList> lists = lists_to_plan(spec, state);
  std::vector<Foretold> all;
  try {
    const auto calibration = calibration_of(session, state, folder + "/calibration.h5", data, work);
    if (!calibration.has_value()) return result;
    const theory::TrainingSpec dense = dense_run(state);
    solvers::PlanGoal goal;
    goal.epochs = state.task.horizon, goal.prices = lists.front();
    const theory::Plan of_dense = solvers::predict_dense(*calibration, goal, dense.optimiser);
    if (const auto measured = summary_of(*dense_stage, dense, "dense"))
      all.push_back({"dense", lists.front().name,
                     make_prediction(of_dense.trajectory, of_dense.problem.loss_offset, 0, goal.epochs, goal.prices), *measured});
    for (const theory::PriceList& list : lists) {
      const std::string name = "plan-" + list.name, file = folder + "/" + name + ".h5";
      goal.prices = list;
      goal.target_loss = of_dense.terminal_loss + of_dense.problem.loss_offset, goal.free_horizon = true;
      if (!fs::exists(file)) {
        if (!work) continue;
        core::Dataset table = io::to_dataset(solvers::plan(*calibration, goal));
        table.attributes["prices"] = list.name;
        add_origin(table, name + " of " + state.task.name, io::to_toml(list), session.arguments.command_line);
        io::write_hdf5(file, table);
      }
      const core::Dataset plan = io::read_hdf5(file);
      const double epochs = io::schedule_from(plan).epochs;
      const StagePoint point{0, 1,
                             {{"selection.method", "\"schedule\""},
                              {"plasticity.method", "\"schedule-feedback\""},
                              {"schedule", fmt::format("{{ file = \"{}.h5\" }}", name)},
                              {"optimiser.law", "\"schedule\""},
                              {"optimiser.learning_rate", fmt::format("{:.12g}", state.rate)},
                              {"train.epochs", fmt::format("{:.12g}", epochs)}}};
      const StageResult runs = stages.carry_out("runs/" + name, name, {point}, spec.seeds_of(state.task), work);
      result.stopped = runs.status == StageStatus::stopped;
      if (result.stopped) return result;
      if (runs.status == StageStatus::failed) result.note = fmt::format("runs of {} failed: {}", name, runs.why);
      if (runs.status != StageStatus::complete) continue;
      theory::TrainingSpec planned = dense;
      planned.epochs = epochs;
      if (const auto measured = summary_of(runs.stage, planned, name))
        all.push_back({name, list.name,
                       make_prediction(io::plan_from(plan).trajectory, plan.number("loss_offset"), 0, epochs, list), *measured});
    }
  } catch (const core::Error& error) {
    if (session.progress().stop_requested()) {
      result.stopped = true;
      return result;
    }
    if (error.fault() != core::Fault::input || error.diagnostics().front().code == "E504") throw;
    result.note = error.what();
  }
  if (!all.empty()) result.table = table_of(all);
  return result;
}

}  // namespace eos::cli
