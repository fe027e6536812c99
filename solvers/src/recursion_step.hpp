// Adjoint of one step of the exact discrete recursion m_j' = m_j + G (eta^2 v_j - 2 eta F_s lambda_j m_j).
//
// v_j = D lambda_j^2 m_j + N lambda_j V (mode_model.hpp). Running terms are those at the begin of the step.
#pragma once

#include <span>

#include "etd_step.hpp"

namespace eos::solvers {

/// What a step of the recursion needs to know about its controls.
struct RecursionCoefficients {
  theory::Captures captures;
  theory::PathFactors factors;
  double rate = 0;
};

/// Adjoint of one step. mu is dJ/dm' on entry and dJ/dm on exit; adds dJ/d(controls) to gradient. The running loss has
/// the weight `loss`.
void reverse_step(const RecursionCoefficients& k, const theory::ModeModel& model, std::span<const double> m,
                  double loss, std::span<double> mu, theory::ControlGradient& gradient);

}  // namespace eos::solvers
