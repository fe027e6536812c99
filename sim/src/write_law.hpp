// The write threshold of every update; under ThresholdFrom::energy how much the accumulator holds back, and whether
// there is one, from prices and measurements.
#pragma once

#include <cstdint>

#include "eos/theory/write_economy.hpp"
#include "network.hpp"
#include "plasticity.hpp"

namespace eos::sim {

/// When an update happens.
struct UpdateMoment {
  double learning_rate = 0;
  double mean_squared = 0;  ///< running mean of the squared residual of samples
};

/// ThresholdFrom::energy. The first update that moves anything is written plainly. It tells which weights change at
/// all, and so what plain writes cost; if an accumulator with its best threshold is cheaper at the largest rate of the
/// law, there is one from then on, else never. What follows is measured in running means that forget as RunningMeans,
/// in units of the rate, so that the threshold follows an annealed rate at once.
class WriteLaw {
 public:
  WriteLaw(const theory::TrainingSpec& spec, const theory::PlasticitySpec& plasticity, double reference_rate,
           const Network& layout);

  /// ThresholdFrom::energy: a threshold of 0 means a plain update.
  bool measures() const { return plasticity_.threshold_from == theory::ThresholdFrom::energy; }
  /// Of the next update.
  double threshold(const UpdateMoment& now) const;
  /// An update of `rows` samples has happened. change: what it wrote, at `theta`; run: all counts, its own included.
  void note(const UpdateMoment& now, double theta, int rows, UpdateNorms norms, const theory::Ledger& change,
            const theory::Ledger& run);

  enum class Decision : std::int64_t { none, accumulate, plain };
  /// Must survive a checkpoint. Up to `cost`: sums over recent updates; norms and lengths over the rate.
  struct State {
    double updates = 0;
    double rows = 0;
    double gradient = 0;  ///< squared norm
    double change = 0;    ///< squared long-run norm of the optimiser's change
    double walked = 0;    ///< squares of what was written, and the growth of those of what is held
    double reach = 0;     ///< threshold
    double cost = 0;      ///< J, the first write left out
    double clock = 0;     ///< sum of the rates of all updates
    double spent = 0;     ///< J of the run up to the last update
    double held = 0;      ///< squared norm of the accumulator after the last update
    double moving = 0;    ///< weights that the first update changed
    Decision decision = Decision::none;
  } state;

 private:
  theory::WriteEconomy economy(const UpdateMoment& now) const;
  double long_run_square(double learning_rate, UpdateNorms norms) const;
  void decide(UpdateMoment now, const theory::Ledger& change);

  theory::OptimiserSpec optimiser_;
  theory::PlasticitySpec plasticity_;
  theory::PriceList prices_;
  double reference_rate_ = 0;         ///< the largest of the law
  double predictions_ = 1;            ///< of a sample, that train
  double squared_error_outputs_ = 0;  ///< under squared error, their number; 0 under cross-entropy
  double accumulating_ = 0;           ///< J to add one update to the accumulator
  int batch_ = 1;
};

}  // namespace eos::sim
