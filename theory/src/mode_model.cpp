#include "eos/theory/mode_model.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace eos::theory {
namespace {

const double k_mean_absolute = std::sqrt(2 / std::numbers::pi);  // E|z| of a standard normal

double dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (std::size_t j = 0; j < a.size(); ++j) sum += a[j] * b[j];
  return sum;
}

/// E[|z|^alpha; written] of the weight rule and its derivative by kappa.
void add_moment(const ModeProblem& problem, double kappa, double alpha, PathFactors& k) {
  if (problem.weight_rule == Rule::ranked) {
    k.moment.push_back(problem.weight_capture.moment(kappa, alpha));
    k.d_moment.push_back(std::pow(problem.weight_capture.derivative(kappa), 0.5 * alpha));
  } else {
    k.d_moment.push_back(gaussian_c(alpha, 0));
    k.moment.push_back(k.d_moment.back() * kappa);
  }
}

}  // namespace

ModeModel::ModeModel(const ModeProblem& problem)
    : problem_(problem),
      weight_(problem.lambda),
      prices_size_(problem.price_path > 0 || !problem.plasticity_prices.empty() || problem.price_maintenance > 0),
      recursion_(problem.discretisation.scheme == Scheme::recursion) {
  if (problem_.multiplicity.empty()) problem_.multiplicity.assign(weight_.size(), 1.0);
  for (std::size_t j = 0; j < weight_.size(); ++j) weight_[j] *= problem_.multiplicity[j];
}

Controls ModeModel::effective(const Controls& controls) const {
  Controls u = controls;
  if (problem_.data_rule == Rule::all) u.data_fraction = 1;
  if (problem_.weight_rule == Rule::all) u.weight_fraction = 1;
  return u;
}

Captures ModeModel::captures(const Controls& controls) const {
  Captures f;
  const double rho = controls.data_fraction, kappa = controls.weight_fraction;
  if (problem_.data_rule == Rule::random) {
    f.signal = f.noise = rho;
    f.d_signal = f.d_noise = 1;
  } else if (problem_.data_rule == Rule::ranked) {
    const CaptureCurve::Point signal = problem_.data_signal.at(rho);
    const bool same = problem_.data_signal.kind() == problem_.data_noise.kind() &&
                      problem_.data_signal.kind() != CaptureCurve::Kind::tabulated;
    const CaptureCurve::Point noise = same ? signal : problem_.data_noise.at(rho);
    f.signal = signal.value;
    f.d_signal = signal.derivative;
    f.noise = noise.value;
    f.d_noise = noise.derivative;
  }
  if (problem_.weight_rule == Rule::random) {
    f.weight = kappa;
    f.d_weight = 1;
  } else if (problem_.weight_rule == Rule::ranked) {
    const CaptureCurve::Point weight = problem_.weight_capture.at(kappa);
    f.weight = weight.value;
    f.d_weight = weight.derivative;
  }
  return f;
}

ClockRates ModeModel::clock(const Controls& controls, const Captures& f) const {
  const double eta = controls.learning_rate;
  return {2 * eta * f.signal * f.weight, problem_.noise_scale * eta * eta * f.noise * f.weight / problem_.batch};
}

void ModeModel::clock_gradient(const Controls& controls, const Captures& f, ControlGradient& drift,
                               ControlGradient& diffusion) const {
  const double eta = controls.learning_rate, nu = problem_.noise_scale / problem_.batch;
  drift = {2 * eta * f.d_signal * f.weight, 2 * eta * f.signal * f.d_weight, 2 * f.signal * f.weight};
  diffusion = {nu * eta * eta * f.d_noise * f.weight, nu * eta * eta * f.noise * f.d_weight,
               2 * nu * eta * f.noise * f.weight};
}

double ModeModel::residual_variance(std::span<const double> m) const {
  return dot(weight_, m) + problem_.noise_variance;
}

double ModeModel::loss(std::span<const double> m) const { return 0.5 * dot(weight_, m); }

void ModeModel::dynamics(std::span<const double> m, const Controls& controls, std::span<double> rate) const {
  if (recursion_) {
    step(m, controls, rate);
    for (std::size_t j = 0; j < m.size(); ++j) rate[j] -= m[j];
    return;
  }
  const ClockRates c = clock(controls);
  const double v = residual_variance(m);
  for (std::size_t j = 0; j < m.size(); ++j) rate[j] = problem_.lambda[j] * (c.diffusion * v - c.drift * m[j]);
}

