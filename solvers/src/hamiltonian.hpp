// Symbols of the minimum principle for a ControlProblem: H = l + p . f, its derivatives, path bounds with their orders,
// and the law of a singular control, all exact and at fixed parameter values.
//
// Canonical system: x' = H_p = f, p' = -H_x (Pontryagin et al. 1962). Singular control of order k: the first even time
// derivative of H_u, taken along the flow, that contains u (Kelley, Kopp & Moyer 1967):
//   (H_u)^(2k) = a + b u = 0, generalised Legendre-Clebsch (-1)^k b >= 0.
// A path bound g <= 0 of order q: g^(q) is the first time derivative along f that contains a control (Bryson, Denham &
// Dreyfus 1963); q = 0 for a mixed constraint.
// Slots of the formulas: those of ControlProblem, then n costates, then multipliers of path bounds.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

/// One side of a state bound or of a path constraint, as g <= 0.
struct PathBound {
  std::string name;
  theory::ArcKind kind = theory::ArcKind::state_constraint;
  std::vector<theory::Expr> derivatives;  ///< g, g', ..., g^(q)
  int order() const { return static_cast<int>(derivatives.size()) - 1; }
  const theory::Expr& g() const { return derivatives.front(); }
};

/// Conditions of a singular control; no equation when no order up to 4 was found.
struct SingularLaw {
  int order = 0;
  std::vector<theory::Expr> entry;  ///< H_u, (H_u)', ..., (H_u)^(2k-1)
  theory::Expr equation;            ///< (H_u)^(2k)
  theory::Expr clebsch;             ///< (-1)^k d equation / du, >= 0 on a minimising arc
};

/// Levels of controls held constant: NaN where the control is not held.
using Levels = std::vector<double>;

class Hamiltonian {
 public:
  explicit Hamiltonian(const theory::ControlProblem& problem);

  const theory::ControlProblem& problem() const { return problem_; }
  int states() const { return n_; }
  int controls() const { return m_; }
  int costate_slot(int i) const { return problem_.path_slots() + i; }
  int multiplier_slot(int k) const { return problem_.path_slots() + n_ + k; }
  int slots() const { return multiplier_slot(m_); }
  std::vector<int> state_slots() const;
  std::vector<int> canonical_slots() const;  ///< states, then costates

  const theory::Expr& value() const { return h_; }
  const theory::Expr& running() const { return running_; }
  const std::vector<theory::Expr>& dynamics() const { return f_; }
  const std::vector<theory::Expr>& h_x() const { return h_x_; }
  const std::vector<theory::Expr>& h_u() const { return h_u_; }
  /// H is affine in control j between its levels.
  bool affine(int j) const { return affine_[static_cast<std::size_t>(j)]; }
  /// Values at which control j can rest although H_u does not vanish: finite bounds and kinks of l, ascending.
  const std::vector<double>& levels(int j) const { return levels_[static_cast<std::size_t>(j)]; }
  const std::vector<PathBound>& path_bounds() const { return bounds_; }

  /// d psi / dt along the canonical flow.
  theory::Expr along_flow(const theory::Expr& psi) const;
  /// y with the held controls put in.
  theory::Expr hold(const theory::Expr& y, const Levels& levels) const;
  /// Law of control j where H is affine in it, other controls held or left; `samples` are full slot vectors near the
  /// trajectory, at which vanishing coefficients are told from others.
  SingularLaw singular_law(int j, const Levels& levels, std::span<const std::vector<double>> samples) const;

 private:
  void find_levels();
  void find_bounds();
  void add_bound(const std::string& name, const theory::Expr& g, bool of_state);

  theory::ControlProblem problem_;  // parameters put in as numbers
  int n_, m_;
  theory::Expr running_, h_;
  std::vector<theory::Expr> f_, h_x_, h_u_;
  std::vector<bool> affine_;
  std::vector<std::vector<double>> levels_;
  std::vector<PathBound> bounds_;
};

/// The problem with its parameters put into all formulas as numbers; slots stay.
theory::ControlProblem with_numbers(const theory::ControlProblem& problem);

}  // namespace eos::solvers
