// eos evidence: every method on every task under one protocol, and the report of it.
#include "evidence.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/evidence_file.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/sim/sweep.hpp"
#include "evidence_file.hpp"
#include "evidence_protocol.hpp"
#include "evidence_report.hpp"
#include "evidence_results.hpp"
#include "files.hpp"
#include "sweep.hpp"

namespace eos::cli {

namespace {

template <class Item>
std::vector<std::string> names_of(const std::vector<Item>& items) {
  std::vector<std::string> names;
  for (const Item& item : items) names.push_back(item.name);
  return names;
}

/// Runs and epochs that a stage takes, counted from the protocol; those of chosen configurations at most.
struct Load {
  std::int64_t runs = 0;
  double epochs = 0;
};

Load tuning_load(const theory::EvidenceSpec& spec, const theory::EvidenceTask& task) {
  Load load;
  for (const theory::EvidenceMethod& m : spec.methods) {
    if (!spec.suits(m, task) || !m.follows.empty()) continue;
    for (const theory::Trial& trial : theory::trials(m, spec.trials_of(task), spec.search_seed))
      ++load.runs, load.epochs += task.horizon * trial.horizon;
  }
  for (const double factor : spec.horizons_of(task)) ++load.runs, load.epochs += task.horizon * factor;
  return load;
}

Load final_load(const theory::EvidenceSpec& spec, const theory::EvidenceTask& task) {
  const bool two_groups = !spec.plasticity.empty() && !spec.digital().empty();
  Load load;
  for (const theory::EvidenceMethod& m : spec.methods) {
    if (!spec.suits(m, task)) continue;
    double longest = 1;
    for (const theory::Trial& trial : theory::trials(m, spec.trials_of(task), spec.search_seed))
      longest = std::max(longest, trial.horizon);
    const std::vector<std::string>& lists = task.trained_prices.empty() ? m.prices : task.trained_prices;
    const bool one = m.name == "dense" || !m.follows.empty() || !m.stack.empty() || !two_groups;
    const auto configurations = static_cast<std::int64_t>(!m.prices.empty() ? lists.size() : one ? 1 : 2);
    for (const double factor : spec.horizons_of(task)) {
      const auto runs = configurations * static_cast<std::int64_t>(spec.seeds_of(task).size());
      load.runs += runs, load.epochs += static_cast<double>(runs) * task.horizon * longest * factor;
    }
  }
  return load;
}

int show_plan(Session& session, const theory::EvidenceSpec& spec, const std::vector<std::string>& tasks, SweepData& data) {
  Document document("eos.evidence_plan/1");
  document.set("title", spec.title, "protocol");
  Table& table = document.table("tasks", "Runs and what they take, at most",
                                {{"task", "task"},
                                 {"stage", "stage"},
                                 {"runs", "runs", Style::exact},
                                 {"epochs", "epochs", Style::number},
                                 {"thread_seconds", "on one thread", Style::seconds},
                                 {"note", ""}});
  double total = 0;
  for (const theory::EvidenceTask& task : spec.tasks) {
    if (!tasks.empty() && std::find(tasks.begin(), tasks.end(), task.name) == tasks.end()) continue;
    double seconds = 0;
    std::string note;
    try {
      theory::TrainingSpec run = task.run;
      run.epochs = task.horizon;
      seconds = sim::forecast(run, *data.get(run.data), devices_of(session.arguments).front()).seconds / task.horizon;
    } catch (const core::Error& error) {
      if (error.fault() != core::Fault::input) throw;
      note = error.diagnostics().front().message;
    }
    for (const auto& [stage, load] : {std::pair{"tuning", tuning_load(spec, task)}, std::pair{"runs", final_load(spec, task)}}) {
      table.add({task.name, std::string(stage), load.runs, load.epochs, seconds * load.epochs, note});
      total += seconds * load.epochs;
    }
  }
  document.set("thread_seconds", total, "work on one thread", Style::seconds);
  document.set("seconds", total / session.threads(), fmt::format("on {} threads about", session.threads()), Style::seconds);
  session.print(document);
  return k_done;
}

std::int64_t runs_of(const std::vector<Stage>& stages) {
  std::int64_t runs = 0;
  for (const Stage& stage : stages) runs += stage.table.dims.count("run") != 0 ? stage.table.dims.at("run") : 0;
  return runs;
}

void add_progress_table(Document& document, const std::vector<TaskState>& states) {
  Table& table = document.table("tasks", "Tasks",
                                {{"task", "task"},
                                 {"trials", "trials", Style::exact},
                                 {"runs", "runs", Style::exact},
                                 {"learning_rate", "rate of dense", Style::number},
                                 {"status", "status"}});
  for (const TaskState& s : states)
    table.add({s.task.name, runs_of(s.tuning), runs_of(s.runs), s.rate,
               !s.skipped.empty() ? "skipped: " + s.skipped : std::string(s.complete ? "complete" : "open")});
  for (const TaskState& s : states)
    if (!s.prediction_note.empty()) document.note(fmt::format("{}: nothing is foretold: {}.", s.task.name, s.prediction_note));
  for (const TaskState& s : states)
    for (const MethodState& m : s.methods)
      if (!m.note.empty()) document.note(fmt::format("{}: {} has no runs: {}.", s.task.name, m.method, m.note));
}

/// --report: tables, figures and page again, from the file alone.
int report_again(Session& session, const std::string& folder) {
  const core::Dataset file = io::read_hdf5(folder + "/evidence.h5");
  write_report(file, folder);
  Document document("eos.evidence/1");
  document.set("report", folder + "/report.html", "report");
  add_summary(document, file);
  session.print(document);
  return k_done;
}

}  // namespace

int run_evidence(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::string folder = arguments.text("DIR");
  if (arguments.has("report")) return report_again(session, folder);
  const theory::EvidenceSpec spec = asked_protocol(session, folder);
  const std::vector<std::string> tasks = asked_names(arguments, "tasks", names_of(spec.tasks));
  EvidenceOptions options;
  options.methods = asked_names(arguments, "methods", names_of(spec.methods));
  SweepData data;
  if (arguments.has("dry-run")) return show_plan(session, spec, tasks, data);
  store_protocol(spec, folder);
  const StopOnSignal stop;
  std::vector<TaskState> states;
  bool stopped = false, failed = false;
  for (const theory::EvidenceTask& task : spec.tasks) {
    options.work = !stopped && (tasks.empty() || std::find(tasks.begin(), tasks.end(), task.name) != tasks.end());
    states.push_back(carry_out(session, spec, task, folder, data, options));
    const TaskState& state = states.back();
    stopped = stopped || state.stopped;
    failed = failed || !state.skipped.empty();
    for (const MethodState& m : state.methods) failed = failed || !m.note.empty();
  }
  const std::string out = folder + "/evidence.h5";
  core::Dataset file = evidence_dataset(spec, states);
  add_results(file, spec.resamples, spec.tuning_seed);
  add_origin(file, spec.title.empty() ? "evidence" : spec.title, io::to_toml(spec), arguments.command_line);
  io::write_hdf5(out, file);
  file = io::read_hdf5(out);
  write_report(file, folder);
  Document document("eos.evidence/1");
  document.set("out", out, "written");
  document.set("report", folder + "/report.html", "report");
  add_summary(document, file);
  add_progress_table(document, states);
  if (stopped) document.note(fmt::format("Stopped; finished runs and checkpoints are safe. To go on: eos evidence {}", folder));
  session.print(document);
  if (stopped) return k_stopped_resumable;
  return failed ? k_check_failed : k_done;
}

}  // namespace eos::cli
