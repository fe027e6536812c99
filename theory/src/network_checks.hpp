// Contradictions of a network with itself and with the kind of its data.
#pragma once

#include "checker.hpp"
#include "eos/theory/network_spec.hpp"

namespace eos::theory {

/// An architecture for images or vectors given tokens, or the other way round.
void check_data_kind(const NetworkSpec& network, bool tokens, Checker& checker);

}  // namespace eos::theory
