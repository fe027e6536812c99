#include "eos/theory/capture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <cmath>
#include <limits>
#include <numbers>

#include "eos/core/error.hpp"

namespace eos::theory {
namespace {

double density(double a) { return std::exp(-0.5 * a * a) / std::sqrt(2 * std::numbers::pi); }

}  // namespace

double gaussian_threshold(double u) {
  if (u >= 1) return 0;
  if (u <= 0) return std::numeric_limits<double>::infinity();
  // Boost would evaluate in long double; its double-precision rational approximations are good to a few ulp.
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  return std::numbers::sqrt2 * boost::math::erfc_inv(u, Policy());
}

double gaussian_phi(double u) {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  const double a = gaussian_threshold(u);
  return u + 2 * a * density(a);
}

double gaussian_psi(double u) {
  if (u <= 0) return 0;
  const double a = gaussian_threshold(u);
  return std::exp(-0.5 * a * a);
}

double gaussian_chi(double u) {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  const double a = gaussian_threshold(u);
  return u + (2.0 / 3.0) * (a * a * a + 3 * a) * density(a);
}

double gaussian_c(double alpha, double a) {
  return std::pow(2.0, 0.5 * alpha) * boost::math::tgamma(0.5 * (alpha + 1), 0.5 * a * a) / std::sqrt(std::numbers::pi);
}

double laplace_phi(double u) {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  const double l = -std::log(u);
  return u * (1 + l + 0.5 * l * l);
}

double laplace_psi(double u) {
  if (u <= 0) return 0;
  if (u >= 1) return 1;
  return u * (1 - std::log(u));
}

CaptureCurve CaptureCurve::linear() { return {}; }

CaptureCurve CaptureCurve::gaussian() {
  CaptureCurve c;
  c.kind_ = Kind::gaussian;
  return c;
}

CaptureCurve CaptureCurve::laplace() {
  CaptureCurve c;
  c.kind_ = Kind::laplace;
  return c;
}

CaptureCurve CaptureCurve::tabulated(std::vector<double> fraction, std::vector<double> captured) {
  auto fail = [](std::string message, std::string help = {}) {
    throw core::Error("E107", std::move(message), std::move(help));
  };
  const std::size_t n = fraction.size();
  if (n == 0 || captured.size() != n) {
    fail(fmt::format("a capture curve needs as many captured values as fractions, got {} and {}", captured.size(), n));
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!(fraction[i] > 0 && fraction[i] <= 1)) {
      fail(fmt::format("capture fraction[{}] = {} is outside (0, 1]", i, fraction[i]));
    }
    if (!(captured[i] >= 0 && captured[i] <= 1)) {
      fail(fmt::format("captured[{}] = {} is outside [0, 1]", i, captured[i]));
    }
    if (i > 0 && !(fraction[i] > fraction[i - 1]))
      fail(fmt::format("capture fractions do not increase at index {}", i));
    if (i > 0 && captured[i] < captured[i - 1]) {
      fail(fmt::format("captured values fall at index {}", i), "a larger fraction cannot capture less");
    }
  }
  if (fraction.back() < 1) {
    fraction.push_back(1);
    captured.push_back(1);
  } else if (captured.back() != 1) {
    fail(fmt::format("the whole captures {}, not 1", captured.back()));
  }
  CaptureCurve c;
  c.kind_ = Kind::tabulated;
  c.u_ = std::move(fraction);
  c.f_ = std::move(captured);
  c.set_slopes();
  c.set_moments();
  return c;
}

