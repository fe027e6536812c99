// Minimise a smooth function within bounds: limited-memory quasi-Newton steps on the free variables, projected back.
//
// Method: the two-metric projection of Bertsekas, SIAM J. Control Optim. 20, 221 (1982), eq. 20-24, with the L-BFGS
// two-loop recursion (Nocedal, Math. Comput. 35, 773 (1980)) restricted to the variables that are not held at a bound.
// Near the minimum, where differences of f are rounding, steps are accepted by the approximate Wolfe test of Hager &
// Zhang, SIAM J. Optim. 16, 170 (2005), eq. 4.1. Deterministic.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "eos/theory/problem.hpp"

namespace eos::solvers {

/// Returns f(x) and fills the gradient; a value that is not finite makes the step shorter.
using Objective = std::function<double(std::span<const double> x, std::span<double> gradient)>;

struct MinimiserOptions {
  int max_iterations = 2000;
  int max_evaluations = 6000;
  double tolerance = 1e-9;  ///< on max |P(x - g) - x|
  int memory = 20;
};

struct Minimum {
  std::vector<double> x;
  double value = 0;
  double projected_gradient = 0;
  int iterations = 0, evaluations = 0;
  theory::SolveStatus status = theory::SolveStatus::optimal;
};

Minimum minimise_bounded(const Objective& objective, std::vector<double> start, std::span<const double> lower,
                         std::span<const double> upper, const MinimiserOptions& options);

}  // namespace eos::solvers
