// Plans and calibrations as EOS-1 tables and back, and tables as JSON and CSV text.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"
#include "eos/theory/calibration.hpp"
#include "eos/theory/problem.hpp"

namespace eos::io {

/// Root: controls along `interval`, loss and energy along `time`, states and costates along (time, mode); scalars
/// status, objective, terminal_loss, energy_total, stationarity_residual, hamiltonian_drift, solve_seconds (provenance).
core::Dataset to_dataset(const theory::Plan& plan);
/// The schedule of a plan file, or recorded from a run file (its data_fraction, weight_fraction, learning_rate).
theory::Schedule schedule_from(const core::Dataset& data);

core::Dataset to_dataset(const theory::Calibration& calibration);
theory::Calibration calibration_from(const core::Dataset& data);

/// {"schema": "eos.plan/1", "status", "objective", "terminal_loss", "energy", "stationarity_residual",
///  "hamiltonian_drift", "solve_seconds", "time": [...], "data_fraction": [...], "weight_fraction", "learning_rate", ...}
std::string to_json(const theory::Plan& plan);
/// Any table: {"schema": "eos.table/1", "attributes", "dims", "variables": {name: {dims, units, long_name, values}}, "groups"}.
std::string to_json(const core::Dataset& data);
/// Variables that share the dimensions of the first non-scalar one, one column each, units in the header.
std::string to_csv(const core::Dataset& data);

/// Group "provenance": effective TOML text and its hash, command line, version, compiler, host-free wall clock, seeds.
core::Dataset provenance(const std::string& effective_toml, const std::string& command_line);

}  // namespace eos::io
