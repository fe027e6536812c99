// A control problem on a mesh: one implicit Runge-Kutta formulation for trapezoid, Hermite-Simpson and Radau.
//
// Per interval k of length h, with states X_i and controls U_i of its own at s stages (lane = k s + i):
//   X_i = x_k + h sum_j a_ij f(t_j, X_j, U_j),   x_{k+1} = X_s,   J = sum_k h sum_i b_i l(t_i, X_i, U_i) + Phi
// Lobatto IIIA with 2 stages is the trapezoidal rule, with 3 Hermite-Simpson; Radau IIA. The multipliers make
// p_i = sum_j a_ji lambda_j / b_i the costate at stage i, and the optimality conditions a symplectic partitioned pair
// (Lobatto IIIA-IIIB, Radau IIA-IA) of orders 2, 4, 5 in states, costates and J (Hager, Numer. Math. 87, 247 (2000);
// Bonnans & Laurent-Varin, Numer. Math. 103, 1 (2006)).
// A free horizon is a state with zero derivative, as a factor theta of its reference value; so are
// copies of free initial values that end formulas use. Stage multipliers of path constraints and bounds are densities:
// the NLP's multipliers divided by the quadrature weight h b_i, which makes the barrier independent of the mesh.
#pragma once

#include <span>
#include <vector>

#include "compiled_problem.hpp"
#include "riccati_kkt.hpp"

namespace eos::solvers {

struct Tableau {
  int stages = 0, first = 0, order = 0;  ///< first = 1: the first stage is the left node
  std::vector<double> a, b, c;
};
/// pre: trapezoid, hermite_simpson or radau
const Tableau& tableau(theory::Method method);

struct Mesh {
  double duration = 1;        ///< T, or the value of a free T that theta = 1 stands for
  std::vector<double> edges;  ///< as fractions of the duration, 0 to 1
  int intervals() const { return static_cast<int>(edges.size()) - 1; }
  static Mesh uniform(double duration, int intervals);
};

/// Primal and dual variables. Rows of lanes: [row][lane].
struct Iterate {
  std::vector<double> start;                                    ///< y_0 = (x_0, statics)
  std::vector<double> x, u, slack;                              ///< [n], [m], [g]
  std::vector<double> lambda, nu;                               ///< [n], [g]
  std::vector<double> z_lower, z_upper;                         ///< [n + m + g] densities
  std::vector<double> start_lower, start_upper;                 ///< [ny]
  std::vector<double> end_slack, end_nu, end_lower, end_upper;  ///< [rows of the end]
};

/// What one evaluation gives besides derivatives.
struct Measures {
  double objective = 0;  ///< J minimised
  double violation = 0;  ///< 1-norm of all constraint residuals
  double worst = 0;      ///< the largest residual, with its place
  bool finite = true;
  std::string where;  ///< place and component of `worst` or of the value that is not finite
};

class Transcription {
 public:
  Transcription(const CompiledProblem& compiled, std::span<const double> parameters, Mesh mesh, const Tableau& tableau);

  const CompiledProblem& compiled() const { return *compiled_; }
  const Mesh& mesh() const { return mesh_; }
  const Tableau& scheme() const { return *tableau_; }
  const KktShape& shape() const { return shape_; }
  int lanes() const { return shape_.lanes(); }
  bool free_horizon() const { return free_horizon_; }
  int end_rows() const { return static_cast<int>(end_bounds_.size()); }
  std::span<const double> parameters() const { return parameters_; }
  void set_parameters(std::span<const double> parameters);

  /// Bounds of row r of (x, u, path constraints); lanes below `first` of a state row and held controls have none.
  const theory::Interval& row_bounds(int row) const { return row_bounds_[row]; }
  bool bounded(int row, int lane) const;
  const theory::Interval& start_bounds(int i) const { return start_bounds_[i]; }
  int start_parent(int i) const { return start_parent_[i]; }
  const theory::Interval& end_bounds(int row) const { return end_bounds_[row]; }
  double weight(int lane) const { return weight_[lane]; }
  double step(int interval) const { return step_[interval]; }
  double total_weight() const { return total_weight_; }
  double scale(int row) const { return scale_[row]; }  ///< typical size of a state or control
  /// A control whose bounds leave it no choice.
  bool held(int control) const { return row_bounds_[shape_.states + control].fixed(); }

