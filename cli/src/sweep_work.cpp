#include "sweep_work.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>
#include <set>

#include "checkpoint_files.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/io/run_journal.hpp"
#include "eos/io/run_stack.hpp"
#include "eos/kernels/device.hpp"
#include "eos/sim/batch.hpp"
#include "files.hpp"
#include "sweep_meter.hpp"

namespace eos::cli {

namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

constexpr double k_report_seconds = 2;

/// What this process tells: one line of progress, and a file in the folder.
class News {
 public:
  News(const io::SweepFolder& folder, core::Progress& progress, const SweepWorkOptions& options, std::int64_t runs)
      : folder_(folder),
        progress_(progress),
        task_(options.task),
        worker_(io::this_worker(fmt::format("{}", fmt::join(options.devices, " ")), options.threads)) {
    worker_.joules = std::numeric_limits<double>::quiet_NaN();
    progress_.begin(task_, static_cast<double>(runs), "runs");
    folder_.report(worker_);
  }
  ~News() {
    folder_.retire(worker_);
    progress_.end(task_);
  }
  News(const News&) = delete;
  News& operator=(const News&) = delete;

  bool stop() const { return progress_.stop_requested(); }
  void starts(std::int64_t runs) {
    change([&] { worker_.running += runs; });
  }
  /// A part of a run was trained; `part` of 1 in all.
  void advances(double part) {
    change([&] { share_ += part; });
  }
  /// `counted`: what of the run was reported by advances().
  void ends(sim::RunStatus status, double counted, double joules) {
    change([&] {
      --worker_.running, ++worker_.done;
      worker_.joules = joules;
      share_ += 1 - counted;
      worker_.diverged += status == sim::RunStatus::diverged ? 1 : 0;
    });
  }
  void fails(double counted) {
    change([&] { --worker_.running, ++worker_.failed, share_ += 1 - counted; });
  }
  void leaves() {
    change([&] { --worker_.running; });
  }
  const io::SweepWorker& worker() const { return worker_; }
  /// Work on runs that have not ended, in runs.
  double in_progress() {
    const std::lock_guard<std::mutex> guard(lock_);
    return std::max(0.0, share_ - static_cast<double>(worker_.done + worker_.failed));
  }

 private:
  template <class Change>
  void change(const Change& change) {
    const std::lock_guard<std::mutex> guard(lock_);
    change();
    progress_.update(
        task_, share_,
        fmt::format("{} running, {} diverged, {} failed", worker_.running, worker_.diverged, worker_.failed));
    if (seconds_since(reported_) < k_report_seconds) return;
    reported_ = Clock::now();
    worker_.updated = std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
    folder_.report(worker_);
  }

  const io::SweepFolder& folder_;
  core::Progress& progress_;
  const std::string task_;
  io::SweepWorker worker_;
  std::mutex lock_;
  double share_ = 0;
  Clock::time_point reported_ = Clock::now();
};

/// Passes the progress of one run, or of several in lockstep, on as shares of runs.
class RunProgress : public core::Progress {
 public:
  RunProgress(News& news, double runs) : news_(news), runs_(runs) {}
  void begin(const std::string&, double total, const std::string&) override { total_ += total; }
  void update(const std::string&, double done, const std::string&) override {
    const double now = total_ > 0 ? std::min(done / total_, 1.0) * runs_ : 0;
    if (now <= counted_) return;
    news_.advances(now - counted_);
    counted_ = now;
  }
  bool stop_requested() const override { return news_.stop(); }
  double counted() const { return counted_; }

