#include "eos/theory/linear_quadratic.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <unsupported/Eigen/MatrixFunctions>

#include "checker.hpp"

namespace eos::theory {
namespace {

using Matrix = Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

Matrix matrix(const std::vector<double>& values, std::size_t rows, std::size_t columns) {
  return Eigen::Map<const RowMajor>(values.data(), static_cast<Eigen::Index>(rows), static_cast<Eigen::Index>(columns));
}

std::vector<double> flat(const Matrix& m) {
  const RowMajor rows = m;
  return {rows.data(), rows.data() + rows.size()};
}

/// S(x) = tanh(sqrt(q/r) x)/sqrt(q r).
double integrated_gain(const LinearQuadratic& p, double x) {
  const double g = std::sqrt(p.state_weight * p.effort_weight);
  return g > 0 ? std::tanh(std::sqrt(p.state_weight / p.effort_weight) * x) / g : x / p.effort_weight;
}

/// The Hamiltonian matrix of the regulator and its exponentials over equal steps.
struct Propagator {
  Matrix forward;  // exp(M h)
  int steps = 0;
};

Propagator propagator(const LinearRegulator& p, double span) {
  const auto n = static_cast<Eigen::Index>(p.states);
  const Matrix a = matrix(p.dynamics, p.states, p.states), b = matrix(p.input, p.states, p.controls);
  const Matrix r = matrix(p.effort_weight, p.controls, p.controls);
  Matrix m(2 * n, 2 * n);
  m << a, -b * r.ldlt().solve(b.transpose()), -matrix(p.state_weight, p.states, p.states), -a.transpose();
  const double norm = m.cwiseAbs().colwise().sum().maxCoeff();
  Propagator result;
  result.steps = std::max(1, static_cast<int>(std::ceil(norm * std::abs(span))));
  result.forward = Matrix(m * (span / result.steps)).exp();
  return result;
}

/// P at `time` from P at `time` + span.
Matrix riccati_before(const LinearRegulator& p, Matrix value, double span) {
  if (span == 0) return value;
  const auto n = static_cast<Eigen::Index>(p.states);
  const Propagator back = propagator(p, -span);
  for (int i = 0; i < back.steps; ++i) {
    const Matrix x = back.forward.topLeftCorner(n, n) + back.forward.topRightCorner(n, n) * value;
    const Matrix y = back.forward.bottomLeftCorner(n, n) + back.forward.bottomRightCorner(n, n) * value;
    value = x.transpose().partialPivLu().solve(y.transpose()).transpose();
    value = 0.5 * (value + value.transpose()).eval();
  }
  return value;
}

void check_symmetric(const std::vector<double>& values, std::size_t n, const char* name, bool definite, Checker& c) {
  const Matrix m = matrix(values, n, n);
  if (!m.allFinite()) {
    c.add("E104", fmt::format("{} has entries that are not finite", name));
    return;
  }
  const double scale = std::max(1e-300, m.cwiseAbs().maxCoeff());
  if ((m - m.transpose()).cwiseAbs().maxCoeff() > 1e-12 * scale) {
    c.add("E107", fmt::format("{} is not symmetric", name), "replace it by the mean of itself and its transpose");
    return;
  }
  const double least = Eigen::SelfAdjointEigenSolver<Matrix>(m, Eigen::EigenvaluesOnly).eigenvalues().minCoeff();
  if (definite ? !(least > 0) : least < -1e-12 * scale) {
    c.add("E104", fmt::format("{} must be positive {}definite, but has the eigenvalue {}", name,
                              definite ? "" : "semi-", least));
  }
}

}  // namespace

void LinearQuadratic::check() const {
  Checker c;
  c.at_least("state_weight", state_weight, 0);
  c.at_least("effort_weight", effort_weight, 0, true);
  c.at_least("terminal_weight", terminal_weight, 0);
  c.finite("initial", initial);
  c.at_least("horizon", horizon, 0, true);
  c.finish();
}

double LinearQuadratic::riccati(double time) const {
  check();
  check_time(time, horizon);
  const double gain = integrated_gain(*this, horizon - time);
  return (terminal_weight + state_weight * effort_weight * gain) / (1 + terminal_weight * gain);
}

double LinearQuadratic::state(double time) const {
  check();
  check_time(time, horizon);
  const double w = std::sqrt(state_weight / effort_weight), left = horizon - time;
  // cosh(w left)/cosh(w T), without overflow.
  const double growth = std::exp(-w * time) * (1 + std::exp(-2 * w * left)) / (1 + std::exp(-2 * w * horizon));
  return initial * growth * (1 + terminal_weight * integrated_gain(*this, left)) /
         (1 + terminal_weight * integrated_gain(*this, horizon));
}

double LinearQuadratic::control(double time) const { return riccati(time) * state(time) / effort_weight; }

double LinearQuadratic::cost() const { return 0.5 * riccati(0) * initial * initial; }

void LinearRegulator::check() const {
  Checker c;
  const std::size_t n = states, m = controls;
  if (n == 0) c.add("E104", "states = 0 must be > 0");
  if (m == 0) c.add("E104", "controls = 0 must be > 0");
  auto sized = [&](const char* name, const std::vector<double>& values, std::size_t rows, std::size_t columns) {
    const bool good = values.size() == rows * columns;
    if (!good) c.add("E107", fmt::format("{} has {} values, not {} x {}", name, values.size(), rows, columns));
    return good;
  };
  const bool square = sized("dynamics", dynamics, n, n) && sized("state_weight", state_weight, n, n) &&
                      sized("terminal_weight", terminal_weight, n, n);
  const bool rest =
      sized("input", input, n, m) && sized("effort_weight", effort_weight, m, m) && sized("initial", initial, n, 1);
  c.at_least("horizon", horizon, 0, true);
  c.finish();
  if (square && rest) {
    check_symmetric(state_weight, n, "state_weight", false, c);
    check_symmetric(effort_weight, m, "effort_weight", true, c);
    check_symmetric(terminal_weight, n, "terminal_weight", false, c);
    if (!matrix(dynamics, n, n).allFinite()) c.add("E104", "dynamics has entries that are not finite");
    if (!matrix(input, n, m).allFinite()) c.add("E104", "input has entries that are not finite");
    if (!matrix(initial, n, 1).allFinite()) c.add("E104", "initial has entries that are not finite");
  }
  c.finish();
}

std::vector<double> LinearRegulator::riccati(double time) const {
  check();
  check_time(time, horizon);
  return flat(riccati_before(*this, matrix(terminal_weight, states, states), horizon - time));
}

std::vector<double> LinearRegulator::state(double time) const {
  check();
  check_time(time, horizon);
  if (time == 0) return initial;
  const auto n = static_cast<Eigen::Index>(states);
  const Propagator step = propagator(*this, time);
  // P at the nodes, from the last to the first; then x forwards with its costate P x.
  std::vector<Matrix> value(static_cast<std::size_t>(step.steps));
  Matrix p = riccati_before(*this, matrix(terminal_weight, states, states), horizon - time);
  for (std::size_t i = value.size(); i-- > 0;) value[i] = p = riccati_before(*this, p, time / step.steps);
  Matrix x = matrix(initial, states, 1);
  for (const Matrix& at : value) {
    x = (step.forward.topLeftCorner(n, n) * x + step.forward.topRightCorner(n, n) * (at * x)).eval();
  }
  return flat(x);
}

std::vector<double> LinearRegulator::control(double time) const {
  const Matrix p = matrix(riccati(time), states, states), x = matrix(state(time), states, 1);
  const Matrix b = matrix(input, states, controls), r = matrix(effort_weight, controls, controls);
  return flat(-r.ldlt().solve(b.transpose() * p * x));
}

double LinearRegulator::cost() const {
  const Matrix p = matrix(riccati(0), states, states), x = matrix(initial, states, 1);
  return 0.5 * (x.transpose() * p * x)(0, 0);
}

}  // namespace eos::theory
