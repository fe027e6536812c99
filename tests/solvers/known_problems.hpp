// Learning problems whose optimum is known in closed form, stated for every solver of control problems.
#pragma once

#include <fmt/format.h>

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "eos/theory/closed_forms.hpp"
#include "eos/theory/control_problem.hpp"
#include "eos/theory/effort_forms.hpp"
#include "eos/theory/linear_quadratic.hpp"
#include "eos/theory/path_forms.hpp"
#include "eos/theory/perceptron.hpp"
#include "eos/theory/power_schedule.hpp"

namespace known {

using eos::theory::ControlProblem;
using eos::theory::Expr;
using eos::theory::Interval;
using eos::theory::k_infinity;

using Law = std::function<double(double)>;  ///< a control over time

/// A problem and its optimum. Empty: not compared (a control that is not unique, a horizon that is given).
struct Known {
  std::string name;
  ControlProblem problem;
  double cost = 0;
  std::vector<Law> controls;
  std::vector<double> switches;  ///< times where a control jumps
  double horizon = std::numeric_limits<double>::quiet_NaN();
};

inline Interval point(double x) { return Interval::point(x); }

inline ControlProblem one_state(double initial, Interval control, double guess, double horizon) {
  ControlProblem p;
  p.add_state("x", point(initial));
  p.add_control("u", control);
  p.controls[0].guess = guess;
  p.horizon.value = horizon;
  return p;
}

/// dx/dt = -u, 1/2 int (q x^2 + r u^2) + 1/2 s x(T)^2.
inline Known regulator(const eos::theory::LinearQuadratic& f) {
  ControlProblem p = one_state(f.initial, {}, 0, f.horizon);
  p.states[0].dynamics = -p.u(0);
  p.add_cost("error", 0.5 * f.state_weight * p.x(0) * p.x(0), 0.5 * f.terminal_weight * p.x_final(0) * p.x_final(0));
  p.add_cost("effort", 0.5 * f.effort_weight * p.u(0) * p.u(0));
  return {"regulator", p, f.cost(), {[f](double t) { return f.control(t); }}, {}};
}

/// 1/2 v'M v for a row-major matrix.
inline Expr half_form(const std::vector<Expr>& v, const std::vector<double>& m) {
  Expr sum = 0;
  for (std::size_t i = 0; i < v.size(); ++i)
    for (std::size_t j = 0; j < v.size(); ++j) sum += 0.5 * m[i * v.size() + j] * v[i] * v[j];
  return sum;
}
inline Known regulator(const eos::theory::LinearRegulator& f) {
  ControlProblem p;
  std::vector<Expr> x, u, end;
  for (std::size_t i = 0; i < f.states; ++i) p.add_state(fmt::format("x{}", i), point(f.initial[i]));
  for (std::size_t j = 0; j < f.controls; ++j) p.add_control(fmt::format("u{}", j), {});
  for (std::size_t i = 0; i < f.states; ++i)
    x.push_back(p.x(static_cast<int>(i))), end.push_back(p.x_final(static_cast<int>(i)));
  for (std::size_t j = 0; j < f.controls; ++j) u.push_back(p.u(static_cast<int>(j)));
  for (std::size_t i = 0; i < f.states; ++i) {
    Expr rate = 0;
    for (std::size_t k = 0; k < f.states; ++k) rate += f.dynamics[i * f.states + k] * x[k];
    for (std::size_t j = 0; j < f.controls; ++j) rate += f.input[i * f.controls + j] * u[j];
    p.states[i].dynamics = rate;
  }
  p.horizon.value = f.horizon;
  p.add_cost("state", half_form(x, f.state_weight), half_form(end, f.terminal_weight));
  p.add_cost("effort", half_form(u, f.effort_weight));
  Known k{"matrix regulator", p, f.cost(), {}, {}};
  for (std::size_t j = 0; j < f.controls; ++j) k.controls.emplace_back([f, j](double t) { return f.control(t)[j]; });
  return k;
}

/// de/dt = -eta lambda e, 1/2 c int eta^2 + 1/2 s lambda e(T)^2.
inline Known quadratic_effort(const eos::theory::QuadraticEffort& f) {
  ControlProblem p = one_state(f.initial, {}, 0.1, f.horizon);
  p.states[0].dynamics = -f.lambda * p.u(0) * p.x(0);
  p.add_cost("loss", 0, 0.5 * f.terminal_weight * f.lambda * p.x_final(0) * p.x_final(0));
  p.add_cost("effort", 0.5 * f.price * p.u(0) * p.u(0));
  return {"quadratic effort", p, f.cost(), {[f](double) { return f.rate(); }}, {}};
}
/// dx/dt = -u x, x(T) + 1/2 c int u^2.
inline Known linear_goal(const eos::theory::LinearGoalEffort& f) {
  ControlProblem p = one_state(f.initial, {0, k_infinity}, 0.1, f.horizon);
  p.states[0].dynamics = -p.u(0) * p.x(0);
  p.add_cost("error", 0, p.x_final(0));
  p.add_cost("effort", 0.5 * f.price * p.u(0) * p.u(0));
  return {"linear goal", p, f.cost(), {[f](double) { return f.rate(); }}, {}};
}
/// One mode of gradient flow, int (1/2 lambda e^2 + 1/2 c eta^2).
inline Known effort_mode(const eos::theory::EffortMode& f) {
  ControlProblem p = one_state(f.initial, {}, 0.5, f.horizon);
  p.states[0].dynamics = -f.lambda * p.u(0) * p.x(0);
  p.add_cost("loss", 0.5 * f.lambda * p.x(0) * p.x(0));
  p.add_cost("effort", 0.5 * f.price * p.u(0) * p.u(0));
  return {"effort of a mode", p, f.cost(), {[f](double t) { return f.rate(t); }}, {}};
}
/// Several modes, discounted: int exp(-r t) (L + 1/2 c eta^2).
inline Known effort_modes(const std::vector<double>& lambda, const std::vector<double>& error,
                          const eos::theory::EffortProblem& f) {
  using namespace eos::theory;
  ControlProblem p;
  for (std::size_t j = 0; j < lambda.size(); ++j) p.add_state(fmt::format("e{}", j), point(error[j]));
  p.add_control("eta", {});
  p.controls[0].guess = 0.5;
  Expr loss = 0;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    const Expr e = p.x(static_cast<int>(j));
    p.states[j].dynamics = -lambda[j] * p.u(0) * e;
    loss += 0.5 * lambda[j] * e * e;
  }
  p.horizon.value = f.horizon;
  const Expr discount = exp(-f.discount * p.time());
  p.add_cost("loss", discount * loss);
  p.add_cost("effort", 0.5 * f.price * discount * p.u(0) * p.u(0));
  const LossCurve curve = spectrum_curve(lambda, error);
  const double start[] = {0};
  const Law rate = [curve, f](double t) {
    const double times[] = {t};
    return effort_schedule(curve, f, times).rate[0];
  };
  return {"effort of modes", p, effort_schedule(curve, f, start).cost, {rate}, {}};
}

