// Which protocol holds in a folder.
#pragma once

#include <string>
#include <vector>

#include "eos/theory/evidence_spec.hpp"
#include "session.hpp"

namespace eos::cli {

/// From --quick, --full or --protocol; else the one in the folder. throws Error E100 when there is none, E107.
theory::EvidenceSpec asked_protocol(const Session& session, const std::string& folder);
/// Makes the folder and stores the protocol and the runs of its tasks. A protocol may grow: tasks and methods may be added,
/// and what has no results yet may change. throws Error E504 that names what differs, E301.
void store_protocol(const theory::EvidenceSpec& spec, const std::string& folder);
/// "a,b" of --tasks or --methods; empty: not given. throws Error E106 with suggestions.
std::vector<std::string> asked_names(const Arguments& arguments, const std::string& option,
                                     const std::vector<std::string>& known);

}  // namespace eos::cli
