#include "calibrate_capture.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/philox.hpp"

namespace eos::sim {
namespace {

using Floats = std::vector<float>;

/// Samples spread evenly over the set.
std::vector<std::int32_t> spread(const LabelledSet& set, int n) {
  std::vector<std::int32_t> index;
  for (int i = 0; i < n; ++i)
    index.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) * set.samples / n));
  return index;
}

/// The fractions that make classes of at least two of n carriers.
std::vector<double> usable(const std::vector<double>& fractions, int n) {
  std::vector<double> kept;
  long long before = 0;
  for (double u : fractions) {
    const long long end = std::llround(u * n);
    if (end - before < 2 && u < 1) continue;
    kept.push_back(u);
    before = end;
  }
  if (kept.size() > 1 && std::llround(kept[kept.size() - 1] * n) - std::llround(kept[kept.size() - 2] * n) < 2)
    kept.erase(kept.end() - 2);
  return kept;
}

/// Signed sums of a gradient's entries in buckets; whole gradients where they are no longer than that.
class Sketch {
 public:
  explicit Sketch(std::size_t parameters) : exact_(parameters <= k_buckets) {
    if (exact_) return;
    for (std::uint32_t i = 0; i < parameters; i += 4) {
      const core::Words w = core::draw(0, {k_run, 0, core::Purpose::bootstrap, i});
      for (std::uint32_t k = i; k < std::min<std::size_t>(i + 4, parameters); ++k) word_.push_back(w.v[k - i]);
    }
  }
  Floats operator()(const Floats& gradient) const {
    if (exact_) return gradient;
    Floats sums(k_buckets, 0.0f);
    for (std::size_t k = 0; k < gradient.size(); ++k) {
      const std::uint32_t w = word_[k];
      sums[w % k_buckets] += (w >> 31) != 0 ? -gradient[k] : gradient[k];
    }
    return sums;
  }

 private:
  static constexpr std::size_t k_buckets = 8192;
  static constexpr std::uint32_t k_run = 3000;  // of addresses, apart from those of folds and bootstraps
  bool exact_;
  std::vector<std::uint32_t> word_;
};

double dot(const Floats& a, const Floats& b) {
  double sums[8] = {};
  std::size_t k = 0;
  for (; k + 8 <= a.size(); k += 8)
    for (std::size_t j = 0; j < 8; ++j) sums[j] += static_cast<double>(a[k + j]) * static_cast<double>(b[k + j]);
  for (; k < a.size(); ++k) sums[0] += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

/// Single gradients one by one: |g_i|^2 by block into the moments, and the spectrum.
theory::SpectrumSummary measure_singles(SampleGradients& gradients, const CaptureTask& task,
                                        const CaptureGroups& groups, CaptureMoments& moments) {
  const auto parameters = static_cast<std::size_t>(task.network.parameters());
  const Sketch sketch(parameters);
  std::vector<Floats> sketches;
  std::vector<double> weight;
  Floats gradient(parameters);
  for (std::size_t i : groups.singles) {
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    gradients.add(task.data.train, {groups.carrier[i]}, {}, gradient);
    const int c = groups.of_class[i];
    add_squares(gradient, task.network.offsets, c, groups.of_fold[i], moments);
    sketches.push_back(sketch(gradient));
    weight.push_back(moments.class_size(c, -1));
  }
  std::vector<double> taken(static_cast<std::size_t>(moments.classes), 0.0);
  for (std::size_t i : groups.singles) ++taken[static_cast<std::size_t>(groups.of_class[i])];
  const std::size_t m = sketches.size();
  for (std::size_t i = 0; i < m; ++i)
    weight[i] /= taken[static_cast<std::size_t>(groups.of_class[groups.singles[i]])] *
                 static_cast<double>(groups.carrier.size());
  std::vector<double> gram(m * m);
  for (std::size_t i = 0; i < m; ++i)
    for (std::size_t j = 0; j <= i; ++j) gram[i * m + j] = gram[j * m + i] = dot(sketches[i], sketches[j]);
  return theory::summarise_spectrum(gram, weight);
}

void residual_shares(const CaptureGroups& groups, theory::CaptureSnapshot& snapshot) {
  const Estimate e = jackknife(groups.folds, [&](int out) {
    std::vector<double> parts(groups.fractions.size(), 0.0);
    for (std::size_t i = 0; i < groups.residual.size(); ++i)
      if (groups.of_fold[i] != out)
        parts[static_cast<std::size_t>(groups.of_class[i])] += std::pow(static_cast<double>(groups.residual[i]), 2);
    std::partial_sum(parts.begin(), parts.end(), parts.begin());
    const double whole = parts.back();
    for (double& p : parts) p = whole > 0 ? p / whole : 1;
    return parts;
  });
  snapshot.residual = {groups.fractions, e.value, e.error};
}

}  // namespace

