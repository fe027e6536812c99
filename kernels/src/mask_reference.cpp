// Row masks as plain loops.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "eos/kernels/mask.hpp"
#include "select_key.hpp"

namespace eos::kernels::reference {

void apply_masks(RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row, const float* in,
                 float* out) {
  for (int r = 0; r < shape.rows; ++r) {
    const std::uint8_t* mask = masks + (mask_of_row == nullptr ? 0 : mask_of_row[r] * shape.width);
    for (std::int64_t i = 0; i < shape.width; ++i)
      out[r * shape.width + i] = mask[i] != 0 ? in[r * shape.width + i] : 0.0f;
  }
}

void add_masked(RowShape shape, const std::uint8_t* mask, float scale, const float* in, float* out) {
  for (std::int64_t i = 0; i < shape.rows * shape.width; ++i) {
    if (mask[i % shape.width] != 0) out[i] += scale * in[i];
  }
}

void keep_ranked(RowShape shape, const float* keys, Ranking ranking, float* values) {
  const auto width = static_cast<std::size_t>(shape.width);
  const auto k = static_cast<std::ptrdiff_t>(std::clamp<std::int64_t>(ranking.k, 0, shape.width));
  for (int r = 0; r < shape.rows; ++r) {
    const float* key = keys + (ranking.one_for_all ? 0 : r * shape.width);
    std::vector<std::size_t> order(width);
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const std::uint32_t ka = magnitude_key(key[a]), kb = magnitude_key(key[b]);
      return ranking.keep == Keep::largest ? ka > kb : ka < kb;
    });
    // The rest is zeroed after sorting, because the keys may be the values.
    std::for_each(order.begin() + k, order.end(),
                  [&](std::size_t i) { values[r * shape.width + std::int64_t(i)] = 0; });
  }
}

void column_magnitudes(RowShape shape, const float* values, float* sums) {
  for (std::int64_t i = 0; i < shape.width; ++i) {
    sums[i] = 0;
    for (int r = 0; r < shape.rows; ++r) sums[i] += std::fabs(values[r * shape.width + i]);
  }
}

}  // namespace eos::kernels::reference
