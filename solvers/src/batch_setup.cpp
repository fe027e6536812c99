#include "batch_setup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"

namespace eos::solvers::batch {

using theory::Bounds;
using theory::CaptureCurve;
using theory::Controls;
using theory::ModeProblem;
using theory::Rule;

namespace {

constexpr double k_stable = 0.5;  // starts stay below this share of the largest stable rate
/// Shares of the horizon that further starts rest at the end.
constexpr double k_rests[] = {.1, .3, .6};

Choice choice(Rule rule, const CaptureCurve& curve) {
  if (rule == Rule::all) return Choice::all;
  return rule == Rule::ranked && curve.kind() == CaptureCurve::Kind::gaussian ? Choice::ranked : Choice::random;
}

/// Why a problem cannot be a lane; empty when it can.
std::string obstacle(const ModeProblem& p) {
  const auto simple = [](const CaptureCurve& c) {
    return c.kind() == CaptureCurve::Kind::gaussian || c.kind() == CaptureCurve::Kind::linear;
  };
  if (!simple(p.data_signal) || !simple(p.data_noise) || !simple(p.weight_capture))
    return "capture curves other than linear and gaussian";
  if (p.data_rule == Rule::ranked && p.data_signal.kind() != p.data_noise.kind())
    return "different captures of signal and noise";
  if (p.rebatched || p.accumulated) return "re-batched samples or accumulated writes";
  if (p.price_path != 0 || !p.plasticity_prices.empty() || p.price_maintenance != 0)
    return "a price of path length, plasticity or caching";
  if (p.discretisation.scheme == theory::Scheme::recursion) return "the exact recursion";
  return "";
}

/// Scaled variable of a fraction: the threshold over the largest one, or the fraction itself.
double scaled_fraction(Choice choice, double fraction, double range) {
  return choice == Choice::ranked ? theory::gaussian_threshold(fraction) / range : fraction;
}
double range_of(Choice choice, const Bounds& b) {
  return choice == Choice::ranked ? std::max(theory::gaussian_threshold(b.lower), 1e-6) : 1;
}
double fraction_of(Choice choice, double x, double range) {
  if (choice == Choice::all) return 1;
  return choice == Choice::ranked ? std::erfc(x * range / std::sqrt(2.0)) : x;
}

}  // namespace

Setup::Setup(std::span<const ModeProblem> problems, const BatchOptions& options) : problems_(problems) {
  if (problems.empty()) throw core::Error("E104", "a batch without problems", "give at least one");
  if (options.steps < 1 || options.steps > 64)
    throw core::Error("E104", fmt::format("steps = {} must be between 1 and 64", options.steps));
  const ModeProblem& first = problems.front();
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const ModeProblem& p = problems[i];
    p.check();
    if (const std::string why = obstacle(p); !why.empty())
      throw core::Error("E107", fmt::format("problem {} of the batch has {}", i, why), "use solve() for it");
    if (p.lambda.size() != first.lambda.size() || p.intervals != first.intervals || p.data_rule != first.data_rule ||
        p.weight_rule != first.weight_rule || p.data_signal.kind() != first.data_signal.kind() ||
        p.weight_capture.kind() != first.weight_capture.kind())
      throw core::Error("E107",
                        fmt::format("problem {} of the batch differs from the first in modes, intervals or rules", i),
                        "make one batch per size");
  }
  sizes_.modes = static_cast<int>(first.lambda.size());
  sizes_.intervals = first.intervals;
  sizes_.steps = options.steps;
  sizes_.data = choice(first.data_rule, first.data_signal);
  sizes_.weight = choice(first.weight_rule, first.weight_capture);
  sizes_.max_iterations = options.max_iterations;
  sizes_.tolerance = options.tolerance;
}

std::vector<double> Setup::parameters(std::size_t problem) const {
  const ModeProblem& p = problems_[problem];
  std::vector<double> v(p_scalars);
  v[p_batch] = p.batch, v[p_noise] = p.noise_variance, v[p_scale] = p.noise_scale;
  v[p_step] = p.horizon / p.intervals / sizes_.steps;
  v[p_terminal] = p.terminal_weight, v[p_running] = p.running_weight;
  v[p_constant] = p.price_time + (p.data_rule == Rule::ranked ? p.price_screening : 0);
  v[p_sample] = p.price_sample, v[p_write] = p.price_write;
  v[p_data_range] = range_of(sizes_.data, p.data_bounds), v[p_weight_range] = range_of(sizes_.weight, p.weight_bounds);
  v[p_rate_range] = std::max(p.rate_bounds.upper, 1e-300);
  v.insert(v.end(), p.lambda.begin(), p.lambda.end());
  for (std::size_t j = 0; j < p.lambda.size(); ++j) v.push_back(p.multiplicity.empty() ? 1 : p.multiplicity[j]);
  v.insert(v.end(), p.initial.begin(), p.initial.end());
  return v;
}

