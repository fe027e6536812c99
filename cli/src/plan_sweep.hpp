// eos plan --sweep: one plan per combination of values, stacked in one table.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "eos/solvers/batch.hpp"
#include "report.hpp"
#include "session.hpp"
#include "sweep_axes.hpp"

namespace eos::cli {

/// One solved point as a table of its kind (io::to_dataset), given the overrides of that point.
using SolvePoint = std::function<core::Dataset(const std::vector<std::string>& overrides)>;

/// Plans as one sweep table (docs/file-format.md): `along` are variables over the plans that say what differs between
/// them; with run_id, design_index and plan_index they become its coordinates.
core::Dataset stack_plans(std::vector<core::Dataset> plans, const std::vector<core::Variable>& along);

/// Solves every combination on up to `threads` threads; the result does not depend on their number.
core::Dataset sweep_plans(const std::vector<SweepAxis>& axes, const SolvePoint& solve, core::Progress& progress,
                          int threads);

/// Mode problems that differ in numbers alone, solved in lockstep (solvers/batch.hpp): objective, loss, energy, status
/// and controls, without costates and certificate. Many times faster where a sweep has hundreds of points.
core::Dataset sweep_in_batch(const std::vector<SweepAxis>& axes,
                             const std::function<theory::ModeProblem(const std::vector<std::string>&)>& read,
                             const solvers::BatchOptions& options);

/// The swept values beside objective, cost terms and status.
Document sweep_report(const core::Dataset& sweep, const std::vector<SweepAxis>& axes);
/// Objective and cost terms against the first axis, one curve per value of the second.
io::Figure sweep_figure(const core::Dataset& sweep, const std::vector<SweepAxis>& axes);

/// Stores, draws and prints a table of several plans as the options ask; returns the exit code.
int finish_plans(Session& session, core::Dataset& table, Document document, const io::Figure& figure);

}  // namespace eos::cli
