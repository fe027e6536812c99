// Many runs in one table with a dimension `run`, and the runs in it taken out again.
//
// Statement. A variable over (d1, d2, ...) becomes one over (run, d1, d2, ...), a scalar one over (run). The table has
// the variables of all runs together; where a run has none, and beyond its end, stands NaN, -1 or empty text by type. A
// dimension is as long as in the longest run, and `<dim>_count` (run) says how many rows each run has. It keeps its
// coordinate when that of every run is a prefix of the longest one; otherwise it becomes a plain index and the
// coordinates become the variable `<dim>_coordinate` (run, dim). Groups follow the same rules. Attributes that are not
// the same in all runs become variables over `run` (but title, kind, status, determinism, source and history).
//
// The result depends on the runs and their order alone, not on how they were stacked piecewise (merge.hpp).
#pragma once

#include <cstddef>
#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::io {

/// pre: tables of single runs whose root attribute `run_coordinates` names, separated by spaces, the scalars that tell
/// the runs apart; it becomes the attribute `coordinates` of every variable that is no coordinate. Root attribute kind
/// is "sweep" (the runs' own kind is `run_kind`); title, source and history are those of the first run, status is
/// "partial" if that of any run is, determinism the weakest promise.
/// throws Error E190 when there is no run, or one variable has two types, units or lists of dimensions.
core::Dataset stack_runs(const std::vector<core::Dataset>& runs);

/// The runs in `rows` of a sweep table as one table: of one row the table that was stacked (up to the order of its
/// variables); of several a table like that of a run with several seeds, padded to the longest. The dimension `replica`
/// then stands in front of every variable along a dimension of the root, of seed, run_status, effective_epochs,
/// cost_ratio, and of whatever differs between the rows; attributes that differ are those of the first row.
/// throws Error E191 when a row is not there or the table has no dimension `run`.
core::Dataset runs_of_cell(const core::Dataset& sweep, const std::vector<std::size_t>& rows);

}  // namespace eos::io
