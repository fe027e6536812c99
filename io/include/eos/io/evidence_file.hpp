// Read the protocol of a comparison from TOML (theory/evidence_spec.hpp; docs/evidence.md explains it, docs/toml.md
// lists its keys), and write it back.
//
// All problems are reported at once with their place, as for every file (toml.hpp): unknown keys, names that are not
// there, and settings of methods that no run accepts, each tried on the first task that it suits.
#pragma once

#include <string>

#include "eos/io/toml.hpp"
#include "eos/theory/evidence_spec.hpp"

namespace eos::io {

/// throws Error with every problem, as the readers of toml.hpp; E201, E1xx of a task's file name that file.
theory::EvidenceSpec read_evidence(const std::string& path);
theory::EvidenceSpec parse_evidence(const std::string& text, const std::string& name);

/// The effective protocol without the runs of its tasks: `base` of a task is NAME/task.toml, which holds
/// to_toml_task(). Reading both back gives an equal protocol.
std::string to_toml(const theory::EvidenceSpec& spec);
/// [protocol] alone, one task, one method: what the parts of a protocol are compared by.
std::string to_toml_protocol(const theory::EvidenceSpec& spec);
std::string to_toml(const theory::EvidenceTask& task);
std::string to_toml(const theory::EvidenceMethod& method);

/// The run of a task as TOML, without [selection] and [plasticity], so that methods can set them; prices as given.
std::string to_toml_task(const theory::TrainingSpec& run);

}  // namespace eos::io
