#include "block_least_squares.hpp"

namespace eos::solvers {

namespace {

/// Upper-triangular compression of rows, so that few are carried on.
Eigen::MatrixXd compressed(const Eigen::MatrixXd& rows) {
  if (rows.rows() <= rows.cols()) return rows;
  const Eigen::HouseholderQR<Eigen::MatrixXd> qr(rows);
  return qr.matrixQR().topRows(rows.cols()).triangularView<Eigen::Upper>();
}

}  // namespace

int BlockLeastSquares::solve() {
  const Eigen::Index nz = nodes.front().node.cols(), ny = nodes.front().border.cols(), width = nz + ny + 1;
  const std::size_t last = links.size();
  std::vector<Eigen::MatrixXd> pivots(last);  // rows [R | next | border | -residual]
  Eigen::MatrixXd carry(0, width);            // rows over (node k, border, -residual)
  const auto with_node = [&](std::size_t k) {
    const NodeRows& rows = nodes[k];
    Eigen::MatrixXd all(carry.rows() + rows.residual.size(), width);
    all << carry, (Eigen::MatrixXd(rows.residual.size(), width) << rows.node, rows.border, -rows.residual).finished();
    return all;
  };
  for (std::size_t k = 0; k < last; ++k) {
    const Eigen::MatrixXd own = with_node(k);
    Eigen::MatrixXd m = Eigen::MatrixXd::Zero(own.rows() + nz, width + nz);
    m.topLeftCorner(own.rows(), nz) = own.leftCols(nz);
    m.topRightCorner(own.rows(), ny + 1) = own.rightCols(ny + 1);
    m.block(own.rows(), 0, nz, nz) = links[k].node;
    m.block(own.rows(), nz, nz, nz) = -Eigen::MatrixXd::Identity(nz, nz);
    m.block(own.rows(), 2 * nz, nz, ny) = links[k].border;
    m.block(own.rows(), 2 * nz + ny, nz, 1) = -links[k].residual;
    const Eigen::HouseholderQR<Eigen::MatrixXd> qr(m.leftCols(nz));
    Eigen::MatrixXd rest = qr.householderQ().adjoint() * m.rightCols(width);
    pivots[k].resize(nz, width + nz);
    pivots[k] << Eigen::MatrixXd(qr.matrixQR().topRows(nz).triangularView<Eigen::Upper>()), rest.topRows(nz);
    carry = compressed(rest.bottomRows(own.rows()));
  }
  const Eigen::MatrixXd end = with_node(last);
  Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd> cod;
  cod.setThreshold(1e-13);
  cod.compute(end.leftCols(nz + ny));
  const Eigen::VectorXd x = cod.solve(end.col(nz + ny));
  step.assign(last + 1, Eigen::VectorXd());
  step[last] = x.head(nz);
  border_step = x.tail(ny);
  for (std::size_t k = last; k-- > 0;) {
    const Eigen::MatrixXd& p = pivots[k];
    const Eigen::VectorXd rhs =
        p.col(2 * nz + ny) - p.middleCols(nz, nz) * step[k + 1] - p.middleCols(2 * nz, ny) * border_step;
    step[k] = p.leftCols(nz).triangularView<Eigen::Upper>().solve(rhs);
  }
  return static_cast<int>(nz + ny - cod.rank());
}

}  // namespace eos::solvers