PathFactors ModeModel::path_factors(const Controls& controls, const Captures& f) const {
  const double rho = controls.data_fraction, batch = problem_.batch, nu = problem_.noise_scale;
  const double q = problem_.rebatched ? rho : 1, dq = problem_.rebatched ? 1 : 0;
  PathFactors k;
  k.updates = q;
  k.d_updates = dq;
  if (problem_.accumulated) {
    k.absolute = k_mean_absolute * problem_.accumulated_path.value(controls.weight_fraction);
    k.d_absolute = k_mean_absolute * problem_.accumulated_path.derivative(controls.weight_fraction);
  } else if (problem_.weight_rule == Rule::ranked) {
    k.absolute = problem_.weight_capture.first_moment(controls.weight_fraction);
    k.d_absolute = std::sqrt(f.d_weight);
  } else {
    k.absolute = k_mean_absolute * controls.weight_fraction;
    k.d_absolute = k_mean_absolute;
  }
  if (problem_.data_rule == Rule::ranked) {
    const double rest = problem_.data_noise.fourth_moment(rho) - f.noise;
    k.drift = (1 - 1 / batch) * f.signal * f.signal / (q * q) + rest / (q * batch);
    k.d_drift = (1 - 1 / batch) * 2 * f.signal / (q * q) * (f.d_signal - f.signal * dq / q) +
                (f.d_noise * f.d_noise - f.d_noise - rest * dq / q) / (q * batch);
  } else {
    k.drift = problem_.rebatched ? 1 + 1 / batch : rho * rho + rho / batch;
    k.d_drift = problem_.rebatched ? 0 : 2 * rho + 1 / batch;
  }
  k.noise = nu * f.noise / (q * batch);
  k.d_noise = nu * (f.d_noise - f.noise * dq / q) / (q * batch);
  k.captured = f.weight;
  k.d_captured = f.d_weight;
  for (const double alpha : problem_.plasticity_exponents) add_moment(problem_, controls.weight_fraction, alpha, k);
  return k;
}

void ModeModel::step(std::span<const double> m, const Controls& controls, std::span<double> next) const {
  const Captures f = captures(controls);
  step(m, controls.learning_rate, f, path_factors(controls, f), next);
}

void ModeModel::step(std::span<const double> m, double rate, const Captures& f, const PathFactors& k,
                     std::span<double> next) const {
  const double v = residual_variance(m), eta = rate;
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double lambda = problem_.lambda[j];
    const double second = k.drift * lambda * lambda * m[j] + k.noise * lambda * v;
    next[j] = m[j] + f.weight * (eta * eta * second - 2 * eta * f.signal * lambda * m[j]);
  }
}

EnergyRate ModeModel::energy_rate(std::span<const double> m, const Controls& controls) const {
  EnergyRate e = control_energy(controls);
  if (prices_size_) {
    const WriteCost w = write_cost(m, controls.learning_rate, path_factors(controls, captures(controls)));
    e.path = w.path;
    e.plasticity = w.plasticity;
    e.cache = w.cache;
  }
  return e;
}

EnergyRate ModeModel::control_energy(const Controls& controls) const {
  EnergyRate e;
  const double rho = controls.data_fraction;
  e.time = problem_.price_time;
  e.screening = problem_.data_rule == Rule::ranked ? problem_.price_screening : 0;
  e.sample = problem_.price_sample * rho;
  e.write = problem_.price_write * controls.weight_fraction * (problem_.rebatched ? rho : 1);
  return e;
}

ControlGradient ModeModel::control_price(const Controls& controls) const {
  ControlGradient g;
  g.data = problem_.price_sample + (problem_.rebatched ? problem_.price_write * controls.weight_fraction : 0);
  g.weight = problem_.price_write * (problem_.rebatched ? controls.data_fraction : 1);
  return g;
}

ModeModel::Sums ModeModel::sums(std::span<const double> m, std::span<const double> p) const {
  Sums k{0, 0, residual_variance(m)};
  for (std::size_t j = 0; j < m.size(); ++j) {
    k.a += p[j] * problem_.lambda[j] * m[j];
    k.c += p[j] * problem_.lambda[j];
  }
  if (recursion_) {
    for (std::size_t j = 0; j < m.size(); ++j) k.self += p[j] * problem_.lambda[j] * problem_.lambda[j] * m[j];
  }
  return k;
}

