// eos sweep: what its actions share.
#pragma once

#include <memory>
#include <string>

#include "eos/io/sweep_folder.hpp"
#include "session.hpp"
#include "sweep_runs.hpp"
#include "sweep_work.hpp"

namespace eos::cli {

/// A sweep that is about to be worked on.
struct OpenSweep {
  io::SweepFolder folder;
  io::SweepPlan plan;
  std::unique_ptr<SweepRuns> runs;
  std::unique_ptr<SweepData> data;  ///< null where the caller keeps it
};

/// From a sweep file, planned now, or from a folder that holds a sweep (`target` is a folder). The folder is not made:
/// create_folder() does that.
OpenSweep open_sweep(Session& session, const std::string& target);
/// The sweep in a folder.
OpenSweep join_sweep(const std::string& folder);
/// Writes the plan into the folder, or takes over the plan that is there.
void create_folder(OpenSweep& sweep);

/// Works on the chunks that `next` hands out, with the devices, threads and checkpoints that were asked for; without
/// --threads on this process's share of the machine.
SweepOutcome work_on(Session& session, OpenSweep& sweep, SweepData& data, const NextChunk& next,
                     const NodeShare& share = {}, const std::string& task = "sweep");
/// Devices that were asked for: auto means the GPUs where there are any; a CUDA name without a number all of them.
std::vector<std::string> devices_of(const Arguments& arguments);
/// Exit code for what came out.
int exit_code(const SweepOutcome& outcome);

/// eos sweep --mpi: one of the processes of mpirun. The first one plans and makes the folder, the others join it.
int sweep_with_mpi(Session& session, const std::string& target);

/// The plan as text: runs, groups, chunks, forecasts.
Document plan_report(const OpenSweep& sweep, int threads);

int sweep_status(Session& session, const std::string& folder);
int sweep_watch(Session& session, const std::string& folder);

}  // namespace eos::cli
