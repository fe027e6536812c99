// First and second derivatives against two independent tools: Eigen's AutoDiffScalar and, when it is installed, ADOL-C.
#include <gtest/gtest.h>

#include <Eigen/Core>
#include <array>
#include <cmath>
#include <unsupported/Eigen/AutoDiff>

#include "eos/theory/dual.hpp"
#include "eos/theory/expression.hpp"
#if defined(EOS_HAVE_ADOLC)
#include <adolc/adolc.h>
#endif

namespace {

using namespace eos::theory;

// Formulas as templates on the scalar: the right-hand sides and costs of well-known control problems.

template <class T>
T goddard(const std::array<T, 4>& p) {
  using std::exp;
  const T &r = p[0], &v = p[1], &m = p[2], &u = p[3];
  return (3.5 * u - 310.0 * v * v * exp(-500.0 * (r - 1.0))) / m - 1.0 / (r * r);
}
template <class T>
T bioreactor(const std::array<T, 4>& p) {
  using std::exp;
  const T &x1 = p[0], &x2 = p[1], &x4 = p[2], &u = p[3];
  const T growth = 21.87 * x4 / ((x4 + 0.4) * (x4 + 62.5));
  return 4.75 * growth / (0.12 + growth) * (x2 - x1) - u / (1.0 + x1) * x1 + x4 / (0.1 + x4) * exp(-5.0 * x4);
}
template <class T>
T neural(const std::array<T, 4>& p) {
  using std::cos, std::log, std::sin, std::sqrt, std::tanh;
  return tanh(p[0] * p[1] + 0.5 * p[2]) * sin(p[3]) + log(1.0 + p[0] * p[0]) / sqrt(1.0 + p[1] * p[1] + p[2] * p[2]) +
         cos(p[1] * p[3]) * p[2];
}
template <class T>
T angles(const std::array<T, 4>& p) {
  using std::acos, std::asin, std::cosh, std::sinh, std::tan;
  return asin(p[0] / (2.0 + p[1] * p[1])) * sinh(p[2]) + acos(p[3] * 0.3) * tan(0.4 * p[1]) + cosh(p[0] * p[3]);
}

constexpr std::array<std::array<double, 4>, 3> k_points{
    {{1.004, 0.11, 0.83, 0.6}, {1.01, 0.02, 0.61, 0.2}, {0.9, 0.4, 0.7, 0.9}}};

struct Derivatives {
  double value = 0;
  std::array<double, 4> gradient{};
  std::array<std::array<double, 4>, 4> hessian{};
};

template <class F>
Derivatives by_dual(F&& f, const std::array<double, 4>& at) {
  using D = Dual2<4>;
  std::array<D, 4> p;
  for (int i = 0; i < 4; ++i) p[i] = D::variable(at[i], i);
  const D y = f(p);
  Derivatives d{y.v, {}, {}};
  for (int i = 0; i < 4; ++i) {
    d.gradient[i] = y.g[i];
    for (int j = 0; j < 4; ++j) d.hessian[i][j] = y.second(i, j);
  }
  return d;
}

template <class F>
Derivatives by_formula(F&& f, const std::array<double, 4>& at) {
  const std::array<Expr, 4> p{Expr::input(0), Expr::input(1), Expr::input(2), Expr::input(3)};
  const Expr y = f(p);
  const int inputs[] = {0, 1, 2, 3};
  std::vector<Expr> outputs{y};
  for (const Expr& g : gradient(y, inputs)) outputs.push_back(g);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) outputs.push_back(differentiate(outputs[1 + i], j));
  std::vector<double> values(outputs.size());
  Program(outputs, 4)(at.data(), values.data());
  Derivatives d{values[0], {}, {}};
  for (int i = 0; i < 4; ++i) {
    d.gradient[i] = values[1 + i];
    for (int j = 0; j < 4; ++j) d.hessian[i][j] = values[5 + 4 * i + j];
  }
  return d;
}

