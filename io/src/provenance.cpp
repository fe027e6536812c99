#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "eos/core/hash.hpp"
#include "eos/core/philox.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos_build_info.hpp"

namespace eos::io {

core::Dataset provenance(const std::string& effective_toml, const std::string& command_line) {
  core::Dataset d;
  const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
  std::tm utc{};
  gmtime_r(&now, &utc);
  char stamp[32] = {};
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  d.attributes["effective_toml"] = effective_toml;
  d.attributes["effective_toml_sha256"] = core::sha256_hex(effective_toml);
  d.attributes["command_line"] = command_line;
  d.attributes["version"] = std::string(k_version);
  d.attributes["commit"] = std::string(k_commit);
  d.attributes["compiler"] = std::string(k_compiler);
  d.attributes["flags"] = std::string(k_flags);
  d.attributes["cuda"] = std::string(k_cuda);
  d.attributes["hdf5"] = hdf5_version();
  d.attributes["rng"] = fmt::format("Philox4x32-10, address layout {}", core::k_philox_layout_version);
  d.attributes["created"] = std::string(stamp);
  return d;
}

}  // namespace eos::io
