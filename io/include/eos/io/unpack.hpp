// Take files out of a .tar.gz archive (POSIX ustar).
#pragma once

#include <string>
#include <vector>

namespace eos::io {

/// Writes the regular files of the archive whose names are in `names` to FOLDER/NAME, whole or not at all (a temporary
/// name, then renamed); other entries are skipped. throws Error E201, E203 (damaged, a file is missing), E301.
void unpack(const std::string& archive, const std::vector<std::string>& names, const std::string& folder);

}  // namespace eos::io
