// Tell the shape of data from their statement alone.
#pragma once

#include <optional>

#include "eos/theory/data_spec.hpp"
#include "eos/theory/graph.hpp"

namespace eos::theory {

/// What a network for these data is built for; nothing where the files have to be looked at: auto, idx, texts of
/// characters, hierarchical.
std::optional<DataShape> known_shape(const DataSpec& data);

}  // namespace eos::theory
