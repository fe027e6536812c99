// The feedback law: which candidates are worth what learning from them costs, from running means alone.
//
// A stream of candidates; every one costs `forward`, and `train` more if it is used, which brings its benefit b. With a
// free horizon the Hamiltonian vanishes along an optimal course, so the best stationary rule maximises benefit per cost
// (Dinkelbach's ratio form), and uses a candidate iff its benefit per cost is at least the average one:
//
//   b / train >= R mean(b) / C,     C = forward + rho train,
//
// with R the share of all benefit that is used and rho the share of candidates that are. `alpha` scales the bar. Units:
// those of b; costs in any one unit. Guarantees: floors on R and rho keep a law that has dropped everything from
// locking itself out.
#pragma once

#include <algorithm>

namespace eos::theory {

inline constexpr double k_least_keep = 0.005;    ///< floor of rho
inline constexpr double k_least_capture = 0.02;  ///< floor of R

struct FeedbackLaw {
  double alpha = 0.5;
  double mean_benefit = 0;  ///< of all candidates
  double captured = 1;      ///< R
  double kept = 1;          ///< rho
  double forward = 0, train = 0;

  /// Benefit above which a candidate is used; 0 where everything is free.
  double threshold() const {
    const double cost = forward + std::max(k_least_keep, kept) * train;
    if (!(cost > 0)) return 0;
    return alpha * mean_benefit * std::max(k_least_capture, captured) * train / cost;
  }
};

}  // namespace eos::theory
