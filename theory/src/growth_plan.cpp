#include "eos/theory/growth_plan.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "eos/core/error.hpp"

namespace eos::theory {

namespace {

constexpr int k_steps = 2000;  // of ln L

void check(const DepthCurve& c) {
  const bool sizes = c.samples.size() >= 2 && c.samples.size() == c.loss.size();
  bool falls = sizes && c.energy > 0;
  for (std::size_t i = 0; falls && i < c.samples.size(); ++i) {
    falls = c.samples[i] > 0 && c.loss[i] > 0;
    if (i > 0) falls = falls && c.samples[i] > c.samples[i - 1] && c.loss[i] < c.loss[i - 1];
  }
  if (falls) return;
  throw core::Error("E104",
                    fmt::format("the losses measured at depth {:g} do not fall with the number of samples", c.depth),
                    "give at least two runs of different lengths, long enough to tell their losses apart");
}

/// ln n at which the curve passes ln L.
double samples_at(const DepthCurve& c, double log_loss) {
  std::size_t i = 1;
  while (i + 1 < c.loss.size() && log_loss < std::log(c.loss[i])) ++i;
  const double slope = std::log(c.samples[i] / c.samples[i - 1]) / std::log(c.loss[i] / c.loss[i - 1]);
  return std::log(c.samples[i - 1]) + slope * (log_loss - std::log(c.loss[i - 1]));
}

}  // namespace

double GrowthPlan::total() const { return std::accumulate(samples.begin(), samples.end(), 0.0); }

std::vector<double> GrowthPlan::until() const {
  std::vector<double> ends;
  double passed = 0;
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) ends.push_back((passed += samples[i]) / total());
  return ends;
}

GrowthPlan plan_growth(const std::vector<DepthCurve>& curves, double start, double target) {
  for (const DepthCurve& c : curves) check(c);
  if (curves.empty() || !(start > target) || !(target > 0))
    throw core::Error("E104", fmt::format("growth is planned from loss {:g} down to {:g}", start, target),
                      "the target must be positive and below the start");
  const std::size_t depths = curves.size();
  const auto log_loss = [&](int k) { return std::log(start) + (std::log(target) - std::log(start)) * k / k_steps; };
  const auto used = [&](std::size_t d, int k) {  // samples of step k at depth d
    return std::exp(samples_at(curves[d], log_loss(k + 1))) - std::exp(samples_at(curves[d], log_loss(k)));
  };
  std::vector<double> value(depths, 0.0);
  std::vector<std::vector<char>> grows(k_steps, std::vector<char>(depths, 0));
  for (int k = k_steps; k-- > 0;) {
    for (std::size_t d = depths; d-- > 0;) {
      const double stay = curves[d].energy * used(d, k) + value[d];
      const bool grow = d + 1 < depths && value[d + 1] < stay;  // value[d + 1] is that of step k already
      grows[static_cast<std::size_t>(k)][d] = grow;
      value[d] = grow ? value[d + 1] : stay;
    }
  }
  GrowthPlan plan;
  plan.energy = value[0];
  std::size_t d = 0;
  for (int k = 0; k < k_steps; ++k) {
    while (grows[static_cast<std::size_t>(k)][d] != 0) ++d;
    if (plan.depths.empty() || plan.depths.back() != curves[d].depth) {
      plan.depths.push_back(curves[d].depth), plan.losses.push_back(0), plan.samples.push_back(0);
    }
    plan.samples.back() += used(d, k);
    plan.losses.back() = std::exp(log_loss(k + 1));
  }
  return plan;
}

}  // namespace eos::theory
