// Selection by std::nth_element on a copy of the keys.
#include <algorithm>
#include <functional>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/kernels/select.hpp"
#include "select_key.hpp"

namespace eos::kernels {

namespace reference {

void select_threshold(const float* values, Segments segments, const std::int64_t* k, Selection* selection) {
  for (int s = 0; s < segments.count; ++s) {
    const std::int64_t begin = segments.offsets[s], end = segments.offsets[s + 1];
    const std::int64_t wanted = std::clamp<std::int64_t>(k[s], 0, end - begin);
    selection[s] = Selection{};
    if (wanted == 0) continue;
    std::vector<std::uint32_t> keys;
    for (std::int64_t i = begin; i < end; ++i) keys.push_back(magnitude_key(values[i]));
    if (*std::max_element(keys.begin(), keys.end()) > k_infinity_key) {
      throw core::Error("E901", "select_threshold was given a NaN", "check the loss for divergence before selecting");
    }
    std::nth_element(keys.begin(), keys.begin() + (wanted - 1), keys.end(), std::greater<>());
    const std::uint32_t threshold = keys[wanted - 1];
    const auto above = std::count_if(keys.begin(), keys.end(), [&](std::uint32_t key) { return key > threshold; });
    selection[s] = Selection{threshold, static_cast<std::uint32_t>(wanted - above)};
  }
}

}  // namespace reference

std::vector<std::int64_t> selected_indices(const float* values, std::int64_t begin, std::int64_t end,
                                           Selection selection) {
  std::vector<std::int64_t> indices;
  std::uint32_t ties_left = selection.ties;
  for (std::int64_t i = begin; i < end; ++i) {
    const std::uint32_t key = magnitude_key(values[i]);
    const bool tie = key == selection.threshold && ties_left > 0;
    if (tie) --ties_left;
    if (tie || key > selection.threshold) indices.push_back(i);
  }
  return indices;
}

}  // namespace eos::kernels
