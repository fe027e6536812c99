// eos plan --pareto and --budget for mode problems.
#pragma once

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "eos/solvers/front.hpp"
#include "report.hpp"
#include "session.hpp"

namespace eos::cli {

/// A front as the table that is stored, printed and drawn: one run per factor.
struct Front {
  std::string term;
  core::Dataset table;  ///< plans stacked along `run`, with factor, loss_term, energy_term, envelope_residual, on_hull
};

/// "TERM" or "TERM=from:to:count[:log]"; without values 21 factors from 0.1 to 10.
/// throws Error E106/E104.
Front trace(const theory::ModeProblem& problem, const std::string& request, Session& session);
Document front_report(const Front& front);
io::Figure front_figure(const Front& front);

/// "TERM=LIMIT": the plan within the budget. throws Error E104/E106, and E401 when no plan can meet it.
solvers::BudgetPlan plan_within(const theory::ModeProblem& problem, const std::string& request);

}  // namespace eos::cli
