// What a finished run cost and how good it became, and how much less another run needed for the same accuracy.
//
// Statement. With baseline runs (a_i, E_i) of rising accuracy, E_base(a) interpolates ln E linearly in a; the saving of
// a run (a, E) is E_base(a) / E. Baseline runs that cost more than a more accurate one are left out. An accuracy above
// all of the baseline gives the lower bound E_base,max / E, one below all of it the upper bound E_base,min / E.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/sim/measured_energy.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::cli {

/// Means over the seeds of one stored run.
struct RunSummary {
  std::string label;
  theory::TrainingSpec spec;  ///< effective configuration
  int seeds = 1;
  theory::Ledger total;         ///< sum over seeds of the final ledgers
  double accuracy = 0;          ///< mean final test accuracy
  double accuracy_error = 0;    ///< its standard error over seeds; NaN for one seed
  double effective_epochs = 0;  ///< samples back-propagated / training samples
  double cost_ratio = 0;        ///< multiply-adds with scoring / multiply-adds of dense training over the same horizon
  std::string status;
  std::vector<double> epoch, train_loss, validation_loss, data_fraction, weight_fraction, learning_rate;  ///< means
  std::vector<theory::Ledger> ledgers;  ///< [rows] sums over seeds
  std::optional<sim::MeasuredEnergy> measured;  ///< joules of all seeds together, if a meter was there

  bool dense() const;
  theory::Energy energy(const theory::PriceList& prices) const;             ///< mean per seed, final
  std::vector<double> energy_curve(const theory::PriceList& prices) const;  ///< mean per seed, by row
  double per_seed(double sum) const { return sum / seeds; }
};

/// True for a table written by 'eos train'.
bool is_run(const core::Dataset& data);
/// throws Error E191 when the table lacks a column of a run.
RunSummary summarise(const core::Dataset& run, const std::string& label);
/// The same with a configuration that is known otherwise.
RunSummary summarise(const core::Dataset& run, theory::TrainingSpec spec, const std::string& label);
/// The run in a file, all runs among its groups, or the design points of a sweep, each with its seeds as replicas.
/// throws Error E210 when there is none.
std::vector<RunSummary> runs_of(const core::Dataset& file, const std::string& path);
/// "dense, 4 epochs": what distinguishes a run, from its configuration.
std::string label_of(const theory::TrainingSpec& spec);

enum class Bound { exact, at_least, at_most, none };
struct Saving {
  double factor = 0;
  Bound bound = Bound::none;
};
/// The factor, NaN when there is none.
double number_of(const Saving& saving);
/// "2.31 ×", "≥ 4.10 ×" or "–".
std::string shown(const Saving& saving);
/// "=", ">=", "<=" or "", for JSON and CSV.
std::string sign(const Saving& saving);

class BaselineCurve {
 public:
  struct Point {
    double accuracy, energy;
  };
  explicit BaselineCurve(std::vector<Point> points);
  Saving saving(double accuracy, double energy) const;
  /// E_base(a) inside the range of accuracies, else NaN.
  double energy_at(double accuracy) const;
  const std::vector<Point>& points() const { return points_; }

 private:
  std::vector<Point> points_;  ///< rising in both
};
BaselineCurve baseline_of(const std::vector<RunSummary>& runs, const theory::PriceList& prices);

}  // namespace eos::cli
