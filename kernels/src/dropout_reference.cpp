// Dropout entry by entry.
#include "dropout_formula.hpp"

namespace eos::kernels::reference {

void dropout(DropoutShape shape, DropoutLayer layer, const DropoutDraw* draws, const std::int32_t* samples,
             const float* x, float* y) {
  for (std::int64_t i = 0; i < std::int64_t{shape.replicas} * shape.rows; ++i) {
    const core::Words key = formula::dropout_key(draws[i / shape.rows], samples[i]);
    for (std::int64_t e = 0; e < shape.width; ++e) {
      const auto counter = static_cast<std::uint32_t>(e / 32 * 8 + e % 8);
      const std::uint32_t word = formula::dropout_words(key, layer.site, counter).v[e / 8 % 4];
      const bool keep = word >= formula::dropout_threshold(layer.rate);
      y[i * shape.width + e] = keep ? x[i * shape.width + e] * formula::dropout_scale(layer.rate) : 0.0f;
    }
  }
}

}  // namespace eos::kernels::reference
