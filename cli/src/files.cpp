#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

bool is_toml(const std::string& path) {
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".toml") return true;
  std::ifstream file(path, std::ios::binary);
  char start[8] = {};
  if (file.read(start, sizeof start)) return std::memcmp(start, "\x89HDF\r\n\x1a\n", sizeof start) != 0;
  return ending != ".h5" && ending != ".hdf5";
}

std::string with_ending(const std::string& path, const std::string& ending) {
  return fs::path(path).replace_extension(ending).string();
}

void require_writable(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const std::string probe = fmt::format("{}/.eos-probe-{}", folder, ::getpid());
  const int file = ::open(probe.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const int problem = errno;
  if (file >= 0) {
    ::close(file);
    ::unlink(probe.c_str());
  }
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  if (file >= 0 && !is_folder) return;
  throw core::Error("E301", fmt::format("cannot write {}: {}", path, is_folder ? "it is a folder" : std::strerror(problem)),
                    is_folder ? "name a file, e.g. " + path + "/out.h5" : fmt::format("make {} writable or choose another place with -o", folder));
}

}  // namespace eos::cli
