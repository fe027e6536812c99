// From node values of multiple shooting to a ControlSolution: dense grid, cost terms, arcs, costates.
#pragma once

#include "shooting.hpp"

namespace eos::solvers {

/// Integrates every segment once more with the cost terms as quadratures. `points`: about so many grid points.
/// Costates on and before contact with a state bound are those of the direct adjoining, p = dJ/dx (Hartl, Sethi &
/// Vickson 1995, section 4), so that H_u = 0 along the contact.
theory::ControlSolution extremal(const Hamiltonian& h, MultipleShooting& shooting, const ShootingResult& result,
                                 int points = 240);

/// Sets hamiltonian and switching (H_u) at every grid point.
void fill_hamiltonian(const Hamiltonian& h, theory::ControlSolution& s);

}  // namespace eos::solvers
