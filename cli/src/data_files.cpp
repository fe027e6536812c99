#include "data_files.hpp"

#include <fmt/format.h>

#include <filesystem>

#include "eos/core/error.hpp"

namespace eos::cli {

std::string data_file(const std::string& name) {
  for (const std::string& root : {std::string(EOS_SOURCE_DIR) + "/data", std::string(EOS_INSTALL_DATADIR)})
    if (std::filesystem::exists(root + "/" + name)) return root + "/" + name;
  throw core::Error("E201", fmt::format("data/{} was not found", name), "run eos from its source tree or install it");
}

}  // namespace eos::cli
