// From problems to lanes and back; and the two backends. Private to the batch solver.
#pragma once

#include <span>
#include <vector>

#include "batch_layout.hpp"
#include "eos/solvers/batch.hpp"

namespace eos::solvers::batch {

/// One start of one problem.
struct Lane {
  std::size_t problem = 0;
  std::vector<double> start;  ///< [variables] scaled
};

/// What a backend gives back for a lane.
struct LaneResult {
  double value = 0, residual = 0, loss = 0, energy = 0;
  int iterations = 0;
  double ending = running;
  std::vector<double> x;  ///< [variables] scaled
};

class Setup {
 public:
  /// throws as solve_batch().
  Setup(std::span<const theory::ModeProblem> problems, const BatchOptions& options);

  const Sizes& sizes() const { return sizes_; }
  std::size_t problems() const { return problems_.size(); }
  /// Numbers of a problem in the order of Parameter, then the modes' arrays.
  std::vector<double> parameters(std::size_t problem) const;
  void bounds(std::size_t problem, std::vector<double>& lower, std::vector<double>& upper) const;
  std::vector<Lane> starts(std::size_t problem) const;
  /// Controls of the intervals that do not rest, in order.
  std::vector<theory::Controls> learning(std::size_t problem, std::span<const double> x) const;
  /// That course stretched or compressed to `count` intervals, then rest.
  Lane stretched(std::size_t problem, std::span<const theory::Controls> learning, int count) const;
  bool can_rest() const { return sizes_.data != Choice::all || sizes_.weight != Choice::all; }
  /// Scaled variables of given controls, and back.
  std::vector<double> scaled(std::size_t problem, std::span<const theory::Controls> controls) const;
  std::vector<theory::Controls> controls(std::size_t problem, std::span<const double> x) const;

 private:
  Lane clamped(std::size_t problem, std::span<const theory::Controls> controls) const;

  std::span<const theory::ModeProblem> problems_;
  Sizes sizes_;
};

/// Descends from every lane's start until the projected gradient is below tolerance |J|; with a tolerance of 0 only
/// evaluates there. Lanes keep their order.
std::vector<LaneResult> run_cpu(const Setup& setup, std::span<const Lane> lanes, int threads, double tolerance);
/// throws Error E302 without a device.
std::vector<LaneResult> run_cuda(const Setup& setup, std::span<const Lane> lanes, double tolerance, int device);

}  // namespace eos::solvers::batch
