// Joules of a process that trains many runs at once, shared out among them.
//
// Statement. A meter cannot tell runs apart that share a machine. When a run ends that did w floating-point operations,
// it is charged J w / W of the J joules measured since training began, where W are the operations of all runs so far:
// those of the finished ones, and as much for runs in progress as their progress says. Equal runs are charged equally,
// and the sum is what was measured but for the error of that estimate. Counters are read every two seconds at most; J
// and W are those of the last reading. Idle power is not measured.
#pragma once

#include <chrono>
#include <mutex>

#include "eos/kernels/context.hpp"
#include "eos/sim/energy_meter.hpp"
#include "eos/sim/measured_energy.hpp"
#include "eos/theory/ledger.hpp"

namespace eos::cli {

class SweepMeter {
 public:
  /// throws Error E307 when a meter that was asked for by name does not work.
  SweepMeter(const sim::MeterOptions& options, const theory::CarbonFactors& carbon, const kernels::Context& context);

  /// Training begins; what came before is not measured. Calls after the first do nothing.
  void begin();
  /// A run has ended with this ledger: what it is charged. `in_progress`: how many runs the work on unfinished runs
  /// makes.
  sim::MeasuredEnergy charge(const theory::Ledger& ledger, double in_progress);
  /// J so far, NaN when nothing is measured.
  double joules();

 private:
  void lap(const sim::CountedWork& work);

  sim::EnergyMeter meter_;
  theory::CarbonFactors carbon_;
  std::mutex lock_;
  sim::EnergyReading total_;
  sim::CountedWork work_, since_lap_;
  double runs_ = 0;
  double measured_flops_ = 0;  ///< of all runs when the counters were last read
  bool begun_ = false;
  std::chrono::steady_clock::time_point lapped_;
};

}  // namespace eos::cli
