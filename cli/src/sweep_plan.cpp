// From the runs of a sweep to groups of one shape, forecasts, and chunks of work.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/io/toml.hpp"
#include "eos/kernels/device.hpp"
#include "eos/sim/batch.hpp"
#include "eos/theory/network_words.hpp"
#include "sweep_runs.hpp"

namespace eos::cli {

namespace {

constexpr std::size_t k_most_forecasts = 8;  ///< groups that are measured; the others follow by their multiply-adds
constexpr std::size_t k_most_problems = 5;
constexpr double k_chunks_of_a_sweep = 16, k_least_chunk_seconds = 2;
constexpr double k_columns = 50, k_fixed_bytes = 2000;  ///< of the table of a run

/// What of a run the plan needs to know.
struct Facts {
  std::string id, shape;
  double epochs = 0, evaluations = 0;
};

std::string shape_key(const theory::TrainingSpec& spec) {
  theory::TrainingSpec only;
  only.data = spec.data, only.network = spec.network, only.batch = spec.batch;
  return io::to_toml(only);
}

std::string shape_words(const theory::TrainingSpec& s) {
  std::string network = theory::to_string(s.network.architecture);
  if (s.network.architecture == theory::Architecture::mlp)
    network += fmt::format(" {}", fmt::join(s.network.hidden, "-"));
  return fmt::format("{} on {}, batch {}", network, s.data.name, s.batch);
}

/// Reads every run once; problems of several points are reported together.
std::vector<Facts> facts_of(const SweepRuns& runs, int threads) {
  const std::size_t seeds = runs.seeds().size();
  std::vector<Facts> facts(runs.points().size() * seeds);
  std::vector<std::vector<core::Diagnostic>> problems(runs.points().size());
  core::parallel_for(runs.points().size(), threads, [&](std::size_t p) {
    try {
      theory::TrainingSpec spec = runs.spec(static_cast<std::int64_t>(p), runs.seeds().front());
      spec.check();
      for (std::size_t s = 0; s < seeds; ++s) {
        spec.seeds = {runs.seeds()[s]};
        facts[p * seeds + s] = {run_id(spec), shape_key(spec), spec.epochs,
                                std::ceil(spec.epochs / spec.evaluate_every)};
      }
    } catch (const core::Error& error) {
      problems[p] = error.diagnostics();
    }
  });
  std::vector<core::Diagnostic> first;
  std::size_t wrong = 0;
  for (std::size_t p = 0; p < problems.size(); ++p) {
    if (problems[p].empty()) continue;
    if (++wrong > k_most_problems) continue;
    for (core::Diagnostic d : problems[p]) {
      d.message = fmt::format("point {} ({}): {}", p, runs.words(static_cast<std::int64_t>(p)), d.message);
      first.push_back(std::move(d));
    }
  }
  if (wrong > 0) {
    first.back().help += fmt::format("{}{} of {} points cannot be run; leave them out with 'when' or [[sweep.exclude]]",
                                     first.back().help.empty() ? "" : "; ", wrong, problems.size());
    throw core::Error(std::move(first));
  }
  return facts;
}

/// What is known of a group beside its entry in the plan.
struct GroupFacts {
  std::int64_t point = 0;  ///< of its first run
  double epochs = 0;       ///< of that run
};

/// Fills the groups' forecasts: measured for the first ones, and for the others in proportion to multiply-adds.
void forecast_groups(const SweepRuns& runs, SweepData& data, core::Progress& progress, const SweepPlanOptions& options,
                     std::vector<io::SweepGroup>& groups, std::vector<GroupFacts>& facts) {
  progress.begin("measuring groups", static_cast<double>(groups.size()), "groups");
  double seconds = 0, macs = 0, energy = 0;
  for (std::size_t g = 0; g < groups.size() && !progress.stop_requested(); ++g) {
    const theory::TrainingSpec spec = runs.spec(facts[g].point, runs.seeds().front());
    const auto task = data.get(spec.data);
    io::SweepGroup& group = groups[g];
    const bool measure = g < k_most_forecasts && options.epoch_seconds == 0;
    sim::RunForecast f = measure ? sim::forecast(spec, *task, options.device) : sim::counted(spec, *task);
    if (options.epoch_seconds > 0) {
      f.seconds = options.epoch_seconds * spec.epochs;
    } else if (measure) {
      seconds += f.seconds, macs += static_cast<double>(f.macs), energy += f.energy;
    } else if (macs > 0) {
      f.seconds = seconds * static_cast<double>(f.macs) / macs;
      f.energy = energy * static_cast<double>(f.macs) / macs;
    }
    group.run_seconds = f.seconds, group.run_energy = f.energy;
    group.memory_bytes = f.memory_bytes * group.replicas, group.data_bytes = sim::data_bytes(*task);
    progress.update("measuring groups", static_cast<double>(g + 1), group.shape);
  }
  progress.end("measuring groups");
}

/// Whether runs of a group go in lockstep, and how many of them.
void choose_lockstep(const SweepRuns& runs, SweepData& data, const SweepPlanOptions& options,
                     std::vector<io::SweepGroup>& groups, const std::vector<GroupFacts>& facts) {
  const bool gpu = kernels::parse_device(options.device).backend == kernels::Backend::cuda;
  if (!gpu && options.replicas < 2) return;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const theory::TrainingSpec spec = runs.spec(facts[g].point, runs.seeds().front());
    const auto task = data.get(spec.data);
    if (!sim::batchable(spec, *task, &groups[g].alone)) continue;
    groups[g].replicas = options.replicas > 0 ? options.replicas : sim::choose_replicas(spec, *task, options.device);
  }
}

}  // namespace

