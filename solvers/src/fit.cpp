#include "eos/solvers/fit.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "fit_curves.hpp"
#include "fit_least_squares.hpp"
#include "fit_scaling.hpp"

namespace eos::solvers {
namespace {

using theory::Calibration;
using theory::FittedModel;
using theory::ProbePoint;

constexpr int k_bootstrap = 30;

/// Residuals of the curves in standard deviations, then those of the prior.
class CurveFit {
 public:
  CurveFit(FitScales scales, std::vector<ProbeCurve> curves) : scales_(std::move(scales)), curves_(std::move(curves)) {
    for (const ProbeCurve& c : curves_) {
      for (const ProbePoint& p : c.points) {
        if (!is_fitted(scales_, p)) continue;
        target_.push_back(p.loss);
        error_.push_back(point_error(scales_, p));
      }
    }
  }

  std::vector<double>& targets() { return target_; }
  /// Moves the prior, in its standard deviations; empty: where it is.
  void shift_prior(Eigen::VectorXd shift) { shift_ = std::move(shift); }
  const std::vector<double>& errors() const { return error_; }

  std::vector<double> predictions(const FittedModel& fit) const {
    std::vector<double> all;
    for (const ProbeCurve& c : curves_) {
      const std::vector<double> losses = predicted_losses(fit, scales_.batch, c);
      for (std::size_t i = 0; i < losses.size(); ++i) {
        if (is_fitted(scales_, c.points[i])) all.push_back(losses[i]);
      }
    }
    return all;
  }

  LeastSquaresResult solve(const Eigen::VectorXd& start, int max_iterations) const {
    LeastSquaresOptions options;
    options.max_iterations = max_iterations;
    options.tolerance = 1e-6;
    return least_squares([this](const Eigen::VectorXd& p) { return residuals(p); }, start, options);
  }

 private:
  Eigen::VectorXd residuals(const Eigen::VectorXd& p) const {
    const std::vector<double> model = predictions(model_from(scales_, p));
    Eigen::VectorXd prior = prior_residuals(p);
    if (shift_.size() == prior.size()) prior -= shift_;
    Eigen::VectorXd r(static_cast<Eigen::Index>(model.size()) + prior.size());
    for (std::size_t i = 0; i < model.size(); ++i) {
      r[static_cast<Eigen::Index>(i)] = (model[i] - target_[i]) / error_[i];
    }
    r.tail(prior.size()) = prior;
    return r;
  }

  FitScales scales_;
  std::vector<ProbeCurve> curves_;
  std::vector<double> target_, error_;
  Eigen::VectorXd shift_;
};

double deviation(const std::vector<double>& values) {
  double sum = 0, squares = 0;
  for (double v : values) {
    sum += v;
    squares += v * v;
  }
  const auto n = static_cast<double>(values.size());
  return std::sqrt(std::max(0.0, (squares - sum * sum / n) / (n - 1)));
}

/// Fits to curves drawn from the fitted model with the errors of the points, under priors drawn from the prior: the
/// spread then also covers what the curves leave open, such as slow modes against irreducible loss (randomised maximum
/// a posteriori: Bardsley, Solonen, Haario & Laine, SIAM J. Sci. Comput. 36, A1895 (2014)).
void add_standard_errors(const FitScales& scales, CurveFit problem, const Eigen::VectorXd& best, std::uint64_t seed,
                         FittedModel& fit) {
  const std::vector<double> truth = problem.predictions(fit);
  std::vector<std::vector<double>> initial(fit.initial.size());
  std::vector<double> variance, scale, offset;
  const Eigen::VectorXd centre = prior_residuals(best);
  for (std::uint32_t b = 0; b < k_bootstrap; ++b) {
    auto normal = [&](std::uint32_t i) { return core::normal_pair(seed, {1000, b, core::Purpose::bootstrap, i})[0]; };
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < truth.size(); ++i)
      problem.targets()[i] = truth[i] + normal(next++) * problem.errors()[i];
    Eigen::VectorXd shift = centre;
    for (double& s : shift) s += normal(next++);
    problem.shift_prior(shift);
    const FittedModel again = model_from(scales, problem.solve(best, 12).x);
    for (std::size_t j = 0; j < initial.size(); ++j) initial[j].push_back(again.initial[j]);
    variance.push_back(again.noise_variance);
    scale.push_back(again.noise_scale);
    offset.push_back(again.loss_offset);
  }
  for (const auto& values : initial) fit.initial_error.push_back(deviation(values));
  fit.noise_variance_error = deviation(variance);
  fit.noise_scale_error = deviation(scale);
  fit.loss_offset_error = deviation(offset);
}

/// The longest probe at the run's own rate is predicted from the others: median relative error over its fitted points.
double held_out_error(const FitScales& scales, const std::vector<ProbeCurve>& curves, const Eigen::VectorXd& best) {
  const auto held = std::find_if(curves.begin(), curves.end(),
                                 [&](const ProbeCurve& c) { return c.points.back().clock == scales.clock; });
  std::vector<ProbeCurve> rest;
  for (const ProbeCurve& c : curves) {
    if (&c != &*held) rest.push_back(c);
  }
  const CurveFit problem(scales, rest);
  const FittedModel fit = model_from(scales, problem.solve(best, 200).x);
  const std::vector<double> predicted = predicted_losses(fit, scales.batch, *held);
  std::vector<double> errors;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    const ProbePoint& p = held->points[i];
    if (is_fitted(scales, p)) errors.push_back(std::abs(predicted[i] - p.loss) / p.loss);
  }
  std::sort(errors.begin(), errors.end());
  return errors[errors.size() / 2];
}

}  // namespace

FittedModel fit_model(const Calibration& calibration) {
  const FitScales scales = fit_scales(calibration);
  const std::vector<ProbeCurve> curves = probe_curves(calibration);
  CurveFit problem(scales, curves);
  const Eigen::VectorXd best = problem.solve(first_guess(scales), 200).x;
  FittedModel fit = model_from(scales, best);
  const std::vector<double> predicted = problem.predictions(fit);
  double squares = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) squares += std::pow(predicted[i] - problem.targets()[i], 2);
  fit.residual_rms = std::sqrt(squares / static_cast<double>(predicted.size()));
  add_standard_errors(scales, problem, best, calibration.spec.seeds.empty() ? 0 : calibration.spec.seeds.front(), fit);
  fit.held_out_error = held_out_error(scales, curves, first_guess(scales));
  fit.scaling = fit_scaling_law(scales, curves);
  return fit;
}

}  // namespace eos::solvers
