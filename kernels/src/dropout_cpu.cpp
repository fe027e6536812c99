// Dropout on the CPU: eight Philox counters at a time, vectorised across the counters.
#include <fmt/format.h>

#include "cuda_backend.hpp"
#include "dropout_formula.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/dropout.hpp"
#include "for_values.hpp"

namespace eos::kernels {

namespace {

using formula::k_dropout_group;
using formula::k_dropout_lanes;

/// The words that decide about entries [32 group, 32 group + 32), in their order.
void words_of(const core::Words& key, std::uint32_t site, std::uint32_t group, std::uint32_t* words) {
  for (int lane = 0; lane < k_dropout_lanes; ++lane) {
    const core::Words drawn =
        formula::dropout_words(key, site, group * k_dropout_lanes + static_cast<std::uint32_t>(lane));
    words[lane] = drawn.v[0];
    words[lane + k_dropout_lanes] = drawn.v[1];
    words[lane + 2 * k_dropout_lanes] = drawn.v[2];
    words[lane + 3 * k_dropout_lanes] = drawn.v[3];
  }
}

void drop_row(const core::Words& key, DropoutLayer layer, std::int64_t width, const float* x, float* y) {
  const std::uint32_t threshold = formula::dropout_threshold(layer.rate);
  const float scale = formula::dropout_scale(layer.rate);
  for (std::int64_t first = 0; first < width; first += k_dropout_group) {
    alignas(64) std::uint32_t words[k_dropout_group];
    alignas(64) float values[k_dropout_group] = {};
    words_of(key, layer.site, static_cast<std::uint32_t>(first / k_dropout_group), words);
    const std::int64_t count = std::min<std::int64_t>(k_dropout_group, width - first);
    std::copy_n(x + first, count, values);
    for (int e = 0; e < k_dropout_group; ++e) values[e] = words[e] >= threshold ? values[e] * scale : 0.0f;
    std::copy_n(values, count, y + first);
  }
}

}  // namespace

void dropout(const Context& context, DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws,
             const std::int32_t* samples, const float* x, float* y) {
  if (!(layer.rate >= 0 && layer.rate < 1)) {
    throw core::Error("E901", fmt::format("dropout with rate {}: a rate is at least 0 and below 1", layer.rate));
  }
  if (context.backend() == Backend::cuda) return cuda::dropout(context, shape, layer, draws, samples, x, y);
  const std::int64_t rows_a_task = std::max<std::int64_t>(1, 16 * 1024 / std::max<std::int64_t>(1, shape.width));
  for_pieces(context, std::int64_t{shape.replicas} * shape.rows, rows_a_task,
             [&](std::int64_t begin, std::int64_t end) {
               for (std::int64_t i = begin; i < end; ++i) {
                 const core::Words key = formula::dropout_key(draws[i / shape.rows], samples[i]);
                 drop_row(key, layer, shape.width, x + i * shape.width, y + i * shape.width);
               }
             });
}

}  // namespace eos::kernels
