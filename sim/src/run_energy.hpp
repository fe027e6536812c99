// The energy meter around the replicas of one call of train(): begins and ends the window, counts the work done inside
// it, and carries joules over a stop and resume through the checkpoints.
#pragma once

#include <string>
#include <vector>

#include "eos/kernels/context.hpp"
#include "eos/sim/measured_energy.hpp"
#include "eos/sim/train.hpp"

namespace eos::sim {

class RunEnergy {
 public:
  /// Opens the meter: throws Error E307 before any work is done.
  RunEnergy(const TrainOptions& options, const kernels::Context& context, std::size_t replicas);
  void start();
  /// The ledgers of a replica when it begins and ends inside the window. Each replica has its own slot.
  void begins(std::size_t replica, const theory::Ledger& ledger) { before_[replica] = counted_work(ledger); }
  void ends(std::size_t replica, const theory::Ledger& ledger) { after_[replica] = counted_work(ledger); }
  /// Ends the window and adds what earlier windows of the same run stored. A stopped run stores the sum for the next
  /// window, a complete one forgets it.
  MeasuredEnergy finish(bool stopped);

 private:
  std::string name() const { return checkpoint_name_ + "-energy"; }

  core::Sink* sink_;
  std::string checkpoint_name_;
  theory::CarbonFactors carbon_;
  EnergyMeter meter_;
  std::vector<CountedWork> before_, after_;
};

}  // namespace eos::sim
