// Primal-dual interior point for a transcription (Waechter & Biegler, Math. Program. 106, 25 (2006)): log barriers on
// bounds and slacks weighted by the quadrature, Newton steps from the Riccati sweep with inertia correction, filter
// line search with second-order correction, and a least-norm restoration of feasibility.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "collocation.hpp"

namespace eos::solvers {

/// Distances to bounds, never below rounding: an iterate may sit on its bound to the last digit.
inline double lower_gap(double x, const theory::Interval& b) {
  return std::max(x - b.lower, 1e-15 * std::max(1.0, std::fabs(b.lower)));
}
inline double upper_gap(double x, const theory::Interval& b) {
  return std::max(b.upper - x, 1e-15 * std::max(1.0, std::fabs(b.upper)));
}

struct InteriorOptions {
  double tolerance = 1e-9;  ///< relative, on J through complementarity and on the residuals
  double mu = 0.1;          ///< first barrier parameter
  int max_iterations = 500;
  bool keep_multipliers = false;  ///< start from the multipliers of the iterate
};

struct InteriorResult {
  theory::ControlStatus status = theory::ControlStatus::optimal;
  std::string message;
  int iterations = 0;
  double objective = 0, violation = 0, dual = 0, mu = 0;
};

class InteriorPoint {
 public:
  InteriorPoint(Transcription& transcription, InteriorOptions options);
  InteriorResult run(Iterate& at);

 private:
  struct FilterEntry {
    double violation, merit;
  };
  void start(Iterate& at);
  void push_inside(Iterate& at) const;
  void centre(Iterate& at) const;
  void least_squares_multipliers(Iterate& at);
  double smallest_mu() const;
  double complementarity(const Iterate& at, double mu) const;
  double error(const Iterate& at, double mu) const;
  double barrier(const Iterate& at) const;

  bool newton(const Iterate& at, bool restore);
  void add_bounds(const Iterate& at);
  void add_path(const Iterate& at);
  void add_ends(const Iterate& at);
  bool factor_with_correction(const Iterate& at);
  void regularise(double delta);
  void read_step(const Iterate& at);
  void read_path_step(const Iterate& at);
  void read_end_step(const Iterate& at);
  void bound_steps(const Iterate& at);
  double slope(const Iterate& at) const;
  double primal_limit(const Iterate& at) const;
  double dual_limit(const Iterate& at) const;

  bool search(Iterate& at);
  bool acceptable(double violation, double merit) const;
  bool try_step(const Iterate& at, double alpha, Iterate& trial, Measures& m);
  bool correct(const Iterate& at, Iterate& trial, Measures& m, double merit_slope);
  bool sufficient(const Measures& m, double merit, double alpha, double merit_slope) const;
  bool restore(Iterate& at);
  void clamp_multipliers(Iterate& at) const;
  void take(Iterate& at, const Iterate& trial, double alpha);
  InteriorResult finish(theory::ControlStatus status, std::string message);

  /// Visits what has bounds and is free to move: visit(row, lane, index of the pair of multipliers) over stage values
  /// and path slacks, visit(i) over initial values and over slacks of end conditions.
  template <class Visit>
  void for_each_row(Visit&& visit) const {
    for (int r = 0; r < n_ + m_ + g_; ++r) {
      if (t_.row_bounds(r).free() || t_.row_bounds(r).fixed()) continue;
      for (int lane = 0; lane < p_; ++lane)
        if (t_.bounded(r, lane)) visit(r, lane, static_cast<std::size_t>(r) * p_ + lane);
    }
  }
  template <class Visit>
  void for_each_start(Visit&& visit) const {
    for (int i = 0; i < t_.shape().node(); ++i)
      if (t_.start_parent(i) == i) visit(i);
  }
  template <class Visit>
  void for_each_end(Visit&& visit) const {
    for (int e = 0; e < t_.end_rows(); ++e)
      if (!t_.end_bounds(e).fixed()) visit(e);
  }
  /// The value (or its step) of row r whose multipliers have the index c.
  double value_of(const Iterate& at, int r, std::size_t c) const {
    if (r < n_) return at.x[c];
    return r < n_ + m_ ? at.u[c - static_cast<std::size_t>(n_) * p_]
                       : at.slack[c - static_cast<std::size_t>(n_ + m_) * p_];
  }

  Transcription& t_;
  InteriorOptions options_;
  int n_, m_, g_, p_;
  double mu_, delta_ = 0, last_delta_ = 0, penalty_ = 1e3;
  double merit_now_ = 0, first_violation_ = -1, accepted_ = 1, last_step_ = 1;
  std::unique_ptr<RiccatiKkt> kkt_;
  KktModel model_;
  KktStep step_;
  Iterate trial_;  // kept: fresh memory for every trial would cost more than the algebra
  Iterate d_;      // steps of primal variables and of all multipliers
  std::vector<double> cost_gradient_, end_cost_gradient_, path_residual_, end_residual_;
  std::vector<FilterEntry> filter_;
  Measures now_;
  InteriorResult result_;
};

}  // namespace eos::solvers