/// de/dt = -u, 0 <= u <= v, int (c_1 u + c_0) + 1/2 s lambda e(T)^2; the stop is free when time has a price.
/// Without one any pace costs the same.
inline Known path_length(const eos::theory::SpeedLimitedMode& f, double horizon) {
  ControlProblem p = one_state(f.initial, {0, f.speed_limit}, 0.5 * f.speed_limit, horizon);
  p.states[0].dynamics = -p.u(0);
  p.add_cost("loss", 0, 0.5 * f.terminal_weight * f.lambda * p.x_final(0) * p.x_final(0));
  p.add_cost("path", f.path_price * p.u(0) + f.time_price);
  Known k{"path length", p, f.cost(), {}, {}};
  if (f.time_price > 0) {
    k.problem.horizon = {horizon, true, {1e-3, 100}};
    k.horizon = f.stop_time();
    k.controls = {[f](double) { return f.speed_limit; }};
  }
  return k;
}
/// Modes under a price on their path and no price on time: when each moves is free.
inline Known water_filling(const std::vector<double>& lambda, const std::vector<double>& error, double price,
                           double weight, double horizon) {
  ControlProblem p;
  for (std::size_t j = 0; j < lambda.size(); ++j) p.add_state(fmt::format("e{}", j), point(error[j]));
  for (std::size_t j = 0; j < lambda.size(); ++j) p.add_control(fmt::format("u{}", j), {0, 1});
  Expr path = 0, loss = 0;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    const int i = static_cast<int>(j);
    p.states[j].dynamics = -p.u(i);
    path += p.u(i);
    loss += 0.5 * lambda[j] * p.x_final(i) * p.x_final(i);
  }
  p.horizon.value = horizon;
  p.add_cost("path", path, 0, price);
  p.add_cost("loss", 0, loss, weight);
  const auto best = eos::theory::least_path_and_loss(lambda, error, price, weight);
  return {"water-filling", p, price * best.length + weight * best.loss, {}, {}};
}
/// The shortest path to a required loss.
inline Known water_filling_to(const std::vector<double>& lambda, const std::vector<double>& error, double target,
                              double horizon) {
  Known k = water_filling(lambda, error, 1, 1, horizon);
  Expr loss = 0;
  for (std::size_t j = 0; j < lambda.size(); ++j) {
    const Expr e = k.problem.x_final(static_cast<int>(j));
    loss += 0.5 * lambda[j] * e * e;
  }
  k.problem.costs.pop_back();
  k.problem.ends.push_back({"loss", loss, {-k_infinity, target}});
  k.name = "shortest path", k.cost = eos::theory::least_path_to_loss(lambda, error, target).length;
  return k;
}

