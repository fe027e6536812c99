// How much of a quantity the largest fraction u of its carriers holds: the capture functions behind ranked selection.
//
// Statement, for |z| with z standard normal, threshold a_u with 2 Phibar(a_u) = u:
//   phi(u) = u + 2 a_u n(a_u)                 share of the second moment
//   psi(u) = exp(-a_u^2/2)                    share of the first absolute moment
//   chi(u) = u + (2/3)(a_u^3 + 3 a_u) n(a_u)  share of the fourth moment
//   c_alpha(a) = E[|z|^alpha; |z| > a] = 2^{alpha/2} Gamma((alpha+1)/2, a^2/2) / sqrt(pi)
// Laplace density: phi = u (1 + l + l^2/2), psi = u (1 + l), l = ln 1/u. For any symmetric unit-variance density
// d phi/du = a_u^2. Source: standard Gaussian integrals; derived and checked in docs/theory.md.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace eos::theory {

/// Threshold a_u with P(|z| > a_u) = u for a standard normal z. pre: 0 < u <= 1.
double gaussian_threshold(double u);
double gaussian_phi(double u);
double gaussian_psi(double u);
double gaussian_chi(double u);
/// E[|z|^alpha; |z| > a]. pre: alpha >= 0, a >= 0.
double gaussian_c(double alpha, double a);
double laplace_phi(double u);
double laplace_psi(double u);

/// A capture function as a value: analytic, or tabulated from measurement.
/// Invariants: value(0) = 0, value(1) = 1, non-decreasing, value(u) >= u is not enforced (signal can be below).
class CaptureCurve {
 public:
  enum class Kind { linear, gaussian, laplace, tabulated, contaminated_signal, contaminated_noise };
  CaptureCurve() = default;  ///< linear: value(u) = u
  static CaptureCurve linear();
  static CaptureCurve gaussian();
  static CaptureCurve laplace();
  /// Monotone piecewise-cubic (Fritsch & Carlson 1980) interpolation in log u between measured points in (0, 1];
  /// linear to 0 below the first; (1, 1) is appended if missing. throws Error E107 when sizes differ, fractions do not
  /// increase in (0, 1], captured values leave [0, 1] or fall, or the whole does not capture 1.
  static CaptureCurve tabulated(std::vector<double> fraction, std::vector<double> captured);

  /// What ranking residuals captures when a share of the labels is noisier: residuals are a mixture of normals, a share
  /// `fraction` of them with `ratio` times the variance of the others. With thresholds T on |r| and component shares
  /// u_i = P(|r| > T | i), the kept samples carry F_s = sum_i w_i phi(u_i) of the signal E[r x] and
  /// F_n = sum_i w_i s_i^2 phi(u_i) of the noise E[r^2] (overall variance 1): outliers are chosen first and bring noise
  /// but hardly signal, so F_s < F_n. throws Error E104 unless 0 <= fraction <= 1 and ratio > 0.
  static CaptureCurve contaminated_signal(double fraction, double ratio);
  static CaptureCurve contaminated_noise(double fraction, double ratio);
  double outlier_fraction() const { return outliers_; }  ///< of a contaminated curve
  double outlier_ratio() const { return ratio_; }

  /// Value and derivative in one go.
  struct Point {
    double value, derivative;
  };
  Point at(double u) const;
  double value(double u) const { return at(u).value; }
  /// d value / d u = a_u^2, the squared threshold in units of the r.m.s. (of a contaminated signal: less)
  double derivative(double u) const { return at(u).derivative; }
  /// E[|z|; |z| > a_u] = int_0^u sqrt(f'(s)) ds of the unit-variance density with capture function f.
  double first_moment(double u) const;
  /// E[z^4; |z| > a_u] = int_0^u f'(s)^2 ds, 3 chi(u) for a Gaussian.
  double fourth_moment(double u) const;
  /// E[|z|^alpha; |z| > a_u] = int_0^u f'(s)^(alpha/2) ds, whose derivative by u is a_u^alpha. pre: alpha >= 0.
  double moment(double u, double alpha) const;
  Kind kind() const { return kind_; }
  std::string name() const;
  const std::vector<double>& fractions() const { return u_; }
  const std::vector<double>& captured() const { return f_; }

 private:
  void set_slopes();
  void set_moments();
  double integrate_table(double u, double power) const;
  double mixture_threshold(double u) const;
  Point mixture_at(double u) const;
  double mixture_moment(double u, double alpha) const;
  std::pair<double, double> hermite(double u) const;

  Kind kind_ = Kind::linear;
  std::vector<double> u_, f_, slope_;              // tabulated: knots, values, d f / d ln u
  std::vector<double> first_, fourth_;             // moments up to each knot
  double outliers_ = 0, ratio_ = 1;                // contaminated
  double share_[2] = {1, 0}, spread_[2] = {1, 1};  // weights and standard deviations of the components
};

}  // namespace eos::theory
