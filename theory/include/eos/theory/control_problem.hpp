// State an optimal-control problem by formulas, and describe what solves it.
//
// Statement (Bolza form; Bryson & Ho 1975, ch. 2; Pontryagin et al. 1962), time t in [0, T], T fixed or free:
//   dx/dt = f(t, x, u, p),  x(0) and x(T) within intervals (a point, or free),  bounds on x and u along the path,
//   minimise (or maximise)  J = sum_i w_i C_i,   C_i = Phi_i(T, x(0), x(T), p) + int_0^T l_i(t, x, u, p) dt,
//   subject to  g(t, x, u, p) in an interval along the path,  psi(T, x(0), x(T), p) in an interval at the ends.
// Costs are named terms with weights, so that budgets and Pareto fronts can trade one against another; each weight is a
// parameter. Formulas are Expr over the slots given below; parameters keep their value until someone changes it, so one
// compiled problem serves a whole sweep.
// Costate convention: p = dJ/dx, H = l + p . f, minimised over u (also when J is maximised: then of -J).
#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "eos/theory/expression.hpp"

namespace eos::theory {

inline constexpr double k_infinity = std::numeric_limits<double>::infinity();

/// [lower, upper]; a point when both are equal, free when both are infinite.
struct Interval {
  double lower = -k_infinity, upper = k_infinity;
  bool fixed() const { return lower == upper; }
  bool free() const { return lower == -k_infinity && upper == k_infinity; }
  static Interval point(double x) { return {x, x}; }
};

struct StateVariable {
  std::string name;
  Expr dynamics;                ///< dx/dt over path slots
  Interval initial;             ///< x(0)
  Interval final;               ///< x(T)
  Interval bounds;              ///< along the path
  std::optional<double> guess;  ///< constant guess; else from initial and final
  std::string unit = "1", meaning;
};
struct ControlVariable {
  std::string name;
  Interval bounds;
  std::optional<double> guess;
  std::string unit = "1", meaning;
};
struct Parameter {
  std::string name;
  double value = 0;
  std::string unit = "1", meaning;
};
struct CostTerm {
  std::string name;
  Expr running;    ///< over path slots
  Expr terminal;   ///< over end slots
  int weight = 0;  ///< index of its weight in parameters
  std::string unit = "1";
};
struct Constraint {
  std::string name;
  Expr expression;  ///< over path or end slots
  Interval bounds;
};
struct Horizon {
  double value = 1;  ///< T, or its guess when free
  bool free = false;
  Interval bounds{1e-6, 1e6};  ///< of a free T
};

struct ControlProblem {
  std::string title;
  std::string time_name = "t", time_unit = "1";
  std::vector<StateVariable> states;
  std::vector<ControlVariable> controls;
  std::vector<Parameter> parameters;  ///< weights of the costs included
  std::vector<CostTerm> costs;
  std::vector<Constraint> path, ends;
  Horizon horizon;
  bool maximise = false;  ///< J is the quantity reported; solvers minimise -J then
  std::string source;     ///< where the problem comes from, e.g. a citation

  /// Slots of path formulas: t, states, controls, parameters.
  static constexpr int time_slot() { return 0; }
  int state_slot(int i) const { return 1 + i; }
  int control_slot(int j) const { return 1 + static_cast<int>(states.size()) + j; }
  int parameter_slot(int k) const { return control_slot(static_cast<int>(controls.size())) + k; }
  int path_slots() const { return parameter_slot(static_cast<int>(parameters.size())); }
  /// Slots of end formulas: T, x(0), x(T), parameters.
  static constexpr int horizon_slot() { return 0; }
  int initial_slot(int i) const { return 1 + i; }
  int final_slot(int i) const { return 1 + static_cast<int>(states.size()) + i; }
  int end_parameter_slot(int k) const { return final_slot(static_cast<int>(states.size())) + k; }
  int end_slots() const { return end_parameter_slot(static_cast<int>(parameters.size())); }

