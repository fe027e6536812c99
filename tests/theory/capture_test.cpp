#include "eos/theory/capture.hpp"

#include <gtest/gtest.h>

#include <boost/math/quadrature/tanh_sinh.hpp>
#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include "eos/core/error.hpp"

namespace {

using eos::theory::CaptureCurve;

double normal_density(double z) { return std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi); }
double laplace_density(double z) { return std::exp(-std::numbers::sqrt2 * std::abs(z)) / std::numbers::sqrt2; }

/// E[|z|^power; |z| > a] of a symmetric density, by quadrature.
template <class Density>
double tail_moment(Density density, double power, double a) {
  boost::math::quadrature::tanh_sinh<double> integrator;
  return 2 * integrator.integrate([&](double x) { return std::pow(x, power) * density(x); }, a, a + 50);
}

double integral(const std::function<double(double)>& f, double from, double to) {
  boost::math::quadrature::tanh_sinh<double> integrator;
  return integrator.integrate(f, from, to);
}

TEST(Capture, gaussian_values_agree_with_the_printed_table) {
  const double u[] = {.05, .1, .3, .5, .8};
  const double phi[] = {.2791, .4393, .7833, .9287, .9958};
  const double psi[] = {.1465, .2585, .5844, .7965, .9684};
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(eos::theory::gaussian_phi(u[i]), phi[i], 5.1e-5) << u[i];  // half a unit of the last printed digit
    EXPECT_NEAR(eos::theory::gaussian_psi(u[i]), psi[i], 5.1e-5) << u[i];
  }
}

TEST(Capture, gaussian_moments_agree_with_quadrature) {
  for (double u : {1e-3, .05, .3, .8, .999}) {
    const double a = eos::theory::gaussian_threshold(u);
    EXPECT_NEAR(std::erfc(a / std::numbers::sqrt2), u, 1e-14 * 1);
    EXPECT_NEAR(eos::theory::gaussian_phi(u), tail_moment(normal_density, 2, a), 1e-10);
    EXPECT_NEAR(eos::theory::gaussian_psi(u), tail_moment(normal_density, 1, a) / tail_moment(normal_density, 1, 0),
                1e-10);
    EXPECT_NEAR(eos::theory::gaussian_chi(u), tail_moment(normal_density, 4, a) / 3, 1e-10);
  }
  for (double alpha : {0.0, 0.5, 1.0, 1.7, 2.0, 4.0}) {
    for (double a : {0.0, 0.3, 1.0, 3.0}) {
      EXPECT_NEAR(eos::theory::gaussian_c(alpha, a), tail_moment(normal_density, alpha, a), 1e-9) << alpha << " " << a;
    }
  }
}

TEST(Capture, c_alpha_contains_the_named_functions) {
  for (double u : {.02, .4, .9}) {
    const double a = eos::theory::gaussian_threshold(u);
    EXPECT_NEAR(eos::theory::gaussian_c(0, a), u, 1e-13);
    EXPECT_NEAR(eos::theory::gaussian_c(1, a), std::sqrt(2 / std::numbers::pi) * eos::theory::gaussian_psi(u), 1e-13);
    EXPECT_NEAR(eos::theory::gaussian_c(2, a), eos::theory::gaussian_phi(u), 1e-13);
    EXPECT_NEAR(eos::theory::gaussian_c(4, a), 3 * eos::theory::gaussian_chi(u), 1e-13);
  }
}

TEST(Capture, laplace_forms_agree_with_quadrature) {
  for (double u : {.01, .3, .8}) {
    const double a = -std::log(u) / std::numbers::sqrt2;
    EXPECT_NEAR(eos::theory::laplace_phi(u), tail_moment(laplace_density, 2, a), 1e-10);
    EXPECT_NEAR(eos::theory::laplace_psi(u), tail_moment(laplace_density, 1, a) / tail_moment(laplace_density, 1, 0),
                1e-10);
  }
}

TEST(Capture, slope_is_the_squared_threshold) {
  for (const CaptureCurve& curve : {CaptureCurve::gaussian(), CaptureCurve::laplace()}) {
    for (double u : {1e-3, .05, .3, .7, .95}) {
      const double h = 1e-5 * u;
      const double slope = (curve.value(u + h) - curve.value(u - h)) / (2 * h);
      EXPECT_NEAR(curve.derivative(u) / slope, 1, 1e-7) << curve.name() << " " << u;  // h^2 and rounding/h
    }
  }
  EXPECT_NEAR(CaptureCurve::gaussian().derivative(.3), std::pow(eos::theory::gaussian_threshold(.3), 2), 1e-14);
}

