// Compare the energies of two ways to train at equal quality, over several horizons and seeds.
//
// Statement. For every horizon, quality and energy are averaged over seeds: points (q_h, E_h). The curve E(q) goes
// through those points, in the order of energy, that are better than all cheaper ones, and interpolates ln E linearly
// in q. The gain of a method over a baseline at quality q is E_base(q) / E_method(q). Not the first time at which a run
// crosses q: fluctuations make that too early, and the learning rate of a run falls to zero at its own horizon.
//
// Intervals. Seeds are drawn with replacement, the same for both ways and all horizons, because runs of one seed share
// their initial weights and the order of the data (paired bootstrap: Efron & Tibshirani, An Introduction to the
// Bootstrap, 1993, ch. 13). With few seeds its intervals are too narrow; beside them stands the jackknife with Student's
// t (Tukey 1958; Efron & Tibshirani, ch. 11): pseudo-values n x - (n-1) x_(i) of x = ln gain, mean +- t s / sqrt n.
//
// Quality is whatever is better when larger: accuracy, or minus the loss. Draws are addressed (philox.hpp).
#pragma once

#include <cstdint>
#include <vector>

namespace eos::theory {

struct QualityPoint {
  double quality = 0, energy = 0;
};

/// What is known of a quantity: it, only a bound, or nothing.
enum class Known { exact, at_least, at_most, nothing };
struct Estimate {
  double value = 0;
  Known known = Known::nothing;
};

/// E(q), from at least one point with finite quality and energy > 0; others are left out.
class QualityCurve {
 public:
  QualityCurve() = default;
  explicit QualityCurve(std::vector<QualityPoint> points);
  bool empty() const { return points_.empty(); }
  /// Rising in both.
  const std::vector<QualityPoint>& points() const { return points_; }
  /// Energy to reach a quality. Below the first point: at most the energy of that; above the last: nothing.
  Estimate energy_at(double quality) const;
  /// The same, extended beyond both ends as the last two points go on, but by no more than a factor `most`.
  double extended_energy_at(double quality, double most) const;
  /// Quality for an energy, linear in ln E. Above the last point: at least the quality of that; below the first: nothing.
  Estimate quality_at(double energy) const;
  /// Another quantity, one value for each of points(), at a quality: logarithms are interpolated where both are > 0, values
  /// otherwise; clamped at the ends.
  double along(const std::vector<double>& values, double quality) const;

 private:
  std::vector<QualityPoint> points_;
};

/// Runs of one way to train, [horizon][seed].
using SeedRuns = std::vector<std::vector<QualityPoint>>;
/// Means over the seeds that `drawn` lists (one may be there several times). A horizon at which a run has no finite value
/// does not count. pre: every horizon has as many seeds.
QualityCurve mean_curve(const SeedRuns& runs, const std::vector<std::size_t>& drawn);
/// Over all seeds.
QualityCurve mean_curve(const SeedRuns& runs);

/// Gain of a method over a baseline. A baseline that does not get there gives the lower bound E_base,last / E_method; a
/// method whose shortest horizon is better gives a lower bound, too; a baseline whose shortest horizon is better, an
/// upper bound; a method that does not get there, nothing.
Estimate gain(const QualityCurve& baseline, const QualityCurve& method, double quality);

struct GainInterval {
  Estimate gain;
  double low = 0, high = 0;      ///< 95 % paired bootstrap, percentiles; 0 or infinite where resamples do not get there
  double t_low = 0, t_high = 0;  ///< 95 % jackknife with Student's t; NaN where a part of the seeds does not get there
};
/// pre: both have the same number of seeds, in the same order. `seed` is that of the draws.
GainInterval gain_with_interval(const SeedRuns& baseline, const SeedRuns& method, double quality, int resamples,
                                std::uint64_t seed);

}  // namespace eos::theory
