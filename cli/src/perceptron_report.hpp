// Grids of perceptrons in tables and pictures.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "report.hpp"

namespace eos::cli {

/// True for a table written by 'eos train' from a file with [perceptron].
bool is_perceptron_grid(const core::Dataset& data);
/// One row a cell: means over the replicas that converged, with their 95 % intervals.
void add_perceptron_table(Document& document, const core::Dataset& data);
/// Inefficiency against patterns and alpha, or energy against the setting of the cache; the first cell over epochs.
io::Figure perceptron_figure(const core::Dataset& data);

}  // namespace eos::cli
