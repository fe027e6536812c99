#include "eos/theory/mode_control.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <numbers>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_expressible(const ModeProblem& p) {
  Checker c;
  auto curve = [&](const CaptureCurve& f, const char* name, bool used) {
    if (!used || f.kind() == CaptureCurve::Kind::gaussian || f.kind() == CaptureCurve::Kind::linear) return;
    c.add("E401", fmt::format("{} is {}, which has no formula", name, f.name()),
          "take \"gaussian\" or \"linear\", or the adjoint method, which takes any capture");
  };
  const bool data = p.data_rule == Rule::ranked, weight = p.weight_rule == Rule::ranked;
  curve(p.data_signal, "data_fraction.capture", data);
  curve(p.data_noise, "data_fraction.noise_capture", data);
  curve(p.weight_capture, "weight_fraction.capture", weight);
  const char* help = "the adjoint method takes it";
  if (p.accumulated) c.add("E401", "accumulated writes follow a measured path, which has no formula", help);
  for (const double alpha : p.plasticity_exponents) {
    if (alpha == 0 || alpha == 1 || alpha == 2) continue;
    c.add("E401", fmt::format("the plasticity exponent {} needs an incomplete gamma function", alpha), help);
  }
  if (p.full_data_start > 0 || p.full_data_end > 0) {
    c.add("E401", "phases with all data change the bounds of rho on the way", help);
  }
  if (p.discretisation.scheme == Scheme::recursion) {
    c.add("E401", "the exact recursion is not a differential equation",
          "leave scheme away, or take the adjoint method");
  }
  c.finish();
}

/// A fraction and what it captures, with the moments of what is chosen.
struct Choice {
  Rule rule = Rule::all;
  Expr fraction = 1;
  Expr value(const CaptureCurve& f) const {
    return rule == Rule::ranked && f.kind() == CaptureCurve::Kind::gaussian ? capture(fraction) : fraction;
  }
  /// E[|z|^alpha; chosen], alpha = 0, 1, 2 or 4.
  Expr moment(const CaptureCurve& f, int alpha) const {
    if (alpha == 0) return fraction;
    if (rule == Rule::ranked && f.kind() == CaptureCurve::Kind::linear) return fraction;
    if (alpha == 2) return value(f);
    const Expr a = threshold(fraction), tail = exp(-0.5 * a * a);
    const double mean = std::sqrt(2 / std::numbers::pi);
    if (alpha == 1) return rule == Rule::ranked ? mean * tail : mean * fraction;
    return 3.0 * (fraction + mean / 3 * (a * a * a + 3.0 * a) * tail);
  }
};

/// The problem with its variables, and the sums that several formulas need.
struct Statement {
  const ModeProblem& given;
  ControlProblem problem;
  Choice data, weight;
  Expr rate, variance;  // eta, V
  Expr updates = 1;     // q

  double multiplicity(std::size_t j) const { return given.multiplicity.empty() ? 1 : given.multiplicity[j]; }
  Expr excess(const std::function<Expr(int)>& m) const {
    Expr sum = 0;
    for (std::size_t j = 0; j < given.lambda.size(); ++j) {
      sum += multiplicity(j) * given.lambda[j] * m(static_cast<int>(j));
    }
    return sum;
  }
  Expr signal() const { return data.value(given.data_signal); }
  Expr noise() const { return data.value(given.data_noise); }
  Expr written() const { return weight.value(given.weight_capture); }
  Expr second_moment(std::size_t j) const;
  Expr power_sum(int alpha) const;
};

/// v_j: second moment of an update per rate^2.
Expr Statement::second_moment(std::size_t j) const {
  const double batch = given.batch, lambda = given.lambda[j];
  Expr drift = given.rebatched ? Expr(1 + 1 / batch) : data.fraction * data.fraction + data.fraction / batch;
  if (given.data_rule == Rule::ranked) {
    drift = (1 - 1 / batch) * signal() * signal() / (updates * updates) +
            (data.moment(given.data_noise, 4) - noise()) / (updates * batch);
  }
  const Expr spread = given.noise_scale * noise() / (updates * batch);
  return lambda * lambda * drift * problem.x(static_cast<int>(j)) + lambda * spread * variance;
}

