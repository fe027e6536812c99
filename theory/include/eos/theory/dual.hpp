// Exact first and second derivatives by forward differentiation with a fixed number of directions, on host and device.
//
// Dual<N> carries a value and N first derivatives; Dual2<N> also the packed symmetric second derivatives:
//   f(a): v = f(a.v), g_i = f' a.g_i, h_ij = f' a.h_ij + f'' a.g_i a.g_j        (chain rule; Griewank & Walther 2008, ch. 13)
// Both work in any formula that is a template on its scalar. The value is computed as double would compute it.
#pragma once

#include <cmath>

#include "eos/core/host_device.hpp"

namespace eos::theory {

template <int N>
struct Dual {
  double v = 0;
  double g[N] = {};
  EOS_HD Dual() = default;
  EOS_HD Dual(double value) : v(value) {}  // NOLINT: numbers are constants
  /// The independent variable number `direction`.
  EOS_HD static Dual variable(double value, int direction) {
    Dual x(value);
    x.g[direction] = 1;
    return x;
  }
};

template <int N>
struct Dual2 {
  static constexpr int packed = N * (N + 1) / 2;
  double v = 0;
  double g[N] = {};
  double h[packed] = {};  ///< h[i (i + 1) / 2 + j], j <= i
  EOS_HD Dual2() = default;
  EOS_HD Dual2(double value) : v(value) {}  // NOLINT: numbers are constants
  EOS_HD static Dual2 variable(double value, int direction) {
    Dual2 x(value);
    x.g[direction] = 1;
    return x;
  }
  EOS_HD double second(int i, int j) const { return i >= j ? h[i * (i + 1) / 2 + j] : h[j * (j + 1) / 2 + i]; }
};

namespace detail {

/// f(a) from f, f', f'' at a.v.
template <int N>
EOS_HD inline Dual<N> chain(const Dual<N>& a, double f, double df, double) {
  Dual<N> y(f);
  for (int i = 0; i < N; ++i) y.g[i] = df * a.g[i];
  return y;
}
template <int N>
EOS_HD inline Dual2<N> chain(const Dual2<N>& a, double f, double df, double ddf) {
  Dual2<N> y(f);
  for (int i = 0, k = 0; i < N; ++i) {
    y.g[i] = df * a.g[i];
    const double w = ddf * a.g[i];
    for (int j = 0; j <= i; ++j, ++k) y.h[k] = df * a.h[k] + w * a.g[j];
  }
  return y;
}
/// f(a, b) from f, f_a, f_b, f_aa, f_ab, f_bb.
template <int N>
EOS_HD inline Dual<N> chain(const Dual<N>& a, const Dual<N>& b, double f, double fa, double fb, double, double, double) {
  Dual<N> y(f);
  for (int i = 0; i < N; ++i) y.g[i] = fa * a.g[i] + fb * b.g[i];
  return y;
}
template <int N>
EOS_HD inline Dual2<N> chain(const Dual2<N>& a, const Dual2<N>& b, double f, double fa, double fb, double faa, double fab,
                             double fbb) {
  Dual2<N> y(f);
  for (int i = 0, k = 0; i < N; ++i) {
    y.g[i] = fa * a.g[i] + fb * b.g[i];
    const double wa = faa * a.g[i] + fab * b.g[i], wb = fab * a.g[i] + fbb * b.g[i];
    for (int j = 0; j <= i; ++j, ++k) y.h[k] = fa * a.h[k] + fb * b.h[k] + wa * a.g[j] + wb * b.g[j];
  }
  return y;
}

}  // namespace detail

#define EOS_DUAL_ARITHMETIC(D)                                                                                     \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator+(const D<N>& a, const D<N>& b) {                                                     \
    return detail::chain(a, b, a.v + b.v, 1, 1, 0, 0, 0);                                                          \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator-(const D<N>& a, const D<N>& b) {                                                     \
    return detail::chain(a, b, a.v - b.v, 1, -1, 0, 0, 0);                                                         \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator*(const D<N>& a, const D<N>& b) {                                                     \
    return detail::chain(a, b, a.v * b.v, b.v, a.v, 0, 1, 0);                                                      \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator/(const D<N>& a, const D<N>& b) {                                                     \
    const double q = a.v / b.v, r = 1 / b.v;                                                                       \
    return detail::chain(a, b, q, r, -q * r, 0, -r * r, 2 * q * r * r);                                            \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator-(const D<N>& a) {                                                                    \
    return detail::chain(a, -a.v, -1, 0);                                                                          \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator+(const D<N>& a, double b) { return detail::chain(a, a.v + b, 1, 0); }                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator+(double a, const D<N>& b) { return detail::chain(b, a + b.v, 1, 0); }                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator-(const D<N>& a, double b) { return detail::chain(a, a.v - b, 1, 0); }                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator-(double a, const D<N>& b) { return detail::chain(b, a - b.v, -1, 0); }               \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator*(const D<N>& a, double b) { return detail::chain(a, a.v * b, b, 0); }                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator*(double a, const D<N>& b) { return detail::chain(b, a * b.v, a, 0); }                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator/(const D<N>& a, double b) { return detail::chain(a, a.v / b, 1 / b, 0); }            \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> operator/(double a, const D<N>& b) {                                                          \
    const double q = a / b.v, r = 1 / b.v;                                                                         \
    return detail::chain(b, q, -q * r, 2 * q * r * r);                                                             \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N>& operator+=(D<N>& a, const D<N>& b) { return a = a + b; }                                     \
  template <int N>                                                                                                 \
  EOS_HD inline D<N>& operator-=(D<N>& a, const D<N>& b) { return a = a - b; }                                     \
  template <int N>                                                                                                 \
  EOS_HD inline D<N>& operator*=(D<N>& a, const D<N>& b) { return a = a * b; }                                     \
  template <int N>                                                                                                 \
  EOS_HD inline D<N>& operator/=(D<N>& a, const D<N>& b) { return a = a / b; }                                     \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> pow(const D<N>& a, double b) {                                                                \
    const double f = std::pow(a.v, b);                                                                             \
    return detail::chain(a, f, b == 0 ? 0 : b * std::pow(a.v, b - 1),                                              \
                         b == 0 || b == 1 ? 0 : b * (b - 1) * std::pow(a.v, b - 2));                               \
  }                                                                                                                \
  template <int N>                                                                                                 \
  EOS_HD inline D<N> pow(const D<N>& a, const D<N>& b) {                                                           \
    return exp(b * log(a));                                                                                        \
  }

/// One function of one variable: name, value, first and second derivative in x and f = value.
#define EOS_DUAL_FUNCTION(name, value, first, second)         \
  template <int N>                                            \
  EOS_HD inline Dual<N> name(const Dual<N>& a) {              \
    const double x = a.v, f = value;                          \
    return detail::chain(a, f, first, 0);                     \
  }                                                           \
  template <int N>                                            \
  EOS_HD inline Dual2<N> name(const Dual2<N>& a) {            \
    const double x = a.v, f = value;                          \
    return detail::chain(a, f, first, second);                \
  }

EOS_DUAL_FUNCTION(exp, std::exp(x), f, f)
EOS_DUAL_FUNCTION(log, std::log(x), 1 / x, -1 / (x * x))
EOS_DUAL_FUNCTION(sqrt, std::sqrt(x), 0.5 / f, -0.25 / (f * x))
EOS_DUAL_FUNCTION(sin, std::sin(x), std::cos(x), -f)
EOS_DUAL_FUNCTION(cos, std::cos(x), -std::sin(x), -f)
EOS_DUAL_FUNCTION(tan, std::tan(x), 1 + f * f, 2 * f * (1 + f * f))
EOS_DUAL_FUNCTION(asin, std::asin(x), 1 / std::sqrt(1 - x * x), x / ((1 - x * x) * std::sqrt(1 - x * x)))
EOS_DUAL_FUNCTION(acos, std::acos(x), -1 / std::sqrt(1 - x * x), -x / ((1 - x * x) * std::sqrt(1 - x * x)))
EOS_DUAL_FUNCTION(atan, std::atan(x), 1 / (1 + x * x), -2 * x / ((1 + x * x) * (1 + x * x)))
EOS_DUAL_FUNCTION(sinh, std::sinh(x), std::cosh(x), f)
EOS_DUAL_FUNCTION(cosh, std::cosh(x), std::sinh(x), f)
EOS_DUAL_FUNCTION(tanh, std::tanh(x), 1 - f * f, -2 * f * (1 - f * f))
EOS_DUAL_FUNCTION(asinh, std::asinh(x), 1 / std::sqrt(1 + x * x), -x / ((1 + x * x) * std::sqrt(1 + x * x)))
EOS_DUAL_FUNCTION(acosh, std::acosh(x), 1 / std::sqrt(x * x - 1), -x / ((x * x - 1) * std::sqrt(x * x - 1)))
EOS_DUAL_FUNCTION(atanh, std::atanh(x), 1 / (1 - x * x), 2 * x / ((1 - x * x) * (1 - x * x)))
EOS_DUAL_FUNCTION(erf, std::erf(x), 1.1283791670955126 * std::exp(-x * x),
                  -2 * x * 1.1283791670955126 * std::exp(-x * x))
EOS_DUAL_FUNCTION(abs, std::fabs(x), x < 0 ? -1.0 : 1.0, 0)
#undef EOS_DUAL_FUNCTION

EOS_DUAL_ARITHMETIC(Dual)
EOS_DUAL_ARITHMETIC(Dual2)
#undef EOS_DUAL_ARITHMETIC

}  // namespace eos::theory
