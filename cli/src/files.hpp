// Small questions about paths and the files behind them.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"
#include "eos/io/toml.hpp"
#include "eos/theory/calibration.hpp"

namespace eos::cli {

/// True when the path ends in .toml or the file does not start with the HDF5 signature. A missing file counts as TOML
/// unless it ends in .h5 or .hdf5.
bool is_toml(const std::string& path);
/// throws Error E108 when the file describes something else than the verb works on, naming the verb that does.
void require_kind(const std::string& path, io::FileKind kind, const std::string& verb);
/// PATH with another ending: "run.h5" and ".png" give "run.png".
std::string with_ending(const std::string& path, const std::string& ending);
/// throws Error E301 when no file can be created at `path`: found out before hours of work, not after.
void require_writable(const std::string& path);
/// The effective configuration stored in a file, empty when there is none.
std::string stored_config(const core::Dataset& data);
/// The calibration in a file, or in group `calibration` of a demo file. throws Error E402 when there is none.
theory::Calibration read_calibration(const std::string& path);
/// Adds what every result file carries: title, source, history, and the group provenance.
void add_origin(core::Dataset& data, const std::string& title, const std::string& config,
                const std::string& command_line);

}  // namespace eos::cli