/// Fritsch & Carlson, SIAM J. Numer. Anal. 17, 238 (1980): start from three-point slopes, then shrink them into the
/// circle of radius 3 in which the cubic of each interval is monotone.
void CaptureCurve::set_slopes() {
  const std::size_t n = u_.size();
  slope_.assign(n, 0);
  if (n == 1) return;
  std::vector<double> secant(n - 1);
  for (std::size_t i = 0; i + 1 < n; ++i) secant[i] = (f_[i + 1] - f_[i]) / (std::log(u_[i + 1]) - std::log(u_[i]));
  slope_.front() = secant.front();
  slope_.back() = secant.back();
  for (std::size_t i = 1; i + 1 < n; ++i) {
    slope_[i] = secant[i - 1] * secant[i] > 0 ? 0.5 * (secant[i - 1] + secant[i]) : 0;
  }
  for (std::size_t i = 0; i + 1 < n; ++i) {
    if (secant[i] == 0) {
      slope_[i] = slope_[i + 1] = 0;
      continue;
    }
    const double a = slope_[i] / secant[i], b = slope_[i + 1] / secant[i];
    const double r2 = a * a + b * b;
    if (r2 > 9) {
      const double shrink = 3 / std::sqrt(r2);
      slope_[i] = shrink * a * secant[i];
      slope_[i + 1] = shrink * b * secant[i];
    }
  }
}

/// Value and d value / d ln u of the table at u in [u_.front(), 1].
std::pair<double, double> CaptureCurve::hermite(double u) const {
  const auto above = std::upper_bound(u_.begin(), u_.end(), u);
  const auto i = static_cast<std::size_t>(
      std::clamp<std::ptrdiff_t>(above - u_.begin() - 1, 0, static_cast<std::ptrdiff_t>(u_.size()) - 2));
  const double h = std::log(u_[i + 1]) - std::log(u_[i]);
  const double t = (std::log(u) - std::log(u_[i])) / h;
  const double t2 = t * t, t3 = t2 * t;
  const double value = (2 * t3 - 3 * t2 + 1) * f_[i] + (t3 - 2 * t2 + t) * h * slope_[i] +
                       (3 * t2 - 2 * t3) * f_[i + 1] + (t3 - t2) * h * slope_[i + 1];
  const double slope =
      (6 * t2 - 6 * t) * (f_[i] - f_[i + 1]) / h + (3 * t2 - 4 * t + 1) * slope_[i] + (3 * t2 - 2 * t) * slope_[i + 1];
  return {value, slope};
}

CaptureCurve::Point CaptureCurve::at(double u) const {
  if (u >= 1) u = 1;
  switch (kind_) {
    case Kind::linear:
      return {std::max(u, 0.0), 1};
    case Kind::gaussian: {
      const double a = gaussian_threshold(u);
      return {u <= 0 ? 0 : std::min(1.0, u + 2 * a * density(a)), a * a};
    }
    case Kind::laplace: {
      const double l = -std::log(u);  // threshold a_u = l / sqrt(2) of the unit-variance density
      return {laplace_phi(u), 0.5 * l * l};
    }
    case Kind::contaminated_signal:
    case Kind::contaminated_noise:
      return mixture_at(u);
    case Kind::tabulated:
      break;
  }
  if (u <= u_.front()) return {f_.front() * std::max(u, 0.0) / u_.front(), f_.front() / u_.front()};
  const auto [value, slope] = hermite(u);
  return {value, slope / u};
}

/// Integral of f'(s)^power over [knot, u] by 8-point Gauss-Legendre in ln s, with the knot below u.
double CaptureCurve::integrate_table(double u, double power) const {
  static const double k_node[4] = {0.1834346424956498, 0.5255324099163290, 0.7966664774136267, 0.9602898564975363};
  static const double k_weight[4] = {0.3626837833783620, 0.3137066458778873, 0.2223810344533745, 0.1012285362903763};
  const auto above = std::lower_bound(u_.begin(), u_.end(), u);
  const double start = *(above - 1);
  const double mid = 0.5 * (std::log(start) + std::log(u)), half = 0.5 * (std::log(u) - std::log(start));
  double sum = 0;
  for (int i = 0; i < 4; ++i) {
    for (double sign : {-1.0, 1.0}) {
      const double s = std::exp(mid + sign * half * k_node[i]);
      const double a2 = std::max(0.0, hermite(s).second / s);
      sum += k_weight[i] * s * (power == 0.5 ? std::sqrt(a2) : power == 2 ? a2 * a2 : std::pow(a2, power));
    }
  }
  return sum * half;
}

