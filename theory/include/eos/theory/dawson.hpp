// Dawson's integral and the imaginary error function, which the C++ standard library and Boost.Math lack.
//
//   F(x) = exp(-x^2) int_0^x exp(t^2) dt,   erfi(x) = 2/sqrt(pi) exp(x^2) F(x)
// Source: power and asymptotic series, DLMF 7.6.2 and 7.12. Relative accuracy about 1e-15; F never overflows, erfi is
// infinite beyond x = 26.6 as it must be.
#pragma once

namespace eos::theory {

double dawson(double x);
double erfi(double x);

}  // namespace eos::theory
