// What a finished sweep says: its design points with means over seeds, and its runs one by one.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"
#include "eos/core/dataset.hpp"
#include "report.hpp"

namespace eos::cli {

/// True for a table with a dimension `run` (docs/file-format.md, sweep table).
bool is_sweep(const core::Dataset& data);

/// The runs of one design point, one per seed.
struct DesignPoint {
  std::int64_t index = 0;
  std::string label;  ///< "rate = 0.1, policy = random"
  std::vector<std::size_t> rows;
};
/// In order of first appearance; runs without design_index are points of their own.
std::vector<DesignPoint> design_points(const core::Dataset& sweep);

/// Axes, statuses, and per design point the mean and standard error over seeds of what was achieved and spent.
Document table_of_sweep(const core::Dataset& sweep);
/// One summary per design point of a sweep of training runs. throws Error E210 when its runs are something else.
std::vector<RunSummary> runs_of_sweep(const core::Dataset& sweep, const std::string& path);
/// Run number `run` as a table of its own, with its effective configuration where the sweep file is complete in itself.
core::Dataset run_of_sweep(const core::Dataset& sweep, std::int64_t run, const std::string& path);

}  // namespace eos::cli
