// The pictures of the program: a plan, a run, a calibration, a comparison, the demonstration.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"
#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "eos/theory/calibration.hpp"
#include "report.hpp"

namespace eos::cli {

io::Figure run_figure(const RunSummary& run);
/// From a table made by io::to_dataset(theory::Plan).
io::Figure plan_figure(const core::Dataset& plan);
io::Figure calibration_figure(const theory::Calibration& calibration);
io::Figure comparison_figure(const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                             const theory::PriceList& prices);

/// Test accuracy against energy: the baseline as a curve, every other run as a point.
io::Panel accuracy_energy_panel(const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                                const theory::PriceList& prices);
/// Energy by term, one bar a run.
io::Panel energy_bars(const std::vector<RunSummary>& runs, const theory::PriceList& prices);

/// The course of a run, at most about ten rows in text and all of them in JSON and CSV.
void add_epoch_table(Document& document, const RunSummary& run);

}  // namespace eos::cli
