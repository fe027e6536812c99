// The mode model as a function of few parameters, and what it says about the loss curves of probes.
//
// Parameters, all unconstrained: ln of the loss share l_j = n_j lambda_j m_j(0) / 2 of each mode on a fixed logarithmic
// grid of lambda, ln of the noise scale, ln of the noise variance, and the logit of the loss offset.
#pragma once

#include <Eigen/Core>
#include <vector>

#include "eos/theory/calibration.hpp"
#include "eos/theory/problem.hpp"

namespace eos::solvers {

/// What the fit knows before it sees a curve: grid and scales.
struct FitScales {
  std::vector<double> lambda, multiplicity;
  double batch = 1;
  double rate = 0;   ///< the run's own peak learning rate
  double loss = 0;   ///< smallest annealed loss among the probes
  double clock = 0;  ///< summed learning rate of the longest probe at that rate
};

/// throws Error E402 when there are too few probes or points.
FitScales fit_scales(const theory::Calibration& calibration);

theory::FittedModel model_from(const FitScales& scales, const Eigen::VectorXd& parameters);
Eigen::VectorXd first_guess(const FitScales& scales);
/// Deviation of the parameters from what is plausible, in standard deviations: a smooth spectrum close to a power law,
/// and broad ranges for noise and offset. Appended to the residuals of the fit, so that poorly determined directions
/// stay tame.
Eigen::VectorXd prior_residuals(const Eigen::VectorXd& parameters);

/// The dynamics alone, without prices and selection.
theory::ModeProblem dynamics_of(const theory::FittedModel& fit, double batch);

/// One probe's points in order of time.
struct ProbeCurve {
  int probe = 0;
  std::vector<theory::ProbePoint> points;
};
/// Curves of all probes up to the largest stable rate: an unstable run is not described by any mode model.
std::vector<ProbeCurve> probe_curves(const theory::Calibration& calibration);

/// Predicted losses at the points of a curve. Between points the learning rate is linear in time, as in the probes.
std::vector<double> predicted_losses(const theory::FittedModel& fit, double batch, const ProbeCurve& curve);

/// Standard deviation with which a point enters the fit: sampling error, 1.5 % for what the model cannot describe, and
/// the fluctuations of a single run, which are proportional to the current learning rate.
double point_error(const FitScales& scales, const theory::ProbePoint& point);
/// Points in the first 3 % of the longest clock are left out: there the network is not in the regime of the model.
bool is_fitted(const FitScales& scales, const theory::ProbePoint& point);

}  // namespace eos::solvers
