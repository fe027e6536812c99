// Certificate of a ControlSolution, computed from the problem and the stored trajectory alone: it does not trust the
// solver. Controls between grid points are interpolated to high order within an arc; then
//   ODE and costate residual   x' = f and p' = -H_x integrated anew over every interval of the grid
//   minimum principle          max over t of H(u) - min over the control box of H
//   Hamiltonian                constancy of H, or of H - int H_t dt
//   transversality             the best multipliers of the active end constraints are found by least squares
//   lower bound                weak duality for convex problems (dual_bound)
// Costates are those of the direct adjoining, p = dJ/dx; on contact with a path bound p' = -H_x - eta g_x, so that
// the part of the costate residual along g_x is left out there.
#pragma once

#include "hamiltonian.hpp"

namespace eos::solvers {

theory::ControlCertificate certify(const theory::ControlProblem& problem, const theory::ControlSolution& solution);

/// Value that min over v in the control box of H(t, x, v, p) takes, for full slot vectors; `in` holds the control to
/// start from. Exact for H affine between levels and
/// for convex quadratic H, else found by a scan and golden sections in each control in turn.
class HamiltonianMinimum {
 public:
  explicit HamiltonianMinimum(const Hamiltonian& h);
  double operator()(std::vector<double> in) const;
  /// Moves the controls in `in` to a minimiser; H before less H after.
  double lower(std::vector<double>& in) const;

 private:
  double value(const std::vector<double>& in) const;
  bool allowed(const std::vector<double>& in) const;
  void improve(std::vector<double>& in, int j, double& best) const;

  const Hamiltonian* h_;
  theory::Program program_, mixed_, slopes_;  // slopes: H_u and the diagonal of H_uu
  std::vector<bool> quadratic_;               // in control j, without kinks
};

/// Lower bound on the minimised J by weak duality, with the computed costates as multipliers, for linear dynamics, a
/// convex cost and a fixed horizon:
///   J >= min over x(0), x(T) of [Phi - p x](ends) + int min over (x, u) of [l + p . f + p' . x] dt.
/// Empty where the problem is not of this kind (Hessians are checked symbolically or at the points of the solution).
std::optional<double> dual_bound(const Hamiltonian& h, const theory::ControlSolution& solution);

}  // namespace eos::solvers
