#include "certificate.hpp"

#include <algorithm>
#include <cmath>

namespace eos::solvers {
namespace {

using theory::Bounds;
using theory::ControlGradient;
using theory::Controls;
using theory::Rule;

constexpr double k_at_bound = 1e-7;  // of the width of the bounds: closer counts as on the bound

bool inside(double value, const Bounds& b) {
  const double margin = k_at_bound * (b.upper - b.lower);
  return value > b.lower + margin && value < b.upper - margin;
}

/// The part of a derivative that a feasible change of the control could use.
double projected(double derivative, double value, const Bounds& b) {
  if (b.lower == b.upper) return 0;
  const double margin = k_at_bound * (b.upper - b.lower);
  if (value <= b.lower + margin && derivative > 0) return 0;
  if (value >= b.upper - margin && derivative < 0) return 0;
  return std::abs(derivative);
}

double relative(double part, double whole) { return whole > 0 ? std::abs(part) / whole : std::abs(part); }

/// H at the midpoints, split at switches: its range on each side, and its change across.
class HamiltonianRecord {
 public:
  struct Side {
    bool data_low = false, weight_low = false, all_data = false;
    bool operator==(const Side&) const = default;
  };
  void add(double h, const Side& side) {
    if (!first_ && side != side_) {
      jump_ = std::max(jump_, std::abs(h - last_));
      low_ = high_ = h;
    }
    low_ = std::min(low_, h);
    high_ = std::max(high_, h);
    drift_ = std::max(drift_, high_ - low_);
    last_ = h;
    side_ = side;
    first_ = false;
  }
  double drift() const { return drift_; }
  double jump() const { return jump_; }

 private:
  bool first_ = true;
  Side side_;
  double low_ = INFINITY, high_ = -INFINITY, last_ = 0, drift_ = 0, jump_ = 0;
};

bool low(double value, const Bounds& b) { return value <= b.lower + k_at_bound * (b.upper - b.lower); }

}  // namespace

theory::Certificate certify(const theory::ModeModel& model, const ModeIntegrator& integrator,
                            std::span<const Controls> controls, std::span<const ControlGradient> gradient,
                            double objective) {
  const theory::ModeProblem& problem = model.problem();
  theory::Certificate c;
  const double horizon = integrator.edges().back();
  const double power = std::abs(objective) / horizon;  // J per unit of time: the scale of dJ/du per unit of time
  HamiltonianRecord record;
  const int count = static_cast<int>(integrator.intervals());
  for (std::size_t i = 0; i < integrator.intervals(); ++i) {
    const Controls& u = controls[i];
    const auto m = integrator.mid_state(i), p = integrator.mid_costate(i);
    const bool data_free = problem.data_rule != Rule::all, weight_free = problem.weight_rule != Rule::all;
    const bool data_low = data_free && low(u.data_fraction, problem.data_bounds);
    const bool weight_low = weight_free && low(u.weight_fraction, problem.weight_bounds);
    const bool rests = problem.rests_in(static_cast<int>(i), count);  // fractions at rest are held there
    Bounds data_bounds = problem.data_bounds_in(static_cast<int>(i), count), weight_bounds = problem.weight_bounds;
    const bool all_data = data_free && data_bounds.lower == 1 && problem.data_bounds.lower < 1;
    if (rests && data_low) data_bounds.upper = data_bounds.lower;
    if (rests && weight_low) weight_bounds.upper = weight_bounds.lower;
    double worst = projected(gradient[i].rate, u.learning_rate, problem.rate_bounds);
    if (data_free) worst = std::max(worst, projected(gradient[i].data, u.data_fraction, data_bounds));
    if (weight_free) worst = std::max(worst, projected(gradient[i].weight, u.weight_fraction, weight_bounds));
    c.stationarity_residual = std::max(c.stationarity_residual, relative(worst / integrator.length(i), power));

    const double h = model.hamiltonian(m, p, u);
    record.add(h, {data_low, weight_low, all_data});
    if (!all_data) {
      const double best = model.hamiltonian(m, p, model.minimise_hamiltonian(m, p));
      c.minimum_gap = std::max(c.minimum_gap, relative(std::max(0.0, h - best), power));
    }
    c.rate_condition = std::max(c.rate_condition, std::abs(u.learning_rate - model.optimal_rate(m, p, u)));

    const ControlGradient dh = model.hamiltonian_gradient(m, p, u), price = model.control_price(u);
    const bool data_inside = data_free && inside(u.data_fraction, data_bounds);
    const bool weight_inside = weight_free && inside(u.weight_fraction, weight_bounds);
    if (data_inside) c.data_condition = std::max(c.data_condition, relative(dh.data, price.data));
    if (weight_inside) c.weight_condition = std::max(c.weight_condition, relative(dh.weight, price.weight));
    if (data_inside && weight_inside) ++c.interior_intervals;
  }
  c.hamiltonian_drift = record.drift();
  c.hamiltonian_jump = record.jump();
  return c;
}

}  // namespace eos::solvers
