// Capture of residuals with outliers: a mixture of two normals, in closed form once the threshold is known.
#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "checker.hpp"
#include "eos/theory/capture.hpp"

namespace eos::theory {
namespace {

double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); }
double two_tails(double x) { return std::erfc(x / std::numbers::sqrt2); }
/// phi at a threshold instead of a fraction.
double captured_above(double a) { return two_tails(a) + 2 * a * density(a); }

}  // namespace

CaptureCurve CaptureCurve::contaminated_noise(double fraction, double ratio) {
  Checker check;
  check.range("label_noise.fraction", fraction, 0, 1);
  check.at_least("label_noise.ratio", ratio, 0, true, "variance of the noisy residuals relative to the others");
  check.finish();
  CaptureCurve c;
  c.kind_ = Kind::contaminated_noise;
  c.outliers_ = fraction;
  c.ratio_ = ratio;
  const double clean = std::sqrt(1 / (1 - fraction + fraction * ratio));
  c.share_[0] = 1 - fraction;
  c.share_[1] = fraction;
  c.spread_[0] = clean;
  c.spread_[1] = clean * std::sqrt(ratio);
  return c;
}

CaptureCurve CaptureCurve::contaminated_signal(double fraction, double ratio) {
  CaptureCurve c = contaminated_noise(fraction, ratio);
  c.kind_ = Kind::contaminated_signal;
  return c;
}

/// T with P(|r| > T) = u. Newton on the logarithm of the tail, kept between the thresholds of the two components.
double CaptureCurve::mixture_threshold(double u) const {
  if (u >= 1) return 0;
  if (u <= 0) return std::numeric_limits<double>::infinity();
  const double a = gaussian_threshold(u);
  double low = a * std::min(spread_[0], spread_[1]), high = a * std::max(spread_[0], spread_[1]);
  double t = std::clamp(a, low, high);
  for (int i = 0; i < 100 && high - low > 1e-15 * high; ++i) {
    double mass = 0, slope = 0;
    for (int k = 0; k < 2; ++k) {
      mass += share_[k] * two_tails(t / spread_[k]);
      slope += 2 * share_[k] * density(t / spread_[k]) / spread_[k];
    }
    (mass > u ? low : high) = t;
    const double step = std::log(mass / u) * mass / slope;
    if (std::abs(step) < 1e-15 * t) break;
    const double next = t + step;
    t = next > low && next < high ? next : 0.5 * (low + high);
  }
  return t;
}

CaptureCurve::Point CaptureCurve::mixture_at(double u) const {
  const double t = mixture_threshold(u);
  if (u <= 0) return {0, t};
  double value = 0, slope = 0, mass = 0;
  for (int k = 0; k < 2; ++k) {
    const double s = spread_[k], a = t / s, power = kind_ == Kind::contaminated_signal ? 1 : s * s;
    const double thin = share_[k] * density(a) / s;  // of the density of |r| at the threshold
    value += share_[k] * power * captured_above(a);
    slope += thin * power * a * a;
    mass += thin;
  }
  return {std::min(1.0, value), slope / mass};
}

double CaptureCurve::mixture_moment(double u, double alpha) const {
  const double t = mixture_threshold(u);
  double sum = 0;
  for (int k = 0; k < 2; ++k) sum += share_[k] * std::pow(spread_[k], alpha) * gaussian_c(alpha, t / spread_[k]);
  return sum;
}

}  // namespace eos::theory
