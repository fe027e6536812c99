// The measured joules of a training run: shared out among replicas that ran on one device, stored beside the run.
//
// Each window's joules go to replicas in proportion to the work they counted in it (MACs), because a device's counter
// cannot tell them apart. Evaluation is in the joules and not in the counts; data loading is in neither. Stored in the
// group `provenance`, which is not part of a file's content hash: measured joules differ between machines and days.
#pragma once

#include <optional>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/sim/energy_meter.hpp"

namespace eos::sim {

struct MeasuredEnergy {
  EnergyReading reading;               ///< all windows of the run: more than one when it was stopped and resumed
  std::vector<double> replica_joules;  ///< [replicas], sum = reading.joules()
  double coverage = 1;                 ///< MACs counted inside windows / MACs of the run: below 1 after a kill
  theory::CarbonFactors carbon;

  double kg_co2e() const { return theory::kg_co2e(reading.joules(), carbon); }
};

/// joules by part, in proportion to work; equal parts when no work was counted.
std::vector<double> shares(double joules, const std::vector<double>& work);

/// Adds energy_measured, energy_gpu, energy_cpu, energy_dram, energy_above_idle, energy_share (along `replica` when
/// there are several), energy_duration, emissions, ... and attributes energy_source, energy_uncertainty, ... to a group
/// `provenance`. Without a measurement only energy_source = "none" and why.
void store(const MeasuredEnergy& energy, core::Dataset& provenance);
/// What store() wrote; nothing when no joules are there.
std::optional<MeasuredEnergy> stored_energy(const core::Dataset& provenance);

}  // namespace eos::sim
