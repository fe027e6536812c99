// Joules measured by the machine's meters: what is asked for on the command line, and how results show them.
#pragma once

#include <vector>

#include "analysis.hpp"
#include "eos/sim/measured_energy.hpp"
#include "report.hpp"
#include "session.hpp"

namespace eos::cli {

/// The options below, for the verbs that measure.
std::vector<Option> energy_options();
/// From --energy and --energy-model. throws Error E201, E1xx of the file.
sim::MeterOptions meter_options(const Arguments& arguments);
/// From --carbon-intensity, --pue and --carbon-source.
theory::CarbonFactors carbon_factors(const Arguments& arguments);
/// What a stored run measured, if anything.
std::optional<sim::MeasuredEnergy> measured_energy(const core::Dataset& run);

/// Values of one run: joules, source, share of idle, seconds, kg CO2e.
void add_measured(Document& document, const sim::MeasuredEnergy& energy);
/// Joules measured beside joules modelled, per seed, for the runs that have any; nothing when none has.
void add_measured_table(Document& document, const std::vector<RunSummary>& runs, const theory::PriceList& prices);

}  // namespace eos::cli