io::SweepPlan plan_sweep(const SweepRuns& runs, SweepData& data, core::Progress& progress,
                         const SweepPlanOptions& options) {
  const std::vector<Facts> facts = facts_of(runs, options.threads);
  io::SweepPlan plan;
  plan.title = runs.file().sweep.title;
  plan.origin = std::filesystem::absolute(runs.file().name).lexically_normal().string();
  plan.axes = runs.axes();
  plan.overrides = runs.file().said, plan.sha256 = runs.hash();
  std::map<std::string, int> group_of;
  std::set<std::string> known;
  std::vector<GroupFacts> group_facts;
  std::vector<double> epochs;
  const std::size_t seeds = runs.seeds().size();
  std::map<std::string, const Facts*> by_id;
  for (std::size_t i = 0; i < facts.size(); ++i) {
    const Facts& f = facts[i];
    if (!known.insert(f.id).second) continue;
    by_id[f.id] = &f;
    const auto point = static_cast<std::int64_t>(i / seeds);
    const auto [found, is_new] = group_of.emplace(f.shape, static_cast<int>(plan.groups.size()));
    if (is_new) {
      io::SweepGroup group;
      group.shape = shape_words(runs.spec(point, runs.seeds().front()));
      group.run_energy = std::numeric_limits<double>::quiet_NaN();
      group.result_bytes = static_cast<std::int64_t>(f.evaluations * k_columns * sizeof(double) + k_fixed_bytes);
      plan.groups.push_back(group);
      group_facts.push_back({point, f.epochs});
    }
    ++plan.groups[static_cast<std::size_t>(found->second)].runs;
    plan.runs.push_back({point, runs.seeds()[i % seeds], found->second, f.id});
  }
  std::stable_sort(plan.runs.begin(), plan.runs.end(),
                   [](const io::SweepRun& a, const io::SweepRun& b) { return a.group < b.group; });
  choose_lockstep(runs, data, options, plan.groups, group_facts);
  forecast_groups(runs, data, progress, options, plan.groups, group_facts);

  std::vector<int> group;
  std::vector<double> seconds;
  double total = 0;
  for (const io::SweepRun& run : plan.runs) {
    const auto g = static_cast<std::size_t>(run.group);
    group.push_back(run.group);
    seconds.push_back(plan.groups[g].run_seconds * by_id.at(run.id)->epochs / group_facts[g].epochs);
    total += seconds.back();
  }
  const double share = std::max(total / k_chunks_of_a_sweep, k_least_chunk_seconds);
  for (const sim::RunRange& range : sim::pack_chunks(group, seconds, std::min(options.chunk_seconds, share)))
    plan.chunks.push_back({range.first, range.count, group[static_cast<std::size_t>(range.first)], range.seconds});
  return plan;
}

}  // namespace eos::cli
