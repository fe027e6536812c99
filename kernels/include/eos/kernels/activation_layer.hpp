// Activation functions as layers of their own: y = act(z) and dz = dy act'(z).
//
// Formulas and sources: activation.hpp, and gelu.hpp for gelu (its exact form). `kept` is what backward needs of the
// forward pass: the output y, from which all functions but gelu know their slope; for gelu the sum z. Guarantees: the same bits on every backend, anywhere in a batch and for any
// number of threads. In place is allowed. NaN passes through. Thread-safe, allocates nothing. Bytes per entry: 8
// forward, 12 backward. Example: tests/kernels/activation_layer_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

void activation_forward(const Context& context, std::int64_t size, ActivationSpec spec, const float* z, float* y);
void activation_backward(const Context& context, std::int64_t size, ActivationSpec spec, const float* kept,
                         const float* dy, float* dz);

namespace reference {
/// In double, as the definitions say it.
void activation_forward(std::int64_t size, ActivationSpec spec, const double* z, double* y);
void activation_backward(std::int64_t size, ActivationSpec spec, const double* kept, const double* dy, double* dz);
}  // namespace reference

}  // namespace eos::kernels
