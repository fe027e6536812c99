#include "capture_groups.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {
namespace {

// The addresses of the folds, apart from those of bootstraps.
constexpr std::uint32_t k_folds_run = 2000;

/// A random order of [begin, end), by address.
std::vector<std::size_t> shuffled(std::size_t begin, std::size_t end, std::uint64_t seed, std::uint32_t snapshot) {
  std::vector<std::pair<std::uint32_t, std::size_t>> keys;
  for (std::size_t i = begin; i < end; ++i) {
    const core::Words w =
        core::draw(seed, {k_folds_run + snapshot, 0, core::Purpose::bootstrap, static_cast<std::uint32_t>(i)});
    keys.emplace_back(w.v[0], i);
  }
  std::sort(keys.begin(), keys.end());
  std::vector<std::size_t> order;
  for (const auto& key : keys) order.push_back(key.second);
  return order;
}

double dot(const float* a, const float* b, std::int64_t n) {
  double sums[8] = {};
  std::int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    for (std::int64_t k = 0; k < 8; ++k) sums[k] += static_cast<double>(a[i + k]) * static_cast<double>(b[i + k]);
  for (; i < n; ++i) sums[0] += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return std::accumulate(std::begin(sums), std::end(sums), 0.0);
}

std::vector<double> cumulated_shares(std::vector<double> parts) {
  std::partial_sum(parts.begin(), parts.end(), parts.begin());
  const double whole = parts.back();
  for (double& p : parts) p = whole != 0 ? p / whole : 1;
  return parts;
}

theory::MeasuredCurve curve_of(const CaptureGroups& groups, const std::function<std::vector<double>(int)>& parts) {
  const Estimate e = jackknife(groups.folds, [&](int out) { return cumulated_shares(parts(out)); });
  return {groups.fractions, e.value, e.error};
}

}  // namespace

CaptureGroups capture_groups(const std::vector<std::int32_t>& carriers, const std::vector<float>& rank,
                             const std::vector<float>& residual, std::vector<double> fractions, int folds, int singles,
                             std::uint64_t seed, std::uint32_t snapshot, const std::vector<int>& fold) {
  const std::size_t n = carriers.size();
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return rank[a] > rank[b]; });
  CaptureGroups g;
  g.fractions = std::move(fractions);
  g.folds = folds;
  g.of_class.resize(n);
  g.of_fold.resize(n);
  for (std::size_t i : order) {
    g.carrier.push_back(carriers[i]);
    g.residual.push_back(residual[i]);
  }
  const int alone = std::max(2, singles / g.classes());
  std::size_t begin = 0, dealt = 0;
  for (int c = 0; c < g.classes(); ++c) {
    const auto end =
        static_cast<std::size_t>(std::llround(g.fractions[static_cast<std::size_t>(c)] * static_cast<double>(n)));
    if (end < begin + 2)
      throw core::Error("E104", fmt::format("{} carriers are too few for {} classes of hardness", n, g.classes()),
                        "use more capture samples");
    const std::vector<std::size_t> mixed = shuffled(begin, end, seed, snapshot);
    for (std::size_t i = 0; i < mixed.size(); ++i) {
      g.of_class[mixed[i]] = c;
      g.of_fold[mixed[i]] =
          fold.empty() ? static_cast<int>(dealt++ % static_cast<std::size_t>(folds)) : fold[order[mixed[i]]];
      if (static_cast<int>(i) < alone) g.singles.push_back(mixed[i]);
    }
    begin = end;
  }
  std::sort(g.singles.begin(), g.singles.end());
  return g;
}

CaptureMoments::CaptureMoments(const CaptureGroups& groups, int block_count)
    : blocks(block_count), classes(groups.classes()), folds(groups.folds) {
  const auto cells = static_cast<std::size_t>(classes) * static_cast<std::size_t>(folds);
  count.assign(cells, 0);
  singles.assign(cells, 0);
  square.assign(static_cast<std::size_t>(blocks) * cells, 0);
  pair.assign(square.size() * static_cast<std::size_t>(folds), 0);
  for (std::size_t i = 0; i < groups.of_class.size(); ++i) ++count[cell(groups.of_class[i], groups.of_fold[i])];
  for (std::size_t i : groups.singles) ++singles[cell(groups.of_class[i], groups.of_fold[i])];
}

double& CaptureMoments::pair_at(int block, int c, int f, int other) {
  return pair[static_cast<std::size_t>(((block * classes + c) * folds + f) * folds + other)];
}

double& CaptureMoments::square_at(int block, int c, int f) {
  return square[static_cast<std::size_t>((block * classes + c) * folds + f)];
}

double CaptureMoments::class_size(int c, int left_out) const {
  double size = 0;
  for (int f = 0; f < folds; ++f) size += f != left_out ? count[cell(c, f)] : 0;
  return size;
}

std::vector<double> CaptureMoments::signal(int block, int left_out) const {
  std::vector<double> parts(static_cast<std::size_t>(classes), 0.0);
  for (int b = block < 0 ? 0 : block; b < (block < 0 ? blocks : block + 1); ++b)
    for (int c = 0; c < classes; ++c)
      for (int f = 0; f < folds; ++f)
        for (int o = 0; o < folds; ++o) {
          if (f == o || f == left_out || o == left_out) continue;
          parts[static_cast<std::size_t>(c)] +=
              pair[static_cast<std::size_t>(((b * classes + c) * folds + f) * folds + o)];
        }
  return parts;
}

