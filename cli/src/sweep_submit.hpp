// eos sweep submit: hand a planned sweep to a scheduler. Every scheduler runs `eos sweep DIR --chunk N`, or --mpi; all
// they need is the folder, which must be on a file system that all machines see under the same path.
#pragma once

#include <vector>

#include "eos/io/sweep_folder.hpp"
#include "options.hpp"
#include "session.hpp"

namespace eos::cli {

/// Options of `eos sweep` that belong to submitting alone. It also reads --threads, --device, --mpi and --dry-run.
std::vector<Option> submit_options();
/// throws Error E100 when one of them was given without submitting.
void refuse_submit_options(const Arguments& arguments);

/// pre: the folder holds a plan. --slurm writes DIR/submit.sh and gives it to sbatch (with --dry-run it prints it);
/// --parallel and --mpi print the command that does the work. Finished chunks are left out.
/// throws Error E100 (no scheduler named, or two), E103/E107 (times and amounts), E308 (sbatch is missing or refuses),
/// E301.
int submit_sweep(Session& session, const io::SweepFolder& folder);

}  // namespace eos::cli
