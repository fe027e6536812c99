// Gaussian error linear units: y = z Phi(z), Phi the standard normal distribution function.
//
// Source: Hendrycks & Gimpel, "Gaussian error linear units (GELUs)", arXiv:1606.08415 (2016), section 2: the exact form
// z (1 + erf(z / sqrt 2)) / 2, which networks here use, and the approximation
// z (1 + tanh(sqrt(2/pi) (z + 0.044715 z^3))) / 2 of the same section. Slopes are taken from z, because y does not
// determine it (both forms fall before they rise). Guarantees: own formula, the same bits on every backend, anywhere in
// a batch and for any number of threads. Exact form: within 6 units in the last place of z Phi(z), also far below 0
// (down to results of 1e-38, then 0); slope within 4e-7. The tanh form within 6 + 8 |u| units, u the argument of tanh.
// gelu(-inf) = -0; NaN passes through. In place is allowed. Thread-safe, allocates nothing. Bytes per entry: 8 forward,
// 12 backward. Plain reference: namespace reference, in double. Example: tests/kernels/gelu_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

void gelu_forward(const Context& context, std::int64_t size, const float* z, float* y);
/// dz = dy gelu'(z)
void gelu_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz);
/// The exact form for a pass back to come: each z becomes the slope there, with the bits of gelu_backward.
void gelu_forward_with_slopes(const Context& context, std::int64_t size, float* z, float* y);
void gelu_tanh_forward(const Context& context, std::int64_t size, const float* z, float* y);
void gelu_tanh_backward(const Context& context, std::int64_t size, const float* z, const float* dy, float* dz);

namespace reference {
double gelu(double z);
double gelu_slope(double z);
double gelu_tanh(double z);
double gelu_tanh_slope(double z);
}  // namespace reference

}  // namespace eos::kernels
