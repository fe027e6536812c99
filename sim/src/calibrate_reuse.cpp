#include "calibrate_reuse.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "sample_gradients.hpp"

namespace eos::sim {
namespace {

constexpr std::size_t k_confident_share = 10;  // the most confident tenth: there few networks are wrong

/// Up to `count` training samples, spread evenly, that are (or are not) among 0, d, 2d, ...
std::vector<std::int32_t> choose(int train, int divisor, bool seen, int count) {
  std::vector<std::int32_t> all, some;
  for (std::int32_t i = 0; i < train; ++i)
    if ((i % divisor == 0) == seen) all.push_back(i);
  const auto n = std::min<std::int64_t>(count, static_cast<std::int64_t>(all.size()));
  for (std::int64_t i = 0; i < n; ++i)
    some.push_back(all[static_cast<std::size_t>(i * static_cast<std::int64_t>(all.size()) / n)]);
  return some;
}

void mean_and_error(const std::vector<float>& values, double& mean, double& error) {
  const auto n = static_cast<double>(values.size());
  double sum = 0, squares = 0;
  for (float v : values) {
    sum += static_cast<double>(v);
    squares += static_cast<double>(v) * static_cast<double>(v);
  }
  mean = sum / n;
  error = n > 1 ? std::sqrt(std::max(0.0, squares / n - mean * mean) / (n - 1)) : 0;
}

}  // namespace

TaskData every_nth(const TaskData& data, int divisor) {
  TaskData part = data;
  part.test = {};
  part.train = {};
  const auto inputs = static_cast<std::ptrdiff_t>(data.inputs),
             labels = static_cast<std::ptrdiff_t>(data.labels_per_sample);
  for (std::ptrdiff_t i = 0; i < data.train.samples; i += divisor) {
    const auto in = data.train.inputs.begin() + i * inputs;
    const auto label = data.train.labels.begin() + i * labels;
    part.train.inputs.insert(part.train.inputs.end(), in, in + inputs);
    part.train.labels.insert(part.train.labels.end(), label, label + labels);
    ++part.train.samples;
  }
  return part;
}

std::vector<theory::ReusePoint> reuse_curve(const Probe& probe, const ProbeOutcome& outcome, const TaskData& data,
                                            int samples) {
  const Network network(probe.spec.network, data.shape());
  const std::vector<std::int32_t> seen = choose(data.train.samples, probe.divisor, true, samples),
                                  unseen = choose(data.train.samples, probe.divisor, false, samples);
  std::vector<theory::ReusePoint> curve;
  for (std::size_t i = 0; i < outcome.weights_at.size() && !unseen.empty(); ++i) {
    SampleGradients scorer(probe.spec, data, network, outcome.weights_at[i]);
    theory::ReusePoint p;
    p.passes = outcome.rows[i].epoch;
    mean_and_error(scorer.score(data.train, seen).loss, p.seen_loss, p.seen_error);
    mean_and_error(scorer.score(data.train, unseen).loss, p.unseen_loss, p.unseen_error);
    curve.push_back(p);
  }
  return curve;
}

theory::LabelNoise wilson_interval(int hits, int n) {
  constexpr double z = 1.959963984540054;
  theory::LabelNoise noise;
  noise.predictions = n;
  if (n == 0) return noise;
  const double p = static_cast<double>(hits) / n, share = z * z / n;
  const double centre = (p + 0.5 * share) / (1 + share),
               half = z / (1 + share) * std::sqrt(p * (1 - p) / n + 0.25 * share / n);
  noise.rate = p;
  noise.low = std::max(0.0, centre - half);
  noise.high = std::min(1.0, centre + half);
  return noise;
}

theory::LabelNoise label_noise(const Probe& probe, const ProbeOutcome& outcome, const TaskData& data, int samples) {
  const Network network(probe.spec.network, data.shape());
  const std::vector<std::int32_t> unseen = choose(data.train.samples, probe.divisor, false, samples);
  SampleGradients scorer(probe.spec, data, network, outcome.weights);
  const SampleGradients::Scores scores = scorer.score(data.train, unseen);
  std::vector<std::size_t> order(scores.confidence.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](auto a, auto b) { return scores.confidence[a] > scores.confidence[b]; });
  order.resize(order.size() / k_confident_share);
  const auto agree = std::count_if(order.begin(), order.end(), [&](auto i) { return scores.agrees[i] != 0; });
  const auto n = static_cast<int>(order.size());
  theory::LabelNoise noise = wilson_interval(n - static_cast<int>(agree), n);
  if (n > 0) noise.confidence = static_cast<double>(scores.confidence[order.back()]);
  return noise;
}

}  // namespace eos::sim
