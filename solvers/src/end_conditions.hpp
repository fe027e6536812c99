// Conditions at both ends of the two-point problem: fixed values, end constraints, transversality.
//
// With Phi the terminal cost and psi the active end constraints with multipliers nu (Bryson & Ho 1975, section 2.5):
//   p(0) = -(Phi + nu psi)_x0,  p(T) = (Phi + nu psi)_xT,  and for free T:  H(T) + (Phi + nu psi)_T = 0.
#pragma once

#include <Eigen/Dense>

#include "hamiltonian.hpp"

namespace eos::solvers {

class EndConditions {
 public:
  /// Which bounds of intervals are active is read from the ends of `start`.
  EndConditions(const Hamiltonian& h, const theory::ControlSolution& start);

  int multipliers() const { return static_cast<int>(active_.size()); }
  bool free_horizon() const { return free_horizon_; }
  double fixed_horizon() const { return horizon_; }
  /// Some condition couples both ends.
  bool coupled() const { return coupled_; }
  /// Rows of fixed and transversality conditions at t = 0 and at t = T (over x, p of that end), and H(T) + ... = 0
  /// without its H(T) as the last row at T when the horizon is free.
  int rows_initial() const { return n_; }
  int rows_final() const { return n_ + multipliers() + (free_horizon_ ? 1 : 0); }

  struct Rows {
    Eigen::VectorXd value;
    Eigen::MatrixXd x0, xT, nu;  ///< derivatives in x(0), x(T), nu
    Eigen::VectorXd horizon;     ///< derivative in T
    Eigen::MatrixXd costate;     ///< derivatives in p of the end concerned
  };
  Rows initial(double horizon, const double* x0, const double* xT, const double* nu, const double* p) const;
  Rows final(double horizon, const double* x0, const double* xT, const double* nu, const double* p) const;

 private:
  Rows evaluate(const theory::Program& program, double horizon, const double* x0, const double* xT, const double* nu,
                const double* p, int rows) const;
  theory::Program compile(const std::vector<theory::Expr>& rows) const;
  bool choose(const theory::Interval& interval, double value, double& fixed) const;

  int n_;
  bool free_horizon_ = false, coupled_ = false;
  double horizon_ = 0;
  std::vector<std::pair<int, double>> active_;  // end constraint, value it takes
  theory::Program initial_, final_;
  int slots_ = 0, nu_slot_ = 0, p_slot_ = 0;
};

}  // namespace eos::solvers
