// Many sweep tables of one sweep (chunk files, or merged files of its shards) in one file, in constant memory.
//
// Statement. The result is the table that stack_runs (run_stack.hpp) makes of all runs in plan order, so its
// content_sha256 does not depend on how runs were packed into files. First the headers are read and the file is laid
// out: all metadata and texts are written and flushed, and every array of numbers has its place. Then the numbers of
// one input after the other are written straight to their places; a small side file says how far this is on the disk,
// so that a killed merge continues there if its inputs are still the same. The content hash of every input is verified
// on reading, that of the result computed from what was written. At the end the file gets its name (rename).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "eos/core/progress.hpp"

namespace eos::io {

struct MergeOptions {
  bool partial = false;  ///< merge what is there although runs are missing
  std::optional<std::int64_t>
      planned_runs;     ///< runs of the whole sweep; else root attribute `planned_runs` of the inputs
  std::string history;  ///< command line, for the root attribute history
};

struct MergeResult {
  std::int64_t runs = 0, planned = 0, duplicates = 0;
  std::uint64_t bytes = 0;  ///< of the result
  bool resumed = false;     ///< continued a merge that was killed
  bool stopped = false;     ///< on request of `progress`; the same call goes on
  std::string content_sha256;
};

/// Runs are ordered by the variable `plan_index` (run), or as they come when the inputs have none. A run that two
/// inputs hold must be the same in both. throws Error E201/E210/E211 (an input is missing or damaged; names it), E107
/// (inputs of different sweeps, or one run with two contents), E505 (runs are missing and `partial` is not set), E503
/// (another process is merging into `out`), E301 (disk full, no permission: nothing is left behind and the inputs are
/// untouched).
MergeResult merge_sweeps(const std::vector<std::string>& inputs, const std::string& out, const MergeOptions& options,
                         core::Progress& progress);

}  // namespace eos::io
