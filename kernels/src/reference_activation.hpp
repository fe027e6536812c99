// The activation functions in double, as their definitions say them: for the references.
#pragma once

#include <cmath>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/gelu.hpp"

namespace eos::kernels::reference {

inline double activate(ActivationSpec spec, double z) {
  switch (spec.kind) {
    case Activation::identity:
      break;
    case Activation::gelu:
      return gelu(z);
    case Activation::relu:
      return z < 0 ? 0 : z;
    case Activation::leaky_relu:
      return z > 0 ? z : spec.leak * z;
    case Activation::logistic:
      return 1 / (1 + std::exp(-z));
    case Activation::tanh:
      return std::tanh(z);
  }
  return z;
}

inline double slope(ActivationSpec spec, double y) {
  switch (spec.kind) {
    case Activation::identity:
      break;
    case Activation::gelu:  // from the sum, not from the output
      return gelu_slope(y);
    case Activation::relu:
      return y > 0 ? 1 : 0;
    case Activation::leaky_relu:
      return y > 0 ? 1 : spec.leak;
    case Activation::logistic:
      return y * (1 - y);
    case Activation::tanh:
      return 1 - y * y;
  }
  return 1;
}

}  // namespace eos::kernels::reference
