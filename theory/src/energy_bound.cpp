// The lower bound on the energy of a mode problem; the proof is in docs/theory.md, section "Bounds".
//
// Every step relaxes the problem, so that what is left is below every schedule:
//   cost + lambda over the clock d(theta) = 2 eta F_s G dt is at least max(k_1, k_2/z), z = nu eta F_n/(2 B F_s);
//   L at the goal is at least L_drift(theta) + int K(u) z du,  K = 1/2 V* sum n lambda^2 exp(-lambda u),
//   V* = sigma^2 + 2 L_goal; a multiplier mu >= 0 of that constraint and the least theta give a number for any mu.
// Minima over fractions are taken over cells: captures rise with the fraction, so a cell's low price over its high
// capture is below everything in it.
#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "checker.hpp"
#include "eos/theory/bounds.hpp"
#include "eos/theory/mode_model.hpp"
#include "eos/theory/path_forms.hpp"

namespace eos::theory {
namespace {

constexpr int k_cells = 1024;  // per fraction: prices per clock are good to some 0.5 %
const double k_mean_absolute = std::sqrt(2 / std::numbers::pi);

/// Edges of the cells of a fraction: one point where the best value is known to be the upper bound.
std::vector<double> edges(const Bounds& b, bool upper_is_best) {
  if (upper_is_best || b.lower == b.upper) return {b.upper, b.upper};
  std::vector<double> e;
  for (int i = 0; i <= k_cells; ++i) e.push_back(b.lower * std::pow(b.upper / b.lower, i / double{k_cells}));
  e.back() = b.upper;
  return e;
}

/// Least prices per clock over all fractions, for the price A of a unit of time.
class FractionTable {
 public:
  explicit FractionTable(const ModeModel& model);
  struct Prices {
    double clock = 0, noise = 0;  // k_1, k_2
  };
  Prices prices(double time) const;
  double path_per_displacement() const;  // least c_1 q sqrt(D)/(F_s G)
  double path_per_noise() const;         // least c_1 sqrt(q F_n)/(2 F_s G)

 private:
  struct DataCell {
    double low = 1, high = 1;  // rho
    Captures at_low, at_high;
    double noise_ratio = 1;  // below F_n/F_s^2
  };
  struct Corner {
    double price = 0, share = 0;  // (N + c kappa)/G as N price + c share
  };
  void set_data(const ModeModel& model);
  void set_weights(const ModeModel& model);
  double weight_price(double fixed, double per_weight) const;

