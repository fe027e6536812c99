// Work on the runs of a sweep: claim chunks, train their runs on all threads, record each run when it ends, publish
// chunks when they are complete.
//
// A thread that has nothing to do takes the next run of a chunk that this process holds, or claims another chunk; so
// all threads are busy until the last runs. A run is finished when its record is in the journal of its chunk: from then
// on neither a kill nor a full disk can lose it, and nobody makes it again. Runs in progress keep checkpoints.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "eos/io/sweep_folder.hpp"
#include "eos/sim/energy_meter.hpp"
#include "sweep_runs.hpp"

namespace eos::cli {

/// Hands out the numbers of chunks, each to one caller; nothing when there are no more.
using NextChunk = std::function<std::optional<std::int64_t>()>;
/// All chunks i of n with i mod n = shard, in order, or one alone.
NextChunk chunks_in_order(std::int64_t chunks, std::int64_t shard = 0, std::int64_t shards = 1);

/// Which of the processes on a machine this one is, when they share its cores and devices.
struct NodeShare {
  int rank = 0, processes = 1;
};
/// The devices of one process: consecutive ones, each process its own while there are enough, else as many processes
/// on each as on the others. pre: `devices` not empty.
std::vector<std::string> share_of(const std::vector<std::string>& devices, const NodeShare& share);

struct SweepWorkOptions {
  std::vector<std::string> devices = {"cpu"};  ///< thread i works on device i mod their number
  int threads = 1;
  sim::MeterOptions meter;
  theory::CarbonFactors carbon;
  int checkpoint_seconds = 120;
  std::string command_line;
  std::string task = "sweep";  ///< what progress is called
};

struct SweepOutcome {
  std::int64_t runs = 0;       ///< made by this process
  std::int64_t diverged = 0;   ///< of these
  std::int64_t failed = 0;     ///< ended with an Error
  std::int64_t elsewhere = 0;  ///< chunks that other processes hold
  double seconds = 0;
  bool stopped = false;
};

/// Works until `next` has no more chunks or a stop is asked for. throws Error where results cannot be stored (E301) and
/// where the machine cannot train at all; runs whose input is at fault are noted in the folder and left out.
SweepOutcome work_on_sweep(const io::SweepFolder& folder, const io::SweepPlan& plan, const SweepRuns& runs,
                           SweepData& data, const NextChunk& next, core::Progress& progress,
                           const SweepWorkOptions& options);

}  // namespace eos::cli
