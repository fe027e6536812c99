#include "recursion_step.hpp"

namespace eos::solvers {

void reverse_step(const RecursionCoefficients& k, const theory::ModeModel& model, std::span<const double> m,
                  double loss, std::span<double> mu, theory::ControlGradient& gradient) {
  const std::span<const double> lambda = model.problem().lambda, weight = model.variance_weights();
  const theory::Captures& f = k.captures;
  const theory::PathFactors& w = k.factors;
  const double v = model.residual_variance(m), gain = f.weight, eta = k.rate;
  double by_noise = 0, by_self = 0, by_drift = 0;  // sums over modes of mu lambda, mu lambda^2 m, mu lambda m
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double pull = mu[j] * lambda[j];
    by_noise += pull;
    by_self += pull * lambda[j] * m[j];
    by_drift += pull * m[j];
  }
  const double square = eta * eta, change = square * (w.noise * v * by_noise + w.drift * by_self) -
                                            2 * eta * f.signal * by_drift;  // mu . (m' - m) / G
  gradient.data += gain * (square * (w.d_noise * v * by_noise + w.d_drift * by_self) - 2 * eta * f.d_signal * by_drift);
  gradient.weight += f.d_weight * change;
  gradient.rate += gain * (2 * eta * (w.noise * v * by_noise + w.drift * by_self) - 2 * f.signal * by_drift);
  const double to_v = gain * square * w.noise * by_noise + 0.5 * loss;
  for (std::size_t j = 0; j < m.size(); ++j) {
    mu[j] += gain * lambda[j] * (square * w.drift * lambda[j] - 2 * eta * f.signal) * mu[j] + to_v * weight[j];
  }
  if (model.prices_size()) model.write_cost(m, eta, w, 1, mu, &gradient);
}

}  // namespace eos::solvers
