// The rank-one update one weight after the other, counts in double.
#include <cmath>

#include "eos/kernels/outer_update.hpp"

namespace eos::kernels::reference {

namespace {

void write(const OuterUpdate& update, float gradient, float& weight, UpdateCounts& counts) {
  const float change = -update.learning_rate * gradient;
  if (!update.all && !(std::fabs(change) > update.threshold)) return;
  const float before = weight;
  weight = before + change;
  const double moved = static_cast<double>(weight) - before;
  counts.writes += weight != before;
  counts.path += std::fabs(moved);
  counts.squared += moved * moved;
}

}  // namespace

void outer_update(DenseShape shape, OuterUpdate update, const float* x, const float* dz, float* w, float* b,
                  UpdateCounts* counts) {
  const std::int64_t in = shape.in, out = shape.out;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    counts[r] = {};
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t k = 0; k < in; ++k)
        write(update, x[r * in + k] * dz[r * out + o], w[(r * in + k) * out + o], counts[r]);
      if (b != nullptr) write(update, dz[r * out + o], b[r * out + o], counts[r]);
    }
  }
}

}  // namespace eos::kernels::reference
