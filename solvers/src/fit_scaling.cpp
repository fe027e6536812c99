#include "fit_scaling.hpp"

#include <algorithm>
#include <cmath>

#include "eos/theory/scaling_law.hpp"
#include "fit_least_squares.hpp"

namespace eos::solvers {
namespace {

using theory::FittedScalingLaw;
using theory::ProbePoint;

constexpr double k_capacity = 2;
constexpr int k_pieces = 4;  // nodes between two points of a curve

double logistic(double q) { return 1 / (1 + std::exp(-q)); }

/// Centres and standard deviations of the parameters: logit of the floor's share of the smallest loss, ln amplitude /
/// loss, ln exponent, ln clock / clock of the longest probe, ln noise * rate. Broad: they keep poorly determined
/// directions tame.
constexpr double k_centre[] = {0, 0.5, -0.9, -3, -1.5};
constexpr double k_width[] = {1.5, 1.5, 0.5, 1.5, 2};

FittedScalingLaw law_from(const FitScales& scales, const Eigen::VectorXd& p) {
  FittedScalingLaw law;
  law.floor = scales.loss * logistic(p[0]);
  law.amplitude = scales.loss * std::exp(p[1]);
  law.exponent = std::exp(p[2]);
  law.clock = scales.clock * std::exp(p[3]);
  law.noise = std::exp(p[4]) / scales.rate;
  return law;
}

/// Between points the learning rate is linear in time, as in the probes.
RateCourse course_of(const ProbeCurve& curve) {
  RateCourse course;
  course.clock = {0};
  const ProbePoint& first = curve.points.front();
  double step = 0, clock = 0, rate = std::max(0.0, 2 * first.clock / first.step - first.learning_rate);
  for (const ProbePoint& p : curve.points) {
    // The clock is that of the run; a straight line through its ends may miss it by a little.
    const double mean = 0.5 * (rate + p.learning_rate), stretch = (p.clock - clock) / (mean * (p.step - step));
    for (int k = 0; k < k_pieces; ++k) {
      const double a = rate + (p.learning_rate - rate) * k / k_pieces,
                   b = rate + (p.learning_rate - rate) * (k + 1) / k_pieces;
      course.left.push_back(a);
      course.right.push_back(b);
      course.clock.push_back(course.clock.back() + stretch * 0.5 * (a + b) * (p.step - step) / k_pieces);
    }
    step = p.step, clock = p.clock, rate = p.learning_rate;
  }
  return course;
}

class ScalingFit {
 public:
  ScalingFit(FitScales scales, const std::vector<ProbeCurve>& curves) : scales_(std::move(scales)), curves_(curves) {
    for (const ProbeCurve& c : curves_) courses_.push_back(course_of(c));
  }
  FittedScalingLaw solve() const {
    Eigen::VectorXd start(5);
    for (int i = 0; i < 5; ++i) start[i] = k_centre[i];
    LeastSquaresOptions options;
    options.max_iterations = 100;
    options.tolerance = 1e-6;
    const Eigen::VectorXd best =
        least_squares([this](const Eigen::VectorXd& p) { return residuals(p); }, start, options).x;
    FittedScalingLaw law = law_from(scales_, best);
    double squares = 0, n = 0;
    for (std::size_t i = 0; i < curves_.size(); ++i)
      each(law, i, [&](const ProbePoint& p, double loss) { squares += std::pow(loss - p.loss, 2), ++n; });
    law.residual_rms = std::sqrt(squares / std::max(1.0, n));
    return law;
  }

 private:
  template <class Visit>
  void each(const FittedScalingLaw& law, std::size_t curve, Visit visit) const {
    const std::vector<double> losses = scaling_losses(law, courses_[curve]);
    for (std::size_t k = 0; k < curves_[curve].points.size(); ++k) {
      const ProbePoint& p = curves_[curve].points[k];
      if (is_fitted(scales_, p)) visit(p, losses[(k + 1) * k_pieces]);
    }
  }
  Eigen::VectorXd residuals(const Eigen::VectorXd& parameters) const {
    const FittedScalingLaw law = law_from(scales_, parameters);
    std::vector<double> r;
    for (std::size_t i = 0; i < curves_.size(); ++i)
      each(law, i, [&](const ProbePoint& p, double loss) { r.push_back((loss - p.loss) / point_error(scales_, p)); });
    for (int i = 0; i < 5; ++i) r.push_back((parameters[i] - k_centre[i]) / k_width[i]);
    return Eigen::Map<Eigen::VectorXd>(r.data(), static_cast<Eigen::Index>(r.size()));
  }

  FitScales scales_;
  std::vector<ProbeCurve> curves_;
  std::vector<RateCourse> courses_;
};

}  // namespace

std::vector<double> scaling_losses(const FittedScalingLaw& law, const RateCourse& course) {
  theory::NoiseRate rate;
  for (double c : course.clock) rate.time.push_back(c / law.clock);
  for (double r : course.left) rate.left.push_back(law.noise * r);
  for (double r : course.right) rate.right.push_back(law.noise * r);
  std::vector<double> losses =
      theory::first_order_loss(theory::FunctionalLaw::power(law.exponent, k_capacity), rate, 0);
  for (double& s : losses) s = law.floor + law.amplitude * s;
  return losses;
}

FittedScalingLaw fit_scaling_law(const FitScales& scales, const std::vector<ProbeCurve>& curves) {
  FittedScalingLaw law = ScalingFit(scales, curves).solve();
  const auto held = std::find_if(curves.begin(), curves.end(),
                                 [&](const ProbeCurve& c) { return c.points.back().clock == scales.clock; });
  std::vector<ProbeCurve> rest;
  for (const ProbeCurve& c : curves)
    if (&c != &*held) rest.push_back(c);
  const std::vector<double> losses = scaling_losses(ScalingFit(scales, rest).solve(), course_of(*held));
  std::vector<double> errors;
  for (std::size_t k = 0; k < held->points.size(); ++k) {
    const ProbePoint& p = held->points[k];
    if (is_fitted(scales, p)) errors.push_back(std::abs(losses[(k + 1) * k_pieces] / p.loss - 1));
  }
  std::sort(errors.begin(), errors.end());
  law.held_out_error = errors[errors.size() / 2];
  return law;
}

void follow_scaling_law(const theory::Calibration& calibration, theory::Plan& plan) {
  theory::Trajectory& t = plan.trajectory;
  const theory::ModeProblem& p = plan.problem;
  RateCourse course;
  course.clock = {0};
  for (std::size_t i = 0; i < t.learning_rate.size(); ++i) {
    const double rho = t.data_fraction[i], kappa = t.weight_fraction[i];
    const double f = p.data_rule == theory::Rule::ranked ? p.data_signal.value(rho) : rho,
                 g = p.weight_rule == theory::Rule::ranked ? p.weight_capture.value(kappa) : kappa;
    // A rate of 0 stops the clock; the law needs nodes that increase.
    const double rate = std::max(t.learning_rate[i], 1e-9 * p.rate_bounds.upper);
    course.clock.push_back(course.clock.back() + rate * f * g * (t.time[i + 1] - t.time[i]));
    course.left.push_back(rate);
    course.right.push_back(rate);
  }
  t.loss = scaling_losses(calibration.fit.scaling, course);
  for (double& loss : t.loss) loss -= p.loss_offset;
  plan.terminal_loss = t.loss.back();
}

}  // namespace eos::solvers
