// Row masks on the CPU.
#include <algorithm>
#include <cmath>
#include <functional>

#include "cuda_backend.hpp"
#include "eos/core/parallel.hpp"
#include "eos/kernels/mask.hpp"
#include "host_scratch.hpp"
#include "select_key.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_entries_a_task = 64 * 1024;

/// Calls body(row) for all rows, several a task.
template <class Body>
void for_rows(const Context& context, RowShape shape, Body body) {
  const std::int64_t a_task = std::max<std::int64_t>(1, k_entries_a_task / std::max<std::int64_t>(1, shape.width));
  const auto tasks = static_cast<std::size_t>((shape.rows + a_task - 1) / a_task);
  const auto run = [&](std::size_t task) {
    const std::int64_t begin = static_cast<std::int64_t>(task) * a_task;
    for (std::int64_t r = begin; r < std::min<std::int64_t>(begin + a_task, shape.rows); ++r) body(r);
  };
  if (tasks == 1) return run(0);
  core::parallel_for(tasks, context.threads(), run);
}

/// Ranks from the top: the key itself, or what is left to the largest key.
std::uint32_t rank_key(float value, Keep keep) {
  const std::uint32_t key = magnitude_key(value);
  return keep == Keep::largest ? key : k_magnitude_mask - key;
}

void keep_ranked_row(std::int64_t width, const float* keys, Keep keep, std::int64_t k, float* values) {
  auto* ranks = host_scratch<struct RankTag, std::uint32_t>(2 * static_cast<std::size_t>(width));
  for (std::int64_t i = 0; i < width; ++i) ranks[i] = rank_key(keys[i], keep);
  std::uint32_t* sorted = ranks + width;
  std::copy_n(ranks, width, sorted);
  std::nth_element(sorted, sorted + (k - 1), sorted + width, std::greater<>());
  const std::uint32_t threshold = sorted[k - 1];
  std::int64_t ties = std::count(sorted, sorted + k, threshold);
  for (std::int64_t i = 0; i < width; ++i) {
    const bool tie = ranks[i] == threshold && ties > 0;
    ties -= tie;
    if (ranks[i] <= threshold && !tie) values[i] = 0;
  }
}

}  // namespace

void apply_masks(const Context& context, RowShape shape, const std::uint8_t* masks, const std::int32_t* mask_of_row,
                 const float* in, float* out) {
  if (context.backend() == Backend::cuda) return cuda::apply_masks(context, shape, masks, mask_of_row, in, out);
  for_rows(context, shape, [=](std::int64_t r) {
    const std::uint8_t* mask = masks + (mask_of_row == nullptr ? 0 : mask_of_row[r] * shape.width);
    const float* from = in + r * shape.width;
    float* to = out + r * shape.width;
    for (std::int64_t i = 0; i < shape.width; ++i) to[i] = mask[i] != 0 ? from[i] : 0.0f;
  });
}

void add_masked(const Context& context, RowShape shape, const std::uint8_t* mask, float scale, const float* in,
                float* out) {
  if (context.backend() == Backend::cuda) return cuda::add_masked(context, shape, mask, scale, in, out);
  for_rows(context, shape, [=](std::int64_t r) {
    const float* from = in + r * shape.width;
    float* to = out + r * shape.width;
    for (std::int64_t i = 0; i < shape.width; ++i) to[i] = mask[i] != 0 ? to[i] + scale * from[i] : to[i];
  });
}

void keep_ranked(const Context& context, RowShape shape, const float* keys, Ranking ranking, float* values) {
  ranking.k = std::clamp<std::int64_t>(ranking.k, 0, shape.width);
  if (ranking.k == shape.width) return;
  if (context.backend() == Backend::cuda) return cuda::keep_ranked(context, shape, keys, ranking, values);
  for_rows(context, shape, [=](std::int64_t r) {
    float* row = values + r * shape.width;
    if (ranking.k == 0) return std::fill_n(row, shape.width, 0.0f), void();
    const float* key = keys + (ranking.one_for_all ? 0 : r * shape.width);
    keep_ranked_row(shape.width, key, ranking.keep, ranking.k, row);
  });
}

void column_magnitudes(const Context& context, RowShape shape, const float* values, float* sums) {
  if (context.backend() == Backend::cuda) return cuda::column_magnitudes(context, shape, values, sums);
  std::fill_n(sums, shape.width, 0.0f);
  for (std::int64_t r = 0; r < shape.rows; ++r) {
    const float* row = values + r * shape.width;
    for (std::int64_t i = 0; i < shape.width; ++i) sums[i] += std::fabs(row[i]);
  }
}

}  // namespace eos::kernels
