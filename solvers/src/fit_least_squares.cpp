#include "fit_least_squares.hpp"

#include <Eigen/Cholesky>
#include <cmath>

namespace eos::solvers {
namespace {

Eigen::MatrixXd jacobian(const Residuals& residuals, const Eigen::VectorXd& x, const Eigen::VectorXd& at_x,
                         double step) {
  Eigen::MatrixXd j(at_x.size(), x.size());
  for (Eigen::Index k = 0; k < x.size(); ++k) {
    Eigen::VectorXd moved = x;
    moved[k] += step;
    j.col(k) = (residuals(moved) - at_x) / step;
  }
  return j;
}

}  // namespace

LeastSquaresResult least_squares(const Residuals& residuals, Eigen::VectorXd start,
                                 const LeastSquaresOptions& options) {
  LeastSquaresResult best{std::move(start), 0, 0};
  Eigen::VectorXd r = residuals(best.x);
  best.sum = r.squaredNorm();
  double damping = 1e-2;
  int quiet = 0;
  while (best.iterations < options.max_iterations && quiet < 2) {
    ++best.iterations;
    const Eigen::MatrixXd j = jacobian(residuals, best.x, r, options.difference);
    const Eigen::MatrixXd normal = j.transpose() * j;
    const Eigen::VectorXd gradient = j.transpose() * r;
    bool moved = false;
    for (int attempt = 0; attempt < 12 && !moved; ++attempt) {
      Eigen::MatrixXd damped = normal;
      damped.diagonal() += damping * normal.diagonal();
      damped.diagonal().array() += 1e-12;
      const Eigen::VectorXd x = best.x - damped.ldlt().solve(gradient);
      const Eigen::VectorXd trial = residuals(x);
      const double sum = trial.squaredNorm();
      if (std::isfinite(sum) && sum < best.sum) {
        quiet = best.sum - sum < options.tolerance * best.sum ? quiet + 1 : 0;
        best.x = x;
        best.sum = sum;
        r = trial;
        damping = std::max(damping / 3, 1e-12);
        moved = true;
      } else {
        damping *= 4;
      }
    }
    if (!moved) break;
  }
  return best;
}

}  // namespace eos::solvers
