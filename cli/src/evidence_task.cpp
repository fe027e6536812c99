// The stages of one task, one after the other.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/evidence_file.hpp"
#include "evidence_prediction.hpp"
#include "evidence_stage.hpp"
#include "run_columns.hpp"

namespace eos::cli {

namespace fs = std::filesystem;
using theory::Axis;
using theory::EvidenceMethod;
using theory::Trial;

namespace {

constexpr double k_least_fraction = 1e-6;  ///< of a recorded schedule: fractions are positive

/// Writes once; a file that says something else belongs to another protocol.
void store(const std::string& path, const std::string& text) {
  if (!fs::exists(path)) return io::write_file(path, text);
  if (io::read_file(path) != text)
    throw core::Error("E504", fmt::format("{} was made of another protocol", path),
                      "give the protocol it was made with, or take another folder");
}

class Work {
 public:
  Work(Session& session, const theory::EvidenceSpec& spec, const theory::EvidenceTask& task, const std::string& folder,
       SweepData& data, const EvidenceOptions& options)
      : session_(session),
        spec_(spec),
        task_(task),
        folder_(folder + "/" + task.name),
        data_(data),
        options_(options),
        stages_(session, task_, folder_, data) {
    state_.task = task;
  }

  TaskState carry_out() {
    if (options_.work && !prepare()) return std::move(state_);
    if (!dense()) return std::move(state_);
    for (const bool stacks : {false, true})
      for (const EvidenceMethod& method : spec_.methods)
        if (wanted(method) && method.follows.empty() && method.stack.empty() != stacks && !tune(method))
          return std::move(state_);
    name_finalists();
    for (const bool followers : {false, true})
      for (const EvidenceMethod& method : spec_.methods)
        if (wanted(method) && method.follows.empty() != followers && !run(method)) return std::move(state_);
    PredictionState foretold = predict(session_, spec_, state_, stages_, folder_, data_, options_.work && options_.methods.empty());
    state_.stopped = foretold.stopped;
    if (foretold.stopped) return std::move(state_);
    state_.prediction = std::move(foretold.table), state_.prediction_note = foretold.note;
    const bool missing = task_.probe > 0 && state_.prediction.variables.empty() && foretold.note.empty();
    state_.complete = !missing && std::all_of(state_.methods.begin(), state_.methods.end(), [](const MethodState& m) {
      return !m.runs.empty() || !m.finalist || !m.note.empty();
    });
    return std::move(state_);
  }

 private:
  bool wanted(const EvidenceMethod& method) const { return spec_.suits(method, task_); }
  /// Whether this call works on it, or only takes what is there.
  bool asked(const EvidenceMethod& method) const {
    const auto& m = options_.methods;
    return options_.work && (m.empty() || method.name == "dense" || std::find(m.begin(), m.end(), method.name) != m.end());
  }

  bool prepare() {
    try {
      data_.get(task_.run.data);
    } catch (const core::Error& error) {
      if (error.fault() != core::Fault::input) throw;
      state_.skipped = fmt::format("{} ({})", error.diagnostics().front().message, error.diagnostics().front().code);
      return false;
    }
    std::error_code problem;
    fs::create_directories(folder_ + "/prices", problem);
    if (problem)
      throw core::Error("E301", fmt::format("cannot make the folder {}: {}", folder_, problem.message()),
                        "choose another place");
    return true;
  }

  /// False: stop here. A stage that failed is noted and its method left out.
  bool ended(const StageResult& result, MethodState* method) {
    if (result.status == StageStatus::stopped) state_.stopped = true;
    if (result.status == StageStatus::failed) {
      const std::string why = "its runs failed: " + result.why;
      (method == nullptr ? state_.skipped : method->note) = why;
    }
    return result.status != StageStatus::stopped;
  }

  std::vector<StagePoint> points_of(const std::vector<Trial>& trials) const {
    std::vector<StagePoint> points;
    for (std::size_t i = 0; i < trials.size(); ++i)
      points.push_back({static_cast<int>(i), 1, theory::settings(task_, trials[i], reference_rate(), 1)});
    return points;
  }
  double reference_rate() const { return state_.rate > 0 ? state_.rate : task_.run.optimiser.learning_rate; }

