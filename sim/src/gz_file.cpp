#include "gz_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "eos/core/error.hpp"

namespace eos::sim {

GzFile::GzFile(const std::string& path, std::string remedy) : path_(path), remedy_(std::move(remedy)) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw core::Error("E201", fmt::format("{} is a folder", path));
  file_ = gzopen(path.c_str(), "rb");  // zlib recognises whether it is compressed
  if (file_ == nullptr) throw core::Error("E201", fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  gzbuffer(file_, 1 << 17);
}

GzFile::~GzFile() {
  if (file_ != nullptr) gzclose(file_);
}

void GzFile::damaged(const std::string& what) const {
  throw core::Error("E203", fmt::format("{}: {}", path_, what), remedy_);
}

std::int64_t GzFile::read(std::uint8_t* to, std::int64_t size) {
  std::int64_t done = 0;
  while (done < size) {
    const auto ask = static_cast<unsigned>(std::min<std::int64_t>(size - done, 1 << 30));
    const int got = gzread(file_, to + done, ask);
    if (got < 0) {
      int code = 0;
      damaged(fmt::format("the compressed data are damaged or cut off ({})", gzerror(file_, &code)));
    }
    if (got == 0) break;
    done += got;
  }
  return done;
}

void GzFile::finish() {
  const int code = gzclose_r(file_);
  file_ = nullptr;
  if (code != Z_OK) damaged("the compressed data are cut off");
}

std::vector<std::uint8_t> read_whole(const std::string& path, std::int64_t most, const std::string& remedy) {
  constexpr std::int64_t k_block = std::int64_t{1} << 22;
  GzFile file(path, remedy);
  std::vector<std::uint8_t> bytes;
  for (std::int64_t got = 0;;) {
    bytes.resize(static_cast<std::size_t>(got + k_block));
    const std::int64_t read = file.read(bytes.data() + got, k_block);
    got += read;
    if (got > most) file.damaged(fmt::format("longer than {} bytes", most));
    if (read < k_block) {
      bytes.resize(static_cast<std::size_t>(got));
      break;
    }
  }
  file.finish();
  return bytes;
}

}  // namespace eos::sim
