// Spend the least path length or the least M_alpha: closed forms under the plasticity prices |dw| and |dw/dt|^alpha.
//
// Statements.
//   Water-filling: the shortest path (L1) that brings errors e_j to a loss 1/2 sum_j n_j lambda_j e_j^2 <= eps lowers
//   every e_j to min(e_j, mu/lambda_j); its length is sum_j n_j (e_j - mu/lambda_j)_+.
//   One mode with speed limit v, price c_1 per path, c_0 per time until the stop, and 1/2 s lambda e^2 at the end: full
//   speed to e_T = min(e_0, (c_1 + c_0/v)/(s lambda)), then stop.
//   Fixed displacement D at price |speed|^alpha: constant speed, D^alpha T^(1-alpha); with upkeep c_0 per time the best
//   time is T = D ((alpha-1)/c_0)^(1/alpha) at the cost D alpha (alpha-1)^(1/alpha-1) c_0^(1-1/alpha).
// Source: convexity (Lagrange and Jensen), derived in docs/theory.md; prices after Li & van Rossum, eLife 9:e50804
// (2020), eq. 1.
// Guarantees: pure functions; each throws Error E104 or E107 naming the parameter that is out of range.
#pragma once

#include <span>
#include <vector>

namespace eos::theory {

/// A level of the water and what it costs.
struct WaterFilling {
  double level = 0;           ///< mu: errors above mu/lambda_j are lowered to it
  double length = 0;          ///< sum_j n_j (e_j - mu/lambda_j)_+
  double loss = 0;            ///< 1/2 sum_j n_j lambda_j min(e_j, mu/lambda_j)^2
  std::vector<double> error;  ///< [modes] what is left of e_j
};

/// The least path to a loss <= target. lambda > 0, error >= 0, multiplicity > 0 or empty (all 1), target >= 0.
WaterFilling least_path_to_loss(std::span<const double> lambda, std::span<const double> error, double target,
                                std::span<const double> multiplicity = {});
/// Minimises path_price * length + weight * loss: the level is path_price / weight. weight > 0.
WaterFilling least_path_and_loss(std::span<const double> lambda, std::span<const double> error, double path_price,
                                 double weight, std::span<const double> multiplicity = {});

/// de/dt = -u with 0 <= u <= v, cost int (c_1 u + c_0) dt until the stop + 1/2 s lambda e^2.
struct SpeedLimitedMode {
  double lambda = 1;           ///< > 0
  double terminal_weight = 1;  ///< s > 0
  double path_price = 0;       ///< c_1 >= 0 per unit of path
  double time_price = 0;       ///< c_0 >= 0 per unit of time
  double speed_limit = 1;      ///< v > 0
  double initial = 1;          ///< e_0 >= 0

  void check() const;
  double final_error() const;         ///< e_T
  double stop_time() const;           ///< (e_0 - e_T)/v
  double error(double time) const;    ///< e(t), time >= 0
  double control(double time) const;  ///< u(t): v, then 0
  double cost() const;
};

/// int |dw/dt|^alpha dt over a fixed displacement, plus upkeep per time.
struct ConstantSpeed {
  double alpha = 2;         ///< >= 1
  double displacement = 1;  ///< D >= 0
  double upkeep = 0;        ///< c_0 >= 0 per unit of time

  void check() const;
  double energy(double time) const;  ///< of the best path of that duration > 0, upkeep included
  /// Infinite without upkeep (slower is cheaper for alpha > 1), 0 at alpha = 1 with upkeep (one jump).
  double best_time() const;
  double least_energy() const;  ///< over all durations: D at alpha = 1; 0 for alpha > 1 without upkeep
};

}  // namespace eos::theory