 private:
  News& news_;
  double runs_, total_ = 0;
  std::atomic<double> counted_ = 0;
};

/// A chunk that this process holds.
struct OpenChunk {
  std::int64_t number = 0;
  io::SweepChunk range;
  io::RunJournal journal;
  std::vector<std::int64_t> todo;  ///< runs that no journal has
  std::size_t handed_out = 0, ended = 0;
  bool incomplete = false;  ///< a run failed or was interrupted
};

core::Error changed(const io::SweepFolder& folder, const std::string& what) {
  return core::Error("E504",
                     fmt::format("{} is not what the folder {} was made for: a file that the sweep refers to, or eos "
                                 "itself, has changed",
                                 what, folder.path()),
                     "undo the change, or start the sweep in another folder");
}

/// Runs to be made by one thread: one, or those of a chunk in lockstep.
struct Work {
  std::shared_ptr<OpenChunk> chunk;
  std::vector<std::int64_t> runs;
};

class Bench {
 public:
  Bench(const io::SweepFolder& folder, const io::SweepPlan& plan, const SweepRuns& runs, SweepData& data,
        const NextChunk& next, const SweepWorkOptions& options, News& news, SweepOutcome& outcome)
      : folder_(folder),
        plan_(plan),
        runs_(runs),
        data_(data),
        next_(next),
        options_(options),
        news_(news),
        outcome_(outcome),
        sweep_(plan.sha256),
        meter_(options.meter, options.carbon, kernels::Context::named(options.devices.front())) {}

  /// What one thread does, on its device. An error ends the work of all threads.
  void work(const std::string& device) {
    try {
      while (std::optional<Work> work = take()) {
        if (work->runs.size() > 1)
          train_together(*work, device);
        else
          train_alone(*work->chunk, work->runs.front(), device);
      }
    } catch (...) {
      broken_ = true;
      throw;
    }
  }

 private:
  const io::SweepGroup& group(const OpenChunk& chunk) const {
    return plan_.groups[static_cast<std::size_t>(chunk.range.group)];
  }
  const io::SweepRun& run(std::int64_t index) const { return plan_.runs[static_cast<std::size_t>(index)]; }

  std::optional<Work> take() {
    const std::lock_guard<std::mutex> guard(lock_);
    while (!news_.stop() && !broken_) {
      if (current_ == nullptr || current_->handed_out == current_->todo.size()) current_ = claim();
      if (current_ == nullptr) return std::nullopt;
      const bool together = group(*current_).replicas > 1;
      Work work{current_, {}};
      do work.runs.push_back(current_->todo[current_->handed_out++]);
      while (together && current_->handed_out < current_->todo.size());
      news_.starts(static_cast<std::int64_t>(work.runs.size()));
      return work;
    }
    return std::nullopt;
  }

  /// The next chunk with something to do; publishes those that were complete but for their file.
  std::shared_ptr<OpenChunk> claim() {
    while (const std::optional<std::int64_t> number = next_()) {
      if (folder_.finished(*number)) {
        bury(*number);
        continue;
      }
      std::optional<io::RunJournal> journal = io::RunJournal::claim(folder_.journal_file(*number), sweep_);
      if (!journal) {
        ++outcome_.elsewhere;
        continue;
      }
      if (folder_.finished(*number)) {  // by the process that held it just now
        journal->remove();
        continue;
      }
      const io::SweepChunk range = plan_.chunks[static_cast<std::size_t>(*number)];
      auto chunk = std::make_shared<OpenChunk>(OpenChunk{*number, range, std::move(*journal), {}});
      const std::vector<std::int64_t> finished = chunk->journal.finished();
      const std::set<std::int64_t> known(finished.begin(), finished.end());
      for (std::int64_t i = range.first; i < range.first + range.count; ++i) {
        if (known.count(i) == 0)
          chunk->todo.push_back(i);
        else
          folder_.remove_checkpoints(run(i).id);  // its process was killed before it could
      }
      if (!chunk->todo.empty()) return chunk;
      publish(*chunk);
    }
    return nullptr;
  }

  /// The journal that a process left which was killed just after it had published the chunk.
  void bury(std::int64_t chunk) const {
    if (!std::filesystem::exists(folder_.journal_file(chunk))) return;
    if (std::optional<io::RunJournal> journal = io::RunJournal::claim(folder_.journal_file(chunk), sweep_))
      journal->remove();
  }

