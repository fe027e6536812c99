#include "evidence_file.hpp"

#include <algorithm>
#include <limits>
#include <set>
#include <sstream>

#include "eos/io/evidence_file.hpp"
#include "eos/io/run_stack.hpp"
#include "eos/io/toml.hpp"
#include "run_columns.hpp"

namespace eos::cli {

namespace {

constexpr const char* k_coordinates = "run_id seed run_method run_configuration run_factor";

/// A run without what only its own sweep understands, and with what tells it apart here.
core::Dataset one_run(const Stage& stage, std::size_t row) {
  core::Dataset run = io::runs_of_cell(stage.table, {row});
  std::set<std::string> foreign{"design_index", "plan_index"};
  std::istringstream words(run.text("run_coordinates"));
  for (std::string word; words >> word;)
    if (word != "run_id" && word != "seed") foreign.insert(word);
  const auto point = static_cast<std::size_t>(run.number("design_index"));
  std::erase_if(run.variables, [&](const core::Variable& v) { return foreign.count(v.name) != 0; });
  run.groups.erase("schedule");
  run.groups["provenance"].attributes.clear();
  const StagePoint& made_of = stage.points.at(point);
  run.add("run_method", {}, std::vector<std::string>{stage.method}, "1", "method");
  run.add("run_configuration", {}, std::vector<std::int64_t>{made_of.configuration}, "1",
          "number of the trial, or of the chosen configuration");
  run.add("run_factor", {}, std::vector<double>{made_of.factor}, "1", "horizon as a multiple of the method's own");
  run.attributes["run_coordinates"] = std::string(k_coordinates);
  return run;
}

core::Dataset stacked(const std::vector<Stage>& stages) {
  std::vector<core::Dataset> runs;
  for (const Stage& stage : stages)
    for (std::int64_t row = 0; row < stage.table.dims.at("run"); ++row)
      runs.push_back(one_run(stage, static_cast<std::size_t>(row)));
  core::Dataset table = io::stack_runs(runs);
  for (const char* name : {"title", "source", "history"}) table.attributes.erase(name);
  return table;
}

const MethodState* state_of(const TaskState& state, const std::string& method) {
  const auto found = std::find_if(state.methods.begin(), state.methods.end(),
                                  [&](const MethodState& m) { return m.method == method; });
  return found == state.methods.end() ? nullptr : &*found;
}

/// Scores of the trials, and for which lists each was chosen.
void add_choice(core::Dataset& tuning, const TaskState& state) {
  const std::vector<std::string> methods = tuning.strings("run_method");
  const std::vector<double> trials = tuning.numbers("run_configuration");
  std::vector<double> scores;
  std::vector<std::string> chosen;
  for (std::size_t run = 0; run < methods.size(); ++run) {
    const MethodState& m = *state_of(state, methods[run]);
    const auto trial = static_cast<std::size_t>(trials[run]);
    for (const theory::PriceList& list : state.prices) {
      const auto found = m.scores.find(list.name);
      scores.push_back(found == m.scores.end() ? std::numeric_limits<double>::quiet_NaN() : found->second[trial]);
    }
    std::string purpose;
    for (const Configuration& c : m.configurations)
      if (c.number == static_cast<int>(trial)) purpose += (purpose.empty() ? "" : ", ") + c.chosen_for;
    chosen.push_back(purpose);
  }
  tuning.variables.push_back({"score", {"run", "price_list"}, std::move(scores), "1",
                              "energy of dense training at the trial's validation quality / energy of the trial", {}});
  tuning.add("chosen_for", {"run"}, std::move(chosen), "1", "price lists for which this trial goes on");
}

/// Which configurations went on, one row each.
core::Dataset configurations_of(const TaskState& state) {
  std::vector<std::string> method, prices, purpose, settings, stack;
  std::vector<std::int64_t> number, trial;
  for (const MethodState& m : state.methods)
    for (std::size_t i = 0; i < m.configurations.size(); ++i) {
      const Configuration& c = m.configurations[i];
      method.push_back(m.method), number.push_back(static_cast<std::int64_t>(i)), trial.push_back(c.number);
      prices.push_back(c.prices), purpose.push_back(c.chosen_for), stack.push_back(m.stack);
      std::string text;
      for (const auto& [key, word] : theory::settings(state.task, c.trial, state.rate, 1)) text += key + " = " + word + "\n";
      settings.push_back(text);
    }
  core::Dataset table;
  table.dims["configuration"] = static_cast<std::int64_t>(method.size());
  table.add("configuration_method", {"configuration"}, std::move(method), "1", "method");
  table.add("configuration_number", {"configuration"}, std::move(number), "1", "run_configuration of its runs");
  table.add("configuration_trial", {"configuration"}, std::move(trial), "1", "trial that it was; -1: follows a method");
  table.add("configuration_prices", {"configuration"}, std::move(prices), "1", "price list that it reads while it trains");
  table.add("configuration_chosen_for", {"configuration"}, std::move(purpose), "1", "price lists it was best for");
  table.add("configuration_stack", {"configuration"}, std::move(stack), "1", "methods that were put together");
  table.add("configuration_settings", {"configuration"}, std::move(settings), "1", "what it sets, at its own horizon");
  return table;
}

/// "complete", "not a finalist", or why it has no runs.
std::string status_of(const theory::EvidenceSpec& spec, const TaskState& state, const theory::EvidenceMethod& method) {
  if (!spec.suits(method, state.task)) return "does not suit";
  const MethodState* m = state_of(state, method.name);
  if (m == nullptr) return "open";
  if (!m->note.empty()) return m->note;
  return !m->runs.empty() ? "complete" : !m->finalist ? "not a finalist" : "open";
}

void add_tasks(core::Dataset& file, const theory::EvidenceSpec& spec, const std::vector<TaskState>& states) {
  std::vector<std::string> names, titles, metrics, status, texts, prices, methods;
  std::vector<double> targets, horizons, rates;
  std::vector<std::uint8_t> hold_out;
  for (const TaskState& s : states) {
    names.push_back(s.task.name), titles.push_back(s.task.title.empty() ? s.task.name : s.task.title);
    metrics.push_back(theory::metric_names()[static_cast<std::size_t>(s.task.metric)]);
    targets.push_back(s.task.target), horizons.push_back(s.task.horizon), rates.push_back(s.rate);
    hold_out.push_back(s.task.hold_out ? 1 : 0);
    status.push_back(!s.skipped.empty() ? s.skipped : s.complete ? "complete" : "open");
    texts.push_back(io::to_toml_task(s.task.run));
    for (std::size_t l = 0; l < spec.prices.size(); ++l)
      prices.push_back(l < s.prices.size() ? io::to_toml(s.prices[l]) : "");
    for (const theory::EvidenceMethod& m : spec.methods) methods.push_back(status_of(spec, s, m));
  }
  file.dims["task"] = static_cast<std::int64_t>(names.size());
  file.add("task", {"task"}, std::move(names), "1", "task");
  file.add("task_title", {"task"}, std::move(titles), "1", "task in words");
  file.add("task_metric", {"task"}, std::move(metrics), "1", "what runs are judged by");
  file.add("task_target", {"task"}, std::move(targets), "1", "quality at which energies are compared");
  file.add("task_horizon", {"task"}, std::move(horizons), "1", "epochs of dense training");
  file.add("task_rate", {"task"}, std::move(rates), "1", "learning rate of dense training");
  file.add("task_hold_out", {"task"}, std::move(hold_out), "1", "1: nothing was designed on this task");
  file.add("task_status", {"task"}, std::move(status), "1", "complete, open, or why it was skipped");
  file.add("task_toml", {"task"}, std::move(texts), "1", "run of the task, as TOML");
  file.add("task_prices", {"task", "price_list"}, std::move(prices), "1", "price list as used for the task, as TOML");
  file.add("method_status", {"task", "method"}, std::move(methods), "1", "complete, or why there are no runs");
}

}  // namespace

std::string group_name(const std::string& name) {
  std::string group = name;
  std::replace(group.begin(), group.end(), '-', '_');
  return group;
}

core::Dataset evidence_dataset(const theory::EvidenceSpec& spec, const std::vector<TaskState>& states) {
  core::Dataset file;
  file.attributes["kind"] = std::string("evidence");
  std::vector<std::string> methods, titles, axes, list_titles;
  for (const theory::EvidenceMethod& m : spec.methods) {
    methods.push_back(m.name), titles.push_back(m.title.empty() ? m.name : m.title);
    axes.push_back(theory::axis_names()[static_cast<std::size_t>(m.axis)]);
  }
  for (const std::string& name : spec.prices) list_titles.push_back(theory::builtin_prices(name).title);
  std::vector<std::uint8_t> scaled;
  for (const std::string& name : spec.prices)
    scaled.push_back(std::find(spec.plasticity.begin(), spec.plasticity.end(), name) != spec.plasticity.end() ? 1 : 0);
  file.dims["method"] = static_cast<std::int64_t>(methods.size());
  file.dims["price_list"] = static_cast<std::int64_t>(spec.prices.size());
  file.add("method", {"method"}, std::move(methods), "1", "method");
  file.add("method_title", {"method"}, std::move(titles), "1", "method in words");
  file.add("method_axis", {"method"}, std::move(axes), "1", "half of the policy that it changes");
  file.add("price_list", {"price_list"}, spec.prices, "1", "price list");
  file.add("price_list_title", {"price_list"}, std::move(list_titles), "1", "price list in words");
  file.add("price_list_scaled", {"price_list"}, std::move(scaled), "1",
           "1: prices of plasticity are those at which dense training spends a given share on it");
  add_tasks(file, spec, states);
  bool complete = true;
  for (const TaskState& s : states) {
    complete = complete && s.complete;
    core::Dataset& group = file.groups[group_name(s.task.name)];
    if (!s.tuning.empty()) {
      group.groups["tuning"] = stacked(s.tuning);
      add_choice(group.groups["tuning"], s);
      group.groups["configurations"] = configurations_of(s);
    }
    if (!s.runs.empty()) group.groups["runs"] = stacked(s.runs);
    if (!s.prediction.variables.empty()) group.groups["prediction"] = s.prediction;
  }
  file.attributes["status"] = std::string(complete ? "complete" : "partial");
  return file;
}

std::vector<FinishedRun> runs_in(const core::Dataset& evidence, std::size_t task) {
  std::vector<FinishedRun> runs;
  const auto group = evidence.groups.find(group_name(evidence.strings("task").at(task)));
  if (group == evidence.groups.end() || group->second.groups.count("runs") == 0) return runs;
  const core::Dataset& table = group->second.groups.at("runs");
  const bool accuracy = evidence.strings("task_metric").at(task) == "accuracy";
  RunColumns columns(table);
  const std::vector<std::string> methods = table.strings("run_method"), status = table.strings("run_status");
  for (std::size_t i = 0; i < columns.runs(); ++i) {
    FinishedRun run = end_of_run(columns, i, status[i], accuracy);
    run.method = methods[i];
    run.configuration = static_cast<int>(columns.last("run_configuration", i));
    run.factor = columns.last("run_factor", i);
    runs.push_back(std::move(run));
  }
  return runs;
}

theory::PriceList prices_in(const core::Dataset& evidence, std::size_t task, std::size_t list) {
  const auto lists = static_cast<std::size_t>(evidence.dims.at("price_list"));
  return io::parse_prices(evidence.strings("task_prices").at(task * lists + list), "evidence.h5");
}

}  // namespace eos::cli
