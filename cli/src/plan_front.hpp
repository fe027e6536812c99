// eos plan --pareto and --budget for mode problems.
#pragma once

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "eos/solvers/continuation.hpp"
#include "eos/solvers/front.hpp"
#include "report.hpp"
#include "session.hpp"

namespace eos::cli {

/// "TERM" or "TERM=from:to:count[:log]"; without values 21 factors from 0.1 to 10. throws Error E104.
struct FrontRequest {
  std::string term;
  std::vector<double> factors;
};
FrontRequest parse_front(const std::string& request);
/// "TERM=LIMIT". throws Error E104.
struct Budget {
  std::string term;
  double limit = 0;
};
Budget parse_budget(const std::string& request);

/// A front as the table that is stored, printed and drawn: one run per factor.
struct Front {
  std::string term;
  core::Dataset table;  ///< plans stacked along `run`, with factor, loss_term, energy_term, envelope_residual, on_hull
};

/// throws Error E106/E104.
Front trace(const theory::ModeProblem& problem, const std::string& request, Session& session);
/// The same for a control problem: `factor` scales the weight of a named cost; columns factor, scaled_term, rest,
/// envelope_residual, on_hull, branch_change.
Front trace(const theory::ControlProblem& problem, const std::string& request, const solvers::ControlOptions& options);
Document front_report(const Front& front);
io::Figure front_figure(const Front& front);

/// The plan within a budget. throws Error E104/E106, and E401 when no plan can meet it.
solvers::BudgetPlan plan_within(const theory::ModeProblem& problem, const std::string& request);
/// The same for a named cost of a control problem; an infeasible budget is a status of the solution.
solvers::BudgetResult plan_within(const theory::ControlProblem& problem, const std::string& request,
                                  const solvers::ControlOptions& options);

}  // namespace eos::cli
