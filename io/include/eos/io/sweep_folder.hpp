// The folder of a sweep: what is to be run, in which chunks, what is finished, and who is working on it.
//
//   sweep.toml                 the text of the sweep file, byte for byte
//   plan.json                  runs in plan order, groups of one shape, chunks (consecutive runs of one group)
//   chunks/chunk-000012.h5     a finished chunk: appears whole or not at all
//   open/chunk-000012.journal  finished runs of an unfinished chunk; its lock is the claim of one process
//   open/RUN_ID/               checkpoints of a run in progress
//   open/HOST-PID.json         what a process is doing, renewed every few seconds
//   failed/RUN_ID.txt          why a run could not be made; it is tried again by the next process
//
// Any number of processes on any number of machines may work on one folder, as long as its file system has locks
// (flock). There is no database and no server: the names of the files say what is finished. Removing a chunk file makes
// its runs be run again; nothing else is ever run twice.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace eos::io {

/// A run in plan order: by group, then design point, then seed. The order depends on the sweep file alone.
struct SweepRun {
  std::int64_t point = 0;  ///< of the design
  std::uint64_t seed = 0;
  int group = 0;
  std::string id;  ///< 16 hex digits over configuration, seed and version of the numerics
};

/// Runs of one data set, network and batch: they can share a device batch.
struct SweepGroup {
  std::string shape;  ///< in words
  std::int64_t runs = 0;
  int replicas = 1;               ///< in lockstep
  std::string alone;              ///< why runs of this group are trained one by one, "" if they are not
  double run_seconds = 0;         ///< foretold wall time of one run on one thread, or one replica's share
  double run_energy = 0;          ///< J, foretold by the price list; NaN: unknown
  std::int64_t memory_bytes = 0;  ///< of one run, or of all in lockstep
  std::int64_t data_bytes = 0;    ///< of the data set, which all workers of a process share
  std::int64_t result_bytes = 0;  ///< of one run in a file
};

struct SweepChunk {
  std::int64_t first = 0, count = 0;  ///< runs
  int group = 0;
  double seconds = 0;  ///< foretold, on one thread
};

struct SweepPlan {
  std::string title;
  std::string origin;  ///< path of the sweep file when the folder was made: relative paths in it start there
  std::vector<std::string> overrides;  ///< --set of the command that made it
  std::string sha256;                  ///< over the sweep file, the file `base` and every --set
  std::vector<std::string> axes;       ///< names
  std::vector<SweepRun> runs;
  std::vector<SweepGroup> groups;
  std::vector<SweepChunk> chunks;
};
std::string to_json(const SweepPlan& plan);
/// throws Error E203 when the text is not a plan.
SweepPlan sweep_plan_from(const std::string& json, const std::string& name);

/// What a process says about itself.
struct SweepWorker {
  std::string host, device;
  std::int64_t pid = 0;
  int threads = 1;
  double started = 0, updated = 0;  ///< s since 1970, UTC
  std::int64_t done = 0, diverged = 0, failed = 0, running = 0;
  double joules = 0;   ///< measured so far; NaN: not measured
  bool alive() const;  ///< renewed lately, and not a dead process of this machine
};

class SweepFolder {
 public:
  explicit SweepFolder(std::string path) : path_(std::move(path)) {}
  const std::string& path() const { return path_; }

  /// Holds a sweep.
  bool exists() const;
  /// Makes the folder for a sweep, or joins it. Returns the plan that holds: that of the process that came first.
  /// throws Error E504 when another sweep lives there, or this one with another --set; E301.
  SweepPlan create(const std::string& sweep_text, const SweepPlan& plan) const;
  /// throws Error E201, E203.
  std::string sweep_text() const;
  SweepPlan plan() const;

  std::string chunk_file(std::int64_t chunk) const;
  std::string journal_file(std::int64_t chunk) const;
  std::string checkpoints(const std::string& run_id) const;
  std::string failure_file(const std::string& run_id) const;
  bool finished(std::int64_t chunk) const;
  /// Removes what a process that was killed left behind in open/ although the chunk is finished.
  void remove_checkpoints(const std::string& run_id) const;

  void report(const SweepWorker& worker) const;  ///< errors are ignored: it is only news
  void retire(const SweepWorker& worker) const;
  std::vector<SweepWorker> workers() const;   ///< the living; files of the dead are removed
  std::vector<std::string> failures() const;  ///< run ids
  void note_failure(const std::string& run_id, const std::string& why) const;
  void forget_failure(const std::string& run_id) const;

 private:
  std::string path_;
};

/// This process: host, pid, started now.
SweepWorker this_worker(const std::string& device, int threads);

}  // namespace eos::io
