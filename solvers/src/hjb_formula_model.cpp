// A problem stated by formulas as a model of the grid solvers.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/solvers/hjb_control.hpp"

namespace eos::solvers {

namespace {

using theory::ControlProblem;
using theory::Expr;
using theory::Program;

/// How the running cost depends on an affine control w: price_abs |w| + price_square w^2/2, u = origin + w.
struct AffineControl {
  int index = 0;  ///< in the problem
  double lower = 0, upper = 0;
  double origin = 0;
};

std::map<int, Expr> parameter_values(const ControlProblem& p) {
  std::map<int, Expr> values;
  for (int k = 0; k < static_cast<int>(p.parameters.size()); ++k) {
    values[p.parameter_slot(k)] = p.parameters[static_cast<std::size_t>(k)].value;
  }
  return values;
}

/// The formulas with parameters filled in.
struct Formulas {
  std::vector<Expr> dynamics;
  Expr running;
  explicit Formulas(const ControlProblem& p) {
    const std::map<int, Expr> values = parameter_values(p);
    for (const auto& state : p.states) dynamics.push_back(substitute(state.dynamics, values));
    running = substitute(p.running_cost(), values);
  }
};

bool is_zero(const Expr& e) { return e.is_constant(0); }

/// Whether second derivatives allow the control to be minimised in closed form, beside the controls in `others`.
bool smooth_structure(const ControlProblem& p, const Formulas& f, int control, const std::vector<int>& others) {
  const int slot = p.control_slot(control);
  for (const Expr& rate : f.dynamics) {
    const Expr slope = differentiate(rate, slot);
    for (int k = 0; k < static_cast<int>(p.controls.size()); ++k) {
      const bool together = k == control || std::find(others.begin(), others.end(), k) != others.end();
      if (together && !is_zero(differentiate(slope, p.control_slot(k)))) return false;
    }
  }
  const Expr slope = differentiate(f.running, slot), curvature = differentiate(slope, slot);
  if (depends_on(curvature, slot)) return false;
  for (const int k : others) {
    if (!is_zero(differentiate(slope, p.control_slot(k))) || depends_on(curvature, p.control_slot(k))) return false;
  }
  return true;
}

/// Coefficient programs. Inputs: the slots of path formulas, of which affine controls are not read.
struct Coefficients {
  std::vector<Expr> outputs;  ///< l0, a_i, then per control b_i, c, r
};

Coefficients coefficients_of(const ControlProblem& p, const Formulas& f, const std::vector<AffineControl>& affine) {
  std::map<int, Expr> rest;
  for (const AffineControl& c : affine) rest[p.control_slot(c.index)] = c.origin;
  Coefficients result;
  result.outputs.push_back(substitute(f.running, rest));
  for (const Expr& rate : f.dynamics) result.outputs.push_back(substitute(rate, rest));
  for (const AffineControl& c : affine) {
    const int slot = p.control_slot(c.index);
    const auto at = [&](const Expr& e, double w) {
      std::map<int, Expr> values = rest;
      values[slot] = c.origin + w;
      return substitute(e, values);
    };
    for (const Expr& rate : f.dynamics) result.outputs.push_back(at(rate, 1) - at(rate, 0));
    const Expr square = at(differentiate(differentiate(f.running, slot), slot), 0);
    // On the side where the control can be, l(w) = l(0) + c |w| + r w^2/2.
    const double side = c.upper > 0 ? 1 : -1;
    result.outputs.push_back(at(f.running, side) - at(f.running, 0) - square / 2);
    result.outputs.push_back(square);
  }
  return result;
}

class FormulaModel : public HjbModel {
 public:
  FormulaModel(const ControlProblem& p, std::vector<AffineControl> affine, std::vector<int> sampled,
               std::vector<std::vector<double>> samples)
      : problem_(p), affine_(std::move(affine)), sampled_(std::move(sampled)), samples_(std::move(samples)) {
    const Coefficients c = coefficients_of(p, Formulas(p), affine_);
    program_ = Program(c.outputs, p.path_slots());
    autonomous_ = p.autonomous();
  }
  int states() const override { return static_cast<int>(problem_.states.size()); }
  int affine_controls() const override { return static_cast<int>(affine_.size()); }
  std::vector<double> lower() const override {
    std::vector<double> bounds;
    for (const AffineControl& c : affine_) bounds.push_back(c.lower);
    return bounds;
  }
  std::vector<double> upper() const override {
    std::vector<double> bounds;
    for (const AffineControl& c : affine_) bounds.push_back(c.upper);
    return bounds;
  }
  int branches() const override { return std::max(1, static_cast<int>(samples_.size())); }
  std::vector<double> sampled_controls(int branch) const override {
    return samples_.empty() ? std::vector<double>{} : samples_[static_cast<std::size_t>(branch)];
  }
  bool autonomous() const override { return autonomous_; }

