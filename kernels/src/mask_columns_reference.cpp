// Ranked masks by column: sort each.
#include <algorithm>
#include <numeric>
#include <vector>

#include "eos/kernels/mask_columns.hpp"
#include "select_key.hpp"

namespace eos::kernels::reference {

void keep_ranked_columns(RowShape shape, const float* keys, Ranking ranking, float* values) {
  const std::int64_t k = std::clamp<std::int64_t>(ranking.k, 0, shape.rows);
  const std::vector<float> copy(keys, keys + shape.rows * shape.width);  // keys may be the values
  for (std::int64_t o = 0; o < shape.width; ++o) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(shape.rows));
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
      const auto key_a = magnitude_key(copy[a * shape.width + o]), key_b = magnitude_key(copy[b * shape.width + o]);
      return ranking.keep == Keep::largest ? key_a > key_b : key_a < key_b;
    });
    for (std::int64_t i = k; i < shape.rows; ++i) values[order[i] * shape.width + o] = 0;
  }
}

}  // namespace eos::kernels::reference
