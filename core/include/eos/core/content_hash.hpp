// The content hash of a table (dataset.hpp) piece by piece, for tables that do not fit into memory.
//
// Order: group("") of the root, its variables in byte order of their names, each with its values in row-major order in
// as many pieces as one likes, then the child groups in byte order, but those named "provenance".
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/core/hash.hpp"

namespace eos::core {

class ContentHash {
 public:
  /// "" for the root, "/schedule" for its child.
  void group(const std::string& path);
  /// The element type is that of `like`, whose values do not count.
  void variable(const std::string& name, const Array& like,
                const std::vector<std::pair<std::string, std::int64_t>>& dims);
  void values(const Array& piece);
  std::string hex() { return hash_.hex(); }

 private:
  Sha256 hash_;
};

}  // namespace eos::core
