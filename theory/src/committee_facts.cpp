#include "eos/theory/committee_facts.hpp"

#include <fmt/format.h>

#include <Eigen/Dense>
#include <cmath>
#include <limits>
#include <numbers>

#include "eos/core/error.hpp"
#include "eos/theory/dual.hpp"
#include "eos/theory/order_parameters.hpp"

namespace eos::theory {
namespace {

using std::numbers::pi;
using Matrix = Eigen::Matrix4d;
using Vector = Eigen::Vector4d;

void require_units(int hidden_units, int least) {
  if (hidden_units >= least) return;
  throw core::Error("E104", fmt::format("{} hidden units; at least {} are needed here", hidden_units, least),
                    "give a larger committee");
}

/// The order parameters in which all units are alike, and how fast they change.
template <class S>
OrderParameters<S> symmetric(int K, const S (&x)[4]) {
  OrderParameters<S> o;
  for (int i = 0; i < K; ++i) {
    for (int k = 0; k < K; ++k) {
      o.R.push_back(x[i == k ? 0 : 1]);
      o.Q.push_back(x[i == k ? 2 : 3]);
    }
    o.v.push_back(S(1.0));
  }
  return o;
}

Matrix matrix(const std::array<std::array<double, 4>, 4>& a) {
  Matrix m;
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < 4; ++j) m(i, j) = a[static_cast<std::size_t>(i)][static_cast<std::size_t>(j)];
  }
  return m;
}

/// Largest real part of the eigenvalues of A + eta B, over the order parameters that exist: (R, Q) alone for K = 1.
double abscissa(const SpecialisedLinearisation& l, int hidden_units, double rate) {
  const Matrix m = matrix(l.first) + rate * matrix(l.second);
  if (hidden_units > 1) return m.eigenvalues().real().maxCoeff();
  Eigen::Matrix2d small;
  small << m(0, 0), m(0, 2), m(2, 0), m(2, 2);
  return small.eigenvalues().real().maxCoeff();
}

}  // namespace

CommitteePlateau committee_plateau(int hidden_units) {
  require_units(hidden_units, 2);
  const double K = hidden_units;
  return {1 / (2 * K - 1), 1 / std::sqrt(K * (2 * K - 1)), K / pi * (pi / 6 - K * std::asin(1 / (2 * K))),
          2 * K / pi / (std::sqrt(2 * K - 1) * std::pow(2 * K + 1, 1.5))};
}

double plateau_noise_error(int hidden_units, double rate, double noise_variance) {
  require_units(hidden_units, 2);
  const double K = hidden_units;
  return rate * noise_variance * K * std::sqrt(2 * K - 1) / (2 * pi * std::sqrt(2 * K + 1));
}

double asymptotic_noise_error(int hidden_units, double rate, double noise_variance) {
  require_units(hidden_units, 1);
  return std::sqrt(3.0) / (6 * pi) * rate * noise_variance * hidden_units;
}

SpecialisedLinearisation specialised_linearisation(int hidden_units) {
  require_units(hidden_units, 1);
  using D = Dual<4>;
  const D x[4] = {D::variable(1, 0), D::variable(0, 1), D::variable(1, 2), D::variable(0, 3)};
  Committee task;
  task.students = task.teachers = hidden_units;
  const OrderParameters<D> at = symmetric<D>(hidden_units, x);
  auto rates = [&](double batch, double noise) {
    CommitteeInputs<D> inputs;
    inputs.batch = D(batch);
    inputs.noise_variance = D(noise);
    const OrderParameters<D> d = committee_rates(task, at, inputs);
    const std::size_t other = hidden_units > 1 ? 1 : 0;
    return std::array<D, 4>{d.R[0], d.R[other], d.Q[0], d.Q[other]};
  };
  const double without = std::numeric_limits<double>::infinity();
  const auto linear = rates(without, 0), both = rates(1, 0), noisy = rates(1, 1);
  const D error = committee_error(task, at);
  SpecialisedLinearisation l;
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      l.first[i][j] = linear[i].g[j];
      l.second[i][j] = both[i].g[j] - linear[i].g[j];
    }
    l.noise[i] = noisy[i].v - both[i].v;
    l.gradient[i] = error.g[i];
  }
  return l;
}

double largest_stable_rate(int hidden_units) {
  const SpecialisedLinearisation l = specialised_linearisation(hidden_units);
  double low = 0, high = 1;
  while (abscissa(l, hidden_units, high) < 0) low = high, high *= 2;
  while (high - low > 1e-14 * high) {
    const double mid = 0.5 * (low + high);
    if (mid <= low || mid >= high) break;
    (abscissa(l, hidden_units, mid) < 0 ? low : high) = mid;
  }
  return low;
}

AnnealingRates annealing_rates(int hidden_units) {
  require_units(hidden_units, 1);
  const double root = 4 / std::sqrt(3.0);
  return {hidden_units > 1 ? (root - 2) / pi : 0, (root + 2 * (hidden_units - 1.0)) / pi};
}

double annealing_threshold(int hidden_units) {
  const AnnealingRates rates = annealing_rates(hidden_units);
  return 1 / (hidden_units > 1 ? rates.slow : rates.fast);
}

double annealing_prefactor(int hidden_units, double eta0) {
  if (!(eta0 > annealing_threshold(hidden_units))) {
    throw core::Error("E104",
                      fmt::format("eta_0 = {} anneals too fast: eps_g does not fall as 1/alpha unless eta_0 > {}", eta0,
                                  annealing_threshold(hidden_units)),
                      "give a larger eta_0");
  }
  // delta = D/alpha in d delta/d alpha = (eta_0/alpha) A delta + (eta_0/alpha)^2 sigma^2 n.
  const SpecialisedLinearisation l = specialised_linearisation(hidden_units);
  const Vector noise(l.noise.data()), gradient(l.gradient.data());
  const Matrix a = Matrix::Identity() + eta0 * matrix(l.first);
  if (hidden_units > 1) return -eta0 * eta0 * gradient.dot(a.fullPivLu().solve(noise));
  Eigen::Matrix2d small;
  small << a(0, 0), a(0, 2), a(2, 0), a(2, 2);
  const Eigen::Vector2d d = small.fullPivLu().solve(Eigen::Vector2d(noise(0), noise(2)));
  return -eta0 * eta0 * (gradient(0) * d(0) + gradient(2) * d(1));
}

double annealing_optimum(int hidden_units) {
  const double threshold = annealing_threshold(hidden_units), golden = 0.5 * (std::sqrt(5.0) - 1);
  double a = threshold * (1 + 1e-9), b = threshold * 10;
  double c = b - golden * (b - a), d = a + golden * (b - a);
  double fc = annealing_prefactor(hidden_units, c), fd = annealing_prefactor(hidden_units, d);
  while (b - a > 1e-9 * b) {
    if (fc < fd) {
      b = d, d = c, fd = fc, c = b - golden * (b - a), fc = annealing_prefactor(hidden_units, c);
    } else {
      a = c, c = d, fc = fd, d = a + golden * (b - a), fd = annealing_prefactor(hidden_units, d);
    }
  }
  return 0.5 * (a + b);
}

}  // namespace eos::theory
