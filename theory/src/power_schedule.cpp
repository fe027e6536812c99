#include "eos/theory/power_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include "checker.hpp"

namespace eos::theory {
namespace {

double kernel_exponent(double capacity) { return 2 - 1 / capacity; }

/// int_a^b (u+1)^-p du, also near p = 1.
double power_integral(double a, double b, double p) {
  const double l = std::log1p((b - a) / (1 + a));
  const double z = (1 - p) * l;
  return std::pow(1 + a, 1 - p) * (z == 0 ? l : std::expm1(z) / z * l);
}

/// Where f is least on [low, high]: a grid finds the basin, and in it the zero of a function of the slope's sign is
/// found by bisection, which is good to rounding where the flat floor of f is not.
double minimiser(const std::function<double(double)>& f, const std::function<double(double)>& slope, double low,
                 double high) {
  constexpr int k_points = 400;
  auto at = [&](int i) { return low + (high - low) * i / (k_points - 1); };
  int best = 0;
  for (int i = 1; i < k_points; ++i) {
    if (f(at(i)) < f(at(best))) best = i;
  }
  double a = at(std::max(best - 1, 0)), b = at(std::min(best + 1, k_points - 1));
  if (slope(a) >= 0) return a;
  if (slope(b) <= 0) return b;
  for (int i = 0; i < 200; ++i) {
    const double middle = 0.5 * (a + b);
    if (middle <= a || middle >= b) break;
    (slope(middle) < 0 ? a : b) = middle;
  }
  return 0.5 * (a + b);
}

/// dJ/dT over rate and horizon at fixed N, with sigma^2 C^2 the price of a step: its sign is that of dJ/dC.
double horizon_slope(const PowerSchedule& p) {
  const PowerLawTask& k = p.task;
  const double end = std::pow(p.horizon + 1, -kernel_exponent(k.capacity)), rate = p.rate_at_step(0);
  return k.noise_variance * (end * rate + p.scale * p.scale / rate) - k.source * std::pow(p.horizon + 1, -k.source - 1);
}

}  // namespace

void PowerLawTask::check() const {
  Checker c;
  c.at_least("source", source, 0, true);
  c.at_least("capacity", capacity, 1, true);
  c.at_least("noise_variance", noise_variance, 0, true, "without noise the largest rate is the best");
  c.at_least("steps", steps, 0, true);
  if (!(rate_limit > 0)) c.add("E104", fmt::format("rate_limit = {} must be > 0", rate_limit), "infinity means none");
  c.finish();
}

PowerSchedule power_schedule(const PowerLawTask& task, double scale) {
  task.check();
  Checker c;
  c.range("scale", scale, 0, task.rate_limit, true);
  c.finish();
  const double q = kernel_exponent(task.capacity), twice = 2 * task.capacity, n = task.steps;
  PowerSchedule p;
  p.task = task;
  p.scale = scale;
  const double free = std::expm1(twice * std::log1p(scale * n / twice));  // T if there were no cap
  p.decay_time = std::min(free, std::expm1(std::log(task.rate_limit / scale) / (q / 2)));
  if (p.decay_time < free) {
    p.decay_steps = twice / scale * std::expm1(std::log1p(p.decay_time) / twice);
    p.horizon = p.decay_time + task.rate_limit * (n - p.decay_steps);
  } else {
    p.decay_steps = n;
    p.horizon = free;
  }
  p.signal = std::pow(p.horizon + 1, -task.source);
  p.noise = scale * scale * p.decay_steps;
  if (p.decay_time < p.horizon) p.noise += task.rate_limit * power_integral(p.decay_time, p.horizon, q);
  p.noise *= task.noise_variance;
  return p;
}

PowerSchedule optimal_power_schedule(const PowerLawTask& task) {
  task.check();
  // Without a cap the noise of a larger C alone exceeds 1, the loss before learning; the lower end moves T by 1e-12.
  const bool capped = std::isfinite(task.rate_limit);
  const double high = std::log(capped ? task.rate_limit : 2 / std::sqrt(task.noise_variance * task.steps));
  const double low = std::min(high - 1, std::log(1e-12 / task.steps));
  auto at = [&](double x) { return power_schedule(task, std::min(std::exp(x), task.rate_limit)); };
  const double x =
      minimiser([&](double y) { return at(y).loss(); }, [&](double y) { return horizon_slope(at(y)); }, low, high);
  return at(x);
}

double PowerSchedule::time_at_step(double n) const {
  const double left = std::clamp(task.steps - n, 0.0, task.steps), twice = 2 * task.capacity;
  if (left > decay_steps) return horizon - decay_time - task.rate_limit * (left - decay_steps);
  return horizon - std::expm1(twice * std::log1p(scale * left / twice));
}

double PowerSchedule::rate_at_step(double n) const {
  const double left = std::clamp(task.steps - n, 0.0, task.steps), twice = 2 * task.capacity;
  if (left > decay_steps) return task.rate_limit;
  return std::min(task.rate_limit, scale * std::pow(1 + scale * left / twice, twice - 1));
}

double PowerSchedule::rate_at_time(double time) const {
  const double u = std::max(0.0, horizon - time);
  return std::min(task.rate_limit, scale * std::pow(u + 1, 0.5 * kernel_exponent(task.capacity)));
}

double PowerSchedule::shape_exponent(double low, double high) const {
  constexpr int k_points = 200;
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int i = 0; i < k_points; ++i) {
    const double x = std::log(low) + std::log(high / low) * i / (k_points - 1);
    const double y = std::log(rate_at_step(task.steps * (1 - std::exp(x))));
    sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  return (k_points * sxy - sx * sy) / (k_points * sxx - sx * sx);
}

PureSchedule pure_power_schedule(const PowerLawTask& task) {
  task.check();
  const double s = task.source, b = task.capacity, n = task.steps, noise = task.noise_variance;
  PureSchedule p;
  p.horizon = std::pow(s * n / (4 * b * noise), 1 / (s + 1 / b));
  p.peak_rate = 2 * b * p.horizon / n;
  p.loss = std::pow(p.horizon, -s) + 4 * b * b * noise * std::pow(p.horizon, 1 / b) / n;
  return p;
}

double PricedBatch::batch(double time) const {
  const double kernel = std::pow(horizon - time + 1, -kernel_exponent(capacity));
  return std::sqrt(learning_rate * noise_variance * kernel / price);
}

double PricedBatch::cost() const {
  return 2 * std::sqrt(price * learning_rate * noise_variance) *
         power_integral(0, horizon, 0.5 * kernel_exponent(capacity));
}

BatchSwitch batch_switch(const PowerLawTask& task, double learning_rate, double small_batch, double large_batch,
                         double late_fraction) {
  const double q = kernel_exponent(task.capacity), samples = task.steps;
  const double late = learning_rate * samples * late_fraction / large_batch;
  BatchSwitch b;
  b.late_fraction = late_fraction;
  b.horizon = late + learning_rate * samples * (1 - late_fraction) / small_batch;
  const double noise = power_integral(late, b.horizon, q) / small_batch + power_integral(0, late, q) / large_batch;
  b.loss = std::pow(b.horizon + 1, -task.source) + task.noise_variance * learning_rate * noise;
  return b;
}

BatchSwitch optimal_batch_switch(const PowerLawTask& task, double learning_rate, double small_batch,
                                 double large_batch) {
  task.check();
  Checker c;
  c.at_least("learning_rate", learning_rate, 0, true);
  c.at_least("small_batch", small_batch, 0, true);
  c.at_least("large_batch", large_batch, small_batch, true, "the second stage has the larger batch");
  c.finish();
  const double q = kernel_exponent(task.capacity);
  auto at = [&](double x) { return batch_switch(task, learning_rate, small_batch, large_batch, std::exp(x)); };
  // d loss / d late samples: the horizon shrinks, and noise of the small batch is replaced further from the end.
  auto slope = [&](double x) {
    const BatchSwitch b = at(x);
    const double late = learning_rate * task.steps * b.late_fraction / large_batch;
    const double shorter = 1 / small_batch - 1 / large_batch, eta = learning_rate;
    const double signal = task.source * std::pow(b.horizon + 1, -task.source - 1) * shorter;
    const double far = std::pow(b.horizon + 1, -q) * shorter / small_batch;
    const double near = std::pow(late + 1, -q) * shorter / large_batch;
    return signal - task.noise_variance * eta * (far + near);
  };
  const double best = minimiser([&](double x) { return at(x).loss; }, slope, std::log(1e-12), 0);
  return at(best);
}

}  // namespace eos::theory