const std::vector<double>& capture_fractions() {
  static const std::vector<double> fractions{0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1};
  return fractions;
}

CaptureGroups groups_of(const CaptureTask& task, const std::vector<float>& weights, const CaptureSettings& settings) {
  const LabelledSet& set = task.data.train;
  const int n = std::min(settings.samples, set.samples);
  SampleGradients gradients(task.spec, task.data, task.network, weights);
  const std::vector<std::int32_t> samples = spread(set, n);
  const std::vector<float> residual = gradients.score(set, samples).residual;
  return capture_groups(samples, residual, residual, usable(capture_fractions(), n), settings.folds, settings.singles,
                        settings.seed, settings.snapshot);
}

std::vector<std::vector<float>> group_sums(SampleGradients& gradients, const CaptureTask& task,
                                           const CaptureGroups& groups) {
  const auto cells = static_cast<std::size_t>(groups.classes() * groups.folds);
  std::vector<std::vector<std::int32_t>> members(cells);
  for (std::size_t i = 0; i < groups.carrier.size(); ++i)
    members[static_cast<std::size_t>(groups.of_class[i] * groups.folds + groups.of_fold[i])].push_back(
        groups.carrier[i]);
  std::vector<Floats> sums(cells, Floats(static_cast<std::size_t>(task.network.parameters()), 0.0f));
  for (std::size_t g = 0; g < cells; ++g) gradients.add(task.data.train, members[g], {}, sums[g]);
  return sums;
}

theory::CaptureSnapshot capture(const CaptureTask& task, const std::vector<float>& weights,
                                const CaptureSettings& settings) {
  const CaptureGroups groups = groups_of(task, weights, settings);
  SampleGradients gradients(task.spec, task.data, task.network, weights);
  CaptureMoments moments(groups, task.network.layers());
  const std::vector<Floats> totals = add_products(group_sums(gradients, task, groups), task.network.offsets, moments);
  theory::CaptureSnapshot snapshot;
  snapshot.spectrum = measure_singles(gradients, task, groups, moments);
  residual_shares(groups, snapshot);
  snapshot.signal = signal_curve(groups, moments, -1);
  snapshot.noise = noise_curve(groups, moments, -1);
  for (float r : groups.residual)
    snapshot.residual_variance += std::pow(static_cast<double>(r), 2) / static_cast<double>(groups.residual.size());
  for (int b = 0; b < task.network.layers(); ++b) {
    snapshot.layer_signal.push_back(signal_curve(groups, moments, b));
    snapshot.layer_noise.push_back(noise_curve(groups, moments, b));
  }
  const Estimate scale = jackknife(groups.folds, [&](int out) {
    std::vector<double> values;
    for (int b = 0; b < task.network.layers(); ++b) values.push_back(moments.noise_scale(b, out));
    return values;
  });
  snapshot.simple_noise_scale = scale.value;
  snapshot.noise_scale_error = scale.error;
  const Estimate q =
      jackknife(groups.folds, [&](int out) { return std::vector{benefit_exponent(groups, moments, out)}; });
  snapshot.benefit_exponent = q.value.front();
  snapshot.benefit_exponent_error = q.error.front();
  // On the edge of the search the exponent is open: the residuals of the classes hardly differ.
  if (q.value.front() < 0.01 || q.value.front() > k_largest_exponent - 0.01)
    snapshot.benefit_exponent_error = std::max(snapshot.benefit_exponent_error, 0.5 * k_largest_exponent);
  capture_writes(gradients, task, groups, totals, settings.batch, snapshot);
  if (task.network.predictions() > 1) capture_tokens(gradients, task, settings, snapshot);
  if (settings.gram && gram_applies(task.spec, task.data, task.network))
    capture_by_gram(task.network, weights, task.data.train, settings, snapshot);
  return snapshot;
}

}  // namespace eos::sim