  const ModeProblem& problem_;
  std::vector<DataCell> data_;
  std::vector<Corner> weights_;  // lower convex hull over the cells of kappa
  double absolute_ = 0;          // least c_1/G
};

FractionTable::FractionTable(const ModeModel& model) : problem_(model.problem()) {
  set_data(model);
  set_weights(model);
}

void FractionTable::set_data(const ModeModel& model) {
  const ModeProblem& p = problem_;
  // A random fraction enters as (N + c rho)/rho, which falls.
  const std::vector<double> e =
      p.data_rule == Rule::all ? std::vector<double>{1, 1} : edges(p.data_bounds, p.data_rule == Rule::random);
  const bool same = p.data_rule != Rule::ranked || (p.data_signal.kind() == p.data_noise.kind() &&
                                                    p.data_signal.kind() != CaptureCurve::Kind::tabulated);
  for (std::size_t i = 0; i + 1 < e.size(); ++i) {
    DataCell cell{e[i], e[i + 1], {}, {}, 1};
    cell.at_low = i == 0 ? model.captures({e[0], 1, 1}) : data_.back().at_high;
    cell.at_high = model.captures({e[i + 1], 1, 1});
    const double signal = cell.at_high.signal;
    cell.noise_ratio = same ? 1 / signal : cell.at_low.noise / (signal * signal);
    data_.push_back(cell);
  }
}

void FractionTable::set_weights(const ModeModel& model) {
  const ModeProblem& p = problem_;
  const std::vector<double> e =
      p.weight_rule == Rule::all
          ? std::vector<double>{1, 1}
          : edges(p.weight_bounds, p.weight_rule == Rule::random && !(p.accumulated && p.price_path > 0));
  absolute_ = INFINITY;
  const bool same = !p.accumulated && p.weight_rule != Rule::ranked;  // c_1/G is the same for every kappa
  double low_absolute = 0;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const Captures f = model.captures({1, e[i], 1});
    if (i > 0) {
      const Corner corner{1 / f.weight, e[i - 1] / f.weight};
      // Corners come with falling price and rising share; keep those on the lower convex hull.
      auto above = [&](const Corner& a, const Corner& b) {
        return (b.share - a.share) * (a.price - corner.price) >= (corner.share - a.share) * (a.price - b.price);
      };
      while (!weights_.empty() && corner.share <= weights_.back().share) weights_.pop_back();
      while (weights_.size() > 1 && above(weights_[weights_.size() - 2], weights_.back())) weights_.pop_back();
      weights_.push_back(corner);
      absolute_ = std::min(absolute_, same ? k_mean_absolute : low_absolute / f.weight);
    }
    low_absolute = p.price_path > 0 ? model.path_factors({1, e[i], 1}, f).absolute : 0;
  }
}

double FractionTable::weight_price(double fixed, double per_weight) const {
  std::size_t low = 0, high = weights_.size() - 1;  // convex along the hull
  auto value = [&](std::size_t i) { return fixed * weights_[i].price + per_weight * weights_[i].share; };
  while (low < high) {
    const std::size_t mid = (low + high) / 2;
    if (value(mid) <= value(mid + 1)) {
      high = mid;
    } else {
      low = mid + 1;
    }
  }
  return value(low);
}

FractionTable::Prices FractionTable::prices(double time) const {
  const ModeProblem& p = problem_;
  Prices least{INFINITY, INFINITY};
  for (const DataCell& cell : data_) {
    const double fixed = time + p.price_sample * cell.low;
    const double both = weight_price(fixed, p.price_write * (p.rebatched ? cell.low : 1));
    least.clock = std::min(least.clock, both / (2 * p.rate_bounds.upper * cell.at_high.signal));
    least.noise = std::min(least.noise, both * p.noise_scale / (4 * p.batch) * cell.noise_ratio);
  }
  return least;
}

double FractionTable::path_per_displacement() const {
  const ModeProblem& p = problem_;
  double least = INFINITY;  // of q^2 D/F_s^2
  for (const DataCell& cell : data_) {
    double value = 1 + 1 / (p.batch * (p.rebatched ? 1 : cell.high));
    if (p.data_rule == Rule::ranked) {
      // (1 - 1/B) + q (E[z^4; kept] - F_n)/(B F_s^2)
      const double rest = p.data_noise.fourth_moment(cell.low) - cell.at_high.noise;
      const double q = p.rebatched ? cell.high : 1, signal = cell.at_low.signal;
      value = 1 - 1 / p.batch + std::min(0.0, rest) * q / (p.batch * signal * signal);
    }
    least = std::min(least, value);
  }
  return absolute_ * std::sqrt(std::max(0.0, least));
}

double FractionTable::path_per_noise() const {
  double least = INFINITY;
  for (const DataCell& cell : data_) {
    const double q = problem_.rebatched ? cell.low : 1;
    least = std::min(least, std::sqrt(q * cell.at_low.noise) / cell.at_high.signal);
  }
  return 0.5 * absolute_ * least;
}

/// The loss as a function of the clock, and the dual of the noise constraint.
class ClockTable {
 public:
  ClockTable(const ModeModel& model, double goal);
  double needed() const { return needed_; }  // drift alone reaches the goal
  /// max over mu of min over theta of int psi(mu K) + k_3 theta + mu (L_drift - goal).
  double dual(const FractionTable::Prices& k, double path) const;

 private:
  double drift(double clock) const;
  double drift_slope(double clock) const;
  double value(const FractionTable::Prices& k, double path, double mu) const;