std::vector<double> CaptureMoments::noise(int block, int left_out) const {
  std::vector<double> parts(static_cast<std::size_t>(classes), 0.0);
  for (int c = 0; c < classes; ++c) {
    double sum = 0, number = 0;
    for (int f = 0; f < folds; ++f) {
      if (f == left_out) continue;
      number += singles[cell(c, f)];
      for (int b = block < 0 ? 0 : block; b < (block < 0 ? blocks : block + 1); ++b)
        sum += square[static_cast<std::size_t>((b * classes + c) * folds + f)];
    }
    if (number > 0) parts[static_cast<std::size_t>(c)] = class_size(c, left_out) * sum / number;
  }
  return parts;
}

double CaptureMoments::noise_scale(int block, int left_out) const {
  double all = 0, in_fold = 0;
  for (int f = 0; f < folds; ++f) {
    double size = 0;
    for (int c = 0; c < classes; ++c) size += f != left_out ? count[cell(c, f)] : 0;
    all += size;
    in_fold += size * size;
  }
  const std::vector<double> s = signal(block, left_out), n = noise(block, left_out);
  const double mean_squared = std::accumulate(s.begin(), s.end(), 0.0) / (all * all - in_fold),
               second = std::accumulate(n.begin(), n.end(), 0.0) / all;
  // With few samples the unbiased estimate of |G|^2 can be negative: then the noise scale is beyond the sample.
  return (second - mean_squared) / std::max(mean_squared, 1e-6 * second);
}

std::vector<std::vector<float>> add_products(const std::vector<std::vector<float>>& sums,
                                             const std::vector<std::int64_t>& block_offsets, CaptureMoments& m) {
  const auto folds = static_cast<std::size_t>(m.folds);
  std::vector<std::vector<float>> whole(folds, std::vector<float>(sums.front().size(), 0.0f));
  for (std::size_t g = 0; g < sums.size(); ++g)
    for (std::size_t k = 0; k < sums[g].size(); ++k) whole[g % folds][k] += sums[g][k];
  for (int b = 0; b < m.blocks; ++b) {
    const std::int64_t begin = block_offsets[static_cast<std::size_t>(b)],
                       size = block_offsets[static_cast<std::size_t>(b) + 1] - begin;
    for (int c = 0; c < m.classes; ++c)
      for (int f = 0; f < m.folds; ++f)
        for (int o = 0; o < m.folds; ++o)
          if (f != o)
            m.pair_at(b, c, f, o) += dot(sums[static_cast<std::size_t>(c * m.folds + f)].data() + begin,
                                         whole[static_cast<std::size_t>(o)].data() + begin, size);
  }
  return whole;
}

void add_squares(const std::vector<float>& gradient, const std::vector<std::int64_t>& block_offsets, int c, int f,
                 CaptureMoments& moments) {
  for (int b = 0; b < moments.blocks; ++b) {
    const std::int64_t begin = block_offsets[static_cast<std::size_t>(b)];
    const float* g = gradient.data() + begin;
    moments.square_at(b, c, f) += dot(g, g, block_offsets[static_cast<std::size_t>(b) + 1] - begin);
  }
}

Estimate jackknife(int folds, const std::function<std::vector<double>(int)>& statistic) {
  Estimate e;
  e.value = statistic(-1);
  std::vector<std::vector<double>> without;
  for (int f = 0; f < folds; ++f) without.push_back(statistic(f));
  for (std::size_t k = 0; k < e.value.size(); ++k) {
    double mean = 0, squares = 0;
    for (const auto& w : without) mean += w[k] / folds;
    for (const auto& w : without) squares += (w[k] - mean) * (w[k] - mean);
    e.error.push_back(std::sqrt(squares * (folds - 1) / folds));
  }
  return e;
}

theory::MeasuredCurve signal_curve(const CaptureGroups& groups, const CaptureMoments& moments, int block) {
  return curve_of(groups, [&](int out) { return moments.signal(block, out); });
}

theory::MeasuredCurve noise_curve(const CaptureGroups& groups, const CaptureMoments& moments, int block) {
  return curve_of(groups, [&](int out) { return moments.noise(block, out); });
}

double benefit_exponent(const CaptureGroups& groups, const CaptureMoments& moments, int left_out) {
  const std::vector<double> signal = moments.signal(-1, left_out), noise = moments.noise(-1, left_out);
  const auto misfit = [&](double q) {
    std::vector<double> power(signal.size(), 0.0), size(signal.size(), 0.0);
    for (std::size_t i = 0; i < groups.residual.size(); ++i) {
      if (groups.of_fold[i] == left_out) continue;
      const auto c = static_cast<std::size_t>(groups.of_class[i]);
      power[c] += std::pow(static_cast<double>(groups.residual[i]), q);
      ++size[c];
    }
    double ss = 0, sp = 0, pp = 0;
    for (std::size_t c = 0; c < signal.size(); ++c) {
      if (!(noise[c] > 0)) continue;
      // S_c has the variance of a sum of n_c projections, which is proportional to N_c.
      ss += signal[c] * signal[c] / noise[c];
      sp += signal[c] * power[c] / noise[c];
      pp += power[c] * power[c] / noise[c];
    }
    return pp > 0 ? ss - (sp > 0 ? sp * sp / pp : 0) : ss;
  };
  constexpr int k_grid = 60;
  double best = 0, least = misfit(0);
  for (int i = 1; i <= k_grid; ++i) {
    const double q = k_largest_exponent * i / k_grid, m = misfit(q);
    if (m < least) least = m, best = q;
  }
  for (double step = 0.5 * k_largest_exponent / k_grid; step > 1e-3; step *= 0.5)
    for (double q : {best - step, best + step})
      if (q >= 0 && q <= k_largest_exponent && misfit(q) < least) least = misfit(q), best = q;
  return best;
}

}  // namespace eos::sim
