#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::io {

namespace fs = std::filesystem;

namespace {

std::string path_in(const std::string& folder, const std::string& name) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == '-'; };
  if (name.empty() || name[0] == '.' || !std::all_of(name.begin(), name.end(), fits))
    throw core::Error("E190", fmt::format("'{}' cannot be the name of a stored table", name));
  return (fs::path(folder) / (name + ".h5")).string();
}

}  // namespace

FileSink::FileSink(std::string folder) : folder_(folder.empty() ? "." : std::move(folder)) {}

void FileSink::write(const std::string& name, const core::Dataset& data) {
  const std::string path = path_in(folder_, name);
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw core::Error("E301", fmt::format("cannot create the folder '{}': {}", folder_, error.message()));
  write_hdf5(path, data);
}

std::optional<core::Dataset> FileSink::read(const std::string& name) {
  const std::string path = path_in(folder_, name);
  std::error_code error;
  if (!fs::exists(path, error)) return std::nullopt;
  return read_hdf5(path);
}

void FileSink::remove(const std::string& name) {
  const std::string path = path_in(folder_, name);
  std::error_code error;
  fs::remove(path, error);
  if (error) throw core::Error("E301", fmt::format("cannot remove '{}': {}", path, error.message()));
}

}  // namespace eos::io