  /// Learning rate of dense training, its course over horizons, and the price lists.
  bool dense() {
    const EvidenceMethod& method = spec_.method("dense");
    const std::vector<Trial> trials = theory::trials(method, spec_.trials_of(task_), spec_.search_seed);
    const StageResult rates =
        stages_.carry_out("rate", "dense", points_of(trials), {spec_.tuning_seed}, options_.work);
    if (rates.status != StageStatus::complete) return ended(rates, nullptr), false;
    const std::vector<FinishedRun> runs = runs_of_stage(rates.stage, task_.metric);
    const FinishedRun* best = nullptr;
    for (const FinishedRun& one : runs)
      if (one.complete && (best == nullptr || one.validation_quality > best->validation_quality)) best = &one;
    if (best == nullptr) {
      state_.skipped = "dense training ended well at none of its learning rates";
      return false;
    }
    const Trial& trial = trials[static_cast<std::size_t>(best->configuration)];
    state_.rate = task_.run.optimiser.learning_rate * trial.rate;
    dense_trial_ = trial, dense_trial_.rate = 1;
    stages_.epoch_seconds = best->seconds / (task_.horizon * trial.horizon);

    std::vector<StagePoint> points;
    for (const double factor : horizons()) points.push_back({best->configuration, factor, settings(dense_trial_, factor)});
    const StageResult course = stages_.carry_out("dense", "dense", points, {spec_.tuning_seed}, options_.work);
    if (course.status != StageStatus::complete) return ended(course, nullptr), false;
    dense_ = runs_of_stage(course.stage, task_.metric);
    state_.tuning.push_back(rates.stage);
    scale_prices();
    MethodState& own = state_.methods.emplace_back();
    own.method = "dense", own.trials = trials;
    own.tuning.resize(trials.size());
    for (const FinishedRun& one : runs) own.tuning[static_cast<std::size_t>(one.configuration)] = one;
    own.configurations.push_back({dense_trial_, best->configuration, "", "all"});
    return true;
  }

  const std::vector<double>& horizons() const { return spec_.horizons_of(task_); }
  theory::Settings settings(const Trial& trial, double factor) const {
    return theory::settings(task_, trial, reference_rate(), factor);
  }

  void scale_prices() {
    const auto full = std::min_element(dense_.begin(), dense_.end(), [](const FinishedRun& a, const FinishedRun& b) {
      return std::abs(a.factor - 1) < std::abs(b.factor - 1);
    });
    for (const std::string& name : spec_.prices) {
      theory::PriceList list = theory::builtin_prices(name);
      const bool scale = std::find(spec_.plasticity.begin(), spec_.plasticity.end(), name) != spec_.plasticity.end();
      if (scale) list = theory::scaled_to_share(list, full->ledger, spec_.plasticity_share);
      state_.prices.push_back(list);
      if (options_.work) store(fmt::format("{}/prices/{}.toml", folder_, name), io::to_toml(list));
    }
  }

  static std::string prices_word(const std::string& list) { return fmt::format("\"prices/{}.toml\"", list); }

  /// Best method of an axis for the lists that a stack is made for.
  const MethodState* best_of(Axis axis, const std::vector<std::string>& lists, std::size_t& trial) const {
    const MethodState* best = nullptr;
    double score = 0;
    for (const MethodState& m : state_.methods) {
      if (spec_.method(m.method).axis != axis) continue;
      for (const Configuration& c : m.configurations)
        if (const double s = mean_score(m, lists, static_cast<std::size_t>(c.number)); s > score)
          best = &m, score = s, trial = static_cast<std::size_t>(c.number);
    }
    return best;
  }

  /// The stacked method with the settings of the two best, or nothing while one is not there.
  std::optional<EvidenceMethod> stacked(EvidenceMethod method, MethodState& state) const {
    const std::vector<std::string> lists = method.stack == "plasticity" ? spec_.plasticity : spec_.digital();
    std::size_t data_trial = 0, write_trial = 0;
    const MethodState* data = best_of(Axis::data, lists, data_trial);
    const MethodState* write = best_of(Axis::write, lists, write_trial);
    if (data == nullptr || write == nullptr) return std::nullopt;
    for (const auto& [half, trial] : {std::pair{data, data_trial}, std::pair{write, write_trial}})
      for (const auto& one : half->trials[trial].set) method.set.push_back(one);
    state.stack = data->method + " + " + write->method;
    return method;
  }

