// Add arrays: residual connections, and gradients that meet where an output was used twice. Multiply them: errors by
// slopes.
//
// add: y[i] = a[i] + b[i]; multiply: y[i] = a[i] b[i]; y may be a or b, so that add(context, size, y, x, y) is y += x.
// Guarantees: the same bits on every backend and for any number of threads. Thread-safe, allocates nothing. Bytes per
// entry: 12. Example: tests/kernels/elementwise_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

void add(const Context& context, std::int64_t size, const float* a, const float* b, float* y);
void multiply(const Context& context, std::int64_t size, const float* a, const float* b, float* y);

namespace reference {
void add(std::int64_t size, const float* a, const float* b, float* y);
void multiply(std::int64_t size, const float* a, const float* b, float* y);
}  // namespace reference

}  // namespace eos::kernels