  theory::TrainingSpec spec(std::int64_t index) const {
    theory::TrainingSpec spec = runs_.spec(run(index).point, run(index).seed);
    if (run_id(spec) != run(index).id) throw changed(folder_, fmt::format("run {}", index));
    spec.checkpoint_seconds = options_.checkpoint_seconds;
    return spec;
  }

  void train_alone(OpenChunk& chunk, std::int64_t index, const std::string& device) {
    RunProgress progress(news_, 1);
    attempt(chunk, index, progress, [&] {
      const theory::TrainingSpec asked = spec(index);
      const auto task = data_.get(asked.data);
      meter_.begin();
      KeepingSink checkpoints(folder_.checkpoints(run(index).id));
      sim::TrainOptions train;
      train.device = device;
      train.checkpoints = &checkpoints;
      const sim::TrainResult result = sim::train(asked, *task, progress, train);
      if (result.replicas.front().status == sim::RunStatus::stopped) return leave(chunk);
      record(chunk, index, result, progress.counted());
    });
  }

  /// Runs in lockstep; those that cannot go with the others are trained alone.
  void train_together(const Work& work, const std::string& device) {
    OpenChunk& chunk = *work.chunk;
    std::vector<theory::TrainingSpec> specs;
    std::vector<std::int64_t> together, alone;
    std::shared_ptr<const sim::TaskData> task;
    for (const std::int64_t index : work.runs) {
      theory::TrainingSpec s = spec(index);
      if (task == nullptr) task = data_.get(s.data);
      if (goes_in_lockstep(s, *task, device))
        specs.push_back(std::move(s)), together.push_back(index);
      else
        alone.push_back(index);
    }
    meter_.begin();
    const double runs = static_cast<double>(together.size());
    RunProgress progress(news_, runs);
    sim::BatchOptions batch;
    batch.device = device;
    batch.replicas = group(chunk).replicas;
    const std::string device_name = kernels::Context::named(device).device_name();
    std::size_t ended = 0;
    batch.finished = [&](std::size_t i, const sim::ReplicaResult& replica) {
      ++ended;
      record(chunk, together[i], sim::result_of(specs[i], *task, device_name, replica), progress.counted() / runs);
    };
    if (!together.empty()) sim::train_batched(specs, *task, progress, batch);
    for (std::size_t left = ended; left < together.size(); ++left) leave(chunk);
    for (const std::int64_t index : alone) {
      if (news_.stop())
        leave(chunk);
      else
        train_alone(chunk, index, device);
    }
  }

  /// On the CPU online training adds up paths in another order in a batch: results would depend on the packing.
  bool goes_in_lockstep(const theory::TrainingSpec& s, const sim::TaskData& task, const std::string& device) const {
    const bool gpu = kernels::parse_device(device).backend == kernels::Backend::cuda;
    return (gpu || s.batch > 1) && sim::batchable(s, task);
  }

  /// A run whose input is at fault is noted and left out; everything else ends the work.
  template <class Train>
  void attempt(OpenChunk& chunk, std::int64_t index, const RunProgress& progress, const Train& train) {
    try {
      train();
    } catch (const core::Error& error) {
      if (error.fault() != core::Fault::input || error.diagnostics().front().code == "E504") throw;
      folder_.note_failure(run(index).id, fmt::format("run {} ({}), seed {}\n{}\n", index,
                                                      runs_.words(run(index).point), run(index).seed, error.what()));
      news_.fails(progress.counted());
      end(chunk, false);
    }
  }

  void leave(OpenChunk& chunk) {
    news_.leaves();
    end(chunk, false);
  }

  void record(OpenChunk& chunk, std::int64_t index, sim::TrainResult result, double counted) {
    const std::vector<sim::EpochRow>& rows = result.replicas.front().epochs;
    const double others = std::max(0.0, news_.in_progress() - counted);
    result.energy = meter_.charge(rows.empty() ? theory::Ledger{} : rows.back().ledger, others);
    core::Dataset table = sim::to_dataset(result);
    runs_.label(table, run(index), index);
    chunk.journal.append(index, std::move(table));
    folder_.remove_checkpoints(run(index).id);
    folder_.forget_failure(run(index).id);
    news_.ends(result.replicas.front().status, counted, meter_.joules());
    end(chunk, true);
  }