  bool tune(const EvidenceMethod& given) {
    if (given.name == "dense") return true;
    MethodState state;
    state.method = given.name;
    std::optional<EvidenceMethod> method = given;
    if (!given.stack.empty()) method = stacked(given, state);
    if (!method.has_value()) {
      if (asked(given)) state.note = "there is no tuned data method, or no tuned write method, to put together";
      state_.methods.push_back(std::move(state));
      return true;
    }
    state.trials = theory::trials(*method, spec_.trials_of(task_), spec_.search_seed);
    std::vector<StagePoint> points = points_of(state.trials);
    if (!method->prices.empty()) {
      const std::string& list = task_.trained_prices.empty() ? method->prices.front() : task_.trained_prices.front();
      for (StagePoint& point : points) point.set.emplace_back("prices", prices_word(list));
    }
    const std::string folder = "tune/" + given.name + stack_suffix(state.stack);
    const StageResult result = stages_.carry_out(folder, given.name, points, {spec_.tuning_seed}, asked(given));
    if (!ended(result, &state)) return false;
    if (result.status == StageStatus::complete) {
      state.tuning.resize(state.trials.size());
      for (const FinishedRun& one : runs_of_stage(result.stage, task_.metric))
        state.tuning[static_cast<std::size_t>(one.configuration)] = one;
      for (const theory::PriceList& list : state_.prices)
        for (const FinishedRun& one : state.tuning) state.scores[list.name].push_back(trial_score(dense_, one, list));
      state.configurations = choose(spec_, task_, given, state);
      if (state.configurations.empty()) state.note = "no trial ended well";
      state_.tuning.push_back(result.stage);
    }
    state_.methods.push_back(std::move(state));
    return true;
  }

  /// Stacks of different parts are different methods in the folder.
  static std::string stack_suffix(const std::string& stack) {
    std::string suffix;
    for (const char c : stack)
      if (c != ' ') suffix += c == '+' ? '-' : c;
    return suffix.empty() ? "" : "-with-" + suffix;
  }

  /// On expensive tasks only the best of each single axis go on: for either kind of list.
  void name_finalists() {
    if (task_.finalists <= 0) return;
    for (const Axis axis : {Axis::data, Axis::write}) {
      std::set<std::string> stay;
      for (const auto& lists : {spec_.plasticity, spec_.digital()}) {
        std::vector<std::pair<double, std::string>> ranking;
        for (const MethodState& m : state_.methods) {
          if (spec_.method(m.method).axis != axis) continue;
          double best = 0;
          for (const Configuration& c : m.configurations)
            best = std::max(best, mean_score(m, lists, static_cast<std::size_t>(c.number)));
          ranking.emplace_back(-best, m.method);
        }
        std::sort(ranking.begin(), ranking.end());
        for (std::size_t i = 0; i < ranking.size() && i < static_cast<std::size_t>(task_.finalists); ++i)
          stay.insert(ranking[i].second);
      }
      for (MethodState& m : state_.methods)
        if (spec_.method(m.method).axis == axis) m.finalist = stay.count(m.method) != 0;
    }
  }

  MethodState* state_of(const std::string& name) {
    const auto found = std::find_if(state_.methods.begin(), state_.methods.end(),
                                    [&](const MethodState& m) { return m.method == name; });
    return found == state_.methods.end() ? nullptr : &*found;
  }

  std::vector<StagePoint> points_of(const std::vector<Configuration>& configurations) const {
    std::vector<StagePoint> points;
    for (std::size_t i = 0; i < configurations.size(); ++i)
      for (const double factor : horizons()) {
        StagePoint point{static_cast<int>(i), factor, settings(configurations[i].trial, factor)};
        if (!configurations[i].prices.empty()) point.set.emplace_back("prices", prices_word(configurations[i].prices));
        points.push_back(std::move(point));
      }
    return points;
  }

