#include "plot_ticks.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace eos::io {

namespace {

/// 1, 2 or 5 times a power of ten, the first that is at least `rough`.
double nice_step(double rough) {
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough * (1 - 1e-9)) return factor * power;
  return 10 * power;
}

/// Decimals that a multiple of `step` needs.
int decimals_of(double step) { return std::max(0, static_cast<int>(std::ceil(-std::log10(step) - 1e-9))); }

/// Typographic minus; no negative zero.
std::string fixed(double x, int decimals) {
  std::string text = fmt::format("{:.{}f}", x, decimals);
  if (text.find_first_not_of("-0.") == std::string::npos) text = fmt::format("{:.{}f}", 0.0, decimals);
  return text[0] == '-' ? "\u2212" + text.substr(1) : text;
}

void label_decades(Axis& axis, int first, int last, int count) {
  const int every =
      std::max(1, static_cast<int>(std::ceil((last - first + 1) / static_cast<double>(std::max(2, count)))));
  const bool plain = first >= -2 && last <= 3;
  for (int k = first; k <= last; ++k) {
    const bool labelled = (k - first) % every == 0;
    const double value = std::pow(10.0, k);
    if (value >= axis.lower * (1 - 1e-9) && value <= axis.upper * (1 + 1e-9))
      axis.ticks.push_back({value, !labelled ? "" : plain ? fmt::format("{:g}", value) : fmt::format("^{}", k)});
    if (every > 1) continue;
    for (int m = 2; m <= 9; ++m)
      if (m * value > axis.lower && m * value < axis.upper) axis.ticks.push_back({m * value, ""});
  }
}

void label_multiples(Axis& axis, int first, int last, bool dense) {
  for (int k = first; k <= last; ++k)
    for (int m = 1; m <= 9; ++m) {
      const double value = m * std::pow(10.0, k);
      if (value < axis.lower * (1 - 1e-9) || value > axis.upper * (1 + 1e-9)) continue;
      const bool labelled = m == 1 || m == 2 || m == 5 || (dense && (m == 3 || m == 7));
      axis.ticks.push_back({value, labelled ? fmt::format("{:g}", value) : ""});
    }
}

}  // namespace

double Axis::position(double x) const {
  if (!log) return (x - lower) / (upper - lower);
  if (!(x > 0)) return std::numeric_limits<double>::quiet_NaN();
  return (std::log10(x) - std::log10(lower)) / (std::log10(upper) - std::log10(lower));
}

Axis linear_axis(double lower, double upper, int count) {
  Axis axis{lower, upper, false, {}, 0};
  const double step = nice_step((upper - lower) / std::max(1, count));
  const double largest = std::max(std::abs(lower), std::abs(upper));
  const int magnitude = static_cast<int>(std::floor(std::log10(largest)));
  if (magnitude >= 5 || magnitude <= -3) axis.exponent = static_cast<int>(std::floor(magnitude / 3.0)) * 3;
  const double unit = std::pow(10.0, axis.exponent);
  const int decimals = decimals_of(step / unit);
  const auto first = static_cast<long long>(std::ceil(lower / step - 1e-9)),
             last = static_cast<long long>(std::floor(upper / step + 1e-9));
  for (long long i = first; i <= last && i - first < 1000; ++i) {
    const double value = static_cast<double>(i) * step;
    axis.ticks.push_back({value, fixed(value / unit, decimals)});
  }
  return axis;
}

Axis log_axis(double lower, double upper, int count) {
  Axis axis{lower, upper, true, {}, 0};
  const double decades = std::log10(upper / lower);
  const int first = static_cast<int>(std::floor(std::log10(lower) + 1e-9)),
            last = static_cast<int>(std::floor(std::log10(upper) + 1e-9));
  const bool plain = first >= -4 && last <= 4;
  if (decades < 0.4 && plain) {  // less than a factor 2.5: a linear choice of ticks reads better
    const Axis linear = linear_axis(lower, upper, count);
    axis.ticks = linear.ticks;
    axis.exponent = linear.exponent;
  } else if (decades < 2 && plain) {
    label_multiples(axis, first, last, decades < 0.9);
  } else {
    label_decades(axis, first, last, count);
  }
  return axis;
}

Interval comfortable(double lower, double upper, bool log, double room) {
  if (log) {
    if (!(upper > lower)) return {lower / 2, upper * 2};
    const double factor = std::pow(upper / lower, room);
    return {lower / factor, upper * factor};
  }
  if (!(upper > lower)) {
    const double half = lower == 0 ? 1 : 0.5 * std::abs(lower);
    return {lower - half, upper + half};
  }
  const double pad = room * (upper - lower);
  const bool from_zero = lower >= 0 && lower < 0.45 * upper && room > 0;
  const bool to_zero = upper <= 0 && upper > 0.45 * lower && room > 0;
  return {from_zero ? 0 : lower - pad, to_zero ? 0 : upper + pad};
}

}  // namespace eos::io
