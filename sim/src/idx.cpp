// Read IDX files, the format of the MNIST family: 00 00 type dimensions, then big-endian sizes, then the bytes.
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <limits>
#include <memory>

#include "eos/core/error.hpp"
#include "eos/sim/data.hpp"

namespace eos::sim {
namespace {

constexpr std::int64_t k_largest = std::int64_t{1} << 33;  // 8 GiB: more is a damaged header
constexpr std::int64_t k_block = std::int64_t{1} << 26;

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw core::Error("E203", fmt::format("{}: {}", path, what),
                    "fetch the file again, e.g. with `eos data fetch`, or check that it is an IDX file of bytes");
}

/// A plain or gzip-compressed file; zlib recognises which.
class GzFile {
 public:
  explicit GzFile(const std::string& path) : path_(path) {
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored)) throw core::Error("E201", fmt::format("{} is a folder", path));
    file_ = gzopen(path.c_str(), "rb");
    if (file_ == nullptr) throw core::Error("E201", fmt::format("cannot read {}: {}", path, std::strerror(errno)));
    gzbuffer(file_, 1 << 17);
  }
  ~GzFile() {
    if (file_ != nullptr) gzclose(file_);
  }
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;

  /// Up to `size` bytes; fewer only at the end of the file.
  std::int64_t read(std::uint8_t* to, std::int64_t size) {
    std::int64_t done = 0;
    while (done < size) {
      const auto ask = static_cast<unsigned>(std::min<std::int64_t>(size - done, 1 << 30));
      const int got = gzread(file_, to + done, ask);
      if (got < 0) {
        int code = 0;
        damaged(path_, fmt::format("the compressed data are damaged or cut off ({})", gzerror(file_, &code)));
      }
      if (got == 0) break;
      done += got;
    }
    return done;
  }
  /// zlib tells only now whether the last compressed stream was whole.
  void finish() {
    const int code = gzclose_r(file_);
    file_ = nullptr;
    if (code != Z_OK) damaged(path_, "the compressed data are cut off");
  }

 private:
  std::string path_;
  gzFile file_ = nullptr;
};

}  // namespace

IdxFile read_idx(const std::string& path) {
  GzFile file(path);
  std::array<std::uint8_t, 4> magic{};
  if (file.read(magic.data(), 4) != 4) damaged(path, "shorter than the four bytes of an IDX header");
  if (magic[0] != 0 || magic[1] != 0)
    damaged(path, fmt::format("starts with bytes {:02x} {:02x}, an IDX file starts with 00 00", magic[0], magic[1]));
  if (magic[2] != 0x08)
    damaged(path, fmt::format("element type {:02x} is not supported, only unsigned bytes (08) are", magic[2]));
  if (magic[3] < 1 || magic[3] > 4) damaged(path, fmt::format("{} dimensions, allowed are 1 to 4", magic[3]));
  IdxFile result;
  std::int64_t size = 1;
  for (int d = 0; d < magic[3]; ++d) {
    std::array<std::uint8_t, 4> word{};
    if (file.read(word.data(), 4) != 4) damaged(path, "ends inside its header");
    const std::int64_t length = (std::int64_t{word[0]} << 24) | (word[1] << 16) | (word[2] << 8) | word[3];
    if (length < 1 || length > std::numeric_limits<std::int32_t>::max() || length > k_largest / size)
      damaged(path, fmt::format("dimension {} has the impossible length {}", d, length));
    size *= length;
    result.dims.push_back(static_cast<int>(length));
  }
  std::int64_t got = 0;
  while (got < size) {  // in blocks, so that a damaged header does not take memory for data that are not there
    const std::int64_t block = std::min(size - got, k_block);
    result.bytes.resize(static_cast<std::size_t>(got + block));
    const std::int64_t read = file.read(result.bytes.data() + got, block);
    got += read;
    if (read < block) damaged(path, fmt::format("the header announces {} bytes but only {} follow", size, got));
  }
  std::uint8_t extra = 0;
  if (file.read(&extra, 1) != 0)
    damaged(path, fmt::format("bytes follow after the {} that the header announces", size));
  file.finish();
  return result;
}

}  // namespace eos::sim
