// Canonical equations on one phase: a stretch of time on which every control keeps one law.
//
// With z = (x, p) and the algebraic unknowns w (controls that are not held at a level, multipliers of active path
// bounds):  z' = F(t, z, w),  G(t, z, w) = 0.  G holds H_u = 0 (interior), (H_u)^(2k) = 0 (singular), or g^(q) = 0 with
// L_u = 0, L = H + mu g^(q) (path bound; Bryson, Denham & Dreyfus 1963). w is found by Newton's method, in one step
// where G is linear in it; total derivatives follow from the implicit function theorem.
#pragma once

#include <Eigen/Dense>

#include "hamiltonian.hpp"

namespace eos::solvers {

enum class Law { level, interior, singular, path_bound };

struct ControlLaw {
  Law law = Law::interior;
  double level = 0;  ///< Law::level
  int bound = -1;    ///< Law::path_bound: index in Hamiltonian::path_bounds()
  bool operator==(const ControlLaw&) const = default;
};

/// Formulas compiled for evaluation on a phase with total derivatives.
struct PhaseFunctions {
  theory::Program program;  // E, E_z, E_t, E_w
  int count = 0;
};

class PhaseSystem {
 public:
  /// samples: slot vectors near the trajectory of this phase (see Hamiltonian::singular_law).
  PhaseSystem(const Hamiltonian& h, std::vector<ControlLaw> laws, std::span<const std::vector<double>> samples);

  /// Why the laws cannot be used; empty if they can.
  const std::string& problem() const { return problem_; }
  const std::vector<ControlLaw>& laws() const { return laws_; }
  const Levels& levels() const { return levels_; }
  const SingularLaw& singular(int j) const { return singular_[static_cast<std::size_t>(j)]; }
  int size() const { return 2 * n_; }
  int slots() const { return h_->slots(); }

  /// All slots: t, x, controls, parameters, costates, multipliers; the algebraic unknowns found from the rest.
  void set_guess(const std::vector<double>& slots);
  /// Solves G = 0 at (t, z). false if it has no solution near the last one.
  bool locate(double t, const double* z);
  const std::vector<double>& values() const { return in_; }
  void rate(double t, const double* z, double* dz);
  /// dz and A = dF/dz, total.
  void rate_and_jacobian(double t, const double* z, double* dz, Eigen::MatrixXd& a);

  PhaseFunctions compile(const std::vector<theory::Expr>& formulas) const;
  /// Values, rows of derivatives in z, derivative in t.
  void evaluate(const PhaseFunctions& f, double t, const double* z, Eigen::VectorXd& value, Eigen::MatrixXd& dz,
                Eigen::VectorXd& dt);
  void evaluate(const PhaseFunctions& f, double t, const double* z, Eigen::VectorXd& value);

 private:
  void collect(std::vector<theory::Expr>& equations, theory::Expr& lagrangian,
               std::span<const std::vector<double>> samples);
  bool newton_step(double& relative);
  void put(double t, const double* z);
  void implicit(Eigen::MatrixXd& w_z, Eigen::VectorXd& w_t);

  const Hamiltonian* h_;
  int n_, nw_ = 0;
  std::vector<ControlLaw> laws_;
  Levels levels_;
  std::vector<SingularLaw> singular_;
  std::string problem_;
  std::vector<int> unknown_;  // slots of w
  bool linear_ = true;        // G is linear in w
  theory::Program g_, f_, d_;
  std::vector<double> in_, out_;
};

}  // namespace eos::solvers
