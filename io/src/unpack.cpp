#include "eos/io/unpack.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"

namespace eos::io {
namespace {

namespace fs = std::filesystem;
using core::Error;

constexpr std::size_t k_block = 512;

struct Closer {
  void operator()(gzFile file) const { gzclose(file); }
};

class Archive {
 public:
  explicit Archive(const std::string& path) : path_(path), file_(gzopen(path.c_str(), "rb")) {
    if (!file_) throw Error("E201", fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
    gzbuffer(file_.get(), 1 << 17);
  }
  [[noreturn]] void damaged(const std::string& what) const {
    throw Error("E203", fmt::format("{}: {}", path_, what), "remove it and fetch it again with `eos data fetch`");
  }
  /// False at the end of the file.
  bool read(std::array<char, k_block>& block) {
    const int got = gzread(file_.get(), block.data(), k_block);
    if (got == 0) return false;
    if (got != static_cast<int>(k_block)) damaged("the archive is damaged or cut off");
    return true;
  }

 private:
  std::string path_;
  std::unique_ptr<gzFile_s, Closer> file_;
};

/// A text field of the header, up to its NUL.
std::string text(const std::array<char, k_block>& header, std::size_t at, std::size_t size) {
  const char* begin = header.data() + at;
  return {begin, std::find(begin, begin + size, '\0')};
}

std::uint64_t file_size(const Archive& archive, const std::array<char, k_block>& header) {
  std::uint64_t size = 0;
  for (const char digit : text(header, 124, 12)) {
    if (digit == ' ') continue;
    if (digit < '0' || digit > '7') archive.damaged("a header of the archive is damaged");
    size = 8 * size + static_cast<std::uint64_t>(digit - '0');
  }
  return size;
}

void copy_file(Archive& archive, std::uint64_t size, std::ostream* out) {
  std::array<char, k_block> block{};
  for (std::uint64_t done = 0; done < size; done += k_block) {
    if (!archive.read(block)) archive.damaged("the archive is cut off");
    if (out != nullptr)
      out->write(block.data(), static_cast<std::streamsize>(std::min<std::uint64_t>(k_block, size - done)));
  }
}

void write_entry(Archive& archive, std::uint64_t size, const fs::path& target) {
  std::error_code error;
  fs::create_directories(target.parent_path(), error);
  const std::string part = target.string() + ".part";
  std::ofstream out(part, std::ios::binary);
  copy_file(archive, size, &out);
  out.close();
  if (!out) throw Error("E301", fmt::format("cannot write '{}': {}", part, std::strerror(errno)));
  publish_file(part, target.string());
}

}  // namespace

void unpack(const std::string& path, const std::vector<std::string>& names, const std::string& folder) {
  Archive archive(path);
  std::vector<std::string> missing = names;
  std::array<char, k_block> header{};
  while (!missing.empty() && archive.read(header) && header[0] != '\0') {
    const std::string prefix = text(header, 345, 155), name = text(header, 0, 100);
    const std::uint64_t size = file_size(archive, header);
    const bool regular = header[156] == '0' || header[156] == '\0';
    // GNU tar keeps other things where ustar has the prefix.
    const bool ustar = text(header, 257, 6) == "ustar" && !prefix.empty();
    const auto wanted = std::find(missing.begin(), missing.end(), ustar ? prefix + "/" + name : name);
    if (!regular || wanted == missing.end()) {
      copy_file(archive, size, nullptr);
      continue;
    }
    write_entry(archive, size, fs::path(folder) / *wanted);
    missing.erase(wanted);
  }
  if (!missing.empty()) archive.damaged(fmt::format("does not hold {}", fmt::join(missing, ", ")));
}

}  // namespace eos::io