/// dx/dt = u, x: 0 -> D, int (c_0 + u^alpha) over a given time, or the best one (horizon 0).
inline Known displacement(const eos::theory::ConstantSpeed& f, double horizon = 0) {
  ControlProblem p = one_state(0, {0, k_infinity}, 1, horizon > 0 ? horizon : 2);
  p.states[0].final = point(f.displacement);
  p.states[0].dynamics = p.u(0);
  p.add_cost("plasticity", pow(p.u(0), f.alpha) + f.upkeep);
  Known k{"displacement", p, horizon > 0 ? f.energy(horizon) : f.least_energy(), {}, {}};
  if (horizon <= 0) k.problem.horizon = {2, true, {0.05, 500}}, k.horizon = horizon = f.best_time();
  k.controls = {[f, horizon](double) { return f.displacement / horizon; }};
  return k;
}

/// dm/dt = -2 eta lambda m + eta^2 Sigma, 0 <= eta <= eta_max, least m(T).
inline Known noisy_mode(const eos::theory::NoisyMode& f, double horizon) {
  ControlProblem p = one_state(f.initial, {0, f.rate_limit}, 0.5 * f.rate_limit, horizon);
  p.states[0].dynamics = p.u(0) * (p.u(0) * f.noise - 2 * f.lambda * p.x(0));
  p.add_cost("error", 0, p.x_final(0));
  return {"noisy mode", p, f.error(horizon), {[f](double t) { return f.rate(t); }}, {}};
}

/// dm/dt = -rho lambda^2 m^2 / Sigma, 0 <= rho <= 1, w m(T) + int (c_0 + c rho), T free.
inline Known priced_data(const eos::theory::PricedData& f, double initial) {
  ControlProblem p = one_state(initial, {0, 1}, 0.5, 1);
  p.states[0].dynamics = -f.lambda * f.lambda / f.noise * p.u(0) * p.x(0) * p.x(0);
  p.horizon = {1, true, {1e-3, 1000}};
  p.add_cost("error", 0, f.weight * p.x_final(0));
  p.add_cost("energy", f.time_price + f.sample_price * p.u(0));
  return {"priced data", p, f.value(initial), {[](double) { return 1.0; }}, {}, f.time_to_stop(initial)};
}

/// dtau/dt = phi(rho), tau: 0 -> 1, int (r + rho), T free.
inline Known hard_fraction(double r) {
  ControlProblem p = one_state(0, {1e-3, 1}, 0.5, 1);
  p.states[0].final = point(1);
  p.states[0].dynamics = capture(p.u(0));
  p.horizon = {1, true, {0.1, 100}};
  p.add_cost("energy", r + p.u(0));
  const double best = eos::theory::hard_fraction(eos::theory::CaptureCurve::gaussian(), r).fraction;
  const double time = 1 / eos::theory::gaussian_phi(best);
  return {"hard fraction", p, (r + best) * time, {[best](double) { return best; }}, {}, time};
}
/// dtau/dt = phi(rho) phi(kappa), int (c_b rho + c_w kappa) - S tau(T).
inline Known joint_fractions(double sample_price, double write_price, double value, double horizon) {
  using eos::theory::CaptureCurve;
  ControlProblem p;
  p.add_state("tau", point(0));
  p.add_control("rho", {1e-3, 1});
  p.add_control("kappa", {1e-3, 1});
  p.controls[0].guess = p.controls[1].guess = 0.5;
  p.states[0].dynamics = capture(p.u(0)) * capture(p.u(1));
  p.horizon.value = horizon;
  p.add_cost("learning", 0, -value * p.x_final(0));
  p.add_cost("energy", sample_price * p.u(0) + write_price * p.u(1));
  const auto best = eos::theory::joint_fractions(sample_price, write_price, value, CaptureCurve::gaussian(),
                                                 CaptureCurve::gaussian());
  return {"joint fractions",
          p,
          best.hamiltonian * horizon,
          {[best](double) { return best.data; }, [best](double) { return best.weight; }},
          {}};
}

/// da/dt = 2 eta a (s - a), a_0 -> a_f, 1/2 c int eta^2.
inline Known deep_mode(const eos::theory::DeepLinearMode& f) {
  ControlProblem p = one_state(f.initial, {}, 0.5, f.horizon);
  p.states[0].final = point(f.goal);
  p.states[0].dynamics = 2 * p.u(0) * p.x(0) * (f.strength - p.x(0));
  p.add_cost("effort", 0.5 * f.price * p.u(0) * p.u(0));
  return {"deep mode", p, f.cost(), {[f](double) { return f.rate(); }}, {}};
}

