#include "eos/solvers/hjb_grid.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"

namespace eos::solvers {

double HjbAxis::step() const {
  const double length = spacing == Spacing::uniform ? upper - lower : std::log(upper / lower);
  return length / static_cast<double>(periodic() ? points : points - 1);
}

double HjbAxis::coordinate(std::int64_t index) const {
  const double share = static_cast<double>(index) / static_cast<double>(periodic() ? points : points - 1);
  if (spacing == Spacing::uniform) return lower + (upper - lower) * share;
  return lower * std::exp(std::log(upper / lower) * share);
}

double HjbAxis::place(double x) const {
  return (spacing == Spacing::uniform ? x - lower : std::log(x / lower)) / step();
}

std::int64_t HjbGrid::size() const {
  std::int64_t total = 1;
  for (const HjbAxis& axis : axes) total *= axis.points;
  return total;
}

std::int64_t HjbGrid::stride(int axis) const {
  std::int64_t product = 1;
  for (std::size_t i = static_cast<std::size_t>(axis) + 1; i < axes.size(); ++i) product *= axes[i].points;
  return product;
}

void HjbGrid::point(std::int64_t flat, double* x) const {
  for (std::size_t i = axes.size(); i-- > 0; flat /= axes[i].points) x[i] = axes[i].coordinate(flat % axes[i].points);
}

double HjbGrid::interpolate(std::span<const double> table, const double* x) const {
  const int d = dimensions();
  std::int64_t low[3] = {}, high[3] = {};
  double weight[3] = {};
  for (int i = 0; i < d; ++i) {
    const HjbAxis& axis = axes[static_cast<std::size_t>(i)];
    double place = axis.place(x[i]);
    const auto n = static_cast<double>(axis.points);
    if (axis.periodic()) {
      place -= n * std::floor(place / n);
    } else {
      place = std::clamp(place, 0.0, n - 1);
    }
    low[i] = std::min(static_cast<std::int64_t>(place), axis.points - (axis.periodic() ? 1 : 2));
    weight[i] = place - static_cast<double>(low[i]);
    high[i] = (low[i] + 1) % axis.points;
  }
  double sum = 0;
  for (int corner = 0; corner < 1 << d; ++corner) {
    double w = 1;
    std::int64_t flat = 0;
    for (int i = 0; i < d; ++i) {
      const bool up = (corner >> i & 1) != 0;
      w *= up ? weight[i] : 1 - weight[i];
      flat = flat * axes[static_cast<std::size_t>(i)].points + (up ? high[i] : low[i]);
    }
    if (w != 0) sum += w * table[static_cast<std::size_t>(flat)];
  }
  return sum;
}

void HjbGrid::check() const {
  std::vector<core::Diagnostic> problems;
  const auto add = [&](const std::string& message, const std::string& help = {}) {
    problems.push_back({"E401", "grid: " + message, {}, 0, 0, {}, help});
  };
  if (axes.empty() || axes.size() > 3) add(fmt::format("{} axes, allowed are 1 to 3", axes.size()));
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const HjbAxis& a = axes[i];
    if (a.points < 4) add(fmt::format("axis {} has {} points, allowed are at least 4", i, a.points));
    if (!(a.lower < a.upper) || !std::isfinite(a.upper - a.lower)) {
      add(fmt::format("axis {} runs from {} to {}, allowed is lower < upper, both finite", i, a.lower, a.upper));
    }
    if (a.spacing == Spacing::logarithmic && !(a.lower > 0)) {
      add(fmt::format("axis {} is logarithmic and starts at {}", i, a.lower),
          "start it above 0, or space it uniformly");
    }
    if ((a.lower_edge == Edge::periodic) != (a.upper_edge == Edge::periodic)) {
      add(fmt::format("axis {} is periodic at one end only", i));
    }
  }
  if (!problems.empty()) throw core::Error(std::move(problems));
}

}  // namespace eos::solvers
