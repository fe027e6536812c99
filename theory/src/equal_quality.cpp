#include "eos/theory/equal_quality.hpp"

#include <algorithm>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <limits>
#include <numeric>

#include "eos/core/philox.hpp"

namespace eos::theory {

namespace {

constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();
constexpr double k_infinite = std::numeric_limits<double>::infinity();

double interpolated(double share, double a, double b, bool log) {
  return log ? std::exp((1 - share) * std::log(a) + share * std::log(b)) : (1 - share) * a + share * b;
}

/// E_base / E_method as a number for order statistics: a method that does not get there has gain 0, a baseline that does
/// not an infinite one.
double bare_gain(const QualityCurve& baseline, const QualityCurve& method, double quality) {
  const Estimate need = method.energy_at(quality);
  if (need.known == Known::nothing) return 0;
  const Estimate base = baseline.energy_at(quality);
  return base.known == Known::nothing ? k_infinite : base.value / need.value;
}

/// Linear between order statistics (Hyndman & Fan 1996, type 7). pre: sorted, not empty.
double quantile(const std::vector<double>& sorted, double p) {
  const double at = p * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(at);
  const double share = at - static_cast<double>(below);
  if (share == 0 || sorted[below] == sorted[below + 1]) return sorted[below];
  return interpolated(share, sorted[below], sorted[below + 1], false);
}

void add_jackknife(const SeedRuns& baseline, const SeedRuns& method, double quality, std::size_t n, GainInterval& g) {
  g.t_low = g.t_high = k_nan;
  if (n < 2 || g.gain.known == Known::nothing) return;
  const double whole = std::log(bare_gain(mean_curve(baseline), mean_curve(method), quality));
  std::vector<double> pseudo;
  for (std::size_t left = 0; left < n; ++left) {
    std::vector<std::size_t> rest;
    for (std::size_t i = 0; i < n; ++i)
      if (i != left) rest.push_back(i);
    const double part = std::log(bare_gain(mean_curve(baseline, rest), mean_curve(method, rest), quality));
    pseudo.push_back(static_cast<double>(n) * whole - static_cast<double>(n - 1) * part);
  }
  const double mean = std::accumulate(pseudo.begin(), pseudo.end(), 0.0) / static_cast<double>(n);
  double squares = 0;
  for (const double x : pseudo) squares += (x - mean) * (x - mean);
  if (!std::isfinite(squares)) return;
  const double error = std::sqrt(squares / static_cast<double>(n - 1) / static_cast<double>(n));
  const double t = boost::math::quantile(boost::math::students_t(static_cast<double>(n - 1)), 0.975);
  g.t_low = std::exp(mean - t * error), g.t_high = std::exp(mean + t * error);
}

}  // namespace

QualityCurve::QualityCurve(std::vector<QualityPoint> points) {
  std::erase_if(points, [](const QualityPoint& p) { return !std::isfinite(p.quality) || !(p.energy > 0); });
  std::sort(points.begin(), points.end(), [](const QualityPoint& a, const QualityPoint& b) {
    return a.energy != b.energy ? a.energy < b.energy : a.quality > b.quality;
  });
  for (const QualityPoint& point : points)
    if (points_.empty() || point.quality > points_.back().quality) points_.push_back(point);
}

Estimate QualityCurve::energy_at(double quality) const {
  if (points_.empty() || !(quality <= points_.back().quality)) return {k_nan, Known::nothing};
  if (quality < points_.front().quality) return {points_.front().energy, Known::at_most};
  const auto right = std::lower_bound(points_.begin(), points_.end(), quality,
                                      [](const QualityPoint& p, double q) { return p.quality < q; });
  if (right->quality == quality) return {right->energy, Known::exact};
  const QualityPoint &a = *std::prev(right), &b = *right;
  return {interpolated((quality - a.quality) / (b.quality - a.quality), a.energy, b.energy, true), Known::exact};
}

double QualityCurve::extended_energy_at(double quality, double most) const {
  if (points_.empty() || !std::isfinite(quality)) return k_nan;
  const bool inside = quality >= points_.front().quality && quality <= points_.back().quality;
  if (inside || points_.size() < 2) return inside ? energy_at(quality).value : points_.front().energy;
  const bool above = quality > points_.back().quality;
  const QualityPoint& a = above ? points_[points_.size() - 2] : points_[0];
  const QualityPoint& b = above ? points_.back() : points_[1];
  const double value = interpolated((quality - a.quality) / (b.quality - a.quality), a.energy, b.energy, true);
  return above ? std::min(value, b.energy * most) : std::max(value, a.energy / most);
}

Estimate QualityCurve::quality_at(double energy) const {
  if (points_.empty() || !(energy >= points_.front().energy)) return {k_nan, Known::nothing};
  if (energy > points_.back().energy) return {points_.back().quality, Known::at_least};
  const auto right = std::lower_bound(points_.begin(), points_.end(), energy,
                                      [](const QualityPoint& p, double e) { return p.energy < e; });
  if (right->energy == energy) return {right->quality, Known::exact};
  const QualityPoint &a = *std::prev(right), &b = *right;
  const double share = (std::log(energy) - std::log(a.energy)) / (std::log(b.energy) - std::log(a.energy));
  return {interpolated(share, a.quality, b.quality, false), Known::exact};
}

double QualityCurve::along(const std::vector<double>& values, double quality) const {
  if (points_.empty()) return k_nan;
  if (quality <= points_.front().quality) return values.front();
  if (quality >= points_.back().quality) return values[points_.size() - 1];
  std::size_t i = 1;
  while (points_[i].quality < quality) ++i;
  const double share = (quality - points_[i - 1].quality) / (points_[i].quality - points_[i - 1].quality);
  return interpolated(share, values[i - 1], values[i], values[i - 1] > 0 && values[i] > 0);
}

QualityCurve mean_curve(const SeedRuns& runs, const std::vector<std::size_t>& drawn) {
  std::vector<QualityPoint> points;
  for (const std::vector<QualityPoint>& horizon : runs) {
    if (!std::all_of(horizon.begin(), horizon.end(), [](const QualityPoint& p) {
          return std::isfinite(p.quality) && std::isfinite(p.energy);
        }))
      continue;
    QualityPoint mean;
    for (const std::size_t i : drawn) mean.quality += horizon[i].quality, mean.energy += horizon[i].energy;
    mean.quality /= static_cast<double>(drawn.size()), mean.energy /= static_cast<double>(drawn.size());
    points.push_back(mean);
  }
  return QualityCurve(std::move(points));
}

QualityCurve mean_curve(const SeedRuns& runs) {
  if (runs.empty() || runs.front().empty()) return {};
  std::vector<std::size_t> all(runs.front().size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  return mean_curve(runs, all);
}

Estimate gain(const QualityCurve& baseline, const QualityCurve& method, double quality) {
  const Estimate need = method.energy_at(quality);
  if (need.known == Known::nothing || baseline.empty()) return {k_nan, Known::nothing};
  const Estimate base = baseline.energy_at(quality);
  if (base.known == Known::nothing) return {baseline.points().back().energy / need.value, Known::at_least};
  const double factor = base.value / need.value;
  if (base.known == need.known) return {factor, base.known == Known::exact ? Known::exact : Known::nothing};
  return {factor, need.known == Known::at_most ? Known::at_least : Known::at_most};
}

GainInterval gain_with_interval(const SeedRuns& baseline, const SeedRuns& method, double quality, int resamples,
                                std::uint64_t seed) {
  GainInterval g;
  g.gain = gain(mean_curve(baseline), mean_curve(method), quality);
  const std::size_t n = method.empty() ? 0 : method.front().size();
  if (n == 0 || baseline.empty() || baseline.front().size() != n) {
    g.low = g.high = g.t_low = g.t_high = k_nan;
    return g;
  }
  std::vector<double> gains;
  std::vector<std::size_t> drawn(n);
  for (int r = 0; r < resamples; ++r) {
    for (std::size_t i = 0; i < n; ++i)
      drawn[i] = core::uniform_int(core::draw(seed, {.step = static_cast<std::uint32_t>(r),
                                                     .purpose = core::Purpose::bootstrap,
                                                     .index = static_cast<std::uint32_t>(i)})
                                       .v[0],
                                   static_cast<std::uint32_t>(n));
    gains.push_back(bare_gain(mean_curve(baseline, drawn), mean_curve(method, drawn), quality));
  }
  std::sort(gains.begin(), gains.end());
  g.low = quantile(gains, 0.025), g.high = quantile(gains, 0.975);
  add_jackknife(baseline, method, quality, n, g);
  return g;
}

}  // namespace eos::theory
