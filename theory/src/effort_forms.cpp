#include "eos/theory/effort_forms.hpp"

#include <boost/math/special_functions/lambert_w.hpp>
#include <boost/math/tools/roots.hpp>
#include <cmath>
#include <numbers>

#include "checker.hpp"

namespace eos::theory {

using boost::math::lambert_w0;

void QuadraticEffort::check() const {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("terminal_weight", terminal_weight, 0, true);
  c.at_least("price", price, 0, true);
  c.finite("initial", initial);
  c.at_least("horizon", horizon, 0, true);
  c.finish();
}

double QuadraticEffort::rate() const {
  check();
  const double x = 2 * terminal_weight * lambda * lambda * lambda * horizon * initial * initial / price;
  return lambert_w0(x) / (2 * lambda * horizon);
}

double QuadraticEffort::error(double time) const {
  check_time(time, horizon);
  return initial * std::exp(-rate() * lambda * time);
}

double QuadraticEffort::cost() const {
  const double eta = rate(), end = error(horizon);
  return 0.5 * price * eta * eta * horizon + 0.5 * terminal_weight * lambda * end * end;
}

void LinearGoalEffort::check() const {
  Checker c;
  c.at_least("price", price, 0, true);
  c.at_least("initial", initial, 0);
  c.at_least("horizon", horizon, 0, true);
  c.finish();
}

double LinearGoalEffort::rate() const {
  check();
  return lambert_w0(initial * horizon / price) / horizon;
}

double LinearGoalEffort::error(double time) const {
  check_time(time, horizon);
  return initial * std::exp(-rate() * time);
}

double LinearGoalEffort::energy() const { return 0.5 * rate() * rate() * horizon; }

double LinearGoalEffort::cost() const { return error(horizon) + price * energy(); }

void EffortMode::check() const {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("price", price, 0, true);
  c.at_least("initial", initial, 0);
  if (!(horizon > 0)) c.add("E104", fmt::format("horizon = {} must be > 0", horizon), "infinity is allowed");
  c.finish();
}

namespace {

/// f in (0, pi/2] with e_T = e_0 sin f = (pi/2 - f)/(k T): the angle to where e would diverge, exact where the horizon
/// is long and cos(k e_T T) would cancel.
double complement(const EffortMode& p, double kt) {
  auto missed = [&](double f) { return p.initial * kt * std::sin(f) + f - 0.5 * std::numbers::pi; };
  std::uintmax_t most = 200;
  const auto root =
      boost::math::tools::toms748_solve(missed, 0.0, 0.5 * std::numbers::pi, -0.5 * std::numbers::pi, p.initial * kt,
                                        boost::math::tools::eps_tolerance<double>(52), most);
  return 0.5 * (root.first + root.second);
}

double speed(const EffortMode& p) { return std::pow(p.lambda, 1.5) / std::sqrt(p.price); }  // k

}  // namespace

double EffortMode::final_error() const {
  check();
  if (std::isinf(horizon) || initial == 0) return 0;
  return initial * std::sin(complement(*this, speed(*this) * horizon));
}

double EffortMode::error(double time) const {
  check();
  check_time(time, std::isinf(horizon) ? std::numeric_limits<double>::max() : horizon);
  const double k = speed(*this);
  if (std::isinf(horizon) || initial == 0) return initial / (1 + k * initial * time);
  const double f = complement(*this, k * horizon), end = initial * std::sin(f);
  return end / std::sin(f + k * end * time);
}

double EffortMode::rate(double time) const {
  const double e = error(time), end = final_error();
  return std::sqrt(lambda / price * std::max(0.0, (e - end) * (e + end)));
}

double EffortMode::cost() const {
  const double end = final_error();
  const double path = std::sqrt(price / lambda) * std::sqrt((initial - end) * (initial + end));
  return std::isinf(horizon) ? path : path - 0.5 * lambda * end * end * horizon;
}

void DeepLinearMode::check() const {
  Checker c;
  c.at_least("strength", strength, 0, true);
  c.range("initial", initial, 0, strength, true, true);
  c.range("goal", goal, initial, strength, false, true);
  c.at_least("price", price, 0, true);
  c.at_least("horizon", horizon, 0, true);
  c.finish();
}

double DeepLinearMode::clock() const {
  check();
  return std::log(goal * (strength - initial) / (initial * (strength - goal))) / (2 * strength);
}

double DeepLinearMode::rate() const { return clock() / horizon; }

double DeepLinearMode::strength_at(double time) const {
  check();
  check_time(time, horizon);
  const double fall = std::exp(-2 * strength * rate() * time);
  return strength / (1 + (strength / initial - 1) * fall);
}

double DeepLinearMode::cost() const { return 0.5 * price * clock() * clock() / horizon; }

}  // namespace eos::theory
