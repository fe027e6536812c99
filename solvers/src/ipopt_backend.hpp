// Ipopt (Waechter & Biegler 2006) on the same transcription, with exact sparse derivatives: an alternative and a
// referee.
#pragma once

#include "interior_point.hpp"

namespace eos::solvers {

bool have_ipopt();
/// From the primal values of `at` to the optimum and its multipliers.
/// throws core::Error E401 when eos was built without Ipopt
InteriorResult run_ipopt(Transcription& transcription, Iterate& at, const InteriorOptions& options);

}  // namespace eos::solvers
