#include "eos/theory/curve_laws.hpp"

#include <cmath>

#include "checker.hpp"

namespace eos::theory {
namespace {

void check_rates(std::span<const double> rates) {
  Checker c;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    if (rates[i] >= 0 && std::isfinite(rates[i]) && (i > 0 || rates[i] > 0)) continue;
    c.add("E104", fmt::format("learning rate {} of step {} must be finite and {} 0", rates[i], i, i > 0 ? ">=" : ">"));
    break;
  }
  c.finish();
}

/// S1 after each step.
std::vector<double> running_sum(std::span<const double> rates) {
  std::vector<double> sum;
  for (const double eta : rates) sum.push_back((sum.empty() ? 0 : sum.back()) + eta);
  return sum;
}

}  // namespace

std::vector<double> AnnealingLaw::curve(std::span<const double> rates) const {
  check_rates(rates);
  const std::vector<double> s1 = running_sum(rates);
  std::vector<double> loss;
  double momentum = 0, s2 = 0;
  for (std::size_t i = 0; i < rates.size(); ++i) {
    momentum = memory * momentum + (i > 0 ? rates[i - 1] - rates[i] : 0);
    s2 += momentum;
    loss.push_back(floor + amplitude * std::pow(s1[i], -exponent) - gain * s2);
  }
  return loss;
}

namespace {

double multi_power(const MultiPowerLaw& law, std::span<const double> rates, std::span<const double> s1, std::size_t t) {
  double drop = 0;
  for (std::size_t k = 1; k < t; ++k) {
    const double fall = rates[k - 1] - rates[k];
    if (fall == 0) continue;
    const double since = s1[t - 1] - s1[k - 1];
    const double x = since > 0 ? law.reach * std::pow(rates[k], -law.rate_power) * since : 0;
    drop += fall * (1 - std::pow(x + 1, -law.shape));
  }
  return law.floor + law.amplitude * std::pow(s1[t - 1] + law.warmup, -law.exponent) - law.gain * drop;
}

}  // namespace

double MultiPowerLaw::loss(std::span<const double> rates, std::size_t t) const {
  check_rates(rates);
  Checker c;
  if (t < 1 || t > rates.size()) c.add("E104", fmt::format("step {} is outside [1, {}]", t, rates.size()));
  c.finish();
  return multi_power(*this, rates, running_sum(rates), t);
}

std::vector<double> MultiPowerLaw::curve(std::span<const double> rates) const {
  check_rates(rates);
  const std::vector<double> s1 = running_sum(rates);
  std::vector<double> loss;
  for (std::size_t t = 1; t <= rates.size(); ++t) loss.push_back(multi_power(*this, rates, s1, t));
  return loss;
}

}  // namespace eos::theory
