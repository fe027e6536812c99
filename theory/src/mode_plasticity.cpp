// Prices of the size of writes: path length, plasticity M_alpha and synaptic caching, with derivatives.
#include <algorithm>
#include <cmath>

#include "eos/theory/mode_model.hpp"

namespace eos::theory {

/// front * sum_j n_j v_j^power; where given, adds scale * derivatives.
double ModeModel::power_rate(std::span<const double> m, const PathFactors& k, double power, const Front& front,
                             double scale, std::span<double> gradient_m, ControlGradient* by_controls) const {
  const double v = residual_variance(m);
  double sum = 0, by_drift = 0, by_noise = 0, by_v = 0;
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double lambda = problem_.lambda[j], n = problem_.multiplicity[j];
    const double second = std::max(0.0, k.drift * lambda * lambda * m[j] + k.noise * lambda * v);
    const double raised = power == 0.5 ? std::sqrt(second) : std::pow(second, power);
    sum += n * raised;
    const double slope = second > 0 ? power * n * raised / second : 0;  // d(n v_j^power)/d v_j
    by_drift += slope * lambda * lambda * m[j];
    by_noise += slope * lambda * v;
    by_v += slope * lambda * k.noise;
    if (!gradient_m.empty()) gradient_m[j] += scale * front.value * slope * k.drift * lambda * lambda;
  }
  if (!gradient_m.empty()) {
    for (std::size_t j = 0; j < m.size(); ++j) gradient_m[j] += scale * front.value * by_v * weight_[j];
  }
  if (by_controls != nullptr) {
    by_controls->data += scale * (front.data * sum + front.value * (k.d_drift * by_drift + k.d_noise * by_noise));
    by_controls->weight += scale * front.weight * sum;
    by_controls->rate += scale * front.rate * sum;
  }
  return front.value * sum;
}

ModeModel::Front ModeModel::path_front(double rate, const PathFactors& k) const {
  return {k.updates * k.absolute * rate, k.d_updates * k.absolute * rate, k.updates * k.d_absolute * rate,
          k.updates * k.absolute};
}

/// Price times q c_alpha(kappa) eta^alpha.
ModeModel::Front ModeModel::plasticity_front(std::size_t term, double rate, const PathFactors& k) const {
  const double alpha = problem_.plasticity_exponents[term], price = problem_.plasticity_prices[term];
  const double size = price * std::pow(rate, alpha), c = k.moment[term];
  const double by_rate = alpha == 0 ? 0 : price * alpha * std::pow(rate, alpha - 1);
  return {k.updates * c * size, k.d_updates * c * size, k.updates * k.d_moment[term] * size, k.updates * c * by_rate};
}

/// 2 sqrt(e_m e_c / 3) sqrt(q G) eta.
ModeModel::Front ModeModel::cache_front(double rate, const PathFactors& k) const {
  const double price = 2 * std::sqrt(problem_.price_maintenance * problem_.price_consolidation / 3);
  const double root = price * std::sqrt(k.updates * k.captured);
  return {root * rate, 0.5 * root * rate * k.d_updates / k.updates, 0.5 * root * rate * k.d_captured / k.captured,
          root};
}

double ModeModel::path_rate(std::span<const double> m, double rate, const PathFactors& k, double scale,
                            std::span<double> gradient_m, ControlGradient* by_controls) const {
  return power_rate(m, k, 0.5, path_front(rate, k), scale, gradient_m, by_controls);
}

double ModeModel::path_rate(std::span<const double> m, const Controls& controls) const {
  return path_rate(m, controls.learning_rate, path_factors(controls, captures(controls)));
}

WriteCost ModeModel::write_cost(std::span<const double> m, double rate, const PathFactors& k, double scale,
                                std::span<double> gradient_m, ControlGradient* by_controls) const {
  WriteCost cost;
  const double price = problem_.price_path;
  if (price > 0) cost.path = price * path_rate(m, rate, k, scale * price, gradient_m, by_controls);
  for (std::size_t i = 0; i < problem_.plasticity_prices.size(); ++i) {
    const double power = 0.5 * problem_.plasticity_exponents[i];
    cost.plasticity += power_rate(m, k, power, plasticity_front(i, rate, k), scale, gradient_m, by_controls);
  }
  if (problem_.price_maintenance > 0) {
    cost.cache = power_rate(m, k, 0.5, cache_front(rate, k), scale, gradient_m, by_controls);
  }
  return cost;
}

}  // namespace eos::theory