template <class F>
Derivatives by_eigen(F&& f, const std::array<double, 4>& at) {
  using Inner = Eigen::AutoDiffScalar<Eigen::Matrix<double, 4, 1>>;
  using Outer = Eigen::AutoDiffScalar<Eigen::Matrix<Inner, 4, 1>>;
  std::array<Outer, 4> p;
  for (int i = 0; i < 4; ++i) {
    p[i].value() = Inner(at[i], 4, i);
    for (int j = 0; j < 4; ++j) p[i].derivatives()(j) = Inner(i == j ? 1.0 : 0.0, Eigen::Vector4d::Zero());
  }
  const Outer y = f(p);
  Derivatives d{y.value().value(), {}, {}};
  for (int i = 0; i < 4; ++i) {
    d.gradient[i] = y.derivatives()(i).value();
    for (int j = 0; j < 4; ++j) d.hessian[i][j] = y.derivatives()(i).derivatives()(j);
  }
  return d;
}

#if defined(EOS_HAVE_ADOLC)
template <class F>
Derivatives by_adolc(F&& f, const std::array<double, 4>& at) {
  constexpr short k_tape = 1;
  Derivatives d;
  trace_on(k_tape);
  std::array<adouble, 4> p;
  for (int i = 0; i < 4; ++i) p[i] <<= at[i];
  adouble y = f(p);
  y >>= d.value;
  trace_off();
  double x[4], *rows[4], storage[4][4] = {};
  for (int i = 0; i < 4; ++i) x[i] = at[i], rows[i] = storage[i];
  ::gradient(k_tape, 4, x, d.gradient.data());
  ::hessian(k_tape, 4, x, rows);
  for (int i = 0; i < 4; ++i)
    for (int j = 0; j < 4; ++j) d.hessian[i][j] = i >= j ? storage[i][j] : storage[j][i];
  return d;
}
#endif

/// Relative to the largest entry: entries that cancel carry the rounding of the large ones.
void expect_equal(const Derivatives& a, const Derivatives& b, const char* what) {
  double g = 1, h = 1;
  for (int i = 0; i < 4; ++i) {
    g = std::max(g, std::fabs(b.gradient[i]));
    for (int j = 0; j < 4; ++j) h = std::max(h, std::fabs(b.hessian[i][j]));
  }
  EXPECT_NEAR(a.value, b.value, 1e-13 * (1 + std::fabs(b.value))) << what;
  for (int i = 0; i < 4; ++i) {
    EXPECT_NEAR(a.gradient[i], b.gradient[i], 1e-13 * g) << what << i;
    for (int j = 0; j < 4; ++j) EXPECT_NEAR(a.hessian[i][j], b.hessian[i][j], 1e-13 * h) << what << i << j;
  }
}

template <class Check>
void over_formulas(Check&& check) {
  for (const auto& at : k_points) {
    check([](const auto& p) { return goddard(p); }, at);
    check([](const auto& p) { return bioreactor(p); }, at);
    check([](const auto& p) { return neural(p); }, at);
    check([](const auto& p) { return angles(p); }, at);
  }
}

TEST(DerivativeOracles, eigens_autodiffscalar_agrees_to_1e_13) {
  over_formulas([](auto f, const std::array<double, 4>& at) {
    const Derivatives reference = by_eigen(f, at);
    expect_equal(by_dual(f, at), reference, "dual ");
    expect_equal(by_formula(f, at), reference, "formula ");
  });
}

TEST(DerivativeOracles, adolc_agrees_to_1e_13) {
#if defined(EOS_HAVE_ADOLC)
  over_formulas([](auto f, const std::array<double, 4>& at) {
    const Derivatives reference = by_adolc(f, at);
    expect_equal(by_dual(f, at), reference, "dual ");
    expect_equal(by_formula(f, at), reference, "formula ");
  });
#else
  GTEST_SKIP() << "ADOL-C is not installed (libadolc-dev)";
#endif
}

}  // namespace
