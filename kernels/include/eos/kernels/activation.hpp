// What a layer does with its sums z: the activation functions of dense layers and of squared-error outputs.
//
//   identity    y = z                         y' = 1
//   relu        y = max(z, 0)                 y' = 1[y > 0]
//   leaky_relu  y = z > 0 ? z : leak z        y' = y > 0 ? 1 : leak      (Maas, Hannun & Ng, ICML 2013), leak > 0
//   logistic    y = 1 / (1 + e^-z)            y' = y (1 - y)
//   tanh        y = tanh z                    y' = 1 - y^2
//
// Slopes are taken from the output, so that sums need not be kept. Exponentials are our own polynomial: the same sum
// gives the same bits on every backend. Errors are a few units in the last place (tests/kernels/activation_test.cpp).
#pragma once

#include "eos/theory/activation.hpp"

namespace eos::kernels {

using theory::Activation;

/// Converts from Activation, so that a call may name the function alone.
struct ActivationSpec {
  Activation kind = Activation::identity;
  float leak = 0.1f;  ///< slope of leaky_relu below 0

  ActivationSpec() = default;
  ActivationSpec(Activation k, float slope_below_zero = 0.1f) : kind(k), leak(slope_below_zero) {}
};

}  // namespace eos::kernels
