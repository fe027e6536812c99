// Follow optimal solutions of a ControlProblem along a parameter: sweeps, Pareto fronts, budgets, batches.
//
// One mesh and one compiled problem serve all points; each point starts from a polynomial through the solutions before
// it and is corrected by Newton steps with an active set on control bounds (semismooth Newton; Hintermueller, Ito &
// Kunisch, SIAM J. Optim. 13, 865 (2002)); where that fails, or states and paths are bounded, by the interior point.
// Front of a cost C_i against the others: J(w) = min sum_j w_j C_j is concave in w_i with dJ/dw_i = C_i (envelope
// theorem), so C_i falls as its weight grows. Deterministic; results do not depend on the number of threads.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eos/solvers/control.hpp"

namespace eos::solvers {

struct ContinuationOptions {
  ControlOptions control{};     ///< method: automatic, trapezoid, hermite_simpson or radau; intervals of the one mesh
  bool check_envelope = false;  ///< compare dJ/dw with C by differences at every point of a front
};

/// Solutions at the given values of one parameter, in their order.
/// throws Error E104 for an unknown parameter, E401/E104/E107 as solve()
std::vector<theory::ControlSolution> sweep(const theory::ControlProblem& problem, const std::string& parameter,
                                           std::span<const double> values, const ContinuationOptions& options = {});

struct ParetoPoint {
  double weight = 0;  ///< w_i
  double cost = 0;    ///< C_i
  double rest = 0;    ///< sum of the other weighted terms (with the sign of J)
  theory::ControlSolution solution;
  double envelope_error = 0;   ///< |dJ/dw - C_i| / max(1, |C_i|) when checked
  bool monotone = true;        ///< C_i does not rise from the point before
  bool on_hull = true;         ///< on the lower convex hull of (C_i, rest): no mixture of others beats it
  bool branch_change = false;  ///< the solution jumped: another local optimum took over
};
/// Front of the named cost against the rest over ascending weights.
std::vector<ParetoPoint> pareto_front(const theory::ControlProblem& problem, const std::string& cost,
                                     std::span<const double> weights, const ContinuationOptions& options = {});
/// `count` weights from first to last, evenly in the logarithm.
std::vector<double> geometric(double first, double last, int count);

struct BudgetResult {
  theory::ControlSolution solution;
  double multiplier = 0;  ///< price of the budget: weight added to the cost's own
  double attained = 0;    ///< C_i
};
/// Optimum under C_i <= limit, by bisection on the multiplier, in which C_i is monotone. status infeasible when even an
/// extreme price does not reach the limit.
BudgetResult solve_with_budget(const theory::ControlProblem& problem, const std::string& cost, double limit,
                               const ContinuationOptions& options = {});

/// Solutions for many parameter vectors (order of ControlProblem::parameters). Neighbouring points start from each
/// other within blocks of fixed size.
std::vector<theory::ControlSolution> solve_batch(const theory::ControlProblem& problem,
                                                 const std::vector<std::vector<double>>& points,
                                                 const ContinuationOptions& options = {}, int threads = 1);

}  // namespace eos::solvers
