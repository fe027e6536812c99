// Simulate what the mode model describes: linear students on Gaussian inputs, sample by sample and weight by weight.
//
// One step draws B inputs x ~ N(0, diag(lambda)) with residuals r = x . delta + N(0, sigma^2), keeps samples by the data
// rule, forms (eta / B) sum_kept r x, and writes weights by the weight rule. The excess loss averaged over replicates is
// what ModeModel::step predicts in closed form.
// Guarantees: addressed random draws (Philox); the result does not depend on the number of threads.
#pragma once

#include <cstdint>

#include "eos/theory/problem.hpp"

namespace eos::sim {

struct StudentStatistics {
  double loss = 0;        ///< mean of 1/2 sum lambda_j delta_j^2 over replicates
  double loss_error = 0;  ///< standard error of that mean
  double path = 0;        ///< mean of sum over steps and weights of |dw|
};

/// Constant controls for `steps` steps from delta_j ~ N(0, initial_j). pre: integral batch, multiplicities 1.
StudentStatistics simulate_students(const theory::ModeProblem& problem, const theory::Controls& controls, int steps,
                                    int replicates, std::uint64_t seed, int threads = 1);

}  // namespace eos::sim