  const ModeProblem& p_;
  double goal_, needed_ = 0;
  std::vector<double> node_, noise_, root_, left_, right_;  // K and its root at midpoints; tangents of L_drift at ends
};

ClockTable::ClockTable(const ModeModel& model, double goal) : p_(model.problem()), goal_(goal) {
  double high = 1 / *std::max_element(p_.lambda.begin(), p_.lambda.end());
  while (drift(high) > goal) high *= 2;
  double low = 0;
  for (int i = 0; i < 100 && high - low > 1e-15 * high; ++i) {
    const double mid = 0.5 * (low + high);
    (drift(mid) > goal ? low : high) = mid;
  }
  needed_ = low;  // from below, so that the bound stays one
  double last = high;
  while (drift(last) > 1e-2 * goal) last *= 1.5;
  constexpr int k_nodes = 256;
  const double fastest = *std::max_element(p_.lambda.begin(), p_.lambda.end());
  const double stretch = std::log1p(fastest * last), variance = p_.noise_variance + 2 * goal;
  for (int i = 0; i <= k_nodes; ++i) node_.push_back(last * std::expm1(stretch * i / k_nodes) / std::expm1(stretch));
  for (int i = 0; i < k_nodes; ++i) {
    const double a = node_[static_cast<std::size_t>(i)], b = node_[static_cast<std::size_t>(i) + 1],
                 mid = 0.5 * (a + b);
    double kernel = 0, at = 0, slope = 0;
    for (std::size_t j = 0; j < p_.lambda.size(); ++j) {
      const double l = p_.lambda[j], weight = 0.5 * p_.multiplicity[j] * l * std::exp(-l * mid);
      kernel += variance * weight * l;
      at += weight * p_.initial[j];
      slope -= weight * l * p_.initial[j];
    }
    noise_.push_back(kernel);
    root_.push_back(std::sqrt(kernel));
    left_.push_back(at + slope * (a - mid));
    right_.push_back(at + slope * (b - mid));
  }
}

double ClockTable::drift(double clock) const {
  double loss = 0;
  for (std::size_t j = 0; j < p_.lambda.size(); ++j) {
    loss += 0.5 * p_.multiplicity[j] * p_.lambda[j] * p_.initial[j] * std::exp(-p_.lambda[j] * clock);
  }
  return loss;
}

double ClockTable::drift_slope(double clock) const {
  double slope = 0;
  for (std::size_t j = 0; j < p_.lambda.size(); ++j) {
    const double l = p_.lambda[j];
    slope -= 0.5 * p_.multiplicity[j] * l * l * p_.initial[j] * std::exp(-l * clock);
  }
  return slope;
}

double ClockTable::value(const FractionTable::Prices& k, double path, double mu) const {
  // psi(y) = min_z [max(k_1, k_2/z) + y z]: k_1 + y k_2/k_1 up to y = k_1^2/k_2, then 2 sqrt(k_2 y). psi(mu K(u)) is
  // convex in u, so midpoints are below the integral; the integral is concave, so chords are below it.
  const double root = 2 * std::sqrt(k.noise * mu);
  double sum = 0, least = INFINITY;
  for (std::size_t i = 0; i < noise_.size(); ++i) {
    const double y = mu * noise_[i];
    const double psi =
        k.noise * y <= k.clock * k.clock ? k.clock + (k.clock > 0 ? y * k.noise / k.clock : 0) : root * root_[i];
    least = std::min(least, sum + mu * (left_[i] - goal_));
    sum += (psi + path) * (node_[i + 1] - node_[i]);
    least = std::min(least, sum + mu * (right_[i] - goal_));
  }
  return std::min(least, sum - mu * goal_);  // every longer clock
}

double ClockTable::dual(const FractionTable::Prices& k, double path) const {
  const double start = (k.clock + path) / -drift_slope(needed_);
  const double direct = (k.clock + path) * needed_;
  if (!(start > 0) || !std::isfinite(start)) return direct;
  // Concave in mu, hence one maximum in ln mu.
  constexpr double k_ratio = 0.6180339887498949;
  double a = std::log(start) - 1, b = std::log(start) + 12;
  double x = b - k_ratio * (b - a), y = a + k_ratio * (b - a);
  double at_x = value(k, path, std::exp(x)), at_y = value(k, path, std::exp(y)), best = direct;
  while (b - a > 1e-2) {  // quadratic about the maximum
    best = std::max({best, at_x, at_y});
    if (at_x > at_y) {
      b = y, y = x, at_y = at_x;
      x = b - k_ratio * (b - a), at_x = value(k, path, std::exp(x));
    } else {
      a = x, x = y, at_x = at_y;
      y = a + k_ratio * (b - a), at_y = value(k, path, std::exp(y));
    }
  }
  return best;
}

struct PathPrices {
  double displacement = 0, per_clock = 0;  // J, J per clock
};

PathPrices path_prices(const ModeModel& model, const FractionTable& table, double goal) {
  const ModeProblem& p = model.problem();
  if (p.price_path == 0) return {};
  std::vector<double> error;
  double roots = 0;
  for (std::size_t j = 0; j < p.lambda.size(); ++j) {
    error.push_back(std::sqrt(p.initial[j]));
    roots += p.multiplicity[j] * std::sqrt(p.lambda[j]);
  }
  const double way = least_path_to_loss(p.lambda, error, goal, p.multiplicity).length;
  const double noise = std::sqrt(p.noise_scale * (p.noise_variance + 2 * goal) / p.batch) * roots;
  return {p.price_path * table.path_per_displacement() * way, p.price_path * table.path_per_noise() * noise};
}

}  // namespace

