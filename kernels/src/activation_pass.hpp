// Activations and their slopes over a range of values on the CPU, for kernels that apply them piece by piece.
#pragma once

#include <cstdint>

#include "activation_formula.hpp"

namespace eos::kernels {

inline void activate_values(ActivationSpec spec, std::int64_t size, float* __restrict y) {
  if (spec.kind == Activation::identity) return;
  formula::with_kind(spec.kind, [=](auto constant) {
    for (std::int64_t i = 0; i < size; ++i) y[i] = formula::activate<constant.kind>(y[i], spec.leak);
  });
}

/// dx *= act'(x), x an output value. The rectifier assigns: 0 also where the gradient is infinite.
inline void multiply_by_slope(ActivationSpec spec, std::int64_t size, const float* __restrict x, float* __restrict dx) {
  if (spec.kind == Activation::identity) return;
  if (spec.kind == Activation::relu) {
    for (std::int64_t i = 0; i < size; ++i) dx[i] = x[i] > 0.0f ? dx[i] : 0.0f;
    return;
  }
  formula::with_kind(spec.kind, [=](auto constant) {
    for (std::int64_t i = 0; i < size; ++i) dx[i] *= formula::slope<constant.kind>(x[i], spec.leak);
  });
}

}  // namespace eos::kernels
