// Activation functions and their slopes for one sum, in single precision, the same bits on host and device, and simple
// enough to vectorise.
#pragma once

#include <cmath>

#include "eos/kernels/activation.hpp"
#include "exp_formula.hpp"

namespace eos::kernels::formula {

/// 1 / (1 + e^-z), from e^-|z| so that nothing overflows and small values keep their digits.
EOS_HD inline float logistic(float z) {
  const float e = exp_of_nonpositive(-fabsf(z));
  return (z < 0.0f ? e : 1.0f) / (1.0f + e);
}

/// Method and coefficients: Cephes tanhf (S. L. Moshier, 1989): a polynomial below 0.625, exponentials above.
EOS_HD inline float hyperbolic_tangent(float z) {
  const float size = fabsf(z), square = z * z;
  float p = -5.70498872745e-3f;
  p = p * square + 2.06390887954e-2f;
  p = p * square + -5.37397155531e-2f;
  p = p * square + 1.33314422036e-1f;
  p = p * square + -3.33332819422e-1f;
  const float near = p * square * z + z;
  const float e = exp_of_nonpositive(-2.0f * size);
  const float far = copysignf((1.0f - e) / (1.0f + e), z);
  return size < 0.625f ? near : far;
}

template <Activation kind>
EOS_HD inline float activate(float z, float leak) {
  if constexpr (kind == Activation::relu) return z < 0.0f ? 0.0f : z;
  if constexpr (kind == Activation::leaky_relu) return z > 0.0f ? z : leak * z;
  if constexpr (kind == Activation::logistic) return logistic(z);
  if constexpr (kind == Activation::tanh) return hyperbolic_tangent(z);
  return z;
}

/// dy/dz from y.
template <Activation kind>
EOS_HD inline float slope(float y, float leak) {
  if constexpr (kind == Activation::relu) return y > 0.0f ? 1.0f : 0.0f;
  if constexpr (kind == Activation::leaky_relu) return y > 0.0f ? 1.0f : leak;
  if constexpr (kind == Activation::logistic) return y * (1.0f - y);
  if constexpr (kind == Activation::tanh) return 1.0f - y * y;
  return 1.0f;
}

template <Activation value>
struct KindConstant {
  static constexpr Activation kind = value;
};

/// Calls body(KindConstant<kind>{}): one compiled loop per function.
template <class Body>
void with_kind(Activation kind, Body body) {
  switch (kind) {
    case Activation::identity:
      return body(KindConstant<Activation::identity>{});
    case Activation::relu:
      return body(KindConstant<Activation::relu>{});
    case Activation::leaky_relu:
      return body(KindConstant<Activation::leaky_relu>{});
    case Activation::logistic:
      return body(KindConstant<Activation::logistic>{});
    case Activation::tanh:
      return body(KindConstant<Activation::tanh>{});
    case Activation::gelu:
      break;  // its slope needs the sum, so it is a layer of its own (gelu.hpp)
  }
}

}  // namespace eos::kernels::formula
