// Arcs of a discrete solution: where each control rests at a level, follows H_u = 0, is singular, or keeps a bound.
//
// Grid points are labelled by their control, its distance to the levels of Hamiltonian::levels, and contact with path
// bounds; short runs, which a mesh that does not resolve a switch produces, are merged with their neighbours or, where
// many follow each other, into one singular arc.
#pragma once

#include "shooting.hpp"

namespace eos::solvers {

struct Structure {
  std::vector<Phase> phases;
  bool trivial = true;  ///< one phase without held controls
};

/// pre: s has costates.
Structure find_structure(const Hamiltonian& h, const theory::ControlSolution& s);

/// "lower | interior | upper" of each control.
std::string describe(const Hamiltonian& h, const std::vector<Phase>& phases);

}  // namespace eos::solvers
