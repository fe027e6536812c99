#include "eos/theory/calibration.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "eos/core/error.hpp"

namespace eos::theory {
namespace {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t n = values.size();
  return n % 2 == 1 ? values[n / 2] : 0.5 * (values[n / 2 - 1] + values[n / 2]);
}

/// Linear interpolation, through the origin below the first point. Curves of one probe share one grid, where it is
/// exact.
double interpolate(const MeasuredCurve& curve, double u) {
  const auto& x = curve.fraction;
  const auto above = std::lower_bound(x.begin(), x.end(), u);
  if (above == x.end()) return curve.value.back();
  const auto i = static_cast<std::size_t>(above - x.begin());
  const double x0 = i == 0 ? 0 : x[i - 1];
  const double y0 = i == 0 ? 0 : curve.value[i - 1];
  return y0 + (curve.value[i] - y0) * (u - x0) / (x[i] - x0);
}

/// Least-squares non-decreasing fit (pool adjacent violators), clamped to [0, 1] and ending at (1, 1): sampling noise
/// can make a measured share fall or exceed 1, a capture function cannot.
CaptureCurve capture_from(std::vector<double> u, std::vector<double> f) {
  std::vector<double> level, weight;
  for (double value : f) {
    level.push_back(value);
    weight.push_back(1);
    while (level.size() > 1 && level[level.size() - 2] > level.back()) {
      const double w = weight[weight.size() - 2] + weight.back();
      level[level.size() - 2] =
          (level[level.size() - 2] * weight[weight.size() - 2] + level.back() * weight.back()) / w;
      weight[weight.size() - 2] = w;
      level.pop_back();
      weight.pop_back();
    }
  }
  std::size_t k = 0;
  for (std::size_t block = 0; block < level.size(); ++block) {
    for (int i = 0; i < static_cast<int>(weight[block]); ++i) f[k++] = std::clamp(level[block], 0.0, 1.0);
  }
  if (u.back() < 1) {
    u.push_back(1);
    f.push_back(1);
  }
  f.back() = 1;
  return CaptureCurve::tabulated(std::move(u), std::move(f));
}

void require(const MeasuredCurve& curve, const char* name) {
  if (curve.fraction.empty() || curve.fraction.size() != curve.value.size()) {
    throw core::Error("E402", fmt::format("the calibration has no {} capture", name),
                      "run `eos calibrate` again with this version");
  }
}

using Pick = std::function<MeasuredCurve(const CaptureSnapshot&)>;

CaptureCurve median_curve(const std::vector<CaptureSnapshot>& snapshots, const char* name, const Pick& pick) {
  if (snapshots.empty()) throw core::Error("E402", "the calibration has no capture snapshots");
  std::vector<MeasuredCurve> curves;
  for (const CaptureSnapshot& snapshot : snapshots) {
    curves.push_back(pick(snapshot));
    require(curves.back(), name);
  }
  std::vector<double> u = curves.front().fraction, f;
  for (double x : u) {
    std::vector<double> values;
    for (const MeasuredCurve& curve : curves) values.push_back(interpolate(curve, x));
    f.push_back(median(std::move(values)));
  }
  return capture_from(std::move(u), std::move(f));
}

MeasuredCurve mean_over_layers(const CaptureSnapshot& snapshot, const std::vector<std::int64_t>& parameters) {
  if (snapshot.write.size() != parameters.size()) {
    throw core::Error("E402", fmt::format("the calibration has write captures of {} layers for a network of {}",
                                          snapshot.write.size(), parameters.size()));
  }
  MeasuredCurve mean;
  double total = 0;
  for (std::size_t layer = 0; layer < parameters.size(); ++layer) {
    require(snapshot.write[layer], "write");
    if (layer == 0) {
      mean.fraction = snapshot.write[0].fraction;
      mean.value.assign(mean.fraction.size(), 0);
    }
    for (std::size_t i = 0; i < mean.fraction.size(); ++i) {
      mean.value[i] += static_cast<double>(parameters[layer]) * interpolate(snapshot.write[layer], mean.fraction[i]);
    }
    total += static_cast<double>(parameters[layer]);
  }
  for (double& value : mean.value) value /= total;
  return mean;
}

}  // namespace

bool Calibration::follows_scaling_law() const {
  return fit.scaling.held_out_error > 0 && fit.scaling.held_out_error < fit.held_out_error;
}

CaptureCurve Calibration::signal_curve() const {
  return median_curve(snapshots, "signal", [](const CaptureSnapshot& s) { return s.signal; });
}

CaptureCurve Calibration::noise_curve() const {
  return median_curve(snapshots, "noise", [](const CaptureSnapshot& s) { return s.noise; });
}

CaptureCurve Calibration::write_curve() const {
  return median_curve(snapshots, "write",
                      [&](const CaptureSnapshot& s) { return mean_over_layers(s, block_parameters); });
}

namespace {

struct Weighted {
  double mean = 0, error = 0;
};

Weighted mean_exponent(const std::vector<CaptureSnapshot>& snapshots) {
  constexpr double k_least_error = 0.02;  // the jackknife over few folds can be small by chance
  double sum = 0, weight = 0, scatter = 0;
  for (const CaptureSnapshot& s : snapshots) {
    const double w = std::pow(std::max(s.benefit_exponent_error, k_least_error), -2);
    sum += w * s.benefit_exponent;
    weight += w;
  }
  if (!(weight > 0)) return {1, 0};
  for (const CaptureSnapshot& s : snapshots) {
    const double w = std::pow(std::max(s.benefit_exponent_error, k_least_error), -2);
    scatter += w * std::pow(s.benefit_exponent - sum / weight, 2);
  }
  const auto n = static_cast<double>(snapshots.size());
  return {sum / weight, std::sqrt(std::max(1.0, n > 1 ? scatter / (n - 1) : 1.0) / weight)};
}

}  // namespace

double Calibration::benefit_exponent() const { return std::clamp(mean_exponent(snapshots).mean, 0.5, 3.0); }
double Calibration::benefit_exponent_error() const { return mean_exponent(snapshots).error; }

CaptureCurve Calibration::selection_clock_curve() const {
  require(selection_clock, "selection clock");
  return capture_from(selection_clock.fraction, selection_clock.value);
}

CaptureCurve Calibration::accumulator_clock_curve() const {
  require(accumulator_clock, "accumulator clock");
  return capture_from(accumulator_clock.fraction, accumulator_clock.value);
}

}  // namespace eos::theory
