#include "adjoint_control.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "bounded_minimiser.hpp"
#include "eos/core/error.hpp"

namespace eos::solvers {

using theory::ControlSolution;
using theory::ControlStatus;
using theory::Interval;

namespace {

constexpr double k_b[4] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
constexpr double k_c[4] = {0, 0.5, 0.5, 1};

/// J and its gradient in (u, free x_0, T) for given multipliers and penalty of the end conditions.
class Shooting {
 public:
  Shooting(const CompiledProblem& c, int intervals);
  double operator()(std::span<const double> v, std::span<double> gradient);
  std::vector<double> start() const;
  void bounds(std::vector<double>& lower, std::vector<double>& upper) const;
  /// Moves multipliers by the residuals; the largest violation.
  double update_multipliers();
  void raise_penalty() { penalty_ *= 5; }
  void describe(std::span<const double> v, ControlSolution& s);
  int variables() const { return count_ * m_ + static_cast<int>(free_.size()) + (free_horizon_ ? 1 : 0); }
  void refine(const std::vector<double>& coarse, std::vector<double>& fine) const;
  Shooting finer() const;

 private:
  void forward(std::span<const double> v);
  double end_value();
  void backward(std::span<double> gradient);
  void evaluate(double t, const double* x, const double* u, double* out);
  double residual(double value, const Interval& b, double multiplier) const;

