// Judge controls by the conditions that optimal ones must satisfy.
#pragma once

#include <span>

#include "mode_integrator.hpp"

namespace eos::solvers {

/// pre: forward() and backward() of the integrator were called with these controls; objective is J, gradient dJ/du.
theory::Certificate certify(const theory::ModeModel& model, const ModeIntegrator& integrator,
                            std::span<const theory::Controls> controls,
                            std::span<const theory::ControlGradient> gradient, double objective);

}  // namespace eos::solvers
