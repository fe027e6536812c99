// Control problems with known value functions, for tests of the grid solvers.
#pragma once

#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "eos/solvers/hjb.hpp"

namespace eos::solvers::test {

/// Coefficients of one point: running cost, drift, gains, prices, speed.
struct Point {
  double running = 0;
  double drift[3] = {};
  double gain[3][3] = {};
  double price_abs[3] = {}, price_square[3] = {};
  double speed = 0;
};

/// A model stated point by point.
class PointModel : public HjbModel {
 public:
  using Law = std::function<Point(double time, const double* x)>;
  using Flow = std::function<double(double x, double u, double duration)>;
  PointModel(int states, std::vector<double> lower, std::vector<double> upper, Law law)
      : states_(states), lower_(std::move(lower)), upper_(std::move(upper)), law_(std::move(law)) {}
  int states() const override { return states_; }
  int affine_controls() const override { return static_cast<int>(lower_.size()); }
  std::vector<double> lower() const override { return lower_; }
  std::vector<double> upper() const override { return upper_; }
  void coefficients(int, const HjbPoints& points, const HjbCoefficients& out) const override {
    for (std::int64_t k = 0; k < points.count; ++k) {
      double x[3] = {};
      for (int i = 0; i < states_; ++i) x[i] = points.x[i][k];
      const Point p = law_(points.time, x);
      out.running[k] = p.running, out.speed[k] = p.speed;
      for (int i = 0; i < states_; ++i) out.drift[i][k] = p.drift[i];
      for (int j = 0; j < affine_controls(); ++j) {
        for (int i = 0; i < states_; ++i) out.gain[j][i][k] = p.gain[j][i];
        out.price_abs[j][k] = p.price_abs[j], out.price_square[j][k] = p.price_square[j];
      }
    }
  }
  bool autonomous() const override { return autonomous_; }
  bool flow(int, const double* x, const double* u, double duration, double* to) const override {
    if (!flow_) return false;
    to[0] = flow_(x[0], u[0], duration);
    return true;
  }
  Flow flow_;
  bool autonomous_ = true;

 private:
  int states_;
  std::vector<double> lower_, upper_;
  Law law_;
};

inline HjbAxis axis(double lower, double upper, std::int64_t points, Edge edge = Edge::constrain,
                    Spacing spacing = Spacing::uniform) {
  return {lower, upper, points, spacing, edge, edge};
}

inline constexpr double k_nan = std::numeric_limits<double>::quiet_NaN();

/// Largest |V - exact| over points where `counts`, and the mean.
struct GridError {
  double largest = 0, mean = 0;
};
inline GridError error_of(
    const HjbSolution& s, const std::function<double(const double*)>& exact,
    const std::function<bool(const double*)>& counts = [](const double*) { return true; }) {
  GridError error;
  double number = 0;
  for (std::size_t k = 0; k < s.value().size(); ++k) {
    double x[3];
    s.grid.point(static_cast<std::int64_t>(k), x);
    if (!counts(x)) continue;
    const double e = std::abs(s.value()[k] - exact(x));
    error.largest = std::max(error.largest, e);
    error.mean += e, ++number;
  }
  error.mean /= number;
  return error;
}

/// Least-squares slope of -log2(error) over grids that halve.
inline double order(const std::vector<double>& errors) {
  double slope = 0, square = 0;
  const double middle = static_cast<double>(errors.size() - 1) / 2;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    const double t = static_cast<double>(k) - middle;
    slope -= t * std::log2(errors[k]), square += t * t;
  }
  return slope / square;
}

/// x'' = u, |u| <= 1: drift (v, 0), gain (0, 1).
inline std::shared_ptr<PointModel> double_integrator(std::function<double(const double*)> running) {
  return std::make_shared<PointModel>(2, std::vector<double>{-1}, std::vector<double>{1},
                                      [running = std::move(running)](double, const double* x) {
                                        Point p;
                                        p.running = running(x);
                                        p.drift[0] = x[1];
                                        p.gain[0][1] = 1;
                                        return p;
                                      });
}

/// Least time to the origin of x'' = u, |u| <= 1 (Pontryagin et al. 1962).
inline double least_time(const double* x) {
  const bool mirrored = x[0] < -x[1] * std::abs(x[1]) / 2;
  const double position = mirrored ? -x[0] : x[0], speed = mirrored ? -x[1] : x[1];
  return speed + std::sqrt(std::max(0.0, 4 * position + 2 * speed * speed));
}

/// x' = -x^3 + u, int (x^2 + u^2)/2 without end: V = -x^4/4 + (x^2 sqrt(x^4 + 1) + asinh x^2)/4.
inline double cubic_value(double x) {
  const double s = x * x;
  return -s * s / 4 + (s * std::sqrt(s * s + 1) + std::asinh(s)) / 4;
}
inline std::shared_ptr<PointModel> cubic_model() {
  return std::make_shared<PointModel>(1, std::vector<double>{-4}, std::vector<double>{4}, [](double, const double* x) {
    Point p;
    p.running = .5 * x[0] * x[0];
    p.drift[0] = -x[0] * x[0] * x[0];
    p.gain[0][0] = 1;
    p.price_square[0] = 1;
    return p;
  });
}

/// x' = u, |u| <= 3, running (x^2 + u^2)/2.
inline std::shared_ptr<PointModel> linear_quadratic() {
  return std::make_shared<PointModel>(1, std::vector<double>{-3}, std::vector<double>{3}, [](double, const double* x) {
    Point p;
    p.running = .5 * x[0] * x[0];
    p.gain[0][0] = 1;
    p.price_square[0] = 1;
    return p;
  });
}

}  // namespace eos::solvers::test
