// ThresholdFrom::energy: how much the accumulator holds back, and whether there is one, from prices and measurements.
#pragma once

#include <cstdint>

#include "eos/theory/training_spec.hpp"
#include "eos/theory/write_economy.hpp"
#include "network.hpp"
#include "plasticity.hpp"

namespace eos::sim {

/// What an update was made of.
struct MeasuredUpdate {
  double learning_rate = 0;
  int rows = 0;  ///< samples
  UpdateNorms norms;
  double mean_squared = 0;  ///< running mean of the squared residual of samples
};

/// The first update that moves anything is written plainly. It tells which weights change at all, and so what plain
/// writes cost; if an accumulator with its best threshold is cheaper at the largest rate of the law, there is one from
/// then on, else never. Costs and norms are running means, forgetting as RunningMeans; norms in units of the rate, so
/// that the threshold follows an annealed rate at once.
class WriteLaw {
 public:
  WriteLaw(const theory::TrainingSpec& spec, const theory::PlasticitySpec& plasticity, double reference_rate,
           const Network& layout);

  bool active() const { return active_; }
  /// Of the next update, at its rate; 0: plain.
  double threshold(double learning_rate, double mean_squared) const;
  /// `change`: what the update wrote; `now`: the run's counts, the update included.
  void note(const MeasuredUpdate& update, const theory::Ledger& change, const theory::Ledger& now);

  enum class Decision : std::int64_t { none, accumulate, plain };
  /// Must survive a checkpoint; sums over recent updates.
  struct State {
    double updates = 0;
    double rows = 0;
    double gradient = 0;  ///< squared norm
    double change = 0;    ///< squared long-run norm / rate^2
    double other = 0;     ///< J, all but writes
    double spent = 0;     ///< J of the run up to the last update, without writes
    Decision decision = Decision::none;
  } state;

 private:
  theory::WriteEconomy economy(double learning_rate, double mean_squared) const;
  double long_run_square(const MeasuredUpdate& update) const;
  void decide(const MeasuredUpdate& update, const theory::Ledger& change);

  theory::OptimiserSpec optimiser_;
  theory::PriceList prices_;
  double reference_rate_ = 0;
  double predictions_ = 1;            ///< independent ones of a sample that train
  double squared_error_outputs_ = 0;  ///< under squared error, their number; 0 under cross-entropy
  double accumulating_ = 0;           ///< J to add one update to the accumulator
  bool active_ = false;
};

}  // namespace eos::sim