  void coefficients(int branch, const HjbPoints& points, const HjbCoefficients& out) const override {
    const auto lanes = static_cast<std::size_t>(points.count);
    std::vector<double> in(static_cast<std::size_t>(problem_.path_slots()) * lanes, 0.0);
    std::vector<double> values(static_cast<std::size_t>(program_.outputs()) * lanes);
    const auto row = [&](int slot) {
      return in.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(slot) * lanes);
    };
    std::fill_n(row(ControlProblem::time_slot()), lanes, points.time);
    for (int i = 0; i < states(); ++i) std::copy_n(points.x[i], lanes, row(problem_.state_slot(i)));
    const std::vector<double> chosen = sampled_controls(branch);
    for (std::size_t j = 0; j < sampled_.size(); ++j)
      std::fill_n(row(problem_.control_slot(sampled_[j])), lanes, chosen[j]);
    program_.evaluate(in.data(), values.data(), lanes, lanes);
    const double* next = values.data();
    const auto take = [&](double* to) {
      std::copy_n(next, lanes, to);
      next += lanes;
    };
    take(out.running);
    for (int i = 0; i < states(); ++i) take(out.drift[i]);
    for (int j = 0; j < affine_controls(); ++j) {
      for (int i = 0; i < states(); ++i) take(out.gain[j][i]);
      take(out.price_abs[j]), take(out.price_square[j]);
    }
  }
  const std::vector<AffineControl>& affine() const { return affine_; }
  const std::vector<int>& sampled() const { return sampled_; }