  /// The last run of a chunk publishes it.
  void end(OpenChunk& chunk, bool complete) {
    {
      const std::lock_guard<std::mutex> guard(lock_);
      chunk.incomplete = chunk.incomplete || !complete;
      if (++chunk.ended < chunk.todo.size() || chunk.incomplete) return;
    }
    publish(chunk);
  }

  void publish(OpenChunk& chunk) {
    std::vector<io::RunJournal::Record> records = chunk.journal.read();
    std::sort(records.begin(), records.end(), [](const auto& a, const auto& b) { return a.index < b.index; });
    std::vector<core::Dataset> tables;
    for (io::RunJournal::Record& record : records) tables.push_back(std::move(record.run));
    core::Dataset table = io::stack_runs(tables);
    table.attributes["sweep_axes"] = fmt::format("{}", fmt::join(plan_.axes, " "));
    table.attributes["sweep_sha256"] = sweep_;
    table.attributes["planned_runs"] = static_cast<std::int64_t>(plan_.runs.size());
    core::Dataset& provenance = table.groups["provenance"];
    provenance.attributes["sweep_origin"] = plan_.origin;
    provenance.attributes["sweep_overrides"] = fmt::format("{}", fmt::join(plan_.overrides, "\n"));
    add_origin(table, plan_.title.empty() ? "sweep" : plan_.title, runs_.file().text, options_.command_line);
    io::write_hdf5(folder_.chunk_file(chunk.number), table, io::Storage::contiguous);
    chunk.journal.remove();
  }

  const io::SweepFolder& folder_;
  const io::SweepPlan& plan_;
  const SweepRuns& runs_;
  SweepData& data_;
  const NextChunk& next_;
  const SweepWorkOptions& options_;
  News& news_;
  SweepOutcome& outcome_;
  const std::string sweep_;
  SweepMeter meter_;
  std::mutex lock_;
  std::shared_ptr<OpenChunk> current_;
  std::atomic<bool> broken_ = false;
};

}  // namespace

std::vector<std::string> share_of(const std::vector<std::string>& devices, const NodeShare& share) {
  const auto all = static_cast<std::ptrdiff_t>(devices.size());
  const std::ptrdiff_t first = share.rank * all / share.processes;
  const std::ptrdiff_t last = std::max(first + 1, (share.rank + 1) * all / share.processes);
  return {devices.begin() + first, devices.begin() + last};
}

NextChunk chunks_in_order(std::int64_t chunks, std::int64_t shard, std::int64_t shards) {
  return [=, at = shard]() mutable -> std::optional<std::int64_t> {
    if (at >= chunks) return std::nullopt;
    const std::int64_t number = at;
    at += shards;
    return number;
  };
}

SweepOutcome work_on_sweep(const io::SweepFolder& folder, const io::SweepPlan& plan, const SweepRuns& runs,
                           SweepData& data, const NextChunk& next, core::Progress& progress,
                           const SweepWorkOptions& options) {
  const auto begin = Clock::now();
  if (runs.hash() != plan.sha256) throw changed(folder, "the sweep");
  SweepOutcome outcome;
  std::int64_t open = 0;
  for (std::size_t c = 0; c < plan.chunks.size(); ++c)
    if (!folder.finished(static_cast<std::int64_t>(c))) open += plan.chunks[c].count;
  {
    News news(folder, progress, options, open);
    Bench bench(folder, plan, runs, data, next, options, news, outcome);
    core::parallel_for(static_cast<std::size_t>(options.threads), options.threads,
                       [&](std::size_t i) { bench.work(options.devices[i % options.devices.size()]); });
    outcome.runs = news.worker().done;
    outcome.diverged = news.worker().diverged, outcome.failed = news.worker().failed;
  }
  outcome.stopped = progress.stop_requested();
  outcome.seconds = seconds_since(begin);
  return outcome;
}

}  // namespace eos::cli
