// Put the tables of like runs on top of each other: one table with a dimension `run`.
//
// Statement. A variable over (d1, d2, ...) becomes one over (run, d1, d2, ...); scalars become one value per run. A
// dimension whose coordinate is the same in every table keeps it. One that differs becomes a plain index: its
// coordinate is kept as the variable `<dim>_coordinate` over (run, dim), and shorter runs are padded with NaN, or with
// empty text.
#pragma once

#include <vector>

#include "eos/core/dataset.hpp"

namespace eos::io {

/// pre: tables of one kind. Variables that not all tables have are left out.
/// `along` are variables over `run` alone that say what differs between the runs; they are listed in the attribute
/// `coordinates` of every stacked variable. throws Error E190 when there is no table or a size does not match.
core::Dataset stack(const std::vector<core::Dataset>& tables, const std::vector<core::Variable>& along);

}  // namespace eos::io
