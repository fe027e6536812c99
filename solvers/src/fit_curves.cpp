#include "fit_curves.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "mode_integrator.hpp"

namespace eos::solvers {
namespace {

using theory::FittedModel;
using theory::ProbePoint;

constexpr int k_modes = 8;
// Time constants 1/(2 lambda) of the grid, relative to the clock of the longest probe: what decays faster is over
// before the first fitted point; what decays slower is irreducible loss at every horizon one plans for.
constexpr double k_fastest = 0.01, k_slowest = 25;
// Noise per mode n_j ~ lambda_j^-1/2: a flatter noise spectrum (exponent 0) predicts too small a penalty for a doubled
// learning rate on Fashion-MNIST, a steeper one (1) too large; see docs/calibration.md.
constexpr double k_noise_exponent = 0.5;
// Prior of the decay of loss with the clock, L - L_offset ~ clock^-exponent: without it, short probes cannot tell slow
// modes from irreducible loss. Chosen on networks of known outcome; see docs/calibration.md for what it changes.
constexpr double k_exponent = 0.27, k_exponent_error = 0.27;
// Prior of ln(noise variance / loss): gradient noise falls with the loss. Short probes leave it open, and noise that
// does not fall holds up the loss of long runs at a high rate; see docs/calibration.md for what it changes.
constexpr double k_variance = -3;
constexpr double k_first_clock = 0.03;
constexpr double k_model_error = 0.015;
constexpr double k_fluctuation = 0.08;
constexpr double k_largest_offset = 0.9;  // of the smallest loss seen
constexpr int k_pieces = 4;               // constant-rate intervals between two points

double logistic(double q) { return 1 / (1 + std::exp(-q)); }

/// Rate at the start of a curve: between points it is linear in time and its integral is the clock.
double first_rate(const ProbeCurve& curve) {
  const ProbePoint& first = curve.points.front();
  return 2 * first.clock / first.step - first.learning_rate;
}

}  // namespace

std::vector<ProbeCurve> probe_curves(const theory::Calibration& calibration) {
  std::vector<ProbeCurve> curves;
  for (const ProbePoint& p : calibration.probes) {
    auto found = std::find_if(curves.begin(), curves.end(), [&](const ProbeCurve& c) { return c.probe == p.probe; });
    if (found == curves.end()) found = curves.insert(curves.end(), ProbeCurve{p.probe, {}});
    found->points.push_back(p);
  }
  for (ProbeCurve& c : curves) {
    std::sort(c.points.begin(), c.points.end(), [](const auto& a, const auto& b) { return a.step < b.step; });
  }
  if (calibration.largest_stable_rate > 0) {
    std::erase_if(curves, [&](const ProbeCurve& c) { return first_rate(c) > 1.05 * calibration.largest_stable_rate; });
  }
  return curves;
}

FitScales fit_scales(const theory::Calibration& calibration) {
  FitScales s;
  s.batch = calibration.spec.batch;
  s.rate = calibration.spec.optimiser.learning_rate;
  const std::vector<ProbeCurve> curves = probe_curves(calibration);
  if (curves.size() < 2 || calibration.probes.size() < 6 || !(s.rate > 0)) {
    throw core::Error("E402", "the calibration has too few loss curves to fit a model",
                      "two probes with three points each are the least; run `eos calibrate` again");
  }
  s.loss = INFINITY;
  for (const ProbeCurve& c : curves) {
    const ProbePoint& end = c.points.back();
    s.loss = std::min(s.loss, end.loss);
    // The mean rate of a linear decay is half its peak: probes at a higher rate do not set the clock.
    if (end.clock <= 0.55 * s.rate * end.step) s.clock = std::max(s.clock, end.clock);
  }
  if (!(s.loss > 0) || !(s.clock > 0)) throw core::Error("E402", "the calibration's loss curves are not positive");
  for (int j = 0; j < k_modes; ++j) {
    const double tau = s.clock * k_fastest * std::pow(k_slowest / k_fastest, j / (k_modes - 1.0));
    s.lambda.push_back(0.5 / tau);
    s.multiplicity.push_back(std::pow(s.lambda.front() / s.lambda.back(), k_noise_exponent));
  }
  return s;
}

FittedModel model_from(const FitScales& scales, const Eigen::VectorXd& p) {
  FittedModel fit;
  fit.lambda = scales.lambda;
  fit.multiplicity = scales.multiplicity;
  for (int j = 0; j < k_modes; ++j) {
    const auto i = static_cast<std::size_t>(j);
    fit.initial.push_back(2 * std::exp(p[j]) / (scales.multiplicity[i] * scales.lambda[i]));
  }
  fit.noise_scale = std::exp(p[k_modes]) * scales.batch / (scales.rate * scales.lambda.front());
  fit.noise_variance = std::exp(p[k_modes + 1]) * scales.loss;
  fit.loss_offset = k_largest_offset * scales.loss * logistic(p[k_modes + 2]);
  return fit;
}

Eigen::VectorXd first_guess(const FitScales& scales) {
  Eigen::VectorXd p(k_modes + 3);
  for (int j = 0; j < k_modes; ++j) p[j] = std::log(0.8 * scales.loss) - 0.3 * j;
  p[k_modes] = -1.5;
  p[k_modes + 1] = k_variance;
  p[k_modes + 2] = -0.6;
  return p;
}

Eigen::VectorXd prior_residuals(const Eigen::VectorXd& p) {
  Eigen::VectorXd r(2 * k_modes);
  Eigen::Index next = 0;
  const double step = std::log(k_slowest / k_fastest) / (k_modes - 1);
  // Loss share per mode falls like tau^-exponent; in a power law second differences are 0.
  for (int j = 0; j + 1 < k_modes; ++j) r[next++] = (p[j + 1] - p[j] + k_exponent * step) / (k_exponent_error * step);
  for (int j = 0; j + 2 < k_modes; ++j) r[next++] = p[j] - 2 * p[j + 1] + p[j + 2];
  r[next++] = (p[k_modes] + 1.5) / 2;
  r[next++] = p[k_modes + 1] - k_variance;
  r[next++] = p[k_modes + 2] + 0.6;
  return r;
}

theory::ModeProblem dynamics_of(const FittedModel& fit, double batch) {
  theory::ModeProblem problem;
  problem.lambda = fit.lambda;
  problem.initial = fit.initial;
  problem.multiplicity = fit.multiplicity;
  problem.batch = batch;
  problem.noise_variance = fit.noise_variance;
  problem.noise_scale = fit.noise_scale;
  problem.loss_offset = fit.loss_offset;
  problem.data_rule = theory::Rule::all;
  problem.weight_rule = theory::Rule::all;
  return problem;
}

std::vector<double> predicted_losses(const FittedModel& fit, double batch, const ProbeCurve& curve) {
  const theory::ModeModel model(dynamics_of(fit, batch));
  std::vector<double> edges{0};
  std::vector<theory::Controls> controls;
  double step = 0, rate = first_rate(curve);
  for (const ProbePoint& p : curve.points) {
    for (int k = 0; k < k_pieces; ++k) {
      const double share = (k + 0.5) / k_pieces;
      controls.push_back({1, 1, std::max(0.0, rate + share * (p.learning_rate - rate))});
      edges.push_back(step + (p.step - step) * (k + 1) / k_pieces);
    }
    step = p.step;
    rate = p.learning_rate;
  }
  ModeIntegrator integrator(model, edges, 2);
  integrator.forward(controls);
  std::vector<double> losses;
  for (std::size_t i = 1; i <= curve.points.size(); ++i) {
    losses.push_back(model.loss(integrator.state(i * k_pieces)) + fit.loss_offset);
  }
  return losses;
}

double point_error(const FitScales& scales, const ProbePoint& p) {
  const double fluctuation = k_fluctuation * p.learning_rate / scales.rate;
  return std::sqrt(p.loss_error * p.loss_error +
                   p.loss * p.loss * (k_model_error * k_model_error + fluctuation * fluctuation));
}

bool is_fitted(const FitScales& scales, const ProbePoint& p) { return p.clock >= k_first_clock * scales.clock; }

}  // namespace eos::solvers
