// A ControlProblem as programs with exact first and second derivatives, for any number of points in one call.
//
// Path formulas have the variables v = (t, x, u): columns 0, 1..n, 1+n..n+m. Rows: f (n), l, g. The Hessian is that of
//   Q = l + p . f + nu . g        (l, and thus J, negated when the problem maximises)
// End formulas have the variables e = (T, x(0), x(T)), columns 0, 1..n, 1+n..2n; rows Phi, psi; Hessian of Phi + nu .
// psi. Parameters are inputs, so one compiled problem serves a sweep. Immutable and thread-safe after construction.
#pragma once

#include <span>
#include <vector>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

/// A structurally nonzero derivative.
struct Entry {
  int row, column;
};

/// Values, Jacobian and Hessian of one set of formulas. Outputs of `values`: rows; of `first`: rows, then Jacobian
/// entries; of `second`: rows, Jacobian entries, then Hessian entries (row >= column).
struct DerivativeSet {
  int rows = 0, columns = 0;
  theory::Program values, first, second;
  std::vector<Entry> jacobian, hessian;
  bool nonlinear = false;  ///< the Hessian has entries
};

class CompiledProblem {
 public:
  /// throws core::Error as ControlProblem::check
  explicit CompiledProblem(const theory::ControlProblem& problem);

  const theory::ControlProblem& problem() const { return problem_; }
  int states() const { return n_; }
  int controls() const { return m_; }
  int parameters() const { return k_; }
  int path_constraints() const { return static_cast<int>(problem_.path.size()); }
  int end_constraints() const { return static_cast<int>(problem_.ends.size()); }
  bool autonomous() const { return autonomous_; }

  /// Inputs of path programs: t, x, u, parameters (slots of ControlProblem), then p (n) and nu (one per path
  /// constraint).
  int path_inputs() const { return problem_.path_slots() + n_ + path_constraints(); }
  int costate_slot(int i) const { return problem_.path_slots() + i; }
  int path_multiplier_slot(int i) const { return costate_slot(n_) + i; }
  const DerivativeSet& path() const { return path_; }
  /// Running terms l_i without weight: one output per cost.
  const theory::Program& running_terms() const { return running_terms_; }

  /// Inputs of end programs: T, x(0), x(T), parameters, then nu (one per end constraint).
  int end_inputs() const { return problem_.end_slots() + end_constraints(); }
  int end_multiplier_slot(int i) const { return problem_.end_slots() + i; }
  const DerivativeSet& end() const { return end_; }
  const theory::Program& terminal_terms() const { return terminal_terms_; }
  /// Whether an end formula depends on x_i(0).
  bool end_depends_on_initial(int i) const { return initial_in_end_[i]; }
  /// Values of the parameters as the problem states them.
  std::vector<double> parameter_values() const;

 private:
  theory::ControlProblem problem_;
  int n_ = 0, m_ = 0, k_ = 0;
  bool autonomous_ = true;
  std::vector<bool> initial_in_end_;
  DerivativeSet path_, end_;
  theory::Program running_terms_, terminal_terms_;
};

/// Derivatives of the formulas with respect to one parameter, for tangents: outputs d row / dp for each row, then
/// d (Q_v) / dp for each column v. Inputs as the path or end programs.
struct ParameterDerivative {
  theory::Program path, end;
};
ParameterDerivative differentiate_in_parameter(const CompiledProblem& compiled, int parameter);

}  // namespace eos::solvers
