#include "eos/theory/pruning.hpp"

#include <algorithm>
#include <array>
#include <boost/math/quadrature/gauss.hpp>
#include <cmath>
#include <numbers>
#include <vector>

#include "checker.hpp"
#include "eos/theory/capture.hpp"

namespace eos::theory {
namespace {

constexpr double k_reach = 9;  // standard deviations beyond which a Gaussian weight is below 1e-17
constexpr double k_consistent = 1e-6;

double density(double x) { return std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi); }
double below(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// Panels of a composite Gauss rule: ends and places where the integrand bends.
class Panels {
 public:
  Panels(double low, double high) : low_(low), high_(high), edges_{low, high} {}
  void bend(double at, double width) {
    for (const double k : {-5., -1.7, 0., 1.7, 5.}) {
      const double x = at + k * width;
      if (x > low_ && x < high_) edges_.push_back(x);
    }
  }
  template <class F>
  void integrate(F&& f) {
    using Rule = boost::math::quadrature::gauss<double, 10>;
    std::sort(edges_.begin(), edges_.end());
    for (std::size_t i = 0; i + 1 < edges_.size(); ++i) {
      const double mid = 0.5 * (edges_[i] + edges_[i + 1]), half = 0.5 * (edges_[i + 1] - edges_[i]);
      if (half <= 0) continue;
      for (std::size_t k = 0; k < Rule::abscissa().size(); ++k) {
        const double x = Rule::abscissa()[k] * half, w = Rule::weights()[k] * half;
        f(mid - x, w);
        f(mid + x, w);
      }
    }
  }

 private:
  double low_, high_;
  std::vector<double> edges_;
};

/// Calls f(z, weight) over the kept distribution of the probe's field, which is even and has total weight 1.
template <class F>
void over_fields(const PruningTask& task, double scale, double turn, double turn_width, F&& f) {
  const double gamma =
      task.keep == Keep::hard ? gaussian_threshold(1 - task.fraction) : gaussian_threshold(task.fraction);
  const double mass = task.keep == Keep::random ? 1 : task.fraction;
  auto piece = [&](double low, double high) {
    if (!(high > low)) return;
    Panels panels(low, high);
    panels.bend(0, scale);
    panels.bend(0, 1);
    panels.bend(turn, turn_width);
    panels.integrate([&](double z, double w) { f(z, w * density(z) / mass); });
  };
  if (task.keep == Keep::random) {
    piece(-k_reach, k_reach);
  } else if (task.keep == Keep::hard) {
    piece(-std::min(gamma, k_reach), std::min(gamma, k_reach));
  } else {
    piece(-gamma - k_reach, -gamma);
    piece(gamma, gamma + k_reach);
  }
}

/// The convex program in units of w: a = R/w, b = y/w, k = kappa/w, and moments of h = (k - a s - b x - g)_+ over the
/// teacher's field s > 0, the orthogonal field x of the probe's plane and g standard normal.
struct Moments {
  double active = 0, square = 0, by_s = 0, by_x = 0, mean = 0;         // P(h>0), E h^2, E h s, E h x, E h
  double s = 0, x = 0, ss = 0, sx = 0, xx = 0, n = 0, ns = 0, nx = 0;  // over h > 0, and of the density at h = 0
};

Moments moments(const PruningTask& task, double a, double b, double k) {
  Moments m;
  const double c = std::cos(task.angle), sine = std::sin(task.angle);
  const double norm = std::sqrt(1 + a * a + b * b), rho = (a * c + b * sine) / norm, slope = a - b * c / sine;
  const double turn = rho != 0 ? k / norm / rho : 2 * k_reach, width = std::sqrt(1 - rho * rho) / std::abs(rho);
  over_fields(task, std::tan(std::min(task.angle, 1.5)), turn, std::min(width, k_reach), [&](double z, double weight) {
    Panels panels(std::max(0.0, c * z - k_reach * sine), c * z + k_reach * sine);
    if (c * z + k_reach * sine <= 0) return;
    panels.bend(c * z, sine);
    if (slope != 0) panels.bend((k - b * z / sine) / slope, std::min(1 / std::abs(slope), k_reach));
    panels.integrate([&](double s, double w) {
      const double x = (z - c * s) / sine, u = (s - c * z) / sine;
      const double p = 2 * weight * w * density(u) / sine;
      const double d = k - a * s - b * x, phi = below(d), n = density(d), h = d * phi + n;
      m.active += p * phi, m.mean += p * h, m.square += p * ((1 + d * d) * phi + d * n);
      m.by_s += p * h * s, m.by_x += p * h * x, m.s += p * phi * s, m.x += p * phi * x;
      m.ss += p * phi * s * s, m.sx += p * phi * s * x, m.xx += p * phi * x * x;
      m.n += p * n, m.ns += p * n * s, m.nx += p * n * x;
    });
  });
  return m;
}

using Triple = std::array<double, 3>;

/// Residuals of the stationarity conditions and their derivatives by (a, b, ln k).
struct System {
  Triple residual;
  std::array<Triple, 3> jacobian;
  double size() const { return std::max({std::abs(residual[0]), std::abs(residual[1]), std::abs(residual[2])}); }
};

System system_at(const PruningTask& task, double alpha, const Triple& at) {
  const double a = at[0], b = at[1], k = std::exp(at[2]);
  const Moments m = moments(task, a, b, k);
  const double free = 1 - alpha * m.active, scale = 1 + std::abs(a) + std::abs(b);
  System y;
  y.residual = {(a * free - alpha * m.by_s) / scale, (b * free - alpha * m.by_x) / scale, 1 - alpha * m.square};
  y.jacobian[0] = {(free + alpha * (a * m.ns + m.ss)) / scale, alpha * (a * m.nx + m.sx) / scale,
                   -alpha * k * (a * m.n + m.s) / scale};
  y.jacobian[1] = {alpha * (b * m.ns + m.sx) / scale, (free + alpha * (b * m.nx + m.xx)) / scale,
                   -alpha * k * (b * m.n + m.x) / scale};
  y.jacobian[2] = {2 * alpha * m.by_s, 2 * alpha * m.by_x, -2 * alpha * k * m.mean};
  return y;
}

double determinant(const std::array<Triple, 3>& m) {
  return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
         m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

/// The Newton step by Cramer's rule.
Triple newton_step(const System& y) {
  const double whole = determinant(y.jacobian);
  Triple step;
  for (std::size_t j = 0; j < 3; ++j) {
    std::array<Triple, 3> m = y.jacobian;
    for (std::size_t i = 0; i < 3; ++i) m[i][j] = -y.residual[i];
    step[j] = determinant(m) / whole;
  }
  return step;
}

/// Damped Newton from `at`; true when converged.
bool converge(const PruningTask& task, double alpha, Triple& at, int& iterations) {
  System here = system_at(task, alpha, at);
  for (int i = 0; i < 60; ++i) {
    if (here.size() < 1e-11) return true;
    Triple step = newton_step(here);
    double length = std::min(1.0, 1.5 / std::abs(step[2]));  // ln k must not run away
    for (;; length *= 0.5) {
      if (!(length > 1e-6)) return here.size() < 1e-9;  // no descent left: rounding, or lost
      Triple next = at;
      for (std::size_t j = 0; j < 3; ++j) next[j] += length * step[j];
      const System there = system_at(task, alpha, next);
      ++iterations;
      if (there.size() < (1 - 0.1 * length) * here.size()) {
        at = next;
        here = there;
        break;
      }
    }
  }
  return false;
}

}  // namespace

void PruningTask::check() const {
  Checker c;
  c.range("angle", angle, 0, std::numbers::pi / 2, true);
  c.at_least("samples", samples, 0, true, "examples per dimension");
  c.range("fraction", fraction, 0, 1, true);
  c.finish();
}

std::string to_string(PruningStatus status) {
  switch (status) {
    case PruningStatus::solved:
      return "solved";
    case PruningStatus::inconsistent:
      return "inconsistent";
    case PruningStatus::not_converged:
      return "not_converged";
  }
  return "unknown";
}

PruningSolution solve_pruning(const PruningTask& task) {
  task.check();
  PruningSolution solution;
  const double alpha = task.samples * task.fraction;
  // Few examples are all support vectors: R, y -> 0, kappa -> alpha^(-1/2). From there alpha grows by steps that halve
  // where Newton fails.
  double reached = std::min(alpha, 0.2), growth = 4;
  Triple at{0, 0, -0.5 * std::log(reached)};
  bool good = converge(task, reached, at, solution.iterations);
  while (good && reached < alpha && growth > 1.001) {
    Triple trial = at;
    const double next = std::min(alpha, reached * growth);
    if (converge(task, next, trial, solution.iterations)) {
      at = trial;
      reached = next;
      growth = std::min(growth * growth, 16.0);
    } else {
      growth = std::sqrt(growth);
    }
  }
  const double norm = std::sqrt(1 + at[0] * at[0] + at[1] * at[1]);
  solution.overlap = at[0] / norm;
  solution.probe_overlap = (at[0] * std::cos(task.angle) + at[1] * std::sin(task.angle)) / norm;
  solution.margin = std::exp(at[2]) / norm;
  // acos(R), well conditioned near R = 1
  solution.error = std::atan2(std::sqrt(1 + at[1] * at[1]), at[0]) / std::numbers::pi;
  if (!good || reached < alpha) return solution;
  solution.residual = pruning_residual(task, solution.overlap, solution.probe_overlap, solution.margin);
  solution.status = solution.residual < k_consistent ? PruningStatus::solved : PruningStatus::inconsistent;
  return solution;
}

double pruning_residual(const PruningTask& task, double overlap, double probe_overlap, double margin) {
  task.check();
  const double r = overlap, rho = probe_overlap, kappa = margin, alpha = task.samples * task.fraction;
  const double c = std::cos(task.angle), sine = std::sin(task.angle), s2 = sine * sine;
  const double lambda = std::sqrt(s2 - r * r - rho * rho + 2 * rho * r * c), spread = std::sqrt(1 - rho * rho);
  const double slope = r - rho * c;
  double first = 0, second = 0, third = 0;
  const double turn = rho != 0 ? kappa / rho : 2 * k_reach;
  over_fields(
      task, std::tan(std::min(task.angle, 1.5)), turn, std::min(spread / std::abs(rho), k_reach),
      [&](double z, double weight) {
        const double low = rho * z - k_reach * spread, high = std::min(kappa, rho * z + k_reach * spread);
        const double centre = z * (rho - r * c) / s2, width = lambda / sine;  // of exp(-Delta / 2 Lambda^2) in t
        if (high <= low && kappa <= centre - k_reach * width) return;
        Panels panels(std::min(low, centre - k_reach * width),
                      std::max(high, std::min(kappa, centre + k_reach * width)));
        panels.bend(rho * z, spread);
        panels.bend(centre, width);
        panels.integrate([&](double t, double w) {
          const double gamma = z * (rho * r - c) - t * slope;
          const double delta = z * z * (rho * rho + c * c - 2 * rho * r * c) + 2 * t * z * (r * c - rho) + t * t * s2;
          const double edge = std::exp(-0.5 * delta / (lambda * lambda)), short_of = kappa - t, p = w * weight;
          const double inner = density((t - rho * z) / spread) / spread * below(-gamma / (spread * lambda));
          first += p * edge * short_of;
          second += p * inner * short_of * short_of;
          third += p * short_of / (spread * spread) *
                   (inner * (z - rho * t) + edge * (rho * r - c) / (2 * std::numbers::pi * lambda));
        });
      });
  first *= alpha / (std::numbers::pi * lambda);
  second *= 2 * alpha;
  third *= 2 * alpha;
  auto miss = [](double left, double right) { return std::abs(left - right) / (1 + std::abs(right)); };
  return std::max({miss(slope / s2, first), miss(lambda * lambda / s2, second), miss((rho - r * c) / s2, third)});
}

}  // namespace eos::theory