double ModeModel::hamiltonian(std::span<const double> m, std::span<const double> p, const Controls& controls) const {
  const ClockRates c = clock(controls);
  const Sums k = sums(m, p);
  const double rest = problem_.running_weight * loss(m) + energy_rate(m, controls).total();
  const double h = rest + c.diffusion * k.v * k.c - c.drift * k.a;
  if (!recursion_) return h;
  const Captures f = captures(controls);
  const double eta = controls.learning_rate;
  return h + f.weight * eta * eta * path_factors(controls, f).drift * k.self;
}

ControlGradient ModeModel::hamiltonian_gradient(std::span<const double> m, std::span<const double> p,
                                                const Controls& controls) const {
  const Sums k = sums(m, p);
  const double vc = k.v * k.c;
  ControlGradient drift, diffusion, g = control_price(controls);
  const Captures f = captures(controls);
  clock_gradient(controls, f, drift, diffusion);
  g.data += diffusion.data * vc - drift.data * k.a;
  g.weight += diffusion.weight * vc - drift.weight * k.a;
  g.rate += diffusion.rate * vc - drift.rate * k.a;
  if (!prices_size_ && !recursion_) return g;
  const PathFactors factors = path_factors(controls, f);
  if (prices_size_) write_cost(m, controls.learning_rate, factors, 1, {}, &g);
  if (recursion_) {
    const double eta = controls.learning_rate, square = eta * eta * k.self;
    g.data += square * f.weight * factors.d_drift;
    g.weight += square * f.d_weight * factors.drift;
    g.rate += 2 * eta * k.self * f.weight * factors.drift;
  }
  return g;
}

void ModeModel::costate_rate(std::span<const double> m, std::span<const double> p, const Controls& controls,
                             std::span<double> rate) const {
  const Captures f = captures(controls);
  const ClockRates c = clock(controls, f);
  const double sum = dot(problem_.lambda, p);
  for (std::size_t i = 0; i < m.size(); ++i) {
    rate[i] = c.drift * problem_.lambda[i] * p[i] - c.diffusion * weight_[i] * sum -
              0.5 * problem_.running_weight * weight_[i];
  }
  if (!prices_size_ && !recursion_) return;
  const PathFactors factors = path_factors(controls, f);
  if (prices_size_) write_cost(m, controls.learning_rate, factors, -1, rate);
  if (recursion_) {
    const double self = f.weight * controls.learning_rate * controls.learning_rate * factors.drift;
    for (std::size_t i = 0; i < m.size(); ++i) rate[i] -= self * problem_.lambda[i] * problem_.lambda[i] * p[i];
  }
}

void ModeModel::terminal_costate(std::span<double> p) const {
  for (std::size_t j = 0; j < p.size(); ++j) p[j] = 0.5 * problem_.terminal_weight * weight_[j];
}

/// Minimises curvature/2 eta^2 - linear eta within the bounds.
double ModeModel::best_rate(double linear, double curvature) const {
  const Bounds& b = problem_.rate_bounds;
  if (curvature > 0) return std::clamp(linear / curvature, b.lower, b.upper);
  return linear > 0 ? b.upper : b.lower;
}

double ModeModel::RateCurve::value(double eta) const {
  double h = constant + (0.5 * curvature * eta - linear) * eta;
  for (const auto& [exponent, coefficient] : powers) h += coefficient * std::pow(eta, exponent);
  return h;
}

double ModeModel::RateCurve::slope(double eta) const {
  double h = curvature * eta - linear;
  for (const auto& [exponent, coefficient] : powers) h += coefficient * exponent * std::pow(eta, exponent - 1);
  return h;
}

