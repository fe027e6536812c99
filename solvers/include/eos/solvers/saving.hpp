// Solve "use now or keep for later" with a continuous state: grow, consume, save.
//
// Statement: V(x) = max over c of  u(c) + beta V(x'),  x' = R (f(x) - c),  0 < c < f(x),  u(c) = ln c (gamma = 1) or
// c^(1 - gamma)/(1 - gamma). f(x) = x^alpha, R = 1 is the growth model of Brock & Mirman (1972); f(x) = x is saving.
// Method: V is linear in ln x between grid points. The best c in a cell solves u'(c)(f - c) = beta dV/d ln x exactly,
// and the cell follows from concavity by walking along the grid (the policy is monotone). Howard's policy iteration
// with exact evaluation on a coarse grid, then one-way multigrid (Chow & Tsitsiklis 1991): each finer grid starts from
// the interpolated values and is improved by value iteration with the bounds of MacQueen (1966). Guarantees: results do
// not depend on the number of threads; O(points) per sweep; 64-bit indices.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/solvers/markov.hpp"

namespace eos::solvers {

/// What lies beyond the grid: nothing may be saved there, or ln-linear extrapolation of V.
enum class GridEdge { constrain, extrapolate };

struct SavingProblem {
  std::vector<double> resources;  ///< f(x_i) [points] > 0
  double lower = 1, upper = 2;    ///< x_0, x_last > 0; points are spaced evenly in ln x
  double gross_return = 1;        ///< R > 0
  double discount = .95;          ///< beta in (0, 1)
  double risk_aversion = 1;       ///< gamma > 0
  GridEdge edge = GridEdge::constrain;
};

struct SavingOptions {
  double tolerance = 1e-12;  ///< on the half-width of the bounds on V*, relative to 1 + max |V|
  int max_iterations = 10000;
  std::int64_t coarsest = 500;  ///< points of the grid that is solved directly
  int threads = 1;
};

struct SavingSolution {
  MarkovStatus status = MarkovStatus::solved;
  std::vector<double> state;        ///< x_i [points]
  std::vector<double> value;        ///< V(x_i)
  std::vector<double> consumption;  ///< c(x_i)
  double bellman_residual = 0;      ///< max |TV - V|
  double error_bound = 0;           ///< |V - V*| <= this for V* of the interpolated problem; NaN when extrapolating
  int iterations = 0;               ///< improvements on the finest grid
};

/// The points x_i of a grid: lower * (upper/lower)^(i/(points - 1)).
std::vector<double> logarithmic_points(double lower, double upper, std::int64_t points);

/// throws Error E401 for a problem that is not well posed. pre: at least 3 points.
SavingSolution solve_saving(const SavingProblem& problem, const SavingOptions& options = {});

}  // namespace eos::solvers
