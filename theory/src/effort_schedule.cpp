// The effort problem along a general loss curve: backward integration from the end of the horizon, whose clock is
// found so that time 0 falls on tau = 0.
#include <algorithm>
#include <array>
#include <boost/math/quadrature/exp_sinh.hpp>
#include <boost/math/tools/roots.hpp>
#include <boost/numeric/odeint.hpp>
#include <cmath>
#include <memory>

#include "checker.hpp"
#include "eos/theory/effort_forms.hpp"

namespace eos::theory {
namespace {

namespace odeint = boost::numeric::odeint;

// tau, eta and the cost to go, against the time that is left.
using State = std::array<double, 3>;
constexpr double k_tolerance = 1e-13;

struct Backward {
  const LossCurve& curve;
  const EffortProblem& problem;
  void operator()(const State& y, State& rate, double /*left*/) const {
    const double eta = y[1], loss = curve.loss(y[0]);
    rate[0] = -eta;
    rate[1] = -problem.discount * eta - curve.slope(y[0]) / problem.price;
    rate[2] = loss + 0.5 * problem.price * eta * eta - problem.discount * y[2];
  }
};

/// States at increasing times left, from (end, 0, 0); stops where the clock falls to 0. Returns the clock at the last
/// time, or minus the way that is still to go from there.
double integrate(const LossCurve& curve, const EffortProblem& problem, double end, double horizon,
                 std::vector<State>* at, std::span<const double> left) {
  auto stepper = odeint::make_dense_output(k_tolerance, k_tolerance, odeint::runge_kutta_dopri5<State>());
  stepper.initialize(State{end, 0, 0}, 0.0, 1e-3 * horizon);
  const Backward system{curve, problem};
  std::size_t next = 0;
  State y{};
  while (stepper.current_time() < horizon) {
    const auto [from, to] = stepper.do_step(system);
    for (; at != nullptr && next < left.size() && left[next] <= to; ++next) {
      stepper.calc_state(left[next], y);
      at->push_back(y);
    }
    if (at == nullptr && stepper.current_state()[0] <= 0 && to < horizon) {
      const State& now = stepper.current_state();
      return now[0] - now[1] * (horizon - to);
    }
  }
  stepper.calc_state(horizon, y);
  return y[0];
}

void check_schedule(const EffortProblem& p, std::span<const double> times) {
  Checker c;
  c.at_least("price", p.price, 0, true);
  c.at_least("discount", p.discount, 0);
  if (!(p.horizon > 0)) c.add("E104", fmt::format("horizon = {} must be > 0", p.horizon));
  if (std::isinf(p.horizon) && p.discount == 0) {
    c.add("E107", "an infinite horizon needs a discount > 0", "without one, eta = sqrt(2 L/c); see effort_value");
  }
  double before = 0;
  for (double t : times) {
    if (!(t >= before && t <= p.horizon) || !std::isfinite(t)) {
      c.add("E107", fmt::format("times must increase within [0, {}]; {} does not", p.horizon, t));
      break;
    }
    before = t;
  }
  c.finish();
}

/// tau(T): the root of integrate() in the end point, bracketed by the greatest speed sqrt(2 L_0/c).
double find_end(const LossCurve& curve, const EffortProblem& p, double horizon) {
  auto missed = [&](double end) { return integrate(curve, p, end, horizon, nullptr, {}); };
  double high = std::sqrt(2 * curve.loss(0) / p.price) * horizon, low = 0;
  if (high == 0) return 0;
  double at_high = missed(high), at_low = missed(low);
  for (int i = 0; i < 60 && at_high <= 0; ++i) at_high = missed(high *= 2);
  std::uintmax_t most = 200;
  const auto root = boost::math::tools::toms748_solve(missed, low, high, at_low, at_high,
                                                      boost::math::tools::eps_tolerance<double>(50), most);
  return 0.5 * (root.first + root.second);
}

}  // namespace

LossCurve spectrum_curve(std::vector<double> lambda, std::vector<double> error, std::vector<double> multiplicity) {
  Checker c;
  if (error.size() != lambda.size()) {
    c.add("E107", fmt::format("error has {} values for {} modes", error.size(), lambda.size()));
  }
  if (multiplicity.empty()) multiplicity.assign(lambda.size(), 1.0);
  if (multiplicity.size() != lambda.size()) {
    c.add("E107", fmt::format("multiplicity has {} values for {} modes", multiplicity.size(), lambda.size()));
  }
  for (double x : lambda) c.at_least("lambda", x, 0, true);
  for (double x : error) c.finite("error", x);
  for (double x : multiplicity) c.at_least("multiplicity", x, 0, true);
  c.finish();
  for (std::size_t j = 0; j < lambda.size(); ++j) multiplicity[j] *= 0.5 * lambda[j] * error[j] * error[j];
  auto sum = [lambda = std::move(lambda), share = std::move(multiplicity)](double tau, bool slope) {
    double total = 0;
    for (std::size_t j = 0; j < lambda.size(); ++j) {
      total += (slope ? -2 * lambda[j] : 1.0) * share[j] * std::exp(-2 * lambda[j] * tau);
    }
    return total;
  };
  return {[sum](double tau) { return sum(tau, false); }, [sum](double tau) { return sum(tau, true); }};
}

LossCurve flow_curve(const std::function<double(std::span<const double>, std::span<double>)>& loss,
                     std::vector<double> start, double span, int nodes) {
  Checker c;
  if (start.empty()) c.add("E104", "start has no values");
  for (double x : start) c.finite("start", x);
  c.at_least("span", span, 0, true);
  c.at_least("nodes", nodes, 1);
  c.finish();
  using Weights = std::vector<double>;
  struct Flow {
    double step;
    std::vector<Weights> w, velocity;
    std::function<double(std::span<const double>, std::span<double>)> loss;
    /// Loss and its slope -|grad|^2 at tau; Hermite interpolation of w inside, exponential beyond.
    std::pair<double, double> at(double tau) const {
      const double last = step * static_cast<double>(w.size() - 1), inside = std::clamp(tau, 0.0, last);
      const auto i = std::min(static_cast<std::size_t>(inside / step), w.size() - 2);
      const double x = inside / step - static_cast<double>(i), y = 1 - x;
      Weights here(w[i].size()), gradient(w[i].size());
      for (std::size_t k = 0; k < here.size(); ++k) {
        here[k] = y * y * ((1 + 2 * x) * w[i][k] + x * step * velocity[i][k]) +
                  x * x * ((1 + 2 * y) * w[i + 1][k] - y * step * velocity[i + 1][k]);
      }
      const double value = loss(here, gradient);
      double slope = 0;
      for (double g : gradient) slope -= g * g;
      const double decay = value > 0 ? std::exp(slope / value * (tau - inside)) : 1;
      return {value * decay, slope * decay};
    }
  };
  auto flow = std::make_shared<Flow>();
  flow->step = span / nodes;
  flow->loss = loss;
  auto rate = [&](const Weights& w, Weights& velocity, double) {
    velocity.resize(w.size());
    loss(w, velocity);
    for (double& v : velocity) v = -v;
  };
  auto observe = [&](const Weights& w, double) {
    flow->w.push_back(w);
    rate(w, flow->velocity.emplace_back(), 0);
  };
  odeint::integrate_n_steps(odeint::make_dense_output(k_tolerance, k_tolerance, odeint::runge_kutta_dopri5<Weights>()),
                            rate, start, 0.0, flow->step, static_cast<std::size_t>(nodes), observe);
  return {[flow](double tau) { return flow->at(tau).first; }, [flow](double tau) { return flow->at(tau).second; }};
}

EffortSchedule effort_schedule(const LossCurve& curve, const EffortProblem& problem, std::span<const double> times) {
  check_schedule(problem, times);
  constexpr double k_cut = 40;  // e^-40 < 1e-17
  double horizon = problem.horizon;
  if (std::isinf(horizon)) horizon = (times.empty() ? 0 : times.back()) + k_cut / problem.discount;
  std::vector<double> left;
  for (std::size_t i = times.size(); i-- > 0;) left.push_back(horizon - times[i]);
  left.push_back(horizon);  // for the cost
  EffortSchedule s;
  s.final_clock = find_end(curve, problem, horizon);
  std::vector<State> states;
  integrate(curve, problem, s.final_clock, horizon, &states, left);
  s.cost = states.back()[2];
  states.pop_back();
  for (std::size_t i = states.size(); i-- > 0;) {
    s.clock.push_back(states[i][0]);
    s.rate.push_back(states[i][1]);
    s.loss.push_back(curve.loss(states[i][0]));
  }
  return s;
}

double effort_value(const LossCurve& curve, double price) {
  Checker c;
  c.at_least("price", price, 0, true);
  c.finish();
  boost::math::quadrature::exp_sinh<double> integrator;
  const double integral =
      integrator.integrate([&](double tau) { return std::sqrt(std::max(0.0, curve.loss(tau))); }, 1e-12);
  return std::sqrt(2 * price) * integral;
}

}  // namespace eos::theory
