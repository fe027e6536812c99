// Ranked masks by column on the CPU: ranks of eight columns are copied together, and every lane bisects for itself.
#include <algorithm>

#include "cuda_backend.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "select_key.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Ints;
using simd::k_lanes;

/// Ranks of columns [first, first + count); other lanes are 0.
void copy_ranks(RowShape shape, const float* keys, Keep keep, std::int64_t first, std::int64_t count,
                std::int32_t* ranks) {
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    const float* row = keys + i * shape.width + first;
    simd::Floats values{};
    if (count == k_lanes) {
      values = simd::load(row);
    } else {
      for (std::int64_t lane = 0; lane < count; ++lane) values[lane] = row[lane];
    }
    const Ints key = simd::bits(values) & static_cast<std::int32_t>(k_magnitude_mask);
    const Ints rank = keep == Keep::largest ? key : static_cast<std::int32_t>(k_magnitude_mask) - key;
    std::memcpy(ranks + i * k_lanes, &rank, sizeof rank);
  }
}

Ints count_from(const std::int32_t* ranks, std::int64_t rows, Ints threshold) {
  Ints count{};
  for (std::int64_t i = 0; i < rows; ++i) count -= simd::load(ranks + i * k_lanes) >= threshold;
  return count;
}

/// A threshold in each lane with at least k ranks at or above it, and fewer than k above.
Ints thresholds_of_rank(const std::int32_t* ranks, std::int64_t rows, std::int32_t k) {
  Ints low{}, high{};
  for (std::int64_t i = 0; i < rows; ++i) {
    const Ints rank = simd::load(ranks + i * k_lanes);
    high = rank > high ? rank : high;
  }
  // At least k ranks are at or above `low`, fewer than k above `high`.
  while (simd::any(high > low)) {
    const Ints middle = high - ((high - low) >> 1);  // above low, at most high
    const Ints count = count_from(ranks, rows, middle);
    low = count >= k ? middle : low;
    high = count == k ? middle : count < k ? middle - 1 : high;
  }
  return low;
}

void keep_in_columns(RowShape shape, const float* keys, Ranking ranking, std::int64_t first, float* values) {
  const std::int64_t count = std::min(k_lanes, shape.width - first);
  auto* ranks = host_scratch<struct ColumnRankTag, std::int32_t>(static_cast<std::size_t>(shape.rows * k_lanes));
  copy_ranks(shape, keys, ranking.keep, first, count, ranks);
  const auto k = static_cast<std::int32_t>(ranking.k);
  const Ints threshold = thresholds_of_rank(ranks, shape.rows, k);
  Ints above{};
  for (std::int64_t i = 0; i < shape.rows; ++i) above -= simd::load(ranks + i * k_lanes) > threshold;
  Ints ties = k - above;
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    const Ints rank = simd::load(ranks + i * k_lanes);
    const Ints tie = (rank == threshold) & (ties > 0);
    ties += tie;
    const Ints kept = (rank > threshold) | tie;
    float* row = values + i * shape.width + first;
    if (count == k_lanes) {
      const simd::Floats value = simd::load(row);
      simd::store(row, kept ? value : simd::Floats{});
    } else {
      for (std::int64_t lane = 0; lane < count; ++lane) row[lane] = kept[lane] != 0 ? row[lane] : 0.0f;
    }
  }
}

}  // namespace

void keep_ranked_columns(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values) {
  ranking.k = std::clamp<std::int64_t>(ranking.k, 0, shape.rows);
  if (ranking.k == shape.rows || shape.width == 0) return;
  if (context.backend() == Backend::cuda) return cuda::keep_ranked_columns(context, shape, keys, ranking, values);
  if (ranking.k == 0) return std::fill_n(values, shape.rows * shape.width, 0.0f), void();
  core::parallel_for(static_cast<std::size_t>((shape.width + k_lanes - 1) / k_lanes), context.threads(),
                     [=](std::size_t group) {
                       keep_in_columns(shape, keys, ranking, static_cast<std::int64_t>(group) * k_lanes, values);
                     });
}

}  // namespace eos::kernels
