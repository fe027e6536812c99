// Find the controls of least J: descents from several starts, then a search over what descents cannot change.
//
// A descent moves controls continuously, but an optimal schedule may rest for a while, and between learning and rest
// lies a barrier: the Hamiltonian has a minimum at an interior point and another one at the lower bounds of both
// fractions (phi(u)^2 << u for small u). So after the descents the number of resting intervals is searched over, guided
// by the sign of H(rest) - H(learn) at the switch, and any interval whose Hamiltonian is lower elsewhere may jump
// there.
#pragma once

#include <map>
#include <span>
#include <vector>

#include "bounded_minimiser.hpp"
#include "coordinates.hpp"
#include "eos/solvers/solve.hpp"
#include "mode_integrator.hpp"

namespace eos::solvers {

class ModeSolver {
 public:
  /// pre: problem.check() passes.
  ModeSolver(const theory::ModeProblem& problem, const SolveOptions& options);
  theory::Plan solve();

 private:
  struct Candidate {
    std::vector<theory::Controls> controls;
    double value = 0;  // J / scale
    int iterations = 0;
    double projected_gradient = 0;
    theory::SolveStatus status = theory::SolveStatus::not_finite;
  };
  std::vector<theory::Controls> constant_start(const theory::Controls& share) const;
  double value_of(std::span<const theory::Controls> controls);
  void refresh(const Candidate& at);  // states and costates
  Candidate descend(std::span<const theory::Controls> start, double tolerance);
  Candidate search();  // from constant starts
  Candidate follow();  // from options.warm_start
  void set_scale(std::span<const theory::Controls> first);

  theory::Controls rest() const;
  bool is_resting(const theory::Controls& u) const;
  std::size_t learning_intervals(const Candidate& c) const;
  double switch_slope(const Candidate& c);  // H(rest) - H(learn) where learning ends
  Candidate with_learning(const Candidate& from, std::size_t count);
  bool search_rest(Candidate& best);
  bool sort_rest(Candidate& best);
  bool jump(Candidate& best);
  void settle_resting_rates(Candidate& best);
  Candidate polish(Candidate best);

  theory::ModeModel model_;
  SolveOptions options_;
  Coordinates coordinates_;
  ModeIntegrator integrator_;
  std::vector<theory::Controls> controls_;
  std::vector<theory::ControlGradient> gradient_;
  double scale_ = 1;
  int starts_ = 0, evaluations_ = 0;
};

/// The plan of given controls, certificate included. pre: the integrator belongs to the model.
theory::Plan make_plan(const theory::ModeModel& model, ModeIntegrator& integrator,
                       std::span<const theory::Controls> controls);

}  // namespace eos::solvers