/// Steps n counted from the end, w = (1 + u)^(1/(2 beta)) of the intrinsic time u to the end, du/dn = gamma: then the
/// best w is a straight line where no cap binds.
inline Known power_law(const eos::theory::PowerLawTask& f) {
  ControlProblem p;
  p.add_state("w", point(1), {}, {1, k_infinity});
  p.add_control("gamma", {0, f.rate_limit});
  p.controls[0].guess = std::min(1e-3, 0.5 * f.rate_limit);
  p.states[0].guess = f.capacity < 2 ? 2 : 4;  // of the right size: powers of w down to -10 punish others
  const double power = 1 / (2 * f.capacity);
  const Expr w = p.x(0), gamma = p.u(0);
  p.states[0].dynamics = power * gamma * pow(w, 1 - 2 * f.capacity);
  p.horizon.value = f.steps;
  p.add_cost("signal", 0, pow(p.x_final(0), -2 * f.capacity * f.source));
  p.add_cost("noise", f.noise_variance * gamma * gamma * pow(w, 2 - 4 * f.capacity));
  const auto best = eos::theory::optimal_power_schedule(f);
  return {"power law", p, best.loss(), {[best, f](double n) { return best.rate_at_step(f.steps - n); }}, {}};
}
/// Batch size over intrinsic time at a price per sample.
inline Known priced_batch(const eos::theory::PricedBatch& f) {
  ControlProblem p = one_state(0, {1e-3, 1e4}, 1, f.horizon);
  p.states[0].dynamics = p.u(0);
  p.add_cost("noise", f.learning_rate * f.noise_variance * pow(f.horizon - p.time() + 1, 1 / f.capacity - 2) / p.u(0));
  p.add_cost("samples", f.price * p.u(0));
  return {"priced batch", p, f.cost(), {[f](double t) { return f.batch(t); }}, {}};
}

/// dR/dalpha = f D - f^2 R/2 per trained example, largest R. Queries on the decision boundary, or all examples.
inline Known perceptron_step(double overlap, double alpha, bool queries) {
  ControlProblem p = one_state(overlap, {0, k_infinity}, 1, alpha);
  const Expr R = p.x(0), f = p.u(0), q = 1 - R * R;
  p.states[0].guess = 0.5 * (1 + overlap);
  const double factor = std::sqrt(2 / std::acos(-1.0));
  p.states[0].dynamics = f * factor * (queries ? sqrt(q) : q) - 0.5 * f * f * R;
  p.maximise = true;
  p.add_cost("overlap", 0, p.x_final(0));
  using namespace eos::theory;
  const auto path = queries ? query_overlap : unselected_overlap;
  const auto drift = queries ? query_drift : unselected_drift;
  return {queries ? "queries" : "all examples",
          p,
          path(overlap, alpha),
          {[=](double t) { return optimal_step(path(overlap, t), drift(path(overlap, t))); }},
          {}};
}
/// What a screened example costs and how much it teaches: least (r + share)/(share D^2/(2R)) over the band c.
struct ScreenedStep {
  double band, cost;
};
inline ScreenedStep screened_step(double R, double screening) {
  const auto cost = [=](double log_band) {
    using namespace eos::theory;
    const double c = std::exp(log_band), share = perceptron_band_share(c), d = perceptron_drift(R, c);
    return (screening + share) / (share * d * d / (2 * R));
  };
  const auto [at, least] = boost::math::tools::brent_find_minima(cost, std::log(1e-3), std::log(20.0), 52);
  return {std::exp(at), least};
}
/// Examples are screened at the price r, trained on within the band |h| < c at the price 1, from R_0 to R_f; dR/dn =
/// share(c) (f D - f^2 R/2) per screened example. One state that only rises: the cost is int (least cost per dR) dR.
inline Known screened_perceptron(double start, double goal, double screening) {
  using namespace eos::theory;
  ControlProblem p;
  p.add_state("R", point(start), point(goal));
  p.add_control("f", {0, 10});
  p.add_control("c", {0.01, 3});  // beyond, nothing depends on the band any more
  p.controls[0].guess = p.controls[1].guess = 1;
  const Expr share = perceptron_band_share(p.u(1));
  p.states[0].dynamics = share * perceptron_rate(p.x(0), p.u(1), p.u(0));
  p.horizon = {5, true, {0.01, 1000}};
  p.add_cost("energy", screening + share);
  using boost::math::quadrature::gauss_kronrod;
  const auto integral = [&](const Law& f) { return gauss_kronrod<double, 61>::integrate(f, start, goal, 6, 1e-10); };
  const double cost = integral([=](double R) { return screened_step(R, screening).cost; });
  const double time = integral([=](double R) {
    const ScreenedStep s = screened_step(R, screening);
    return s.cost / (screening + perceptron_band_share(s.band));
  });
  return {"screened perceptron", p, cost, {}, {}, time};
}

}  // namespace known
