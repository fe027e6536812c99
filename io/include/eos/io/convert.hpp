// Plans, solutions of control problems and calibrations as EOS-1 tables and back, and tables as JSON and CSV text.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"
#include "eos/theory/calibration.hpp"
#include "eos/theory/control_problem.hpp"
#include "eos/theory/problem.hpp"

namespace eos::io {

/// Root: controls along `interval`, loss and energy along `time`, states and costates along (time, mode), lambda along
/// `mode`; scalars objective, terminal_loss, energy_total, solve_status, the certificate, and the problem as TOML text.
/// solve_seconds is in the group provenance, because it is not reproducible. The rules are attributes of the fractions.
core::Dataset to_dataset(const theory::Plan& plan);
/// The plan of such a table. throws Error E191 when something is missing.
theory::Plan plan_from(const core::Dataset& data);
/// The schedule of a plan file (root attribute `epochs`, if any, ties it to a data set), or recorded from a run file:
/// the fractions between its rows, and the mean of the learning rates at both ends of each interval; of several
/// replicas the first. throws Error E502 when the table holds neither.
theory::Schedule schedule_from(const core::Dataset& data);

/// Root: `x` and `costate` along (state, time), `u` and `switching` along (control, time), `hamiltonian` along `time`,
/// where a time occurs twice at a jump of a control; `term_value`, `term_weight` along `term`; `parameter_value` along
/// `parameter`; arcs along `arc`, `switch_time` along `switch`. The coordinates state, control, term and parameter are
/// the names of the problem. Scalars: objective, horizon, solve_status, method, reason, the certificate, and the
/// problem as TOML text. solve_seconds is in the group provenance.
core::Dataset to_dataset(const theory::ControlProblem& problem, const theory::ControlSolution& solution);
/// The solution and the problem of such a table. throws Error E191 when something is missing.
theory::ControlSolution control_solution_from(const core::Dataset& data);
theory::ControlProblem control_problem_from(const core::Dataset& data);

/// Capture curves along (snapshot, point) or (snapshot, layer, point), padded with NaN; clocks along their fraction;
/// probes along `probe_point`; the fitted spectrum along `mode`; counts and fit parameters as scalars; the probed run
/// as TOML text.
core::Dataset to_dataset(const theory::Calibration& calibration);
/// The calibration of such a table. throws Error E402 when something is missing.
theory::Calibration calibration_from(const core::Dataset& data);

/// {"schema": "eos.plan/1", "status", "objective", "terminal_loss", "energy", "stationarity_residual",
///  "hamiltonian_drift", "solve_seconds", "time": [...], "data_fraction": [...], "weight_fraction", "learning_rate",
///  ...}
std::string to_json(const theory::Plan& plan);
/// {"schema": "eos.control/1", "title", "status", "method", "reason", "message", "objective", "horizon",
///  "terms": {name: value}, "parameters": {name: value}, "certificate": {...}, "arcs": [{control, kind, begin, end}],
///  "switch_times": [...], "time": [...], "states": {name: [...]}, "controls", "costates", "switching", "hamiltonian"}
std::string to_json(const theory::ControlProblem& problem, const theory::ControlSolution& solution);
/// Numbers that are not finite are null, text that is not UTF-8 is mended.
/// Any table: {"schema": "eos.table/1", "attributes", "dims", "variables": {name: {dims, units, long_name, values}},
/// "groups"}.
std::string to_json(const core::Dataset& data);
/// One row per element of the first variable that is neither a scalar nor a coordinate; columns are the coordinates of
/// its dimensions and all variables over the same dimensions, with units in the header (RFC 4180; not finite: empty). A
/// table of scalars alone is one row.
std::string to_csv(const core::Dataset& data);

/// Group "provenance": effective TOML text and its hash, command line, version, compiler, host-free wall clock, seeds.
core::Dataset provenance(const std::string& effective_toml, const std::string& command_line);

}  // namespace eos::io
