#include "eos/theory/schedule.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "eos/core/error.hpp"

namespace eos::theory {

Controls Schedule::at(double progress) const {
  Controls c;
  c.learning_rate = std::numeric_limits<double>::quiet_NaN();
  if (data_fraction.empty()) return c;
  const double s = std::clamp(progress, 0.0, 1.0);
  const auto above = std::upper_bound(edges.begin(), edges.end(), s);
  const auto passed = std::max<std::ptrdiff_t>(above - edges.begin() - 1, 0);
  const auto i = std::min(static_cast<std::size_t>(passed), data_fraction.size() - 1);
  c.data_fraction = data_fraction[i];
  c.weight_fraction = weight_fraction[i];
  if (!learning_rate.empty()) c.learning_rate = learning_rate[i];
  return c;
}

void Schedule::check() const {
  std::vector<core::Diagnostic> problems;
  auto report = [&](std::string message, std::string help = {}) {
    core::Diagnostic d;
    d.code = "E502";
    d.message = std::move(message);
    d.help = std::move(help);
    problems.push_back(std::move(d));
  };
  const std::size_t n = edges.empty() ? 0 : edges.size() - 1;
  if (n == 0) report("the schedule has no intervals", "give at least two edges, e.g. edges = [0, 1]");
  auto check_fractions = [&](const std::vector<double>& values, const char* name) {
    if (values.size() != n) report(fmt::format("{} has {} values for {} intervals", name, values.size(), n));
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!(values[i] > 0 && values[i] <= 1)) {
        report(fmt::format("{}[{}] = {} is outside (0, 1]", name, i, values[i]));
        break;
      }
    }
  };
  check_fractions(data_fraction, "data_fraction");
  check_fractions(weight_fraction, "weight_fraction");
  if (!learning_rate.empty() && learning_rate.size() != n) {
    report(fmt::format("learning_rate has {} values for {} intervals", learning_rate.size(), n),
           "leave it empty to use the run's own learning-rate law");
  }
  for (std::size_t i = 0; i < learning_rate.size(); ++i) {
    if (!(learning_rate[i] >= 0) || !std::isfinite(learning_rate[i])) {
      report(fmt::format("learning_rate[{}] = {} is not a finite number >= 0", i, learning_rate[i]));
      break;
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    if (!(edges[i] < edges[i + 1])) {
      report(
          fmt::format("edges must increase, but edges[{}] = {} and edges[{}] = {}", i, edges[i], i + 1, edges[i + 1]));
      break;
    }
  }
  // Edges come from files and from k/n arithmetic; 1e-9 of progress is far below one stream position.
  if (n > 0 && !(std::abs(edges.front()) < 1e-9 && std::abs(edges.back() - 1) < 1e-9)) {
    report(fmt::format("edges must run from 0 to 1, not from {} to {}", edges.front(), edges.back()),
           "edges are progress: the share of the horizon passed");
  }
  if (!(epochs >= 0) || !std::isfinite(epochs)) report(fmt::format("epochs = {} is not a finite number >= 0", epochs));
  if (!problems.empty()) throw core::Error(std::move(problems));
}

double keep_fraction(KeepLaw law, double a, double b, double epoch, double floor) {
  double keep = a;
  switch (law) {
    case KeepLaw::constant:
      break;
    case KeepLaw::geometric:
      keep = std::pow(a, epoch);
      break;
    case KeepLaw::power:
      keep = a * std::pow(epoch + 1, -b);
      break;
    case KeepLaw::inverse_linear:
      keep = a / (1 + b * epoch);
      break;
    case KeepLaw::logarithmic:
      keep = a - b * std::log(epoch + 1);
      break;
    case KeepLaw::inverse_logarithmic:
      keep = a * std::log(b) / std::log(epoch + b);
      break;
    case KeepLaw::exponential:
      keep = a * std::exp(-b * epoch);
      break;
    case KeepLaw::sigmoid:
      keep = 2 * a / (1 + std::exp(b * epoch));
      break;
  }
  return std::clamp(keep, floor, 1.0);
}

}  // namespace eos::theory
