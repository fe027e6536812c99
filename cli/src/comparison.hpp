// The tables that `compare` and `demo` share.
#pragma once

#include <string>
#include <vector>

#include "analysis.hpp"
#include "eos/theory/problem.hpp"
#include "report.hpp"

namespace eos::cli {

/// Accuracy, counts, energy by term and saving of each run under one price list.
void add_cost_table(Document& document, const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                    const theory::PriceList& prices);
/// Effective epochs, multiply-adds, loss and transient weights of each run.
void add_work_table(Document& document, const std::vector<RunSummary>& runs);
/// Saving of each run under several price lists.
void add_savings_table(Document& document, const std::vector<RunSummary>& runs, const std::vector<bool>& is_baseline,
                       const std::vector<theory::PriceList>& lists);

/// What was foretold about one run.
struct Prediction {
  std::size_t run = 0;       ///< index into the runs
  double loss = 0;           ///< final validation loss, offset included
  double energy = 0;         ///< J
  theory::PriceList prices;  ///< the list it was made for
  std::vector<double> epoch, loss_curve;
};
/// From a predicted trajectory, its time axis stretched to the epochs of the run.
Prediction make_prediction(const theory::Trajectory& trajectory, double loss_offset, std::size_t run, double epochs,
                           const theory::PriceList& prices);
/// The prediction in a plan file, for the run that followed exactly its fractions.
/// throws Error E107 when no run followed it.
Prediction prediction_of(const core::Dataset& plan, const std::string& path, const std::vector<RunSummary>& runs);
/// Median over the run's evaluations of |predicted - measured| / measured loss; NaN when there is nothing to compare.
double error_along_the_way(const Prediction& prediction, const RunSummary& run);
void add_predictions(Document& document, const std::vector<Prediction>& predictions,
                     const std::vector<RunSummary>& runs);

}  // namespace eos::cli
