// Exponential-integrator functions phi_k(z) = int_0^1 e^{(1-t) z} t^{k-1}/(k-1)! dt at z = -x, x >= 0.
//
// phi_0 = e^z, phi_{k+1}(z) = (phi_k(z) - 1/k!)/z, d phi_k/dz = phi_k - k phi_{k+1}.
// Hochbruck & Ostermann, Acta Numerica 19, 209 (2010), eq. 2.10. The upward recurrence cancels for small x, so there
// the Taylor series of phi_4 is used and the recurrence runs downwards.
#pragma once

#include <array>
#include <cmath>

namespace eos::solvers {

struct Phi {
  double p1, p2, p3, p4;
};

namespace detail {
constexpr int k_phi_terms = 14;  // the first neglected term is below 1/18! = 2e-16 of a value near 1/24
constexpr std::array<double, k_phi_terms> phi4_coefficients() {
  std::array<double, k_phi_terms> c{};
  double factorial = 24;
  for (int n = 0; n < k_phi_terms; ++n) {
    c[static_cast<std::size_t>(n)] = 1 / factorial;
    factorial *= n + 5;
  }
  return c;
}
inline constexpr std::array<double, k_phi_terms> k_phi4 = phi4_coefficients();
}  // namespace detail

inline Phi phi_functions(double x) {
  const double z = -x;
  if (x < 1) {
    double p4 = detail::k_phi4.back();
    for (std::size_t n = detail::k_phi_terms - 1; n-- > 0;) p4 = detail::k_phi4[n] + z * p4;
    const double p3 = 1.0 / 6 + z * p4;
    const double p2 = 0.5 + z * p3;
    return {1 + z * p2, p2, p3, p4};
  }
  const double inverse = 1 / z;
  const double p1 = std::expm1(z) * inverse;
  const double p2 = (p1 - 1) * inverse;
  const double p3 = (p2 - 0.5) * inverse;
  return {p1, p2, p3, (p3 - 1.0 / 6) * inverse};
}

}  // namespace eos::solvers
