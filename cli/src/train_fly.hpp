// eos train on a file with [fly]: how long flies live under each hazard and gate.
#pragma once

#include "eos/core/dataset.hpp"
#include "eos/io/plot.hpp"
#include "session.hpp"

namespace eos::cli {

/// Simulates, stores, reports and draws. pre: the file of the session describes flies.
int run_fly(Session& session);
/// From a table of kind "fly".
io::Figure fly_figure(const core::Dataset& data);

}  // namespace eos::cli
