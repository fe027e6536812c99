// Gradient clipping as the formula says.
#include <algorithm>
#include <cmath>

#include "eos/kernels/clip.hpp"

namespace eos::kernels::reference {

void clip_gradient(ClipShape shape, double limit, float* gradient, ClipResult* results) {
  const std::int64_t stride = shape.stride == 0 ? shape.size : shape.stride;
  for (int r = 0; r < shape.replicas; ++r) {
    float* mine = gradient + r * stride;
    double squares = 0;
    for (std::int64_t i = 0; i < shape.size; ++i) squares += static_cast<double>(mine[i]) * mine[i];
    const double norm = std::sqrt(squares);
    const auto factor = static_cast<float>(std::min(1.0, limit / (norm + 1e-6)));
    for (std::int64_t i = 0; i < shape.size; ++i) mine[i] *= factor;
    results[r] = {norm, factor};
  }
}

}  // namespace eos::kernels::reference