void Setup::bounds(std::size_t problem, std::vector<double>& lower, std::vector<double>& upper) const {
  const ModeProblem& p = problems_[problem];
  const std::vector<double> numbers = parameters(problem);
  lower.clear(), upper.clear();
  const auto add = [&](Choice choice, Bounds b, double range) {
    if (choice == Choice::all) return lower.push_back(0), upper.push_back(0);
    double low = scaled_fraction(choice, b.lower, range), high = scaled_fraction(choice, b.upper, range);
    if (low > high) std::swap(low, high);
    lower.push_back(low), upper.push_back(high);
  };
  for (int i = 0; i < p.intervals; ++i) {
    const bool rests = p.rests_in(i, p.intervals);
    const Bounds data = p.data_bounds_in(i, p.intervals);
    add(sizes_.data, rests ? Bounds{data.lower, data.lower} : data, numbers[p_data_range]);
    const Bounds weight = p.weight_bounds;
    add(sizes_.weight, rests ? Bounds{weight.lower, weight.lower} : weight, numbers[p_weight_range]);
    lower.push_back(p.rate_bounds.lower / numbers[p_rate_range]);
    upper.push_back(p.rate_bounds.upper / numbers[p_rate_range]);
  }
}

std::vector<double> Setup::scaled(std::size_t problem, std::span<const Controls> controls) const {
  const std::vector<double> numbers = parameters(problem);
  std::vector<double> x;
  for (const Controls& u : controls) {
    x.push_back(sizes_.data == Choice::all ? 0 : scaled_fraction(sizes_.data, u.data_fraction, numbers[p_data_range]));
    x.push_back(
        sizes_.weight == Choice::all ? 0 : scaled_fraction(sizes_.weight, u.weight_fraction, numbers[p_weight_range]));
    x.push_back(u.learning_rate / numbers[p_rate_range]);
  }
  return x;
}

std::vector<Controls> Setup::controls(std::size_t problem, std::span<const double> x) const {
  const std::vector<double> numbers = parameters(problem);
  std::vector<Controls> controls;
  for (std::size_t i = 0; i < x.size(); i += k_controls)
    controls.push_back({fraction_of(sizes_.data, x[i], numbers[p_data_range]),
                        fraction_of(sizes_.weight, x[i + 1], numbers[p_weight_range]),
                        x[i + 2] * numbers[p_rate_range]});
  return controls;
}

std::vector<Lane> Setup::starts(std::size_t problem) const {
  const ModeProblem& p = problems_[problem];
  double trace = 0;
  for (std::size_t j = 0; j < p.lambda.size(); ++j)
    trace += p.lambda[j] * (p.multiplicity.empty() ? 1 : p.multiplicity[j]);
  const double stable = p.noise_scale * trace > 0 ? 2 * p.batch / (p.noise_scale * trace) : p.rate_bounds.upper;
  const double rate = std::min(0.75 * p.rate_bounds.upper, k_stable * stable);
  std::vector<Lane> lanes;
  const auto add = [&](double data, double weight, double rest) {
    std::vector<Controls> u(static_cast<std::size_t>(p.intervals));
    const auto learning = static_cast<std::size_t>(std::lround((1 - rest) * p.intervals));
    for (std::size_t i = 0; i < u.size(); ++i)
      u[i] = i < learning ? Controls{data, weight, rate} : Controls{p.data_bounds.lower, p.weight_bounds.lower, rate};
    lanes.push_back(clamped(problem, u));
  };
  add(1, 1, 0);
  if (!can_rest()) return lanes;
  add(.6, .6, 0);
  add(.3, .9, 0);
  const bool ranked = sizes_.data == Choice::ranked || sizes_.weight == Choice::ranked;
  for (const double rest : k_rests) add(ranked ? .3 : 1, ranked ? .4 : 1, rest);
  return lanes;
}

std::vector<Controls> Setup::learning(std::size_t problem, std::span<const double> x) const {
  const ModeProblem& p = problems_[problem];
  std::vector<Controls> u = controls(problem, x);
  std::erase_if(u, [&](const Controls& c) {
    return (sizes_.data == Choice::all || c.data_fraction <= 1.01 * p.data_bounds.lower) &&
           (sizes_.weight == Choice::all || c.weight_fraction <= 1.01 * p.weight_bounds.lower);
  });
  return u;
}

Lane Setup::stretched(std::size_t problem, std::span<const Controls> learning, int count) const {
  const ModeProblem& p = problems_[problem];
  const auto known = static_cast<int>(learning.size());
  const auto n = static_cast<std::size_t>(p.intervals);
  std::vector<Controls> next(n, Controls{p.data_bounds.lower, p.weight_bounds.lower, p.rate_bounds.lower});
  for (int i = 0; i < p.intervals; ++i) {
    const int from = std::min(known - 1, std::min(i, count - 1) * known / count);
    const Controls& c = learning[static_cast<std::size_t>(from)];
    if (i < count) next[static_cast<std::size_t>(i)] = c;
    next[static_cast<std::size_t>(i)].learning_rate = c.learning_rate;
  }
  return clamped(problem, next);
}

Lane Setup::clamped(std::size_t problem, std::span<const Controls> controls) const {
  std::vector<double> lower, upper;
  bounds(problem, lower, upper);
  Lane lane{problem, scaled(problem, controls)};
  for (std::size_t i = 0; i < lane.start.size(); ++i) lane.start[i] = std::clamp(lane.start[i], lower[i], upper[i]);
  return lane;
}

}  // namespace eos::solvers::batch
