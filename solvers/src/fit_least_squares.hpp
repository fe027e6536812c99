// Minimise a sum of squares without derivatives of the residuals: Levenberg-Marquardt with difference quotients.
//
// Steps solve (J^T J + mu diag(J^T J)) d = -J^T r (Marquardt, SIAM J. Appl. Math. 11, 431 (1963)); mu falls by 3 after
// a step that helps and grows by 4 after one that does not.
#pragma once

#include <Eigen/Core>
#include <functional>

namespace eos::solvers {

struct LeastSquaresOptions {
  int max_iterations = 200;
  double tolerance = 1e-9;   ///< relative decrease of the sum at which to stop, in two consecutive steps
  double difference = 1e-5;  ///< step of the difference quotients
};

struct LeastSquaresResult {
  Eigen::VectorXd x;
  double sum = 0;  ///< of squares
  int iterations = 0;
};

using Residuals = std::function<Eigen::VectorXd(const Eigen::VectorXd&)>;

/// pre: residuals are finite at the start. A residual that is not finite elsewhere counts as a step that does not help.
LeastSquaresResult least_squares(const Residuals& residuals, Eigen::VectorXd start,
                                 const LeastSquaresOptions& options = {});

}  // namespace eos::solvers
