// One transcription whose solutions are followed as parameters change.
#pragma once

#include <deque>

#include "direct.hpp"

namespace eos::solvers {

class PathFollower {
 public:
  PathFollower(const PathFollower& other);
  PathFollower(PathFollower&&) = default;
  PathFollower(const CompiledProblem& compiled, theory::Method scheme, const Mesh& mesh, const ControlOptions& options);

  /// Solves at these parameters; `position` is the coordinate along the path that predictors interpolate in.
  InteriorResult go(std::span<const double> parameters, double position);
  /// Forgets earlier points: the next one starts cold.
  void forget() { past_.clear(); }
  const Iterate& at() const { return at_; }
  Transcription& transcription() { return t_; }
  theory::ControlSolution solution();
  double objective() const { return result_.objective; }
  int newton_steps() const { return steps_; }

 private:
  struct Point {
    double position;
    Iterate at;
  };
  void predict(double position);
  bool newton();
  void assign_active(bool first);
  void pin(KktModel& model) const;
  void write_bound_multipliers();

  Transcription t_;
  theory::Method scheme_;
  ControlOptions options_;
  bool control_bounds_only_ = true;
  std::unique_ptr<RiccatiKkt> kkt_;
  KktModel model_;
  KktStep step_;
  Iterate at_;
  std::vector<signed char> active_;  // [control][lane]: -1 lower, 1 upper
  int flips_ = 0, steps_ = 0;
  std::deque<Point> past_;
  InteriorResult result_;
};

}  // namespace eos::solvers