  /// Fixes a free horizon at its value in an iterate, or frees it again.
  void hold_horizon(bool hold);
  /// Copies stage values that follow from others (first stages, initial copies, held controls).
  void complete(Iterate& at) const;
  /// Fills inputs and runs the programs: 0 values, 1 first, 2 second derivatives.
  Measures evaluate(const Iterate& at, int level);
  double objective() const { return objective_; }
  /// Defects [lane][n], g - slack [g][lane], residuals of end rows.
  const std::vector<double>& defects() const { return defect_; }
  const std::vector<double>& path_residual() const { return path_residual_; }
  const std::vector<double>& end_residual() const { return end_residual_; }
  std::string name_of_lane(int lane) const;

  // After evaluate(at, 2):
  /// Lagrangian curvature, cost gradient, Jacobian and defects into the model, without bounds.
  void linearise(const Iterate& at, KktModel& model) const;
  /// Adds curvature sigma g_v' g_v and slope sigma_gradient g_v of path constraint `row` at a lane.
  void add_path_row(int row, int lane, double curvature, double slope, KktModel& model) const;
  /// d g_row . (dx, dz, du) at a lane.
  double path_directional(int row, int lane, const double* dx, const double* dz, const double* du) const;
  /// [rows][ny] of end rows.
  const std::vector<double>& end_jacobian() const { return end_jacobian_; }
  /// d L / d (x, u) without multipliers of bounds, for control_slope and dual_residual.
  void update_slopes(const Iterate& at) const;
  /// Largest residual of stationarity, densities relative to the scale of the problem.
  double dual_residual(const Iterate& at, std::string* where = nullptr) const;

  /// d L / d u without multipliers of bounds, as of the last update_slopes.
  double control_slope(int control, int lane) const {
    return slope_[static_cast<std::size_t>(shape_.states + control) * lanes() + lane];
  }

  double horizon(const Iterate& at) const;
  double time(const Iterate& at, int lane) const;
  double theta(const Iterate& at) const;
  /// dJ/dx at node 0..K from the multipliers; fills [K + 1][n].
  std::vector<double> node_costates(const Iterate& at) const;
  /// p at the stages: [n][lane].
  std::vector<double> stage_costates(const Iterate& at) const;
  std::span<const double> output(int row) const {
    return {out_.data() + static_cast<std::size_t>(row) * lanes(), static_cast<std::size_t>(lanes())};
  }

 private:
  void write_stage_costates(const Iterate& at, double* to) const;
  void lay_out_statics();
  void lay_out_lanes();
  void lay_out_bounds();
  void fill_inputs(const Iterate& at, bool multipliers);
  void measure(const Iterate& at, Measures& m);
  void evaluate_end(const Iterate& at, int level);
  void gather_lane(const Iterate& at, int lane, double* hessian, double* gradient, double* jacobian) const;
  void gather_statics(const Iterate& at, int lane, double* hessian, double* gradient, double* jacobian) const;
  double static_residual(const Iterate& at) const;
  /// dt/dtheta at a lane.
  double time_by_theta(int lane) const { return fraction_[lane] * mesh_.duration; }
  void linearise_end(KktModel& model) const;
  int column(int variable) const {
    return variable <= compiled_->states() ? variable - 1 : variable - 1 + shape_.statics;
  }

  const CompiledProblem* compiled_;
  const Tableau* tableau_;
  Mesh mesh_;
  KktShape shape_;
  std::vector<double> parameters_;
  bool free_horizon_ = false;                     // its factor theta is the first static
  std::vector<int> copies_;                       // state whose initial value each further static holds
  std::vector<double> step_, weight_, fraction_;  // reference h, h b_i, sigma of the lane: its time as a fraction of T
  double total_weight_ = 0, objective_ = 0;
  std::vector<theory::Interval> row_bounds_, start_bounds_, end_bounds_;
  std::vector<double> start_value_, scale_;
  std::vector<int> start_parent_;
  std::vector<double> in_, out_, defect_, path_residual_, end_residual_;
  std::vector<double> end_out_, end_jacobian_, end_gradient_, end_hessian_;
  mutable std::vector<double> slope_;  // of the Lagrangian, kept between calls

 public:
  const std::vector<double>& start_values() const { return start_value_; }
};

}  // namespace eos::solvers
