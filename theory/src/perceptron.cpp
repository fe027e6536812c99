#include "eos/theory/perceptron.hpp"

#include <fmt/format.h>

#include <numbers>

#include "eos/core/error.hpp"

namespace eos::theory {
namespace {

using std::numbers::pi;

/// Maximiser of a function of one maximum on [a, b], by golden sections in the logarithm of the argument.
template <class F>
double maximise(const F& f, double a, double b) {
  const double golden = 0.5 * (std::sqrt(5.0) - 1);
  double low = std::log(a), high = std::log(b);
  double c = high - golden * (high - low), d = low + golden * (high - low);
  double fc = f(std::exp(c)), fd = f(std::exp(d));
  while (high - low > 1e-10) {
    if (fc > fd) {
      high = d, d = c, fd = fc, c = high - golden * (high - low), fc = f(std::exp(c));
    } else {
      low = c, c = d, fc = fd, d = low + golden * (high - low), fd = f(std::exp(d));
    }
  }
  return std::exp(0.5 * (low + high));
}

}  // namespace

double query_drift(double overlap) { return std::sqrt(2 / pi * (1 - overlap * overlap)); }

double unselected_drift(double overlap) { return std::sqrt(2 / pi) * (1 - overlap * overlap); }

double optimal_step(double overlap, double drift) { return drift / overlap; }

double optimal_modulation(double overlap, double aligned_field) {
  const double root = std::sqrt(1 - overlap * overlap), k = overlap * aligned_field / root;
  // n(k)/Phi(k) = sqrt(2/pi) exp(-k^2/2)/erfc(-k/sqrt 2); far below 0 both underflow and the ratio tends to |k| + 1/|k|
  const double ratio = k < -35 ? -k - 1 / k : std::sqrt(2 / pi) * std::exp(-k * k / 2) / std::erfc(-k / std::sqrt(2.0));
  return root * ratio / overlap;
}

double modulated_rate(double overlap) {
  // <f^2> over the density 2 n(t) Phi(R t/sqrt q) of the aligned field t = k sqrt(q)/R, by the trapezoid rule in k,
  // which converges faster than any power for such integrands.
  const double q = 1 - overlap * overlap, ratio = std::sqrt(q) / overlap;
  constexpr int k_points = 600;
  constexpr double k_range = 12;
  double sum = 0;
  for (int i = -k_points; i <= k_points; ++i) {
    const double k = k_range * i / k_points, t = k * ratio;
    const double density = std::exp(-t * t / 2) / std::sqrt(2 * pi) * std::erfc(-k / std::sqrt(2.0));
    const double f = optimal_modulation(overlap, t);
    sum += density * f * f;
  }
  return 0.5 * overlap * sum * k_range / k_points * ratio;
}

double query_overlap(double initial, double alpha) {
  return std::sqrt(1 - (1 - initial * initial) * std::exp(-2 * alpha / pi));
}

double unselected_overlap(double initial, double alpha) {
  const double q = 1 - initial * initial;
  return std::sqrt(1 - q / (1 + 2 * q * alpha / pi));
}

double best_screened_band(double overlap) {
  auto progress = [&](double band) {
    const double drift = perceptron_drift(overlap, band);
    return perceptron_band_share(band) * drift * drift;
  };
  return maximise(progress, 1e-3 * std::sqrt(1 - overlap * overlap), 10);
}

ScreenedLimit screened_limit() {
  // Small q: P = x sqrt(2q/pi), D = sqrt(2/pi) q erf(x/sqrt 2)/P with x = c/sqrt q, so progress is erf^2/x.
  auto gain = [](double x) { return std::pow(std::erf(x / std::sqrt(2.0)), 2) / x; };
  const double x = maximise(gain, .1, 10);
  // dq/dn = -sqrt(2/pi) gain q^{3/2}, hence sqrt q = sqrt(2 pi)/(gain n) and eps = sqrt q/pi.
  return {x, std::sqrt(2 / pi) / gain(x)};
}

OptimalErfRule optimal_erf_rule(const std::vector<double>& b, const std::vector<double>& R0,
                                const std::vector<double>& Q0, double teacher_norm, double alpha) {
  const std::size_t K = b.size();
  if (R0.size() != K || Q0.size() != K * K) {
    throw core::Error("E107", fmt::format("{} units with {} teacher and {} student overlaps", K, R0.size(), Q0.size()),
                      fmt::format("give {} and {} numbers", K, K * K));
  }
  const double left = std::exp(-alpha);
  OptimalErfRule x;
  for (std::size_t i = 0; i < K; ++i) {
    x.teacher_overlap.push_back(b[i] * teacher_norm * (1 - left) + R0[i] * left);
    for (std::size_t k = 0; k < K; ++k) {
      x.student_overlap.push_back(b[i] * b[k] * teacher_norm * (1 - left) + Q0[i * K + k] * left);
    }
  }
  return x;
}

}  // namespace eos::theory