  /// Points of a control that repeats at random, at every horizon, the mean fractions of the runs of another method.
  std::vector<StagePoint> recorded_points(const EvidenceMethod& method) {
    const auto stage = std::find_if(state_.runs.begin(), state_.runs.end(),
                                    [&](const Stage& s) { return s.method == method.follows; });
    const MethodState* followed = state_of(method.follows);
    std::vector<StagePoint> points;
    if (stage == state_.runs.end() || followed == nullptr) return points;
    const Trial& trial = followed->configurations.front().trial;
    for (const double factor : horizons()) {
      Trial bare;
      bare.rate = trial.rate, bare.horizon = trial.horizon, bare.batch = trial.batch;
      StagePoint point{0, factor, settings(bare, factor)};
      const bool data = method.record == theory::Record::data;
      point.set.emplace_back(data ? "selection.method" : "plasticity.method", "\"schedule\"");
      point.set.emplace_back("schedule", recorded_schedule(*stage, factor, data));
      points.push_back(std::move(point));
    }
    return points;
  }

  /// {edges = [...], data_fraction = [...], data_rule = "random"}: means over seeds, one interval an evaluation.
  static std::string recorded_schedule(const Stage& stage, double factor, bool data) {
    RunColumns columns(stage.table);
    const std::vector<double> design = stage.table.numbers("design_index");
    std::vector<double> offered, fraction;
    double runs = 0;
    for (std::size_t i = 0; i < columns.runs(); ++i) {
      const StagePoint& point = stage.points[static_cast<std::size_t>(design[i])];
      if (point.configuration != 0 || point.factor != factor || columns.rows(i) == 0) continue;
      ++runs;
      offered.resize(columns.rows(i)), fraction.resize(columns.rows(i));
      for (std::size_t row = 0; row < columns.rows(i); ++row) {
        offered[row] = columns.at("samples_offered", i, row);
        fraction[row] += data ? columns.at("data_fraction", i, row) * columns.at("present_fraction", i, row)
                              : columns.at("weight_fraction", i, row);
      }
    }
    std::vector<std::string> edges{"0.0"}, values;
    for (std::size_t row = 0; row < offered.size(); ++row) {
      edges.push_back(row + 1 == offered.size() ? "1.0" : fmt::format("{:.6f}", offered[row] / offered.back()));
      values.push_back(fmt::format("{:.6g}", std::clamp(fraction[row] / runs, k_least_fraction, 1.0)));
    }
    return fmt::format("{{ edges = [{}], {} = [{}], {} = \"random\" }}", fmt::join(edges, ", "),
                       data ? "data_fraction" : "weight_fraction", fmt::join(values, ", "),
                       data ? "data_rule" : "weight_rule");
  }

  bool run(const EvidenceMethod& method) {
    MethodState* state = state_of(method.name);
    if (state == nullptr) {
      state = &state_.methods.emplace_back();
      state->method = method.name;
    }
    if (!state->finalist || !state->note.empty()) return true;
    std::vector<StagePoint> points =
        method.follows.empty() ? points_of(state->configurations) : recorded_points(method);
    if (points.empty()) {
      if (!method.follows.empty() && options_.work && options_.methods.empty())
        state->note = fmt::format("'{}', which it follows, has no runs", method.follows);
      return true;
    }
    if (!method.follows.empty()) state->configurations = {{{}, -1, "", "all"}};
    const StageResult result = stages_.carry_out("runs/" + method.name + stack_suffix(state->stack), method.name, points,
                                                 spec_.seeds_of(task_), asked(method));
    if (!ended(result, state)) return false;
    if (result.status != StageStatus::complete) return true;
    state->runs = runs_of_stage(result.stage, task_.metric);
    state_.runs.push_back(result.stage);
    return true;
  }

  Session& session_;
  const theory::EvidenceSpec& spec_;
  const theory::EvidenceTask& task_;
  std::string folder_;
  SweepData& data_;
  const EvidenceOptions& options_;
  Stages stages_;
  TaskState state_;
  Trial dense_trial_;
  std::vector<FinishedRun> dense_;
};

}  // namespace

TaskState carry_out(Session& session, const theory::EvidenceSpec& spec, const theory::EvidenceTask& task,
                    const std::string& folder, SweepData& data, const EvidenceOptions& options) {
  return Work(session, spec, task, folder, data, options).carry_out();
}

}  // namespace eos::cli
