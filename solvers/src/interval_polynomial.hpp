// Polynomials through stage values on the unit interval.
#pragma once

#include <cmath>
#include <vector>

namespace eos::solvers {

/// Values at sigma of the Lagrange polynomials of `nodes`.
inline std::vector<double> lagrange(const std::vector<double>& nodes, double sigma) {
  std::vector<double> value(nodes.size(), 1.0);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t j = 0; j < nodes.size(); ++j)
      if (j != i) value[i] *= (sigma - nodes[j]) / (nodes[i] - nodes[j]);
  return value;
}

/// Their derivatives at sigma.
inline std::vector<double> lagrange_slope(const std::vector<double>& nodes, double sigma) {
  std::vector<double> slope(nodes.size(), 0.0);
  for (std::size_t i = 0; i < nodes.size(); ++i)
    for (std::size_t k = 0; k < nodes.size(); ++k) {
      if (k == i) continue;
      double term = 1 / (nodes[i] - nodes[k]);
      for (std::size_t j = 0; j < nodes.size(); ++j)
        if (j != i && j != k) term *= (sigma - nodes[j]) / (nodes[i] - nodes[j]);
      slope[i] += term;
    }
  return slope;
}

}  // namespace eos::solvers
