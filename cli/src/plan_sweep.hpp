// eos plan --sweep: one plan per combination of values, stacked in one table.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "report.hpp"
#include "session.hpp"
#include "sweep_axes.hpp"

namespace eos::cli {

/// One solved point as a table of its kind (io::to_dataset), given the overrides of that point.
using SolvePoint = std::function<core::Dataset(const std::vector<std::string>& overrides)>;

/// Solves every combination on up to `threads` threads; the result does not depend on their number.
core::Dataset sweep_plans(const std::vector<SweepAxis>& axes, const SolvePoint& solve, core::Progress& progress,
                          int threads);

/// The swept values beside objective, cost terms and status.
Document sweep_report(const core::Dataset& sweep, const std::vector<SweepAxis>& axes);
/// Objective and cost terms against the first axis, one curve per value of the second.
io::Figure sweep_figure(const core::Dataset& sweep, const std::vector<SweepAxis>& axes);

}  // namespace eos::cli
