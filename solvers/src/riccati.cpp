#include "eos/solvers/riccati.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>

#include "eos/core/error.hpp"

namespace eos::solvers {

namespace {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr int k_max_size = 64;  ///< Lyapunov equations are solved as n^2 linear equations
constexpr double k_eps = std::numeric_limits<double>::epsilon();

struct Matrices {
  MatrixXd a, b, q, r;
  MatrixXd g;  ///< B R^-1 B'
};

[[noreturn]] void refuse(const std::string& message, const std::string& help = {}) {
  throw core::Error("E401", "linear-quadratic problem: " + message, help);
}

MatrixXd matrix_of(const std::vector<double>& values, int rows, int columns, const char* name) {
  if (values.size() != static_cast<std::size_t>(rows) * static_cast<std::size_t>(columns)) {
    refuse(
        fmt::format("{} has {} entries, allowed are {} x {} = {}", name, values.size(), rows, columns, rows * columns),
        "give the matrix row by row");
  }
  MatrixXd matrix = Eigen::Map<const RowMajor>(values.data(), rows, columns);
  if (!matrix.allFinite()) refuse(fmt::format("{} holds a NaN or an infinity", name));
  return matrix;
}

MatrixXd symmetric_of(const std::vector<double>& values, int size, const char* name) {
  const MatrixXd matrix = matrix_of(values, size, size, name);
  if ((matrix - matrix.transpose()).cwiseAbs().maxCoeff() > 1e-12 * (1 + matrix.cwiseAbs().maxCoeff())) {
    refuse(fmt::format("{} is not symmetric", name), fmt::format("use ({0} + {0}')/2: the cost is the same", name));
  }
  return (matrix + matrix.transpose()) / 2;
}

Matrices read(const LinearQuadratic& problem) {
  const int n = problem.states, m = problem.controls;
  if (n < 1 || m < 1 || n > k_max_size || m > k_max_size) {
    refuse(fmt::format("{} states and {} controls, allowed are 1 to {} each", n, m, k_max_size));
  }
  Matrices s{matrix_of(problem.a, n, n, "A"),
             matrix_of(problem.b, n, m, "B"),
             symmetric_of(problem.q, n, "Q"),
             symmetric_of(problem.r, m, "R"),
             {}};
  const Eigen::LLT<MatrixXd> factor(s.r);
  if (factor.info() != Eigen::Success) {
    refuse("R is not positive definite, so that some control costs nothing or earns", "price every control");
  }
  s.g = s.b * factor.solve(s.b.transpose());
  return s;
}

std::vector<double> entries(const MatrixXd& matrix) {
  std::vector<double> values(static_cast<std::size_t>(matrix.size()));
  Eigen::Map<RowMajor>(values.data(), matrix.rows(), matrix.cols()) = matrix;
  return values;
}

MatrixXd symmetrised(const MatrixXd& p) { return (p + p.transpose()) / 2; }

/// [[A, -G], [-Q, -A']]: d/dt of (x, p), p = P x.
MatrixXd hamiltonian(const Matrices& s) {
  const Eigen::Index n = s.a.rows();
  MatrixXd h(2 * n, 2 * n);
  h << s.a, -s.g, -s.q, -s.a.transpose();
  return h;
}

/// Newton's iteration for sign(H), scaled by |det|^(-1/N). False if an eigenvalue is too close to the imaginary axis.
bool matrix_sign(MatrixXd& z) {
  const double size = static_cast<double>(z.rows());
  double last = std::numeric_limits<double>::infinity();
  for (int step = 0; step < 100; ++step) {
    const Eigen::PartialPivLU<MatrixXd> lu(z);
    const double log_determinant = lu.matrixLU().diagonal().cwiseAbs().array().log().sum();
    if (!std::isfinite(log_determinant)) return false;
    const double scale = last < 1e-2 ? 1 : std::exp(-log_determinant / size);
    const MatrixXd next = (scale * z + lu.inverse() / scale) / 2;
    if (!next.allFinite()) return false;
    const double change = (next - z).norm() / next.norm();
    z = next;
    // Quadratic convergence: once the change stops falling, it is rounding.
    if (change < 1e-14 || (change < 1e-10 && change >= last)) return true;
    last = change;
  }
  return false;
}

/// X of F'X + X F + C = 0 (continuous) or F'X F - X + C = 0 (discrete) by the Kronecker form, n^2 equations.
MatrixXd solve_lyapunov(const MatrixXd& f, const MatrixXd& c, bool discrete) {
  const Eigen::Index n = f.rows();
  MatrixXd system = MatrixXd::Zero(n * n, n * n);
  for (Eigen::Index i = 0; i < n; ++i) {
    for (Eigen::Index j = 0; j < n; ++j) {
      for (Eigen::Index k = 0; k < n; ++k) {
        if (discrete) {
          for (Eigen::Index l = 0; l < n; ++l) system(j * n + i, l * n + k) += f(k, i) * f(l, j);
        } else {
          system(j * n + i, j * n + k) += f(k, i);
          system(j * n + i, k * n + i) += f(k, j);
        }
      }
      if (discrete) system(j * n + i, j * n + i) -= 1;
    }
  }
  const Eigen::VectorXd right = -Eigen::Map<const Eigen::VectorXd>(c.data(), n * n);
  const Eigen::VectorXd x = system.partialPivLu().solve(right);
  return symmetrised(Eigen::Map<const MatrixXd>(x.data(), n, n));
}

MatrixXd gain_of(const Matrices& s, const MatrixXd& p, bool discrete) {
  if (discrete) return (s.r + s.b.transpose() * p * s.b).ldlt().solve(s.b.transpose() * p * s.a);
  return s.r.ldlt().solve(s.b.transpose() * p);
}

double residual_of(const Matrices& s, const MatrixXd& p, bool discrete) {
  MatrixXd rest;
  if (discrete) {
    rest = s.a.transpose() * p * s.a - (s.a.transpose() * p * s.b) * gain_of(s, p, true) + s.q - p;
  } else {
    rest = s.a.transpose() * p + p * s.a - p * s.g * p + s.q;
  }
  return rest.cwiseAbs().maxCoeff() / (1 + p.cwiseAbs().maxCoeff());
}

/// Newton's steps while they lower the residual: P_{k+1} is the cost of the gain K_k.
void polish(const Matrices& s, MatrixXd& p, bool discrete, RiccatiSolution& result) {
  result.residual = residual_of(s, p, discrete);
  const int most = s.a.rows() <= 24 ? 6 : 1;
  for (int step = 0; step < most && result.residual > k_eps; ++step) {
    const MatrixXd k = gain_of(s, p, discrete);
    const MatrixXd next = solve_lyapunov(s.a - s.b * k, s.q + k.transpose() * s.r * k, discrete);
    if (!next.allFinite()) return;
    const double residual = residual_of(s, next, discrete);
    if (residual >= result.residual) return;
    p = next;
    result.residual = residual;
    ++result.newton_steps;
  }
}

RiccatiSolution finish(const Matrices& s, MatrixXd p, bool discrete) {
  RiccatiSolution result;
  polish(s, p, discrete, result);
  const MatrixXd k = gain_of(s, p, discrete);
  const Eigen::VectorXcd poles = (s.a - s.b * k).eigenvalues();
  result.spectral_margin = discrete ? 1 - poles.cwiseAbs().maxCoeff() : -poles.real().maxCoeff();
  result.value = entries(p);
  result.gain = entries(k);
  if (!(result.spectral_margin > 0) || !(result.residual < 1e-6)) {
    result.status = RiccatiStatus::no_stabilising_solution;
  }
  return result;
}

RiccatiSolution failure() {
  RiccatiSolution result;
  result.status = RiccatiStatus::no_stabilising_solution;
  result.residual = result.spectral_margin = std::numeric_limits<double>::quiet_NaN();
  return result;
}

/// exp(H) by scaling and squaring with the diagonal Pade approximant of degree 6 on |H| <= 1/2 (error below 1e-16).
MatrixXd exponential(const MatrixXd& h) {
  const double norm = h.cwiseAbs().rowwise().sum().maxCoeff();
  const int squarings = norm > .5 ? static_cast<int>(std::ceil(std::log2(norm / .5))) : 0;
  const MatrixXd x = h / std::ldexp(1.0, squarings);
  const MatrixXd one = MatrixXd::Identity(h.rows(), h.cols());
  MatrixXd power = one, numerator = one, denominator = one;
  double c = 1;
  for (int k = 1; k <= 6; ++k) {
    c *= (6.0 - k + 1) / (k * (12.0 - k + 1));
    power = power * x;
    numerator += c * power;
    denominator += (k % 2 == 0 ? c : -c) * power;
  }
  MatrixXd e = denominator.partialPivLu().solve(numerator);
  for (int i = 0; i < squarings; ++i) e = e * e;
  return e;
}

/// P one step earlier: (X, Y) = exp(-H h) (I, P), P' = Y X^-1. False where X becomes singular.
bool step_back(const MatrixXd& propagator, MatrixXd& p) {
  const Eigen::Index n = p.rows();
  MatrixXd start(2 * n, n);
  start << MatrixXd::Identity(n, n), p;
  const MatrixXd end = propagator * start;
  p = symmetrised(end.topRows(n).transpose().partialPivLu().solve(end.bottomRows(n).transpose()).transpose());
  return p.allFinite();
}

}  // namespace

std::string to_string(RiccatiStatus status) {
  switch (status) {
    case RiccatiStatus::solved:
      return "solved";
    case RiccatiStatus::no_stabilising_solution:
      return "no stabilising solution";
    case RiccatiStatus::escape:
      return "finite escape time";
  }
  return "unknown";
}

RiccatiSolution solve_continuous_riccati(const LinearQuadratic& problem) {
  const Matrices s = read(problem);
  const Eigen::Index n = s.a.rows();
  MatrixXd w = hamiltonian(s);
  if (!matrix_sign(w)) return failure();
  // The stable subspace (I; P) is the kernel of sign(H) + I.
  MatrixXd left(2 * n, n), right(2 * n, n);
  left << w.topRightCorner(n, n), w.bottomRightCorner(n, n) + MatrixXd::Identity(n, n);
  right << w.topLeftCorner(n, n) + MatrixXd::Identity(n, n), w.bottomLeftCorner(n, n);
  const MatrixXd p = symmetrised(left.colPivHouseholderQr().solve(-right));
  return p.allFinite() ? finish(s, p, false) : failure();
}

RiccatiSolution solve_discrete_riccati(const LinearQuadratic& problem) {
  const Matrices s = read(problem);
  const Eigen::Index n = s.a.rows();
  MatrixXd a = s.a, g = s.g, h = s.q;
  for (int step = 0; step < 60; ++step) {
    const Eigen::PartialPivLU<MatrixXd> w(MatrixXd::Identity(n, n) + g * h);
    const MatrixXd v1 = w.solve(a), v2 = w.solve(g);  // (I + G H)^-1 A and (I + G H)^-1 G
    const MatrixXd next = symmetrised(h + a.transpose() * h * v1);
    g = symmetrised(g + a * v2 * a.transpose());
    a = a * v1;
    if (!next.allFinite() || !g.allFinite() || !a.allFinite()) return failure();
    const double change = (next - h).cwiseAbs().maxCoeff() / (1 + next.cwiseAbs().maxCoeff());
    h = next;
    if (change < 4 * k_eps) return finish(s, h, true);
  }
  return failure();
}

RiccatiPath solve_finite_horizon_riccati(const LinearQuadratic& problem, double horizon, int steps,
                                         const std::vector<double>& end_cost) {
  const Matrices s = read(problem);
  if (!(horizon > 0) || !std::isfinite(horizon) || steps < 1) {
    refuse(fmt::format("horizon {} in {} steps, allowed is a positive time in at least one", horizon, steps));
  }
  MatrixXd p = end_cost.empty() ? MatrixXd::Zero(s.a.rows(), s.a.rows()) : symmetric_of(end_cost, problem.states, "S");
  const double h = horizon / steps;
  const MatrixXd half = exponential(hamiltonian(s) * (-h / 2)), whole = exponential(hamiltonian(s) * -h);
  MatrixXd fine = p;
  RiccatiPath path;
  path.time.resize(static_cast<std::size_t>(steps) + 1);
  path.value.resize(path.time.size());
  path.gain.resize(path.time.size());
  const double largest = 1e12 * (1 + p.cwiseAbs().maxCoeff() + s.q.cwiseAbs().maxCoeff());
  for (int k = steps; k >= 0; --k) {
    const auto at = static_cast<std::size_t>(k);
    path.time[at] = k == steps ? horizon : h * k;
    path.value[at] = entries(p);
    path.gain[at] = entries(gain_of(s, p, false));
    if (k == 0) break;
    if (!step_back(whole, p) || !step_back(half, fine) || !step_back(half, fine) || p.cwiseAbs().maxCoeff() > largest) {
      path.status = RiccatiStatus::escape;
      break;
    }
  }
  path.residual = (p - fine).cwiseAbs().maxCoeff() / (1 + p.cwiseAbs().maxCoeff());
  return path;
}

double quadratic_value(const std::vector<double>& p, const std::vector<double>& x) {
  const auto n = static_cast<Eigen::Index>(x.size());
  if (p.size() != x.size() * x.size()) refuse(fmt::format("P has {} entries for {} states", p.size(), x.size()));
  const Eigen::Map<const Eigen::VectorXd> v(x.data(), n);
  return .5 * v.dot(Eigen::Map<const RowMajor>(p.data(), n, n) * v);
}

}  // namespace eos::solvers
