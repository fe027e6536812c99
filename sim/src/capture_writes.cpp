#include <algorithm>
#include <cmath>
#include <numeric>

#include "calibrate_capture.hpp"

namespace eos::sim {
namespace {

const std::vector<double> k_write_fractions{0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1};
constexpr int k_write_batches = 4;

/// Shares of |g|^2, and of <g, whole>, in the largest fractions of one layer of a gradient g.
struct WriteShares {
  std::vector<double> square, signal;
};

WriteShares write_shares(const float* gradient, const float* whole, std::size_t size) {
  std::vector<std::uint32_t> order(size);
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](auto a, auto b) {
    return std::abs(gradient[a]) != std::abs(gradient[b]) ? std::abs(gradient[a]) > std::abs(gradient[b]) : a < b;
  });
  WriteShares s;
  double square = 0, signal = 0;
  std::size_t next = 0;
  for (double u : k_write_fractions) {
    const auto count = static_cast<std::size_t>(std::llround(u * static_cast<double>(size)));
    for (; next < count; ++next) {
      const auto g = static_cast<double>(gradient[order[next]]);
      square += g * g;
      signal += g * static_cast<double>(whole[order[next]]);
    }
    s.square.push_back(square);
    s.signal.push_back(signal);
  }
  for (double& v : s.square) v = square > 0 ? v / square : 1;
  return s;
}

/// Mean over batches of the shares, with the error of the mean.
theory::MeasuredCurve mean_curve(const std::vector<std::vector<double>>& values) {
  theory::MeasuredCurve curve{k_write_fractions, {}, {}};
  const auto n = static_cast<double>(values.size());
  for (std::size_t k = 0; k < k_write_fractions.size(); ++k) {
    double sum = 0, squares = 0;
    for (const auto& v : values) sum += v[k], squares += v[k] * v[k];
    curve.value.push_back(sum / n);
    curve.error.push_back(n > 1 ? std::sqrt(std::max(0.0, squares - sum * sum / n) / (n - 1) / n) : 0);
  }
  return curve;
}

/// Ratio of the sums over batches, with a jackknife over them: <g, G> of one batch may be near 0.
theory::MeasuredCurve ratio_curve(const std::vector<std::vector<double>>& values) {
  const Estimate e = jackknife(static_cast<int>(values.size()), [&](int out) {
    std::vector<double> sum(k_write_fractions.size(), 0.0);
    for (std::size_t b = 0; b < values.size(); ++b)
      for (std::size_t k = 0; k < sum.size(); ++k) sum[k] += static_cast<int>(b) != out ? values[b][k] : 0;
    const double whole = sum.back();
    for (double& s : sum) s = whole != 0 ? s / whole : 1;
    return sum;
  });
  return {k_write_fractions, e.value, e.error};
}

/// Up to `batch` samples of one fold, in the order of the set.
std::vector<std::int32_t> batch_of_fold(const CaptureGroups& groups, int fold, int batch) {
  std::vector<std::int32_t> members;
  for (std::size_t i = 0; i < groups.carrier.size(); ++i)
    if (groups.of_fold[i] == fold) members.push_back(groups.carrier[i]);
  std::sort(members.begin(), members.end());
  members.resize(std::min(members.size(), static_cast<std::size_t>(batch)));
  return members;
}

}  // namespace

void capture_writes(SampleGradients& gradients, const CaptureTask& task, const CaptureGroups& groups,
                    const std::vector<std::vector<float>>& totals, int batch, theory::CaptureSnapshot& snapshot) {
  const auto layers = static_cast<std::size_t>(task.network.layers());
  const int batches = std::min(k_write_batches, groups.folds);
  std::vector<std::vector<std::vector<double>>> square(layers), signal(layers);
  std::vector<float> gradient(static_cast<std::size_t>(task.network.parameters())), others(gradient.size());
  for (int b = 0; b < batches; ++b) {
    std::fill(gradient.begin(), gradient.end(), 0.0f);
    std::fill(others.begin(), others.end(), 0.0f);
    gradients.add(task.data.train, batch_of_fold(groups, b, batch), {}, gradient);
    for (int f = 0; f < groups.folds; ++f)
      for (std::size_t k = 0; f != b && k < others.size(); ++k) others[k] += totals[static_cast<std::size_t>(f)][k];
    for (std::size_t l = 0; l < layers; ++l) {
      const std::int64_t begin = task.network.offsets[l];
      const auto size = static_cast<std::size_t>(task.network.offsets[l + 1] - begin);
      WriteShares s = write_shares(gradient.data() + begin, others.data() + begin, size);
      square[l].push_back(std::move(s.square));
      signal[l].push_back(std::move(s.signal));
    }
  }
  for (std::size_t l = 0; l < layers; ++l) {
    snapshot.write.push_back(mean_curve(square[l]));
    snapshot.write_signal.push_back(ratio_curve(signal[l]));
  }
}

}  // namespace eos::sim
