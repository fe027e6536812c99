#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibrate_capture.hpp"
#include "eos/core/philox.hpp"
#include "eos/kernels/dense.hpp"
#include "eos/kernels/gather.hpp"
#include "eos/kernels/softmax_xent.hpp"

namespace eos::sim {
namespace {

using Floats = std::vector<float>;

/// Activations and scores of samples spread evenly over the set.
struct Forward {
  std::vector<std::int32_t> labels;
  Activations activations;
  Floats dz, residual;
};

Forward forward(const kernels::Context& context, const Network& layout, const Floats& weights, const LabelledSet& set,
                int n) {
  Forward f;
  std::vector<std::int32_t> index;
  for (int i = 0; i < n; ++i) {
    index.push_back(static_cast<std::int32_t>(static_cast<std::int64_t>(i) * set.samples / n));
    f.labels.push_back(set.labels[static_cast<std::size_t>(index.back())]);
  }
  f.activations = Activations(context, layout, n);
  kernels::gather_rows(context, set.inputs.data(), layout.inputs(), index.data(), n, 1.0f / 255.0f,
                       f.activations.row(0, 0));
  forward(context, layout, weights.data(), f.activations, 0, n);
  f.dz.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(layout.classes()));
  f.residual.resize(static_cast<std::size_t>(n));
  kernels::SoftmaxOutputs out;
  out.residual = f.residual.data();
  out.dz = f.dz.data();
  kernels::softmax_xent(context, {1, n, layout.classes()}, f.activations.row(layout.layers(), 0), f.labels.data(),
                        nullptr, 1.0f, out);
  return f;
}

/// a a^T of a [n][columns].
void self_product(const kernels::Context& context, const float* a, int n, int columns, Floats& product) {
  product.resize(static_cast<std::size_t>(n) * static_cast<std::size_t>(n));
  kernels::dense_backward_inputs(context, {1, n, n, columns}, a, a, a, theory::Activation::identity, product.data());
}

/// Sum over layers of the Gram matrices, and the simple noise scale of each layer.
struct Grams {
  Floats total;
  std::vector<double> noise_scale;
};

/// Eight running sums, so that the sum of a row is not one chain of dependent additions.
double dot(const float* a, const float* b, std::size_t n) {
  double sums[8] = {};
  std::size_t j = 0;
  for (; j + 8 <= n; j += 8)
    for (std::size_t k = 0; k < 8; ++k) sums[k] += static_cast<double>(a[j + k]) * static_cast<double>(b[j + k]);
  for (; j < n; ++j) sums[0] += static_cast<double>(a[j]) * static_cast<double>(b[j]);
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

double simple_noise_scale(const Floats& gram, std::size_t n) {
  const Floats ones(n, 1.0f);
  double diagonal = 0, all = 0;
  for (std::size_t i = 0; i < n; ++i) {
    all += dot(gram.data() + i * n, ones.data(), n);
    diagonal += gram[i * n + i];
  }
  const auto count = static_cast<double>(n);
  const double second = diagonal / count, mean_squared = (all - diagonal) / (count * (count - 1));
  // With few samples the unbiased estimate of |G|^2 can be negative: then the noise scale is beyond the sample.
  return (second - mean_squared) / std::max(mean_squared, 1e-6 * second);
}

Grams grams(const kernels::Context& context, const Network& layout, const Floats& weights, const Forward& f, int n) {
  Grams result;
  const auto size = static_cast<std::size_t>(n);
  result.total.assign(size * size, 0);
  result.noise_scale.resize(static_cast<std::size_t>(layout.layers()));
  Floats delta = f.dz, inputs, errors;
  for (int layer = layout.layers() - 1; layer >= 0; --layer) {
    const int in = layout.widths[static_cast<std::size_t>(layer)],
              out = layout.widths[static_cast<std::size_t>(layer) + 1];
    const float* x = f.activations.row(layer, 0);
    self_product(context, x, n, in, inputs);
    self_product(context, delta.data(), n, out, errors);
    for (std::size_t k = 0; k < inputs.size(); ++k) {
      errors[k] *= 1 + inputs[k];  // 1: the bias, an input that is always on
      result.total[k] += errors[k];
    }
    result.noise_scale[static_cast<std::size_t>(layer)] = simple_noise_scale(errors, size);
    if (layer == 0) break;
    Floats previous(size * static_cast<std::size_t>(in));
    kernels::dense_backward_inputs(context, {1, n, in, out}, delta.data(),
                                   weights.data() + layout.offsets[static_cast<std::size_t>(layer)], x,
                                   theory::Activation::relu, previous.data());
    delta = std::move(previous);
  }
  return result;
}

std::vector<std::size_t> hardest_first(const Floats& residual) {
  std::vector<std::size_t> order(residual.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return residual[a] > residual[b]; });
  return order;
}

double deviation(const std::vector<double>& values) {
  if (values.size() < 2) return 0;
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (double v : values) sum += (v - mean) * (v - mean);
  return std::sqrt(sum / (n - 1));
}

void sample_curves(const Grams& g, const Floats& residual, const CaptureSettings& settings,
                   theory::CaptureSnapshot& snapshot) {
  const std::vector<double>& u = capture_fractions();
  const SampleShares shares = sample_shares(g.total, residual, {}, u);
  std::vector<SampleShares> resampled;
  const auto n = static_cast<std::uint32_t>(residual.size());
  for (int b = 0; b < settings.bootstrap; ++b) {
    std::vector<int> times(n, 0);
    for (std::uint32_t i = 0; i < n; ++i) {
      const core::Words w =
          core::draw(settings.seed, {settings.snapshot, static_cast<std::uint32_t>(b), core::Purpose::bootstrap, i});
      ++times[core::uniform_int(w.v[0], n)];
    }
    resampled.push_back(sample_shares(g.total, residual, times, u));
  }
  auto curve = [&](std::vector<double> SampleShares::*member) {
    theory::MeasuredCurve c{u, shares.*member, {}};
    for (std::size_t k = 0; k < u.size(); ++k) {
      std::vector<double> values;
      for (const SampleShares& r : resampled) values.push_back((r.*member)[k]);
      c.error.push_back(deviation(values));
    }
    return c;
  };
  snapshot.residual = curve(&SampleShares::residual);
  snapshot.signal = curve(&SampleShares::signal);
  snapshot.noise = curve(&SampleShares::noise);
}

}  // namespace

