#include "eos/theory/batch_size.hpp"

#include <boost/math/quadrature/gauss_kronrod.hpp>
#include <cmath>

#include "checker.hpp"

namespace eos::theory {
namespace {

void same_size(const char* names, std::size_t a, std::size_t b) {
  Checker c;
  if (a != b || a == 0) c.add("E107", fmt::format("{} have {} and {} values", names, a, b), "give as many of each");
  c.finish();
}

}  // namespace

double noise_scale(std::span<const double> hessian, std::span<const double> gradient_variance,
                   std::span<const double> gradient) {
  same_size("hessian and gradient", hessian.size(), gradient.size());
  same_size("gradient_variance and gradient", gradient_variance.size(), gradient.size());
  double trace = 0, square = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    trace += hessian[i] * gradient_variance[i];
    square += hessian[i] * gradient[i] * gradient[i];
  }
  return trace / square;
}

double simple_noise_scale(std::span<const double> gradient_variance, std::span<const double> gradient) {
  same_size("gradient_variance and gradient", gradient_variance.size(), gradient.size());
  double trace = 0, square = 0;
  for (std::size_t i = 0; i < gradient.size(); ++i) {
    trace += gradient_variance[i];
    square += gradient[i] * gradient[i];
  }
  return trace / square;
}

double batch_efficiency(double noise_scale, double batch) { return 1 / (1 + noise_scale / batch); }

BatchTradeoff batch_tradeoff(std::span<const double> noise_scale, std::span<const double> batch) {
  same_size("noise_scale and batch", noise_scale.size(), batch.size());
  Checker c;
  BatchTradeoff t;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    c.at_least("noise_scale", noise_scale[i], 0, true);
    c.at_least("batch", batch[i], 0, true);
    t.steps += 1 + noise_scale[i] / batch[i];
    t.examples += noise_scale[i] + batch[i];
    t.least_steps += 1;
    t.least_examples += noise_scale[i];
  }
  c.finish();
  return t;
}

double best_batch(double noise_scale, double exchange_rate) { return std::sqrt(exchange_rate * noise_scale); }

double ramp_constant(std::span<const double> noise_scale) {
  double root = 0, sum = 0;
  for (const double b : noise_scale) {
    root += std::sqrt(b);
    sum += b;
  }
  return root * root / (sum * static_cast<double>(noise_scale.size()));
}

double kaplan_critical_batch(double loss) { return 2.1e8 * std::pow(loss, -1 / 0.21); }

Seesaw seesaw(double decay) { return {std::sqrt(decay), 1 / decay}; }

double seesaw_serial_share(const std::function<double(double)>& decay) {
  return boost::math::quadrature::gauss_kronrod<double, 31>::integrate(decay, 0.0, 1.0, 10, 1e-12);
}

}  // namespace eos::theory
