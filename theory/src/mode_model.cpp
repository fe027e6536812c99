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

}  // namespace

ModeModel::ModeModel(const ModeProblem& problem) : problem_(problem), weight_(problem.lambda) {
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
  return k;
}

double ModeModel::path_rate(std::span<const double> m, double rate, const PathFactors& k, double scale,
                            std::span<double> gradient_m, ControlGradient* by_controls) const {
  const double v = residual_variance(m), front = k.updates * k.absolute * rate;
  double sum = 0, by_drift = 0, by_noise = 0, by_v = 0;
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double lambda = problem_.lambda[j], n = problem_.multiplicity[j];
    const double root = std::sqrt(std::max(0.0, k.drift * lambda * lambda * m[j] + k.noise * lambda * v));
    sum += n * root;
    const double half = root > 0 ? 0.5 * n / root : 0;  // d(n sqrt v_j)/d v_j
    by_drift += half * lambda * lambda * m[j];
    by_noise += half * lambda * v;
    by_v += half * lambda * k.noise;
    if (!gradient_m.empty()) gradient_m[j] += scale * front * half * k.drift * lambda * lambda;
  }
  if (!gradient_m.empty()) {
    for (std::size_t j = 0; j < m.size(); ++j) gradient_m[j] += scale * front * by_v * weight_[j];
  }
  if (by_controls != nullptr) {
    by_controls->data +=
        scale * k.absolute * rate * (k.d_updates * sum + k.updates * (k.d_drift * by_drift + k.d_noise * by_noise));
    by_controls->weight += scale * k.updates * k.d_absolute * rate * sum;
    by_controls->rate += scale * k.updates * k.absolute * sum;
  }
  return front * sum;
}

double ModeModel::path_rate(std::span<const double> m, const Controls& controls) const {
  return path_rate(m, controls.learning_rate, path_factors(controls, captures(controls)));
}

void ModeModel::step(std::span<const double> m, const Controls& controls, std::span<double> next) const {
  const Captures f = captures(controls);
  const PathFactors k = path_factors(controls, f);
  const double v = residual_variance(m), eta = controls.learning_rate;
  for (std::size_t j = 0; j < m.size(); ++j) {
    const double lambda = problem_.lambda[j];
    const double second = k.drift * lambda * lambda * m[j] + k.noise * lambda * v;
    next[j] = m[j] + f.weight * (eta * eta * second - 2 * eta * f.signal * lambda * m[j]);
  }
}

EnergyRate ModeModel::energy_rate(std::span<const double> m, const Controls& controls) const {
  EnergyRate e = control_energy(controls);
  if (problem_.price_path > 0) e.path = problem_.price_path * path_rate(m, controls);
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
  return k;
}

double ModeModel::hamiltonian(std::span<const double> m, std::span<const double> p, const Controls& controls) const {
  const ClockRates c = clock(controls);
  const Sums k = sums(m, p);
  const double rest = problem_.running_weight * loss(m) + energy_rate(m, controls).total();
  return rest + c.diffusion * k.v * k.c - c.drift * k.a;
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
  if (problem_.price_path > 0) {
    path_rate(m, controls.learning_rate, path_factors(controls, f), problem_.price_path, {}, &g);
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
  if (problem_.price_path > 0) {
    path_rate(m, controls.learning_rate, path_factors(controls, f), -problem_.price_path, rate);
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

double ModeModel::optimal_rate(std::span<const double> m, std::span<const double> p, const Controls& controls) const {
  Controls unit = controls;
  unit.learning_rate = 1;
  const Captures f = captures(unit);
  const ClockRates c = clock(unit, f);
  const Sums k = sums(m, p);
  double linear = c.drift * k.a;
  if (problem_.price_path > 0) linear -= problem_.price_path * path_rate(m, 1, path_factors(unit, f));
  return best_rate(linear, 2 * c.diffusion * k.v * k.c);
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
    // H is linear in a random fraction unless path length has a price.
    if (rule == Rule::random && problem_.price_path == 0) return std::vector<double>{b.lower, b.upper};
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
      const Controls unit{rho, kappas[i], 1};
      const ClockRates c = clock(unit, f);
      double linear = c.drift * k.a;
      if (problem_.price_path > 0) linear -= problem_.price_path * path_rate(m, 1, path_factors(unit, f));
      const double curvature = 2 * c.diffusion * k.v * k.c, eta = best_rate(linear, curvature);
      const double h = control_energy(unit).total() + (0.5 * curvature * eta - linear) * eta;  // up to a constant
      if (h < least) {
        least = h;
        best = {rho, kappas[i], eta};
      }
    }
  }
  return best;
}

}  // namespace eos::theory
