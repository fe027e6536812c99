// A plain or gzip-compressed file of bytes, read front to back.
#pragma once

#include <zlib.h>

#include <cstdint>
#include <string>
#include <vector>

namespace eos::sim {

class GzFile {
 public:
  /// `remedy` is the help of Error E203. throws Error E201.
  GzFile(const std::string& path, std::string remedy);
  ~GzFile();
  GzFile(const GzFile&) = delete;
  GzFile& operator=(const GzFile&) = delete;

  /// Up to `size` bytes; fewer only at the end of the file. throws Error E203 for damaged compressed data.
  std::int64_t read(std::uint8_t* to, std::int64_t size);
  /// zlib tells only now whether the last compressed stream was whole. throws Error E203.
  void finish();
  [[noreturn]] void damaged(const std::string& what) const;

 private:
  std::string path_, remedy_;
  gzFile file_ = nullptr;
};

/// All bytes of a file. throws Error E201, E203 (also for more than `most` bytes).
std::vector<std::uint8_t> read_whole(const std::string& path, std::int64_t most, const std::string& remedy);

}  // namespace eos::sim