EnergyBound energy_bound(const ModeProblem& problem, double loss) {
  Checker c;
  c.at_least("loss", loss, 0);
  c.finish();
  const ModeModel model(problem);
  const ModeProblem& p = model.problem();
  const double upkeep = p.price_time + (p.data_rule == Rule::ranked ? p.price_screening : 0);
  const double rho = p.data_rule == Rule::all ? 1 : p.data_bounds.lower;
  const double kappa = p.weight_rule == Rule::all ? 1 : p.weight_bounds.lower;
  const double idle = model.control_energy({rho, kappa, 0}).total() * p.horizon;
  EnergyBound best{idle, 0, -upkeep, 0, "upkeep of the horizon at the smallest fractions"};
  if (model.loss(p.initial) * (1 - 1e-12) <= loss) return best;  // rounding is no progress
  if (loss == 0 || p.rate_bounds.upper == 0) {
    return {INFINITY, INFINITY, 0, 0, "no schedule reaches this loss in finite time"};
  }
  const FractionTable table(model);
  const ClockTable clock(model, loss);
  const PathPrices path = path_prices(model, table, loss);
  best.clock = clock.needed();
  constexpr int k_angles = 4;  // sqrt(a^2 + b^2) >= cos a + sin b: displacement against noise
  auto attempt = [&](double time) {
    const FractionTable::Prices k = table.prices(time);
    double most = -INFINITY;
    for (int i = 0; i <= (path.displacement > 0 ? k_angles : 0); ++i) {
      const double angle = 0.5 * std::numbers::pi * i / k_angles, way = std::cos(angle) * path.displacement;
      const double energy = clock.dual(k, std::sin(angle) * path.per_clock) + way - (time - upkeep) * p.horizon;
      most = std::max(most, energy);
      if (energy > best.energy) {
        const bool drift = clock.needed() * (k.clock + std::sin(angle) * path.per_clock) >= energy * (1 - 1e-9);
        best = {energy, clock.needed(), time - upkeep, way, drift ? "clock of the drift" : "clock of drift and noise"};
        if (path.displacement > 0) best.statement += ", path of displacement and noise";
      }
    }
    return most;
  };
  attempt(0);
  attempt(upkeep);  // a horizon of any length
  // In between and above, the price of time at which the horizon is long enough: concave, so by golden section in ln A.
  const double scale = p.price_sample + p.price_write + upkeep + path.per_clock;
  if (scale > 0) {
    constexpr double k_ratio = 0.6180339887498949;
    double a = std::log(1e-5 * scale), b = std::log(1e3 * scale);
    double x = b - k_ratio * (b - a), y = a + k_ratio * (b - a), at_x = attempt(std::exp(x)),
           at_y = attempt(std::exp(y));
    while (b - a > .1) {
      if (at_x > at_y) {
        b = y, y = x, at_y = at_x;
        x = b - k_ratio * (b - a), at_x = attempt(std::exp(x));
      } else {
        a = x, x = y, at_x = at_y;
        y = a + k_ratio * (b - a), at_y = attempt(std::exp(y));
      }
    }
  }
  return best;
}

}  // namespace eos::theory