/// What H is over the rate at the fractions of `unit`, whose rate is 1, up to terms without a control.
ModeModel::RateCurve ModeModel::rate_curve(std::span<const double> m, const Sums& k, const Controls& unit,
                                           const Captures& f) const {
  const ClockRates c = clock(unit, f);
  RateCurve curve{c.drift * k.a, 2 * c.diffusion * k.v * k.c, control_energy(unit).total(), {}};
  if (!prices_size_ && !recursion_) return curve;
  const PathFactors factors = path_factors(unit, f);
  if (recursion_) curve.curvature += 2 * f.weight * factors.drift * k.self;
  if (problem_.price_path > 0) curve.linear -= problem_.price_path * path_rate(m, 1, factors);
  if (problem_.price_maintenance > 0) {
    curve.linear -= power_rate(m, factors, 0.5, cache_front(1, factors), 0, {}, nullptr);
  }
  for (std::size_t i = 0; i < problem_.plasticity_prices.size(); ++i) {
    const double alpha = problem_.plasticity_exponents[i];
    const double worth = power_rate(m, factors, 0.5 * alpha, plasticity_front(i, 1, factors), 0, {}, nullptr);
    if (alpha == 0) {
      curve.constant += worth;
    } else if (alpha == 1) {
      curve.linear -= worth;
    } else if (alpha == 2) {
      curve.curvature += 2 * worth;
    } else {
      curve.powers.emplace_back(alpha, worth);
    }
  }
  return curve;
}

/// Least value over the bounds: in closed form for a parabola; else the best of a logarithmic grid, polished by
/// bisection on the slope.
double ModeModel::best_rate(const RateCurve& curve) const {
  if (curve.powers.empty()) return best_rate(curve.linear, curve.curvature);
  constexpr int k_points = 81;
  const Bounds& b = problem_.rate_bounds;
  const double smallest = std::max(b.lower, 1e-8 * b.upper);
  auto at = [&](int i) {
    if (i < 0) return b.lower;
    return i == k_points - 1 ? b.upper : smallest * std::pow(b.upper / smallest, i / (k_points - 1.0));
  };
  int best = -1;
  for (int i = 0; i < k_points; ++i) {
    if (curve.value(at(i)) < curve.value(at(best))) best = i;
  }
  if (best < 0) return b.lower;
  double low = at(best - 1), high = at(std::min(best + 1, k_points - 1));
  if (best == k_points - 1 && curve.slope(high) <= 0) return high;
  if (!(curve.slope(at(best)) > 0)) low = at(best);
  if (curve.slope(at(best)) > 0) high = at(best);
  for (int i = 0; i < 100 && high - low > 1e-16 * high; ++i) {
    const double middle = 0.5 * (low + high);
    (curve.slope(middle) > 0 ? high : low) = middle;
  }
  return 0.5 * (low + high);
}

double ModeModel::optimal_rate(std::span<const double> m, std::span<const double> p, const Controls& controls) const {
  Controls unit = controls;
  unit.learning_rate = 1;
  return best_rate(rate_curve(m, sums(m, p), unit, captures(unit)));
}

double ModeModel::clock_value(std::span<const double> m, std::span<const double> p) const {
  const Sums k = sums(m, p);
  const double curvature = 2 * problem_.noise_scale * k.v * k.c / problem_.batch;
  const double eta = best_rate(2 * k.a, curvature);
  return 2 * eta * k.a - 0.5 * curvature * eta * eta;
}

Controls ModeModel::minimise_hamiltonian(std::span<const double> m, std::span<const double> p, int points) const {
  auto grid = [&](const Bounds& b, Rule rule) {
    std::vector<double> values;
    if (rule == Rule::all) return std::vector<double>{1.0};
    // H is linear in a random fraction unless the size of writes has a price or the second bracket of a step counts.
    if (rule == Rule::random && !prices_size_ && !recursion_) return std::vector<double>{b.lower, b.upper};
    for (int i = 0; i < points; ++i) values.push_back(b.lower * std::pow(b.upper / b.lower, i / (points - 1.0)));
    values.back() = b.upper;
    return values;
  };
  const std::vector<double> rhos = grid(problem_.data_bounds, problem_.data_rule);
  const std::vector<double> kappas = grid(problem_.weight_bounds, problem_.weight_rule);
  std::vector<Captures> by_kappa;
  for (double kappa : kappas) by_kappa.push_back(captures({1, kappa, 1}));
  const Sums k = sums(m, p);
  Controls best;
  double least = INFINITY;
  for (double rho : rhos) {
    Captures f = captures({rho, 1, 1});
    for (std::size_t i = 0; i < kappas.size(); ++i) {
      f.weight = by_kappa[i].weight;
      f.d_weight = by_kappa[i].d_weight;
      const RateCurve curve = rate_curve(m, k, {rho, kappas[i], 1}, f);
      const double eta = best_rate(curve), h = curve.value(eta);
      if (h < least) {
        least = h;
        best = {rho, kappas[i], eta};
      }
    }
  }
  return best;
}

}  // namespace eos::theory
