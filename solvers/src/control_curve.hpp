// Controls of a solution as functions of time: polynomial through eight neighbouring grid points of the same arc, or
// linear where the data are too rough for it.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "eos/theory/control_problem.hpp"

namespace eos::solvers {

class ControlCurve {
 public:
  explicit ControlCurve(const theory::ControlSolution& s) : s_(&s), block_(s.time.size(), 0) {
    for (std::size_t k = 1; k < s.time.size(); ++k) block_[k] = block_[k - 1] + (s.time[k] > s.time[k - 1] ? 0 : 1);
    for (const std::vector<double>& u : s.controls) {
      const auto [low, high] = std::minmax_element(u.begin(), u.end());
      range_.push_back(u.empty() ? 0 : *high - *low);
    }
  }

  /// u_j(t) for t in the interval [time[k], time[k + 1]].
  double at(std::size_t j, std::size_t k, double t) const {
    const std::vector<double>& u = s_->controls[j];
    const std::vector<double>& time = s_->time;
    const double w = (t - time[k]) / (time[k + 1] - time[k]);
    const double linear = (1 - w) * u[k] + w * u[k + 1];
    std::size_t first = k >= 3 ? k - 3 : 0, last = std::min(k + 4, time.size() - 1);
    while (block_[first] != block_[k]) ++first;
    while (block_[last] != block_[k + 1]) --last;
    if (last - first < 3) return linear;
    double smooth = 0;
    for (std::size_t a = first; a <= last; ++a) {
      double weight = u[a];
      for (std::size_t b = first; b <= last; ++b)
        if (b != a) weight *= (t - time[b]) / (time[a] - time[b]);
      smooth += weight;
    }
    return std::fabs(smooth - linear) <= 0.02 * range_[j] ? smooth : linear;
  }

 private:
  const theory::ControlSolution* s_;
  std::vector<std::size_t> block_;  // number of jumps before a grid point
  std::vector<double> range_;
};

}  // namespace eos::solvers
