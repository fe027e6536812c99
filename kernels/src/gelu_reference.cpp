// The Gaussian error linear unit as its definitions say it.
#include <cmath>

#include "eos/kernels/gelu.hpp"

namespace eos::kernels::reference {

namespace {
constexpr double k_pi = 3.14159265358979323846;
}

double gelu(double z) { return z * 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double gelu_slope(double z) {
  return 0.5 * std::erfc(-z / std::sqrt(2.0)) + z * std::exp(-z * z / 2) / std::sqrt(2 * k_pi);
}

double gelu_tanh(double z) { return z / (1 + std::exp(-2 * std::sqrt(2 / k_pi) * (z + 0.044715 * z * z * z))); }

double gelu_tanh_slope(double z) {
  const double root = std::sqrt(2 / k_pi), tangent = std::tanh(root * (z + 0.044715 * z * z * z));
  return 0.5 * (1 + tangent) + 0.5 * z * (1 - tangent * tangent) * root * (1 + 3 * 0.044715 * z * z);
}

}  // namespace eos::kernels::reference
