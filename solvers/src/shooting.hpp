// Multiple shooting on the multi-phase two-point problem of the minimum principle.
//
// Unknowns: canonical vectors z = (x, p) at nodes, switch times, a free T, multipliers of end constraints and of the
// jumps at entries to state bounds. Conditions: continuity over every segment, junction conditions (below), ends and
// transversality (end_conditions.hpp). Segments are short enough that neighbouring solutions grow by a bounded factor,
// so long horizons with dichotomy are as easy as short ones. Exact derivatives from the variational equations.
// Junctions of a control between laws A | B:
//   level | level        H continuous                       level | interior, interior | level   H_u(level) = 0
//   any | singular       H_u = (H_u)' = ... = 0             singular | any                       none
//   any | path bound     g = ... = g^(q-1) = 0, jump p- = p+ + sum pi grad g^(i), H_u(u of the bound) = 0
//   path bound | any     H_u(u of the bound) = 0
// At a junction to a singular arc of even order bang-bang controls chatter (McDanell & Powers 1971); there H_u = 0 is
// imposed alone, which closes a truncated sequence of switches.
#pragma once

#include "end_conditions.hpp"
#include "integrate.hpp"
#include "phase_system.hpp"

namespace eos::solvers {

struct Phase {
  std::vector<ControlLaw> laws;
  double begin = 0, end = 0;
};

struct ShootingOptions {
  int max_iterations = 60;
  double tolerance = 1e-12;  ///< of integration, and on the relative Newton step times 10
  double growth = 6;         ///< bound on the integral of |dF/dz| over a segment
};

struct ShootingResult {
  bool converged = false;
  std::string message;  ///< why not
  int iterations = 0;
  double residual = 0;                                   ///< largest condition left
  std::vector<double> times;                             ///< of phases: 0, switches, T
  std::vector<double> nu;                                ///< multipliers of active end constraints
  std::vector<std::pair<std::size_t, double>> segments;  ///< phase and end time of each
  std::vector<Eigen::VectorXd> nodes;                    ///< z before any jump
  std::vector<Eigen::VectorXd> starts;                   ///< z after the jump, per segment
  std::vector<std::vector<double>> guesses;              ///< slot vectors at segment starts, for the algebraic unknowns
};

class MultipleShooting {
 public:
  /// `start` gives states, costates and controls to begin from.
  MultipleShooting(const Hamiltonian& h, std::vector<Phase> phases, const theory::ControlSolution& start,
                   ShootingOptions options = {});

  ShootingResult solve();
  PhaseSystem& system(std::size_t phase) { return systems_[phase]; }
  std::size_t phases() const { return systems_.size(); }
  const EndConditions& ends() const { return ends_; }

 private:
  struct Junction {
    std::size_t owner = 0;  // phase whose laws give the controls
    PhaseFunctions conditions;
  };
  struct Jump {
    int count = 0, border = 0;  // multipliers, first column
    PhaseFunctions gradients;   // grad_x of g, ..., g^(q-1), multiplier by multiplier
  };
  struct Segment {
    std::size_t phase;
    double a, b;  // fractions of the phase
  };
  struct Point {  // all unknowns
    std::vector<Eigen::VectorXd> nodes;
    Eigen::VectorXd border;
  };

  void prepare_systems(const theory::ControlSolution& start);
  void prepare_junctions();
  void junction_of(std::size_t i, std::size_t j, std::vector<theory::Expr>& before, std::vector<theory::Expr>& after);
  /// Cuts of a phase, as fractions, of equal growth.
  std::vector<double> fractions(std::size_t phase, const theory::ControlSolution& start);
  void prepare_segments(const theory::ControlSolution& start);
  /// Cuts segment k in two.
  void split(std::size_t k, Point& at);
  void prepare_border(const theory::ControlSolution& start);
  std::vector<double> times(const Eigen::VectorXd& border) const;
  /// Derivative of the time at fraction s of a phase in the border, times `weight`, added to row r of `rows`.
  void add_time(Eigen::MatrixXd& rows, std::size_t phase, double s, const Eigen::VectorXd& column) const;
  bool assemble(const Point& at, bool derivatives, struct BlockLeastSquares& system, double& norm);
  bool link(const Point& at, std::size_t k, bool derivatives, struct NodeRows& rows);
  void node_conditions(const Point& at, std::size_t k, struct NodeRows& rows);
  void end_rows(const Point& at, struct NodeRows& first, struct NodeRows& last);
  Eigen::VectorXd after_jump(const Point& at, std::size_t k, Eigen::MatrixXd* in_node, Eigen::MatrixXd* in_border);
  double longest_step(const Point& at, const Eigen::VectorXd& border_step) const;
  double relative_step(const Point& at, const BlockLeastSquares& system) const;
  bool finish(const Point& at, ShootingResult& result);

  const Hamiltonian* h_;
  int n_;
  std::vector<Phase> phases_;
  ShootingOptions options_;
  EndConditions ends_;
  std::vector<PhaseSystem> systems_;
  std::vector<std::vector<Junction>> junctions_;  // by phase that begins; [0]: at t = 0
  std::vector<Jump> jumps_;                       // by phase that begins
  std::vector<PhaseFunctions> final_h_;           // H of the last phase
  std::vector<Segment> segments_;
  std::vector<std::vector<double>> guesses_;
  Point point_;
  int nu_column_ = 0, horizon_column_ = -1, copies_column_ = -1, border_size_ = 0;
  double tolerance_ = 1e-8;  // of integration: loose far from the solution
  std::size_t failed_ = 0;   // segment over which integration failed last
  std::string problem_;
};

/// Linear interpolation of a solution's canonical vector and controls: a full slot vector at time t.
std::vector<double> slots_at(const Hamiltonian& h, const theory::ControlSolution& s, double t);

}  // namespace eos::solvers
