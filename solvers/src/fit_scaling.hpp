// The functional scaling law as a function of five parameters, and what it says about curves and schedules.
#pragma once

#include "eos/theory/problem.hpp"
#include "fit_curves.hpp"

namespace eos::solvers {

/// A course of the summed learning rate and of the rate itself, linear between nodes; the first node is 0.
struct RateCourse {
  std::vector<double> clock;        ///< [n+1]
  std::vector<double> left, right;  ///< [n] rates at the ends of each interval
};

/// Losses at the nodes.
std::vector<double> scaling_losses(const theory::FittedScalingLaw& law, const RateCourse& course);

/// Weighted least squares of all curves under a broad prior, and the error on the longest probe left out.
theory::FittedScalingLaw fit_scaling_law(const FitScales& scales, const std::vector<ProbeCurve>& curves);

/// Replaces the plan's losses by those of the scaling law: its clock advances by eta F_s(rho) G(kappa) a step.
void follow_scaling_law(const theory::Calibration& calibration, theory::Plan& plan);

}  // namespace eos::solvers
