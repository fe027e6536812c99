// Trade loss against energy: Pareto fronts of a mode problem, and plans within a budget.
//
// Statement. J = sum_i C_i over terms (loss, time, screening, sample, write, path, ...; energy is their sum without the
// loss). Scaling one term by f and solving, J*(f) = min (J - C + f C), gives one point of the front per f: C falls as f
// rises, and by the envelope theorem dJ*/df = C at the optimum (Danskin 1967). A budget C <= limit is met by the f at
// which C reaches it (Everett 1963): f is the Lagrange multiplier, the price at which the budget is just not exceeded.
// Guarantees: results do not depend on the number of threads.
#pragma once

#include <string>
#include <vector>

#include "eos/solvers/solve.hpp"

namespace eos::solvers {

/// Words that name a term of J: "loss", "energy" and the single prices.
const std::vector<std::string>& front_terms();
/// The problem with one term scaled. throws Error E106 for an unknown term, E104 unless factor > 0.
theory::ModeProblem scaled(const theory::ModeProblem& problem, const std::string& term, double factor);
/// C of a term under a plan at the prices of `problem`; J is linear in it.
double term_amount(const theory::ModeProblem& problem, const theory::Schedule& schedule, const std::string& term);

struct FrontPoint {
  double factor = 1;
  theory::Plan plan;             ///< of the scaled problem
  double term = 0;               ///< C of the scaled term at the unscaled prices
  double loss = 0;               ///< C of the loss, w_T L(T) + w_r int L dt, unscaled
  double energy = 0;             ///< C of all prices, J, unscaled
  double envelope_residual = 0;  ///< |dJ*/df - C| / |C|, the derivative by differences of further solutions
  bool on_hull = true;           ///< no other point of the front proves it not to be a global optimum
};

/// One point per factor, in their order. A fixed number of integration steps is used so that J is a smooth function of
/// f.
std::vector<FrontPoint> trace_front(const theory::ModeProblem& problem, const std::string& term,
                                    const std::vector<double>& factors, const SolveOptions& options = {},
                                    int threads = 1);

struct BudgetPlan {
  FrontPoint point;
  bool binding = true;   ///< false: the limit is not reached even when the term costs next to nothing
  bool feasible = true;  ///< false: the limit is exceeded even at the highest price
  double gap = 0;        ///< limit - C where a jump of the front prevents equality, else at most 1e-6 of the limit
  std::string message;   ///< what happened, in words
};
/// The least J without the term, subject to C <= limit. throws Error E104 unless limit > 0, E106.
BudgetPlan solve_with_budget(const theory::ModeProblem& problem, const std::string& term, double limit,
                             const SolveOptions& options = {});

}  // namespace eos::solvers
