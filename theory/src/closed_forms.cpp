#include "eos/theory/closed_forms.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "checker.hpp"

namespace eos::theory {
namespace {

constexpr double k_smallest = 1e-9;  // fraction below which a capture is taken as 0

/// Zero of a function that falls from positive to negative over [low, high], by bisection in ln x.
double falling_zero(const std::function<double(double)>& f, double low, double high) {
  double a = std::log(low), b = std::log(high);
  for (int i = 0; i < 200 && b - a > 1e-15; ++i) {
    const double mid = 0.5 * (a + b);
    (f(std::exp(mid)) > 0 ? a : b) = mid;
  }
  return std::exp(0.5 * (a + b));
}

/// Global maximiser on (0, 1] of a function given with its logarithmic derivative: grid, then bisection.
double maximise(const std::function<double(double)>& value, const std::function<double(double)>& log_slope) {
  constexpr int k_points = 400;
  auto at = [](int i) { return std::exp(std::log(1e-6) * (1 - i / (k_points - 1.0))); };
  int best = 0;
  for (int i = 1; i < k_points; ++i) {
    if (value(at(i)) > value(at(best))) best = i;
  }
  if (best == k_points - 1 && log_slope(1) >= 0) return 1;
  return falling_zero(log_slope, at(std::max(best - 1, 0)), at(std::min(best + 1, k_points - 1)));
}

}  // namespace

void NoisyMode::check() const {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("noise", noise, 0, true);
  c.at_least("initial", initial, 0, true);
  c.at_least("rate_limit", rate_limit, 0, true);
  c.finish();
}

double NoisyMode::switch_time() const {
  check();
  const double floor = noise * rate_limit / (2 * lambda);  // m at which the constant rate would stall
  if (initial <= 2 * floor) return 0;
  return std::log((initial - floor) / floor) / (2 * lambda * rate_limit);
}

double NoisyMode::error(double time) const {
  check_time(time, std::numeric_limits<double>::max());
  const double floor = noise * rate_limit / (2 * lambda), ts = switch_time();
  if (time <= ts) return floor + (initial - floor) * std::exp(-2 * lambda * rate_limit * time);
  const double start = std::min(initial, 2 * floor);
  return 1 / (1 / start + lambda * lambda * (time - ts) / noise);
}

double NoisyMode::rate(double time) const { return std::min(rate_limit, lambda * error(time) / noise); }

void PricedData::check() const {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("noise", noise, 0, true);
  c.at_least("weight", weight, 0, true);
  c.at_least("sample_price", sample_price, 0);
  c.at_least("time_price", time_price, 0);
  c.at_least("sample_price + time_price", sample_price + time_price, 0, true, "free data are used for ever");
  c.finish();
}

double PricedData::stop_error() const {
  check();
  return std::sqrt((sample_price + time_price) * noise / weight) / lambda;
}

double PricedData::data(double m) const { return m > stop_error() ? 1 : 0; }

double PricedData::value(double m) const {
  const double stop = stop_error(), price = sample_price + time_price;
  Checker c;
  c.at_least("m", m, 0);
  c.finish();
  if (m <= stop) return weight * m;
  return 2 * std::sqrt(price * weight * noise) / lambda - price * noise / (lambda * lambda * m);
}

double PricedData::value_slope(double m) const {
  const double stop = stop_error();
  return m <= stop ? weight : weight * stop * stop / (m * m);
}

double PricedData::time_to_stop(double m) const {
  const double stop = stop_error();
  return m <= stop ? 0 : noise / (lambda * lambda) * (1 / stop - 1 / m);
}

HardFraction hard_fraction(const CaptureCurve& signal, const CaptureCurve& noise, double r) {
  Checker c;
  c.at_least("r", r, 0, true);
  c.finish();
  auto gain = [&](double u) {
    const double s = signal.value(u);
    return s * s / (noise.value(u) * (r + u));
  };
  auto log_slope = [&](double u) {
    const auto s = signal.at(u), n = noise.at(u);
    return 2 * s.derivative / s.value - n.derivative / n.value - 1 / (r + u);
  };
  const double best = maximise(gain, log_slope);
  return {best, gain(best) / gain(1)};
}

HardFraction hard_fraction(const CaptureCurve& capture, double r) { return hard_fraction(capture, capture, r); }

JointFractions joint_fractions(double sample_price, double write_price, double clock_value, const CaptureCurve& data,
                               const CaptureCurve& weight) {
  Checker c;
  c.at_least("sample_price", sample_price, 0);
  c.at_least("write_price", write_price, 0);
  c.at_least("clock_value", clock_value, 0);
  c.finish();
  // Least cost * u - worth * F(u): F' falls, so F'(u) = cost / worth has one root or the bound is best.
  auto respond = [](const CaptureCurve& curve, double cost, double worth) {
    if (worth * curve.derivative(1) >= cost) return 1.0;
    if (worth * curve.derivative(k_smallest) <= cost) return 0.0;
    return falling_zero([&](double u) { return worth * curve.derivative(u) - cost; }, k_smallest, 1);
  };
  JointFractions f{1, 1, 0};
  for (int i = 0; i < 1000; ++i) {
    const double before = f.data + f.weight;
    f.data = respond(data, sample_price, clock_value * weight.value(f.weight));
    f.weight = respond(weight, write_price, clock_value * data.value(f.data));
    if (std::abs(f.data + f.weight - before) < 1e-15) break;
  }
  f.hamiltonian =
      sample_price * f.data + write_price * f.weight - data.value(f.data) * weight.value(f.weight) * clock_value;
  return f.hamiltonian < 0 ? f : JointFractions{0, 0, 0};
}

double two_term_gain(double plasticity_share, double compute_gain, double plasticity_gain) {
  return 1 / ((1 - plasticity_share) / compute_gain + plasticity_share / plasticity_gain);
}

}  // namespace eos::theory