  // Building a problem in C++: declare all states and controls and parameters first (they fix the slots), then
  // formulas.
  int add_state(std::string name, Interval initial, Interval final = {}, Interval bounds = {});
  int add_control(std::string name, Interval bounds);
  int add_parameter(std::string name, double value, std::string meaning = {});
  /// Adds the weight as a parameter named "weight.<name>" and the term. Call after all other parameters are declared.
  int add_cost(std::string name, Expr running, Expr terminal = 0, double weight = 1);
  Expr time() const { return Expr::input(time_slot()); }
  Expr x(int i) const { return Expr::input(state_slot(i)); }
  Expr u(int j) const { return Expr::input(control_slot(j)); }
  Expr parameter(int k) const { return Expr::input(parameter_slot(k)); }
  Expr duration() const { return Expr::input(horizon_slot()); }
  Expr x_initial(int i) const { return Expr::input(initial_slot(i)); }
  Expr x_final(int i) const { return Expr::input(final_slot(i)); }
  Expr end_parameter(int k) const { return Expr::input(end_parameter_slot(k)); }

  /// sum w_i l_i and sum w_i Phi_i, negated when maximising: what solvers minimise.
  Expr running_cost() const;
  Expr terminal_cost() const;
  int find_state(std::string_view name) const;      ///< index or -1
  int find_control(std::string_view name) const;    ///< index or -1
  int find_parameter(std::string_view name) const;  ///< index or -1
  int find_cost(std::string_view name) const;       ///< index or -1
  /// Whether any path formula depends on t.
  bool autonomous() const;
  /// throws Error E401/E104/E105/E107/E109 with one diagnostic per problem: reversed or empty bounds, no state, no cost,
  /// names that clash or that formulas cannot use, a fixed value outside its bounds, a horizon that is not positive,
  /// formulas over slots that do not exist.
  void check() const;
};

enum class Method { automatic, closed_form, adjoint, sweep, shooting, trapezoid, hermite_simpson, radau, ipopt, hjb };
std::string to_string(Method method);
/// Words of --method, in the order of the enumeration.
const std::vector<std::string>& method_names();

enum class ArcKind { lower, upper, interior, singular, state_constraint, path_constraint, chattering };
std::string to_string(ArcKind kind);

/// A stretch of time on which one control keeps one kind of law.
struct Arc {
  int control = 0;
  double begin = 0, end = 0;
  ArcKind kind = ArcKind::interior;
};

enum class ControlStatus { optimal, acceptable, iteration_limit, infeasible, unbounded, not_finite, stalled };
std::string to_string(ControlStatus status);

/// How good a solution provably is. A quantity that a method does not provide is NaN.
struct ControlCertificate {
  double ode_residual =
      std::numeric_limits<double>::quiet_NaN();  ///< max |x - x re-integrated| / (1 + |x|) per interval
  double costate_residual = std::numeric_limits<double>::quiet_NaN();  ///< the same for dp/dt = -H_x
  double minimum_residual =
      std::numeric_limits<double>::quiet_NaN();  ///< max_t H(u) - min_v H(v), relative to 1 + |J|/T
  double hamiltonian_drift =
      std::numeric_limits<double>::quiet_NaN();  ///< max - min of H (autonomous), or of H - int H_t
  double constraint_violation = std::numeric_limits<double>::quiet_NaN();  ///< of bounds, path and end constraints
  double transversality = std::numeric_limits<double>::quiet_NaN();  ///< of end conditions on costates and, free T, H
  std::optional<double> lower_bound;                                 ///< on J (upper bound when maximising)
  std::string lower_bound_source;  ///< "convex dual", "HJB sub-solution", "closed form"
};

/// Solution on a grid of points; a time occurs twice where a control jumps (left and right values).
struct ControlSolution {
  Method method = Method::automatic;
  std::string reason;  ///< why this method, when it was chosen automatically
  ControlStatus status = ControlStatus::optimal;
  std::string message;                         ///< why it stopped: cause, node and component
  double objective = 0;                        ///< J
  double horizon = 0;                          ///< T
  std::vector<double> terms;                   ///< C_i without weights
  std::vector<double> parameters;              ///< values that were in force
  std::vector<double> time;                    ///< [k]
  std::vector<std::vector<double>> states;     ///< [n][k]
  std::vector<std::vector<double>> controls;   ///< [m][k]
  std::vector<std::vector<double>> costates;   ///< [n][k], empty if the method has none
  std::vector<double> hamiltonian;             ///< [k], empty without costates
  std::vector<std::vector<double>> switching;  ///< [m][k] H_u, empty without costates
  std::vector<Arc> arcs;                       ///< by control, then time
  std::vector<double> switch_times;            ///< ascending, of any control
  ControlCertificate certificate;
  int intervals = 0, iterations = 0, refinements = 0;
  double solve_seconds = 0;
  bool ok() const { return status == ControlStatus::optimal || status == ControlStatus::acceptable; }
};

}  // namespace eos::theory
