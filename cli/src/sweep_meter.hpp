// Joules of a process that trains many runs at once, shared out among them.
//
// Statement. A meter cannot tell runs apart that share a machine. The joules measured since the process began are
// divided in proportion to work: a run that did w of the W floating-point operations of all finished runs is charged
// w / W of them when it ends. The first runs of a process therefore carry its start; later ones their fair share. Idle
// power is not measured.
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

  /// A run has ended with this ledger: what it is charged.
  sim::MeasuredEnergy charge(const theory::Ledger& ledger);
  /// J so far, NaN when nothing is measured.
  double joules();

 private:
  void lap(const sim::CountedWork& work);

  sim::EnergyMeter meter_;
  theory::CarbonFactors carbon_;
  std::mutex lock_;
  sim::EnergyReading total_;
  sim::CountedWork work_, since_lap_;
  std::chrono::steady_clock::time_point lapped_;
};

}  // namespace eos::cli