  const CompiledProblem& c_;
  int n_, m_, count_;
  bool free_horizon_;
  std::vector<int> free_;
  std::vector<Interval> rows_;
  std::vector<double> multiplier_, residual_;
  double penalty_ = 10, horizon_, cost_ = 0;
  std::vector<double> x_, out_, in_, end_in_, end_out_, costate_;
};

Shooting::Shooting(const CompiledProblem& c, int intervals)
    : c_(c), n_(c.states()), m_(c.controls()), count_(intervals), free_horizon_(c.problem().horizon.free) {
  const theory::ControlProblem& p = c.problem();
  for (int i = 0; i < n_; ++i)
    if (!p.states[i].initial.fixed()) free_.push_back(i);
  for (const auto& constraint : p.ends) rows_.push_back(constraint.bounds);
  for (const auto& state : p.states)
    if (!state.final.free()) rows_.push_back(state.final);
  multiplier_.assign(rows_.size(), 0.0), residual_.assign(rows_.size(), 0.0);
  horizon_ = p.horizon.value;
  in_.assign(c.path_inputs(), 0.0), end_in_.assign(c.end_inputs(), 0.0), end_out_.resize(c.end().first.outputs());
  for (int k = 0; k < c.parameters(); ++k)
    in_[p.parameter_slot(k)] = end_in_[p.end_parameter_slot(k)] = p.parameters[k].value;
  x_.resize(static_cast<std::size_t>(count_ + 1) * n_), costate_ = x_;
  out_.resize(static_cast<std::size_t>(count_) * 4 * c.path().first.outputs());
}

std::vector<double> Shooting::start() const {
  const theory::ControlProblem& p = c_.problem();
  std::vector<double> v;
  const auto middle = [](const Interval& b, double otherwise) {
    if (std::isfinite(b.lower) && std::isfinite(b.upper)) return 0.5 * (b.lower + b.upper);
    return std::min(std::max(otherwise, b.lower), b.upper);
  };
  for (int k = 0; k < count_; ++k)
    for (const auto& control : p.controls) v.push_back(control.guess ? *control.guess : middle(control.bounds, 0));
  for (const int i : free_) v.push_back(middle(p.states[i].initial, middle(p.states[i].final, 0)));
  if (free_horizon_) v.push_back(p.horizon.value);
  return v;
}

void Shooting::bounds(std::vector<double>& lower, std::vector<double>& upper) const {
  const theory::ControlProblem& p = c_.problem();
  const auto add = [&](const Interval& b) { lower.push_back(b.lower), upper.push_back(b.upper); };
  for (int k = 0; k < count_; ++k)
    for (const auto& control : p.controls) add(control.bounds);
  for (const int i : free_) add(p.states[i].initial);
  if (free_horizon_) add(p.horizon.bounds);
}

void Shooting::evaluate(double t, const double* x, const double* u, double* out) {
  const theory::ControlProblem& p = c_.problem();
  in_[0] = t;
  std::copy_n(x, n_, in_.begin() + p.state_slot(0));
  std::copy_n(u, m_, in_.begin() + p.control_slot(0));
  c_.path().first(in_.data(), out);
}

void Shooting::forward(std::span<const double> v) {
  const std::size_t outputs = c_.path().first.outputs();
  for (int i = 0; i < n_; ++i) x_[i] = c_.problem().states[i].initial.lower;
  for (std::size_t i = 0; i < free_.size(); ++i) x_[free_[i]] = v[static_cast<std::size_t>(count_) * m_ + i];
  if (free_horizon_) horizon_ = v.back();
  const double h = horizon_ / count_;
  std::vector<double> y(n_);
  cost_ = 0;
  for (int k = 0; k < count_; ++k) {
    const double *x = x_.data() + static_cast<std::size_t>(k) * n_, *u = v.data() + static_cast<std::size_t>(k) * m_;
    double* next = x_.data() + static_cast<std::size_t>(k + 1) * n_;
    std::copy_n(x, n_, next);
    for (int s = 0; s < 4; ++s) {
      const double* before = out_.data() + (static_cast<std::size_t>(k) * 4 + s - (s > 0 ? 1 : 0)) * outputs;
      for (int i = 0; i < n_; ++i) y[i] = x[i] + (s == 0 ? 0.0 : h * k_c[s] * before[i]);
      double* out = out_.data() + (static_cast<std::size_t>(k) * 4 + s) * outputs;
      evaluate(h * (k + k_c[s]), y.data(), u, out);
      for (int i = 0; i < n_; ++i) next[i] += h * k_b[s] * out[i];
      cost_ += h * k_b[s] * out[n_];
    }
  }
}

/// Distance to an interval shifted by the multiplier: the residual of the augmented Lagrangian.
double Shooting::residual(double value, const Interval& b, double multiplier) const {
  const double shifted = value + multiplier / penalty_;
  return shifted < b.lower ? shifted - b.lower : shifted > b.upper ? shifted - b.upper : 0.0;
}

double Shooting::end_value() {
  const theory::ControlProblem& p = c_.problem();
  end_in_[0] = horizon_;
  std::copy_n(x_.begin(), n_, end_in_.begin() + p.initial_slot(0));
  std::copy_n(x_.end() - n_, n_, end_in_.begin() + p.final_slot(0));
  c_.end().first(end_in_.data(), end_out_.data());
  double value = cost_ + end_out_[0];
  std::size_t row = 0;
  const auto add = [&](double g) {
    residual_[row] = residual(g, rows_[row], multiplier_[row]);
    value += 0.5 * penalty_ * residual_[row] * residual_[row];
    ++row;
  };
  for (int i = 0; i < c_.end_constraints(); ++i) add(end_out_[1 + i]);
  for (int i = 0; i < n_; ++i)
    if (!p.states[i].final.free()) add(x_[static_cast<std::size_t>(count_) * n_ + i]);
  return value;
}

double Shooting::update_multipliers() {
  double worst = 0;
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    const double next = penalty_ * residual_[r];
    worst = std::max(worst, std::fabs(next - multiplier_[r]) / penalty_);
    multiplier_[r] = next;
  }
  return worst;
}

void Shooting::backward(std::span<double> gradient) {
  const theory::ControlProblem& p = c_.problem();
  const std::size_t outputs = c_.path().first.outputs();
  const DerivativeSet &path = c_.path(), &end = c_.end();
  const double h = horizon_ / count_;
  std::fill(gradient.begin(), gradient.end(), 0.0);
  std::vector<double> p_next(n_, 0.0), p_first(n_, 0.0), bar(n_), stage(static_cast<std::size_t>(4) * n_);
  double by_horizon = 0;
  for (std::size_t e = 0; e < end.jacobian.size(); ++e) {
    const auto [r, col] = end.jacobian[e];
    const double value = end_out_[end.rows + e] * (r == 0 ? 1.0 : penalty_ * residual_[r - 1]);
    (col == 0 ? by_horizon : col <= n_ ? p_first[col - 1] : p_next[col - 1 - n_]) += value;
  }
  std::size_t row = c_.end_constraints();
  for (int i = 0; i < n_; ++i)
    if (!p.states[i].final.free()) p_next[i] += penalty_ * residual_[row++];
  std::copy(p_next.begin(), p_next.end(), costate_.end() - n_);
  for (int k = count_ - 1; k >= 0; --k) {
    double* g = gradient.data() + static_cast<std::size_t>(k) * m_;
    std::vector<double> p_here = p_next;
    for (int s = 3; s >= 0; --s) {
      // bar = d J / d f_s: the step's own weight and the next stage.
      const double* out = out_.data() + (static_cast<std::size_t>(k) * 4 + s) * outputs;
      for (int i = 0; i < n_; ++i)
        bar[i] =
            h * k_b[s] * p_next[i] + (s < 3 ? h * k_c[s + 1] * stage[static_cast<std::size_t>(s + 1) * n_ + i] : 0.0);
      double* to = stage.data() + static_cast<std::size_t>(s) * n_;
      std::fill_n(to, n_, 0.0);
      for (std::size_t e = 0; e < path.jacobian.size(); ++e) {
        const auto [r, col] = path.jacobian[e];
        if (r > n_) continue;
        const double value = (r == n_ ? h * k_b[s] : bar[r]) * out[path.rows + e];
        if (col == 0)
          by_horizon += value * (k + k_c[s]) / count_;
        else if (col <= n_)
          to[col - 1] += value;
        else
          g[col - 1 - n_] += value;
      }
      for (int i = 0; i < n_; ++i) {
        p_here[i] += to[i];
        by_horizon += bar[i] * out[i] / horizon_;
      }
      by_horizon += h * k_b[s] * out[n_] / horizon_;
    }
    p_next = p_here;
    std::copy(p_next.begin(), p_next.end(), costate_.begin() + static_cast<std::ptrdiff_t>(k) * n_);
  }
  for (std::size_t i = 0; i < free_.size(); ++i)
    gradient[static_cast<std::size_t>(count_) * m_ + i] = p_next[free_[i]] + p_first[free_[i]];
  if (free_horizon_) gradient.back() = by_horizon;
}

double Shooting::operator()(std::span<const double> v, std::span<double> gradient) {
  forward(v);
  const double value = end_value();
  backward(gradient);
  return value;
}

Shooting Shooting::finer() const {
  Shooting fine(c_, 2 * count_);
  fine.multiplier_ = multiplier_, fine.penalty_ = penalty_, fine.horizon_ = horizon_;
  return fine;
}

void Shooting::refine(const std::vector<double>& coarse, std::vector<double>& fine) const {
  fine.clear();
  for (int k = 0; k < count_; ++k)
    for (int twice = 0; twice < 2; ++twice)
      fine.insert(fine.end(), coarse.begin() + static_cast<std::ptrdiff_t>(k) * m_,
                  coarse.begin() + static_cast<std::ptrdiff_t>(k + 1) * m_);
  fine.insert(fine.end(), coarse.begin() + static_cast<std::ptrdiff_t>(count_) * m_, coarse.end());
}

/// Two points per interval, as the control jumps between them.
void Shooting::describe(std::span<const double> v, ControlSolution& s) {
  const theory::ControlProblem& p = c_.problem();
  std::vector<double> gradient(v.size());
  (*this)(v, gradient);
  s.horizon = horizon_, s.intervals = count_, s.parameters = c_.parameter_values();
  s.time.clear(), s.hamiltonian.clear();
  s.states.assign(n_, {}), s.costates.assign(n_, {}), s.controls.assign(m_, {}), s.switching.assign(m_, {});
  s.terms.assign(p.costs.size(), 0.0);
  c_.terminal_terms()(end_in_.data(), s.terms.data());
  const double h = horizon_ / count_;
  std::vector<double> terms(p.costs.size()), out(c_.path().first.outputs()), y(n_);
  for (int k = 0; k < count_; ++k) {
    const double* u = v.data() + static_cast<std::size_t>(k) * m_;
    const std::size_t outputs = c_.path().first.outputs();
    for (int q = 0; q < 4; ++q) {
      const double* before = out_.data() + (static_cast<std::size_t>(k) * 4 + q - (q > 0 ? 1 : 0)) * outputs;
      for (int i = 0; i < n_; ++i)
        y[i] = x_[static_cast<std::size_t>(k) * n_ + i] + (q == 0 ? 0.0 : h * k_c[q] * before[i]);
      evaluate(h * (k + k_c[q]), y.data(), u, out.data());
      c_.running_terms()(in_.data(), terms.data());
      for (std::size_t i = 0; i < terms.size(); ++i) s.terms[i] += h * k_b[q] * terms[i];
    }
    for (int side = 0; side < 2; ++side) {
      const std::size_t node = static_cast<std::size_t>(k + side) * n_;
      evaluate(h * (k + side), x_.data() + node, u, out.data());
      s.time.push_back(h * (k + side));
      double hamiltonian = out[n_];
      for (int i = 0; i < n_; ++i) {
        s.states[i].push_back(x_[node + i]), s.costates[i].push_back(costate_[node + i]);
        hamiltonian += costate_[node + i] * out[i];
      }
      s.hamiltonian.push_back(hamiltonian);
      for (int j = 0; j < m_; ++j) s.controls[j].push_back(u[j]), s.switching[j].push_back(0);
      for (std::size_t e = 0; e < c_.path().jacobian.size(); ++e) {
        const auto [r, col] = c_.path().jacobian[e];
        if (col > n_ && r <= n_)
          s.switching[col - 1 - n_].back() += (r == n_ ? 1.0 : costate_[node + r]) * out[c_.path().rows + e];
      }
    }
  }
  s.objective = 0;
  for (std::size_t i = 0; i < s.terms.size(); ++i) s.objective += s.parameters[p.costs[i].weight] * s.terms[i];
}

void refuse_bounded_paths(const theory::ControlProblem& p) {
  for (const auto& state : p.states)
    if (!state.bounds.free())
      throw core::Error("E401", fmt::format("single shooting does not treat the bounds of the state '{}'", state.name),
                        "use --method radau, or remove the bounds");
  if (!p.path.empty())
    throw core::Error("E401", "single shooting does not treat path constraints", "use --method radau");
}

}  // namespace

