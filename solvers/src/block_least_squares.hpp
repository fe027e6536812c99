// Least squares for the bordered, block-bidiagonal systems of multiple shooting.
//
// Unknowns: node vectors d_0 ... d_K of equal size and a border b. Rows: conditions at one node, and links
// A_k d_k - d_{k+1} + Y_k b = -r_k. Orthogonal elimination from left to right (structured QR; Wright 1992), stable for
// problems with dichotomy; redundant but consistent conditions are allowed, the last block is solved by a
// rank-revealing factorisation.
#pragma once

#include <Eigen/Dense>
#include <vector>

namespace eos::solvers {

struct NodeRows {
  Eigen::MatrixXd node, border;
  Eigen::VectorXd residual;
};

struct BlockLeastSquares {
  std::vector<NodeRows> nodes;  ///< K + 1, conditions at each node (possibly none)
  std::vector<NodeRows> links;  ///< K: node = A_k
  std::vector<Eigen::VectorXd> step;
  Eigen::VectorXd border_step;
  /// Finds step and border_step that make every residual vanish to first order. Returns the rank that is missing.
  int solve();
};

}  // namespace eos::solvers