/// sum_j n_j v_j^(alpha/2), alpha = 0, 1 or 2.
Expr Statement::power_sum(int alpha) const {
  Expr sum = 0;
  for (std::size_t j = 0; j < given.lambda.size(); ++j) {
    const Expr v = alpha == 0 ? Expr(1) : second_moment(j);
    sum += multiplicity(j) * (alpha == 1 ? sqrt(v) : v);
  }
  return sum;
}

Statement declare(const ModeProblem& p) {
  Statement s{p, {}, {}, {}, 0, 0};
  ControlProblem& c = s.problem;
  c.title = p.title.empty() ? "Mode problem" : p.title;
  c.time_unit = "steps";
  c.horizon.value = p.horizon;
  for (std::size_t j = 0; j < p.lambda.size(); ++j) {
    c.add_state(fmt::format("m{}", j + 1), Interval::point(p.initial[j]));
    c.states.back().meaning = fmt::format("mean squared error of mode {}", j + 1);
  }
  auto control = [&](const char* name, const Bounds& b, const char* meaning, double share) {
    const int j = c.add_control(name, {b.lower, b.upper});
    c.controls.back().meaning = meaning;
    c.controls.back().guess = b.lower + share * (b.upper - b.lower);
    return j;
  };
  s.data.rule = p.data_rule;
  s.weight.rule = p.weight_rule;
  const int rho = p.data_rule == Rule::all ? -1 : control("rho", p.data_bounds, "fraction of samples learned", .6);
  const int kappa =
      p.weight_rule == Rule::all ? -1 : control("kappa", p.weight_bounds, "fraction of weights written", .6);
  const int eta = control("eta", p.rate_bounds, "learning rate", .75);
  if (rho >= 0) s.data.fraction = c.u(rho);
  if (kappa >= 0) s.weight.fraction = c.u(kappa);
  s.rate = c.u(eta);
  s.variance = s.excess([&](int j) { return c.x(j); }) + p.noise_variance;
  if (p.rebatched) s.updates = s.data.fraction;
  return s;
}

void add_costs(Statement& s) {
  const ModeProblem& p = s.given;
  ControlProblem& c = s.problem;
  c.add_cost("loss", 0.5 * p.running_weight * s.excess([&](int j) { return c.x(j); }),
             0.5 * p.terminal_weight * s.excess([&](int j) { return c.x_final(j); }));
  auto priced = [&](const char* name, double price, const Expr& amount) {
    if (price > 0) c.add_cost(name, price * amount);
  };
  priced("time", p.price_time, 1);
  if (p.data_rule == Rule::ranked) priced("screening", p.price_screening, 1);
  priced("sample", p.price_sample, s.data.fraction);
  priced("write", p.price_write, s.weight.fraction * s.updates);
  const auto moment = [&](int alpha) { return s.weight.moment(p.weight_capture, alpha); };
  if (p.price_path > 0) priced("path", p.price_path, s.updates * moment(1) * s.rate * s.power_sum(1));
  Expr plasticity = 0;
  for (std::size_t i = 0; i < p.plasticity_prices.size(); ++i) {
    const int alpha = static_cast<int>(p.plasticity_exponents[i]);
    // Unselected writes are normal too: E|z|^alpha = 1 for 0 and 2.
    const Expr size = alpha == 0 ? Expr(1) : alpha == 1 ? s.rate : s.rate * s.rate;
    plasticity += p.plasticity_prices[i] * s.updates * moment(alpha) * size * s.power_sum(alpha);
  }
  if (!p.plasticity_prices.empty()) c.add_cost("plasticity", plasticity);
  if (p.price_maintenance > 0) {
    const double price = 2 * std::sqrt(p.price_maintenance * p.price_consolidation / 3);
    priced("cache", price, sqrt(s.updates * s.written()) * s.rate * s.power_sum(1));
  }
}

}  // namespace

ControlProblem to_control_problem(const ModeProblem& problem) {
  problem.check();
  check_expressible(problem);
  Statement s = declare(problem);
  const Expr drift = 2.0 * s.rate * s.signal() * s.written();
  const Expr diffusion = problem.noise_scale / problem.batch * s.rate * s.rate * s.noise() * s.written() * s.variance;
  for (std::size_t j = 0; j < problem.lambda.size(); ++j) {
    s.problem.states[j].dynamics = problem.lambda[j] * (diffusion - drift * s.problem.x(static_cast<int>(j)));
  }
  add_costs(s);
  s.problem.check();
  return s.problem;
}

}  // namespace eos::theory