void CaptureCurve::set_moments() {
  const double a2 = f_.front() / u_.front();
  first_ = {u_.front() * std::sqrt(a2)};
  fourth_ = {u_.front() * a2 * a2};
  for (std::size_t i = 1; i < u_.size(); ++i) {
    first_.push_back(first_.back() + integrate_table(u_[i], 0.5));
    fourth_.push_back(fourth_.back() + integrate_table(u_[i], 2));
  }
}

double CaptureCurve::first_moment(double u) const {
  if (u <= 0) return 0;
  const double v = std::min(u, 1.0);
  switch (kind_) {
    case Kind::linear:
      return v;
    case Kind::gaussian:
      return std::sqrt(2 / std::numbers::pi) * gaussian_psi(v);
    case Kind::laplace:
      return laplace_psi(v) / std::numbers::sqrt2;
    case Kind::contaminated_signal:
    case Kind::contaminated_noise:
      return mixture_moment(v, 1);
    case Kind::tabulated:
      break;
  }
  if (v <= u_.front()) return first_.front() * v / u_.front();
  const auto i = std::lower_bound(u_.begin(), u_.end(), v) - u_.begin();
  return first_[static_cast<std::size_t>(i - 1)] + integrate_table(v, 0.5);
}

double CaptureCurve::fourth_moment(double u) const {
  if (u <= 0) return 0;
  const double v = std::min(u, 1.0);
  switch (kind_) {
    case Kind::linear:
      return v;
    case Kind::gaussian:
      return 3 * gaussian_chi(v);
    case Kind::laplace: {
      const double l = -std::log(v);
      return 6 * v * (1 + l * (1 + l / 2 * (1 + l / 3 * (1 + l / 4))));
    }
    case Kind::contaminated_signal:
    case Kind::contaminated_noise:
      return mixture_moment(v, 4);
    case Kind::tabulated:
      break;
  }
  if (v <= u_.front()) return fourth_.front() * v / u_.front();
  const auto i = std::lower_bound(u_.begin(), u_.end(), v) - u_.begin();
  return fourth_[static_cast<std::size_t>(i - 1)] + integrate_table(v, 2);
}

double CaptureCurve::moment(double u, double alpha) const {
  if (u <= 0) return 0;
  const double v = std::min(u, 1.0);
  switch (kind_) {
    case Kind::linear:
      return v;
    case Kind::gaussian:
      return gaussian_c(alpha, gaussian_threshold(v));
    case Kind::laplace:
      return std::pow(2.0, -0.5 * alpha) * boost::math::tgamma(alpha + 1, -std::log(v));
    case Kind::contaminated_signal:
    case Kind::contaminated_noise:
      return mixture_moment(v, alpha);
    case Kind::tabulated:
      break;
  }
  const double power = 0.5 * alpha, first = u_.front() * std::pow(f_.front() / u_.front(), power);
  if (v <= u_.front()) return first * v / u_.front();
  double sum = first;
  for (std::size_t i = 1; i < u_.size() && u_[i] < v; ++i) sum += integrate_table(u_[i], power);
  return sum + integrate_table(v, power);
}

std::string CaptureCurve::name() const {
  switch (kind_) {
    case Kind::linear:
      return "linear";
    case Kind::gaussian:
      return "gaussian";
    case Kind::laplace:
      return "laplace";
    case Kind::tabulated:
      return "tabulated";
    case Kind::contaminated_signal:
      return "contaminated_signal";
    case Kind::contaminated_noise:
      return "contaminated_noise";
  }
  return "unknown";
}

}  // namespace eos::theory
