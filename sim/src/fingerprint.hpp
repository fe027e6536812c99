// A text hash of everything that decides the numbers of a run, to recognise its checkpoints.
#pragma once

#include <string>

#include "replica.hpp"

namespace eos::sim {

/// A line of text that is the same for networks that compute the same and start the same.
std::string describe(const theory::NetworkSpec& spec, const theory::Graph& graph);

/// SHA-256 over the spec (without title, seeds and checkpoint interval), the data's bytes, the kind of device and how it
/// multiplies.
std::string run_fingerprint(const RunSetup& setup, const kernels::Context& context);

}  // namespace eos::sim