 private:
  ControlProblem problem_;
  std::vector<AffineControl> affine_;
  std::vector<int> sampled_;
  std::vector<std::vector<double>> samples_;
  Program program_;
  bool autonomous_ = true;
};

double spread(std::uint32_t index) { return core::uniform(17, {0, 0, core::Purpose::test, index}); }

/// Whether formulas and coefficients agree at points spread over the grid and the controls.
bool agrees(const ControlProblem& p, const HjbGrid& grid, const FormulaModel& model) {
  const Formulas f(p);
  std::vector<Expr> outputs = {f.running};
  outputs.insert(outputs.end(), f.dynamics.begin(), f.dynamics.end());
  const Program exact(outputs, p.path_slots());
  const int n = model.states(), m = model.affine_controls();
  for (std::uint32_t trial = 0, index = 0; trial < 64; ++trial) {
    std::vector<double> in(static_cast<std::size_t>(p.path_slots()), 0.0), out(outputs.size());
    double x[k_hjb_states], store[32] = {};
    in[0] = p.horizon.value * spread(index++);
    for (int i = 0; i < n; ++i) {
      const HjbAxis& axis = grid.axes[static_cast<std::size_t>(i)];
      x[i] = axis.lower + (axis.upper - axis.lower) * spread(index++);
      in[static_cast<std::size_t>(p.state_slot(i))] = x[i];
    }
    const int branch = static_cast<int>(spread(index++) * model.branches()) % model.branches();
    const std::vector<double> sampled = model.sampled_controls(branch);
    for (std::size_t j = 0; j < sampled.size(); ++j)
      in[static_cast<std::size_t>(p.control_slot(model.sampled()[j]))] = sampled[j];
    HjbPoints points{1, in[0], {}};
    HjbCoefficients c;
    double* next = store;
    c.running = next++;
    for (int i = 0; i < n; ++i) points.x[i] = x + i, c.drift[i] = next++;
    for (int j = 0; j < m; ++j) {
      for (int i = 0; i < n; ++i) c.gain[j][i] = next++;
      c.price_abs[j] = next++, c.price_square[j] = next++;
    }
    model.coefficients(branch, points, c);
    double running = *c.running, rate[k_hjb_states];
    for (int i = 0; i < n; ++i) rate[i] = *c.drift[i];
    for (int j = 0; j < m; ++j) {
      const AffineControl& control = model.affine()[static_cast<std::size_t>(j)];
      const double w = control.lower + (control.upper - control.lower) * spread(index++);
      in[static_cast<std::size_t>(p.control_slot(control.index))] = control.origin + w;
      running += *c.price_abs[j] * std::abs(w) + .5 * *c.price_square[j] * w * w;
      for (int i = 0; i < n; ++i) rate[i] += *c.gain[j][i] * w;
    }
    exact(in.data(), out.data());
    const auto same = [](double a, double b) {
      return !std::isfinite(a) || std::abs(a - b) <= 1e-9 * (1 + std::abs(a));
    };
    if (!same(out[0], running)) return false;
    for (int i = 0; i < n; ++i) {
      if (!same(out[static_cast<std::size_t>(i) + 1], rate[i])) return false;
    }
  }
  return true;
}

/// Bounds of a control, finite.
theory::Interval bounds_of(const ControlProblem& p, int control, const HjbControlOptions& options) {
  const auto& variable = p.controls[static_cast<std::size_t>(control)];
  theory::Interval bounds = variable.bounds;
  if (options.control_limit > 0) {
    bounds.lower = std::max(bounds.lower, -options.control_limit);
    bounds.upper = std::min(bounds.upper, options.control_limit);
  }
  if (!std::isfinite(bounds.lower) || !std::isfinite(bounds.upper)) {
    throw core::Error("E107", fmt::format("dynamic programming: the control '{}' has no finite bounds", variable.name),
                      "bound it: a grid needs a largest speed");
  }
  return bounds;
}

/// All combinations of samples of the given controls.
std::vector<std::vector<double>> all_samples(const ControlProblem& p, const std::vector<int>& controls,
                                             const HjbControlOptions& options) {
  std::vector<std::vector<double>> samples;
  if (controls.empty()) return samples;
  samples.emplace_back();
  const int count = std::max(2, options.control_samples);
  for (const int control : controls) {
    const theory::Interval bounds = bounds_of(p, control, options);
    std::vector<std::vector<double>> longer;
    for (const auto& prefix : samples) {
      for (int k = 0; k < count; ++k) {
        longer.push_back(prefix);
        longer.back().push_back(bounds.lower + (bounds.upper - bounds.lower) * k / (count - 1));
      }
    }
    samples = std::move(longer);
  }
  return samples;
}

std::shared_ptr<const FormulaModel> make(const ControlProblem& p, const std::vector<int>& affine,
                                         const std::vector<bool>& shifted, const HjbControlOptions& options) {
  std::vector<AffineControl> controls;
  std::vector<int> sampled;
  for (int j = 0; j < static_cast<int>(p.controls.size()); ++j) {
    if (std::find(affine.begin(), affine.end(), j) == affine.end()) {
      sampled.push_back(j);
      continue;
    }
    const theory::Interval bounds = bounds_of(p, j, options);
    const double origin = shifted[static_cast<std::size_t>(j)] ? bounds.lower : 0;
    controls.push_back({j, bounds.lower - origin, bounds.upper - origin, origin});
  }
  return std::make_shared<FormulaModel>(p, std::move(controls), sampled, all_samples(p, sampled, options));
}

}  // namespace

HjbFormulaModel hjb_model_of(const ControlProblem& problem, const HjbGrid& grid, const HjbControlOptions& options) {
  if (problem.states.size() > static_cast<std::size_t>(k_hjb_states) || problem.states.size() != grid.axes.size()) {
    throw core::Error(
        "E107",
        fmt::format("dynamic programming: {} states on a grid of {} axes, allowed are up to {} states and one "
                    "axis each",
                    problem.states.size(), grid.axes.size(), k_hjb_states),
        "use a method without a grid, e.g. radau");
  }
  const Formulas f(problem);
  std::vector<int> affine;
  std::vector<bool> shifted(problem.controls.size(), false);
  for (int j = 0; j < static_cast<int>(problem.controls.size()); ++j) {
    if (static_cast<int>(affine.size()) == k_hjb_controls || !smooth_structure(problem, f, j, affine)) continue;
    affine.push_back(j);
    // A cost with a linear term is the same on both sides of zero only after the origin moves to the lower bound.
    for (const bool shift : {false, true}) {
      shifted[static_cast<std::size_t>(j)] = shift;
      if (agrees(problem, grid, *make(problem, affine, shifted, options))) break;
      if (shift) affine.pop_back();
    }
  }
  const auto model = make(problem, affine, shifted, options);
  HjbFormulaModel result{model, {}, {}, model->affine_controls()};
  for (const AffineControl& c : model->affine()) result.index.push_back(c.index), result.origin.push_back(c.origin);
  for (const int j : model->sampled()) result.index.push_back(j), result.origin.push_back(0);
  return result;
}

}  // namespace eos::solvers