TEST(Capture, moments_of_a_curve_are_integrals_of_its_threshold) {
  for (const CaptureCurve& curve : {CaptureCurve::linear(), CaptureCurve::gaussian(), CaptureCurve::laplace()}) {
    for (double u : {.02, .3, 1.0}) {
      const double first = integral([&](double s) { return std::sqrt(curve.derivative(s)); }, 0, u);
      const double fourth = integral([&](double s) { return std::pow(curve.derivative(s), 2); }, 0, u);
      EXPECT_NEAR(curve.first_moment(u), first, 1e-7) << curve.name();  // the integrand is singular at 0
      EXPECT_NEAR(curve.fourth_moment(u), fourth, 1e-6) << curve.name();
    }
  }
}

TEST(Capture, ends_are_exact) {
  for (const CaptureCurve& curve : {CaptureCurve::linear(), CaptureCurve::gaussian(), CaptureCurve::laplace(),
                                    CaptureCurve::tabulated({.1, .5}, {.4, .9})}) {
    EXPECT_EQ(curve.value(0), 0) << curve.name();
    EXPECT_EQ(curve.value(1), 1) << curve.name();
    EXPECT_TRUE(std::isfinite(curve.derivative(1)));
  }
}

std::vector<double> log_grid(int n) {
  std::vector<double> u;
  for (int i = 0; i < n; ++i) u.push_back(std::pow(1e-3, 1 - i / (n - 1.0)));
  u.back() = 1;
  return u;
}

TEST(TabulatedCapture, reproduces_the_function_it_was_sampled_from) {
  const CaptureCurve exact = CaptureCurve::gaussian();
  std::vector<double> u = log_grid(40), f;
  for (double x : u) f.push_back(exact.value(x));
  const CaptureCurve table = CaptureCurve::tabulated(u, f);
  for (std::size_t i = 0; i < u.size(); ++i) EXPECT_NEAR(table.value(u[i]), f[i], 1e-14);
  for (double x : {.0015, .01, .033, .2, .47}) {
    // Fritsch-Carlson slopes are second-order: relative errors of (0.18)^2/4-ish in the slope, far less in the value.
    EXPECT_NEAR(table.value(x) / exact.value(x), 1, 1e-3) << x;
    EXPECT_NEAR(table.derivative(x) / exact.derivative(x), 1, .03) << x;
  }
  EXPECT_NEAR(table.first_moment(1), std::sqrt(2 / std::numbers::pi), 5e-3);
  EXPECT_NEAR(table.fourth_moment(1), 3, .02);
}

TEST(TabulatedCapture, is_monotone_where_the_data_are) {
  const CaptureCurve table = CaptureCurve::tabulated({.01, .03, .1, .3, .31, 1}, {.2, .2, .5, .51, .95, 1});
  double last = 0;
  for (int i = 1; i <= 2000; ++i) {
    const double u = i / 2000.0, f = table.value(u);
    EXPECT_GE(f, last - 1e-15) << u;
    last = f;
  }
}

TEST(TabulatedCapture, slope_is_the_derivative_of_the_value) {
  const CaptureCurve table = CaptureCurve::tabulated({.01, .03, .1, .3, 1}, {.1, .2, .45, .8, 1});
  for (double u : {.004, .015, .05, .17, .6}) {
    const double h = 1e-6 * u;
    EXPECT_NEAR(table.derivative(u), (table.value(u + h) - table.value(u - h)) / (2 * h), 1e-7) << u;
  }
}

TEST(TabulatedCapture, refuses_contradictory_points) {
  auto code = [](std::vector<double> u, std::vector<double> f) -> std::string {
    try {
      CaptureCurve::tabulated(std::move(u), std::move(f));
    } catch (const eos::core::Error& error) {
      return error.diagnostics().at(0).code;
    }
    return "none";
  };
  EXPECT_EQ(code({.1, .2}, {.5}), "E107");
  EXPECT_EQ(code({}, {}), "E107");
  EXPECT_EQ(code({.2, .1}, {.5, .6}), "E107");
  EXPECT_EQ(code({0, .1}, {.5, .6}), "E107");
  EXPECT_EQ(code({.1, .2}, {.6, .5}), "E107");
  EXPECT_EQ(code({.1, 1}, {.6, .9}), "E107");
  EXPECT_EQ(code({.1, .2}, {.5, 1.2}), "E107");
  EXPECT_EQ(code({.1, .2}, {.5, .6}), "none");
}

}  // namespace
