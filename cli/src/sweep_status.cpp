// eos sweep status, eos sweep watch: how far a sweep is, whoever works on it and wherever.
#include <fmt/format.h>

#include <chrono>
#include <cmath>
#include <ostream>
#include <thread>

#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_journal.hpp"
#include "sweep.hpp"

namespace eos::cli {

namespace {

constexpr auto k_look_again = std::chrono::seconds(2);
constexpr int k_polls = 20;  ///< of a stop request, between two looks

struct Standing {
  std::int64_t runs = 0, done = 0, diverged = 0, chunks = 0, published = 0;
  std::vector<io::SweepWorker> workers;
  std::vector<std::string> failed;
  double rate = 0;  ///< runs a second of those that work now
  double joules = NAN;
  std::int64_t running = 0;

  double left() const { return rate > 0 ? static_cast<double>(runs - done) / rate : NAN; }
};

void count(const core::Dataset& table, Standing& s) {
  for (const std::string& status : table.strings("run_status")) {
    ++s.done;
    s.diverged += status == "diverged" ? 1 : 0;
  }
}

/// Counts what does not change any more once: chunk files.
class Counter {
 public:
  explicit Counter(const std::string& path) : folder_(path), plan_(folder_.plan()), seen_(plan_.chunks.size(), false) {}

  Standing look() {
    for (std::size_t c = 0; c < plan_.chunks.size(); ++c) {
      const auto chunk = static_cast<std::int64_t>(c);
      if (seen_[c] || !folder_.finished(chunk)) continue;
      count(io::read_hdf5(folder_.chunk_file(chunk)), published_);
      seen_[c] = true;
      ++published_.published;
    }
    Standing s = published_;
    s.runs = static_cast<std::int64_t>(plan_.runs.size());
    s.chunks = static_cast<std::int64_t>(plan_.chunks.size());
    for (std::size_t c = 0; c < plan_.chunks.size(); ++c)
      if (!seen_[c])
        for (const io::RunJournal::Record& r : io::RunJournal::look(folder_.journal_file(static_cast<std::int64_t>(c))))
          count(r.run, s);
    s.workers = folder_.workers();
    s.failed = folder_.failures();
    for (const io::SweepWorker& w : s.workers) {
      s.running += w.running;
      s.rate += static_cast<double>(w.done) / std::max(w.updated - w.started, 1e-3);
      if (!std::isnan(w.joules)) s.joules = (std::isnan(s.joules) ? 0 : s.joules) + w.joules;
    }
    return s;
  }

 private:
  io::SweepFolder folder_;
  io::SweepPlan plan_;
  std::vector<bool> seen_;
  Standing published_;
};

/// "412 of 1000 runs done, 2 running, 3 diverged, 0 failed | 14.2 runs/s | 0:41 left".
std::string line(const Standing& s) {
  std::string text = fmt::format("{} of {} runs done, {} running, {} diverged, {} failed", s.done, s.runs, s.running,
                                 s.diverged, s.failed.size());
  if (s.rate > 0) text += fmt::format(" | {:.3g} runs/s | {} left", s.rate, clock_time(s.left()));
  if (!std::isnan(s.joules)) text += " | " + si(s.joules, "J");
  return text;
}

Document report(const std::string& folder, const Standing& s) {
  Document document("eos.sweep_status/1");
  document.set("folder", folder, "sweep");
  document.set("summary", line(s), "now");
  document.set("runs", s.runs);
  document.set("done", s.done);
  document.set("running", s.running);
  document.set("diverged", s.diverged);
  document.set("failed", static_cast<std::int64_t>(s.failed.size()));
  document.set("chunks", s.chunks);
  document.set("chunks_done", s.published, fmt::format("chunks done, of {}", s.chunks), Style::exact);
  document.set("runs_per_second", s.rate);
  document.set("seconds_left", s.left());
  if (!s.workers.empty()) {
    Table& table = document.table("workers", "at work",
                                  {{"host", "host", Style::text},
                                   {"pid", "process", Style::exact},
                                   {"device", "device", Style::text},
                                   {"threads", "threads", Style::exact},
                                   {"done", "runs done", Style::exact},
                                   {"running", "running", Style::exact},
                                   {"seconds", "for", Style::seconds}});
    for (const io::SweepWorker& w : s.workers)
      table.add({w.host, w.pid, w.device, std::int64_t{w.threads}, w.done, w.running, w.updated - w.started});
  }
  for (const std::string& id : s.failed)
    document.note(fmt::format("run {} failed: see {}/failed/{}.txt", id, folder, id));
  if (s.done == s.runs)
    document.note(fmt::format("All runs are there. Next: eos merge {} -o sweep.h5", folder));
  else if (s.workers.empty())
    document.note(fmt::format("Nobody works on it. To go on: eos sweep {}", folder));
  return document;
}

}  // namespace

int sweep_status(Session& session, const std::string& folder) {
  session.print(report(folder, Counter(folder).look()));
  return k_done;
}

int sweep_watch(Session& session, const std::string& folder) {
  const StopOnSignal stop;
  Counter counter(folder);
  core::Progress& progress = session.progress();
  Standing s = counter.look();
  progress.begin("sweep", static_cast<double>(s.runs), "runs");
  while (true) {
    progress.update("sweep", static_cast<double>(s.done), line(s));
    if (s.done == s.runs || progress.stop_requested()) break;
    for (int i = 0; i < k_polls && !progress.stop_requested(); ++i) std::this_thread::sleep_for(k_look_again / k_polls);
    s = counter.look();
  }
  progress.end("sweep");
  session.print(report(folder, s));
  return k_done;
}

}  // namespace eos::cli
