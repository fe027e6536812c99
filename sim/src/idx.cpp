// Read IDX files, the format of the MNIST family: 00 00 type dimensions, then big-endian sizes, then the bytes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "eos/sim/data.hpp"
#include "gz_file.hpp"

namespace eos::sim {
namespace {

constexpr std::int64_t k_largest = std::int64_t{1} << 33;  // 8 GiB: more is a damaged header
constexpr std::int64_t k_block = std::int64_t{1} << 26;

constexpr const char* k_remedy =
    "fetch the file again, e.g. with `eos data fetch`, or check that it is an IDX file of bytes";

}  // namespace

IdxFile read_idx(const std::string& path) {
  GzFile file(path, k_remedy);
  std::array<std::uint8_t, 4> magic{};
  if (file.read(magic.data(), 4) != 4) file.damaged("shorter than the four bytes of an IDX header");
  if (magic[0] != 0 || magic[1] != 0)
    file.damaged(fmt::format("starts with bytes {:02x} {:02x}, an IDX file starts with 00 00", magic[0], magic[1]));
  if (magic[2] != 0x08)
    file.damaged(fmt::format("element type {:02x} is not supported, only unsigned bytes (08) are", magic[2]));
  if (magic[3] < 1 || magic[3] > 4) file.damaged(fmt::format("{} dimensions, allowed are 1 to 4", magic[3]));
  IdxFile result;
  std::int64_t size = 1;
  for (int d = 0; d < magic[3]; ++d) {
    std::array<std::uint8_t, 4> word{};
    if (file.read(word.data(), 4) != 4) file.damaged("ends inside its header");
    const std::int64_t length = (std::int64_t{word[0]} << 24) | (word[1] << 16) | (word[2] << 8) | word[3];
    if (length < 1 || length > std::numeric_limits<std::int32_t>::max() || length > k_largest / size)
      file.damaged(fmt::format("dimension {} has the impossible length {}", d, length));
    size *= length;
    result.dims.push_back(static_cast<int>(length));
  }
  std::int64_t got = 0;
  while (got < size) {  // in blocks, so that a damaged header does not take memory for data that are not there
    const std::int64_t block = std::min(size - got, k_block);
    result.bytes.resize(static_cast<std::size_t>(got + block));
    const std::int64_t read = file.read(result.bytes.data() + got, block);
    got += read;
    if (read < block) file.damaged(fmt::format("the header announces {} bytes but only {} follow", size, got));
  }
  std::uint8_t extra = 0;
  if (file.read(&extra, 1) != 0) file.damaged(fmt::format("bytes follow after the {} that the header announces", size));
  file.finish();
  return result;
}

}  // namespace eos::sim
