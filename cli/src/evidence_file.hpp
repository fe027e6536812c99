// evidence.h5: the runs of all tasks, the results, the protocol. docs/evidence.md lists what is in it.
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "evidence.hpp"

namespace eos::cli {

/// The group of a task or method: names of files and groups have no '-'.
std::string group_name(const std::string& name);

/// Tasks, methods and price lists as coordinates, and a group for each task with the tables `tuning` and `runs` (docs:
/// sweep tables; `run_method`, `run_configuration`, `run_factor` tell runs apart). Without results.
core::Dataset evidence_dataset(const theory::EvidenceSpec& spec, const std::vector<TaskState>& states);

/// The final runs of a task as they are in the file.
std::vector<FinishedRun> runs_in(const core::Dataset& evidence, std::size_t task);
/// The price list of a task, as scaled for it.
theory::PriceList prices_in(const core::Dataset& evidence, std::size_t task, std::size_t list);

}  // namespace eos::cli