SampleShares sample_shares(const Floats& gram, const Floats& residual, const std::vector<int>& times,
                           const std::vector<double>& fractions) {
  const std::size_t n = residual.size();
  const std::vector<std::size_t> order = hardest_first(residual);
  const Floats weight = times.empty() ? Floats(n, 1.0f) : Floats(times.begin(), times.end());
  SampleShares s;
  double drawn = 0, squares = 0, signal = 0, noise = 0;
  std::size_t next = 0;
  for (double u : fractions) {
    // A sample that straddles the cut is kept with all its copies.
    for (; next < n && drawn < u * static_cast<double>(n) - 0.5; ++next) {
      const std::size_t i = order[next];
      const double w = weight[i];
      if (w == 0) continue;
      const double row = dot(gram.data() + i * n, weight.data(), n);
      const double own = gram[i * n + i];
      drawn += w;
      squares += w * residual[i] * residual[i];
      signal += w * (row - w * own);
      noise += w * own;
    }
    s.residual.push_back(squares);
    s.signal.push_back(signal);
    s.noise.push_back(noise);
  }
  for (auto* shares : {&s.residual, &s.signal, &s.noise}) {
    const double whole = shares->back();
    for (double& v : *shares) v = whole != 0 ? v / whole : 1;
  }
  return s;
}

bool gram_applies(const theory::TrainingSpec& spec, const TaskData& data, const Network& layout) {
  const theory::NetworkSpec plain;
  return layout.chain() && layout.biases && spec.network.activation == plain.activation &&
         spec.network.loss == plain.loss && spec.network.label_smoothing == 0 && !spec.data.centred &&
         spec.data.input_noise == 0 && data.channel_mean.empty() && !spec.data.augment.any();
}

void capture_by_gram(const Network& layout, const std::vector<float>& weights, const LabelledSet& set,
                     const CaptureSettings& settings, theory::CaptureSnapshot& snapshot) {
  const kernels::Context context = kernels::Context::cpu();
  const int n = std::min(settings.samples, set.samples);
  const Forward f = forward(context, layout, weights, set, n);
  const Grams g = grams(context, layout, weights, f, n);
  snapshot.simple_noise_scale = g.noise_scale;
  sample_curves(g, f.residual, settings, snapshot);
}

}  // namespace eos::sim
