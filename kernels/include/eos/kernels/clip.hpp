// Shorten gradients that are too long: one factor for all parameters of a replica.
//
// Pascanu, Mikolov & Bengio, ICML 2013, algorithm 1, with the constant of torch.nn.utils.clip_grad_norm_:
//   norm = sqrt(sum g^2),  factor = min(1, limit / (norm + 1e-6)),  g' = factor g
// Shapes: gradient [R][stride], of which the first `size` entries of each replica count and are changed; results [R] in
// the context's memory: nothing returns to the host, so that a training step can be captured into a CUDA graph. A norm
// that is NaN makes the gradient NaN, an infinite one its finite entries 0.
// Guarantees: the norm is summed in double in a fixed order; same bits on every backend and for any threads(). Where
// the factor is 1 the gradient is only read: 4 bytes a parameter, else 12. No allocation after the first call.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct ClipShape {
  int replicas = 1;
  std::int64_t size = 0;
  std::int64_t stride = 0;  ///< floats between replicas; 0: size
};

struct ClipResult {
  double norm = 0;  ///< before
  float factor = 1;
};

/// throws Error E901 for negative sizes or a limit that is not positive. Example: tests/kernels/clip_test.cpp.
void clip_gradient(const Context& context, ClipShape shape, double limit, float* gradient, ClipResult* results);

namespace reference {
void clip_gradient(ClipShape shape, double limit, float* gradient, ClipResult* results);
}  // namespace reference

}  // namespace eos::kernels
