// Sparse linear systems of policy evaluation.
#pragma once

#include <Eigen/Sparse>
#include <Eigen/SparseLU>
#include <cstdint>
#include <vector>

#include "eos/core/error.hpp"

namespace eos::solvers {

using SparseMatrix = Eigen::SparseMatrix<double, Eigen::ColMajor, std::int64_t>;

/// Solves M x = right by LU with one step of refinement.
inline std::vector<double> solve_sparse(const SparseMatrix& matrix, const std::vector<double>& right) {
  Eigen::SparseLU<SparseMatrix, Eigen::COLAMDOrdering<std::int64_t>> lu;
  lu.compute(matrix);
  if (lu.info() != Eigen::Success) throw core::Error("E901", "the value equations of a policy could not be factorised");
  const Eigen::Map<const Eigen::VectorXd> b(right.data(), static_cast<Eigen::Index>(right.size()));
  Eigen::VectorXd x = lu.solve(b);
  const Eigen::VectorXd rest = b - matrix * x;
  x += lu.solve(rest);
  return {x.data(), x.data() + x.size()};
}

}  // namespace eos::solvers
