// `eos plan` for control problems stated by their formulas, and for models of the literature.
#pragma once

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "eos/solvers/control.hpp"
#include "report.hpp"
#include "session.hpp"

namespace eos::cli {

struct ControlPlan {
  theory::ControlProblem problem;
  theory::ControlSolution solution;
};

/// Whether FILE is a TOML file that states a control problem by formulas or names a model.
bool is_control_problem(const Arguments& arguments);
/// The problem of FILE under these overrides. throws Error E100 for options that belong to calibrated plans.
theory::ControlProblem control_problem(const Arguments& arguments, const io::Overrides& overrides);
/// What --method, --intervals and --tolerance ask for.
solvers::ControlOptions control_options(const Arguments& arguments);

/// Solves, stores, draws and prints. Exit code 1 when there is no solution.
int run_plan_control(Session& session);

/// Trajectory, terms, arcs, certificate.
Document control_report(const theory::ControlProblem& problem, const theory::ControlSolution& solution);
/// States, controls, costates and switching functions of a table made by io::to_dataset(problem, solution).
io::Figure control_figure(const core::Dataset& data);

}  // namespace eos::cli
