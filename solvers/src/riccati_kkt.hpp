// Newton systems of a collocation transcription, solved in time linear in the number of intervals.
//
// Each interval has s stages with states X_i and controls U_i of its own, node state y = (x, z) with z constant in
// time:
//   X_i = x + h sum_j a_ij F(X_j, z, U_j),   x_next = X_s     (stiffly accurate; `first` = 1 when X_1 = x)
// Stage states and their multipliers are eliminated within the interval (dense, s n unknowns), then a Riccati sweep
// runs over the node states; multipliers of end constraints are carried as parameters of the value function (Bryson &
// Ho 1975, §6.3; Rao, Wright & Rawlings, J. Optim. Theory Appl. 99, 723 (1998)). All pivots must be positive definite:
// this is the inertia test of the whole KKT matrix.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

namespace eos::solvers {

struct KktShape {
  int states = 0, statics = 0, stages = 0, first = 0, controls = 0, intervals = 0;
  int end_rows = 0;  ///< equality constraints on the last node
  int lanes() const { return intervals * stages; }
  int node() const { return states + statics; }
  int stage_variables() const { return states + statics + controls; }
};

/// The quadratic model. Stage quantities are densities, multiplied by the lane's weight here.
struct KktModel {
  KktShape shape;
  std::vector<double> a;                              ///< [s][s] tableau
  std::vector<double> step;                           ///< [K] h
  std::vector<double> weight;                         ///< [K s]
  std::vector<double> hessian;                        ///< [K s][nv][nv] over (x, z, u)
  std::vector<double> gradient;                       ///< [K s][nv]
  std::vector<double> jacobian;                       ///< [K s][n][nv] of F
  std::vector<double> defect;                         ///< [K s][n] X_i - x - h sum a_ij F_j; lanes below `first` unused
  std::vector<double> end_hessian, end_gradient;      ///< [ny][ny], [ny]
  std::vector<double> end_jacobian, end_residual;     ///< [q][ny], [q]
  std::vector<double> start_hessian, start_gradient;  ///< [ny] diagonal, [ny]
  std::vector<int> start_parent;  ///< [ny] the free component of y_0 it follows: itself, another one, or -1 when fixed
  double end_dual_shift = 0;      ///< delta_c: (A dy + c - delta_c dnu) = 0
  void resize(const KktShape& to);
};

/// Newton step in primal variables; multipliers are new values, not steps.
struct KktStep {
  std::vector<double> node;        ///< [K + 1][ny]
  std::vector<double> state;       ///< [K s][n]
  std::vector<double> control;     ///< [K s][m]
  std::vector<double> multiplier;  ///< [K s][n] of the stage equations
  std::vector<double> costate;     ///< [K + 1][ny] dJ/dy at the nodes
  std::vector<double> end;         ///< [q]
  void resize(const KktShape& to);
};

class RiccatiKkt {
 public:
  virtual ~RiccatiKkt() = default;
  /// false when a pivot is not positive definite (or not finite); `failed` is the interval, K for the ends.
  virtual bool factor(const KktModel& model) = 0;
  /// After factor: step for the model's gradients and residuals, which may have changed since.
  virtual void solve(const KktModel& model, KktStep& step) = 0;
  int failed = -1;
};

/// A kernel compiled for this shape when there is one, else the general one.
std::unique_ptr<RiccatiKkt> make_kkt(const KktShape& shape);

}  // namespace eos::solvers