ControlSolution solve_adjoint(const CompiledProblem& compiled, const ControlOptions& options) {
  refuse_bounded_paths(compiled.problem());
  ControlSolution s;
  s.method = theory::Method::adjoint;
  auto current = std::make_unique<Shooting>(compiled, options.intervals);
  std::vector<double> v = current->start();
  double before = theory::k_infinity;
  for (int level = 0;; ++level) {
    Shooting& shooting = *current;
    std::vector<double> lower, upper;
    shooting.bounds(lower, upper);
    MinimiserOptions minimiser;
    minimiser.max_iterations = options.max_iterations * 4;
    minimiser.tolerance = 1e-10;
    double violation = 0, last = theory::k_infinity;
    for (int outer = 0; outer < 40; ++outer) {
      const Minimum best = minimise_bounded([&](auto x, auto g) { return shooting(x, g); }, v, lower, upper, minimiser);
      v = best.x, s.iterations += best.iterations;
      std::vector<double> gradient(v.size());
      const double value = shooting(v, gradient);
      if (!std::isfinite(value)) {
        s.status = ControlStatus::not_finite, s.message = "the cost is not finite at the guess";
        return s;
      }
      violation = shooting.update_multipliers();
      s.status = best.status == theory::SolveStatus::optimal ? ControlStatus::optimal : ControlStatus::acceptable;
      if (violation < 1e-10) break;
      if (violation > 0.25 * last) shooting.raise_penalty();
      last = violation;
    }
    shooting.describe(v, s);
    s.refinements = level;
    if (violation > 1e-7) {
      s.status = ControlStatus::infeasible;
      s.message =
          fmt::format("end conditions are violated by {:.3g}; relax them, the bounds or the horizon", violation);
      return s;
    }
    const bool settled = std::fabs(s.objective - before) <= options.tolerance * (1 + std::fabs(s.objective));
    if (settled || level >= options.max_refinements || s.intervals * 2 > 2000) return s;
    before = s.objective;
    std::vector<double> fine;
    shooting.refine(v, fine);
    current = std::make_unique<Shooting>(shooting.finer());
    v = std::move(fine);
  }
}

}  // namespace eos::solvers
