// The words of [network]: how files, messages and tables call its choices.
#pragma once

#include <string>
#include <vector>

#include "eos/theory/network_spec.hpp"

namespace eos::theory {

/// "mlp", "cnn", ... in the order of Architecture.
const std::vector<std::string>& architecture_names();
const std::string& to_string(Architecture architecture);
/// "identity", "relu", "leaky-relu", ... in the order of Activation.
const std::vector<std::string>& activation_names();
const std::string& to_string(Activation activation);

}  // namespace eos::theory
