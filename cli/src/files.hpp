// Small questions about paths and the files behind them.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"

namespace eos::cli {

/// True when the path ends in .toml or the file does not start with the HDF5 signature. A missing file counts as TOML
/// unless it ends in .h5 or .hdf5.
bool is_toml(const std::string& path);
/// PATH with another ending: "run.h5" and ".png" give "run.png".
std::string with_ending(const std::string& path, const std::string& ending);
/// throws Error E301 when no file can be created at `path`: found out before hours of work, not after.
void require_writable(const std::string& path);
/// The effective configuration stored in a file, empty when there is none.
std::string stored_config(const core::Dataset& data);
/// Adds what every result file carries: title, source, history, and the provenance group.
void add_origin(core::Dataset& data, const std::string& title, const std::string& kind, const std::string& config,
                const std::string& command_line);

}  // namespace eos::cli
