// A power-law error spectrum of millions of modes as a few dozen bins that the solvers can carry.
//
// Statement. lambda_j = j^-beta and m_j(0) = scale j^(beta - (s beta + 1)), so that lambda_j m_j = scale j^-(s beta +
// 1) (capacity and source conditions, scaling_law.hpp), j = 1 ... P. Modes are grouped in bins of equal width in ln j,
// the first ones alone; a bin of n modes has the multiplicity n, their mean eigenvalue and the mean error weighted by
// the eigenvalue, so that sum n_j lambda_j and sum n_j lambda_j m_j (trace and excess variance) are those of all modes.
// Guarantees: both sums agree to rounding; V(t) of 1e6 modes in 40 bins follows that of all modes within 5e-3, relative
// (tests/theory/spectrum_test.cpp; beta = 1.5, s = 0.5). Cost proportional to P.
#pragma once

#include <cstdint>
#include <vector>

namespace eos::theory {

struct PowerSpectrum {
  std::int64_t modes = 0;  ///< P, up to 1e8
  double exponent = 1.5;   ///< beta > 0
  double source = 0.5;     ///< s
  double scale = 1;        ///< lambda_1 m_1(0) > 0
  int bins = 40;           ///< most bins; fewer modes than bins stay as they are
};

struct BinnedSpectrum {
  std::vector<double> lambda, initial, multiplicity;  ///< [bins]
};

/// throws Error E104 for values out of range.
BinnedSpectrum log_binned_spectrum(const PowerSpectrum& spectrum);

}  // namespace eos::theory
