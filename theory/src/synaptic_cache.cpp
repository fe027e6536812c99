#include "eos/theory/synaptic_cache.hpp"

#include <algorithm>
#include <boost/math/tools/minima.hpp>
#include <cmath>
#include <numbers>

#include "checker.hpp"
#include "eos/theory/dawson.hpp"

namespace eos::theory {
namespace {

using std::numbers::pi;

void check_threshold(double theta) {
  Checker c;
  c.at_least("theta", theta, 0, true);
  c.finish();
}

void check_activity(std::span<const double> activity) {
  Checker c;
  for (double p : activity) c.range("activity", p, 0, 1);
  c.finish();
}

double whole(double theta, double eta) { return std::ceil(theta / eta * (1 - 1e-12)); }

/// Minimum over ln theta of a function with one minimum in [low, high].
template <class F>
double least_at(const F& f, double low, double high) {
  constexpr int k_bits = 50;
  auto of_log = [&](double x) { return f(std::exp(x)); };
  return std::exp(boost::math::tools::brent_find_minima(of_log, std::log(low), std::log(high), k_bits).first);
}

constexpr double k_far = 6.5;  // beyond it exp(-x^2) int_0^x erfcx is below rounding of F(x)

/// exp(-x^2) I(x), I(x) = int_0^x exp(u^2) erf(u) du = 1/sqrt(pi) sum (2x^2)^(n+1)/((2n+1)!! (2n+2)), x >= 0.
double scaled_integral(double x) {
  if (x > k_far) return dawson(x);
  const double square = x * x;
  double power = square, sum = square;
  for (int n = 1; n < 400; ++n) {
    power *= 2 * square / (2 * n + 1);
    const double term = power / (n + 1);
    sum += term;
    if (term < 1e-17 * sum) break;
  }
  return std::numbers::inv_sqrtpi * std::exp(-square) * sum;
}

/// exp(-x^2) (erfi(x) - 2x/sqrt(pi)) without cancellation.
double scaled_erfi_excess(double x) {
  if (x > 1) return 2 * std::numbers::inv_sqrtpi * (dawson(x) - x * std::exp(-x * x));
  double power = x, sum = 0;
  for (int n = 1; n < 40; ++n) {
    power *= x * x / n;
    sum += power / (2 * n + 1);
  }
  return 2 * std::numbers::inv_sqrtpi * std::exp(-x * x) * sum;
}

}  // namespace

void PerceptronLearning::check() const {
  Checker c;
  c.at_least("inputs", inputs, 0, true);
  c.range("patterns", patterns, 0, 2 * inputs, true, true);  // capacity at 2N
  c.at_least("rate", rate, 0, true);
  c.finish();
}

double PerceptronLearning::updates() const {
  check();
  return 2 * patterns / std::pow(2 - patterns / inputs, 2);
}

double PerceptronLearning::presentations() const {
  check();
  return std::pow(patterns, 1.5) / std::pow(2 - patterns / inputs, 2);
}

double PerceptronLearning::energy() const { return inputs * updates() * rate; }

double PerceptronLearning::least_energy() const { return std::sqrt(2 / pi * updates()) * rate * inputs; }

double PerceptronLearning::inefficiency() const { return std::sqrt(pi * updates() / 2); }

void PersistentCache::check() const {
  Checker c;
  c.at_least("synapses", synapses, 0, true);
  c.at_least("updates", updates, 0, true);
  c.at_least("presentations", presentations, 0);
  c.at_least("rate", rate, 0, true);
  c.at_least("upkeep", upkeep, 0);
  c.at_least("change_price", change_price, 0);
  c.finish();
}

double PersistentCache::consolidations(double theta) const {
  check();
  check_threshold(theta);
  return synapses * updates / std::pow(whole(theta, rate), 2);
}

double PersistentCache::density(double s, double theta) const {
  check_threshold(theta);
  return std::max(0.0, theta - std::abs(s)) / (theta * theta);
}

double PersistentCache::consolidation(double theta) const {
  check();
  check_threshold(theta);
  return synapses * (rate * rate * updates / theta + theta / 3);
}

double PersistentCache::maintenance(double theta) const {
  check();
  check_threshold(theta);
  return upkeep * synapses * presentations * theta / 3;
}

double PersistentCache::change(double theta) const {
  return change_price * rate * (synapses * updates - consolidations(theta));
}

double PersistentCache::energy(double theta) const { return consolidation(theta) + maintenance(theta) + change(theta); }

double PersistentCache::best_threshold() const {
  check();
  return std::max(rate, rate * std::sqrt(3 * updates / (1 + upkeep * presentations)));
}

double PersistentCache::least_energy() const {
  check();
  const double cached = 2 * rate * synapses * std::sqrt(updates * (1 + upkeep * presentations) / 3);
  return std::min(cached, synapses * updates * rate);
}

double PersistentCache::inefficiency() const {
  return least_energy() / (std::sqrt(2 / pi * updates) * rate * synapses);
}

void DecayingCache::check() const {
  Checker c;
  c.at_least("rate", rate, 0, true);
  c.range("activity", activity, 0, 1, true);
  c.at_least("decay", decay, 0, true);
  c.at_least("upkeep", upkeep, 0);
  c.at_least("loss_price", loss_price, 0);
  c.finish();
}

double DecayingCache::sigma() const {
  check();
  return rate * std::sqrt(activity * decay);
}

double DecayingCache::density(double s, double theta) const {
  check_threshold(theta);
  const double x = theta / sigma(), y = std::abs(s) / sigma();
  if (y >= x) return 0;
  // exp(-y^2) [erfi(x) - erfi(y)] exp(-x^2), over twice the scaled integral.
  const double fall = dawson(x) * std::exp(-y * y) - dawson(y) * std::exp(-x * x);
  return std::numbers::inv_sqrtpi * fall / (scaled_integral(x) * sigma());
}

double DecayingCache::normaliser(double theta) const {
  check_threshold(theta);
  const double x = theta / sigma();
  return -2 * sigma() * scaled_integral(x) * std::exp(x * x);
}

double DecayingCache::mean(double theta) const {
  check_threshold(theta);
  const double x = theta / sigma();
  return sigma() * scaled_erfi_excess(x) / (2 * scaled_integral(x));
}

double DecayingCache::frequency(double theta) const {
  check_threshold(theta);
  const double x = theta / sigma();
  return std::numbers::inv_sqrtpi * std::exp(-x * x) / (scaled_integral(x) * decay);
}

double DecayingCache::consolidation(double theta) const { return theta * frequency(theta); }

double DecayingCache::maintenance(double theta) const { return upkeep * mean(theta); }

double DecayingCache::energy(double theta) const {
  return consolidation(theta) + (upkeep + loss_price / decay) * mean(theta);
}

double DecayingCache::best_threshold() const {
  check();
  // With g = c tau + l, energy tau/sigma = f_1 + (g - 1) <|s|>/sigma, where f_1 = erfi/(2 I) falls for all x and the
  // mean rises: no minimum for g <= 1. For g > 1 the limit g/sqrt(pi) is approached from below.
  if (upkeep * decay + loss_price <= 1) return std::numeric_limits<double>::infinity();
  return least_at([&](double theta) { return energy(theta); }, 1e-6 * sigma(), k_far * sigma());
}

void AdaptiveThreshold::check() const {
  Checker c;
  c.at_least("rate", rate, 0, true);
  c.at_least("upkeep", upkeep, 0, true);
  c.finish();
}

double AdaptiveThreshold::threshold(double p) const {
  check();
  check_activity({&p, 1});
  return rate * std::sqrt(3 * p / upkeep);
}

double AdaptiveThreshold::energy(std::span<const double> activity) const {
  check();
  check_activity(activity);
  double sum = 0;
  for (double p : activity) sum += std::sqrt(upkeep * p / 3);
  return 2 * rate * sum;
}

double AdaptiveThreshold::constant(std::span<const double> activity) const {
  check_activity(activity);
  double sum = 0;
  for (double p : activity) sum += p;
  return activity.empty() ? 0 : threshold(sum / static_cast<double>(activity.size()));
}

double AdaptiveThreshold::constant_energy(std::span<const double> activity) const {
  const double theta = constant(activity);  // both terms are equal at the best threshold
  return 2 * upkeep * theta / 3 * static_cast<double>(activity.size());
}

double AdaptiveThreshold::saving(std::span<const double> activity) const {
  const double constant = constant_energy(activity);
  return constant > 0 ? energy(activity) / constant : 1;
}

void ClockedCache::check() const {
  Checker c;
  c.at_least("rate", rate, 0, true);
  c.at_least("upkeep", upkeep, 0, true);
  c.finish();
}

double ClockedCache::best_interval() const {
  check();
  return 1.5 / upkeep;
}

double ClockedCache::power(double p, double interval) const {
  check();
  check_activity({&p, 1});
  Checker c;
  c.at_least("interval", interval, 0, true);
  c.finish();
  return rate * std::sqrt(2 * p / pi) * (1 / std::sqrt(interval) + 2 * upkeep / 3 * std::sqrt(interval));
}

double ClockedCache::energy(std::span<const double> activity) const {
  double sum = 0;
  for (double p : activity) sum += power(p, best_interval());
  return sum;
}

void DriftingCache::check() const {
  Checker c;
  c.at_least("diffusion", diffusion, 0, true);
  c.at_least("upkeep", upkeep, 0, true);
  c.finite("drift", drift);
  c.finish();
}

double DriftingCache::passage_time(double theta) const {
  check();
  check_threshold(theta);
  const double y = std::abs(drift) * theta / diffusion;
  return theta * theta / diffusion * (y < 1e-8 ? 1 : std::tanh(y) / y);
}

double DriftingCache::mean(double theta) const {
  check();
  check_threshold(theta);
  const double y = std::abs(drift) * theta / diffusion;
  if (y < .05) return theta * (1.0 / 3 + y * y / 90 - y * y * y * y / 945 + std::pow(y, 6) / 9450);
  return theta * (0.5 - 1 / (2 * y * std::tanh(y)) + 1 / (2 * y * y));
}

double DriftingCache::cost_rate(double theta) const { return theta / passage_time(theta) + upkeep * mean(theta); }

double DriftingCache::best_threshold() const {
  check();
  const double without = std::sqrt(3 * diffusion / upkeep);
  if (drift == 0) return without;
  return least_at([&](double theta) { return cost_rate(theta); }, 1e-4 * without, 2 * without);
}

double DriftingCache::least_cost_rate() const { return cost_rate(best_threshold()); }

double DriftingCache::uncached_rate(double step) const {
  check();
  Checker c;
  c.at_least("step", step, 0, true);
  c.finish();
  return diffusion / step;
}

}  // namespace eos::theory
