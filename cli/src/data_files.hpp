// Files that come with the program: protocols, price lists.
#pragma once

#include <string>

namespace eos::cli {

/// Path of data/NAME of the source tree or of the installation. throws Error E201 when it is in neither.
std::string data_file(const std::string& name);

}  // namespace eos::cli
