#include "eos/theory/bounds.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "checker.hpp"

namespace eos::theory {

double least_path(std::span<const double> from, std::span<const double> to) {
  Checker c;
  if (from.size() != to.size()) c.add("E107", fmt::format("from has {} weights, to has {}", from.size(), to.size()));
  c.finish();
  double length = 0;
  for (std::size_t i = 0; i < from.size(); ++i) length += std::abs(to[i] - from[i]);
  return length;
}

double least_euclidean_path(double largest_lambda, double loss, double final_loss) {
  Checker c;
  c.at_least("largest_lambda", largest_lambda, 0, true);
  c.at_least("loss", loss, 0);
  c.at_least("final_loss", final_loss, 0);
  c.finish();
  return std::sqrt(2 / largest_lambda) * std::max(0.0, std::sqrt(loss) - std::sqrt(final_loss));
}

double least_plasticity(double alpha, std::span<const double> displacement, double time) {
  Checker c;
  c.at_least("alpha", alpha, 1, false, "below 1 one jump costs less than any smooth path");
  c.at_least("time", time, 0, true);
  c.finish();
  double sum = 0;
  for (double d : displacement) sum += std::pow(std::abs(d), alpha);
  return std::pow(time, 1 - alpha) * sum;
}

double transport_distance_squared(const Gaussian& from, const Gaussian& to) {
  Checker c;
  c.finite("mean", from.mean);
  c.finite("mean", to.mean);
  c.at_least("deviation", from.deviation, 0);
  c.at_least("deviation", to.deviation, 0);
  c.finish();
  const double shift = to.mean - from.mean, widening = to.deviation - from.deviation;
  return shift * shift + widening * widening;
}

double least_transport(const Gaussian& from, const Gaussian& to, double time) {
  Checker c;
  c.at_least("time", time, 0, true);
  c.finish();
  return transport_distance_squared(from, to) / time;
}

double least_samples(double lambda, double residual_variance, double error, double final_error) {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("residual_variance", residual_variance, 0);
  c.at_least("error", error, 0, true);
  c.at_least("final_error", final_error, 0, true);
  c.finish();
  return residual_variance / lambda * std::max(0.0, 1 / final_error - 1 / error);
}

double wander_path(double lambda, double noise, double offset, double time) {
  Checker c;
  c.at_least("lambda", lambda, 0, true);
  c.at_least("noise", noise, 0);
  c.at_least("offset", offset, 0, true);
  c.at_least("time", time, 0);
  c.finish();
  return std::sqrt(2 * noise / std::numbers::pi) / lambda * std::log1p(time / offset);
}

double efficiency(double least_energy, double energy) {
  Checker c;
  c.at_least("least_energy", least_energy, 0);
  c.at_least("energy", energy, 0);
  c.finish();
  return energy > 0 ? least_energy / energy : 1;
}

}  // namespace eos::theory
