// The file that a merge fills: laid out first, then written row by row in any order. Private to io/.
//
// HDF5 makes the file with all metadata, texts and places and closes it; from then on numbers are written by pwrite to
// the places that H5Dget_offset tells. A killed process can thus never leave the metadata half written.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "descriptor.hpp"
#include "eos/core/error.hpp"
#include "hdf5_handle.hpp"
#include "sweep_layout.hpp"

namespace eos::io::sweep {

/// A variable of the merged table.
struct Target {
  std::string group;  ///< "" or "/schedule"
  Column column;
  std::vector<std::int64_t> lengths;  ///< without `run`
  std::size_t row_elements = 1;
  bool hashed = true;
  off_t offset = -1;  ///< of its numbers in the file
  bool is_text() const { return std::holds_alternative<std::vector<std::string>>(column.head.values); }
  std::string path() const { return group + "/" + column.head.name; }
};

/// Where a row of an input goes. `again`: another input has it already, so it must be the same.
struct Place {
  std::int64_t row = 0;
  bool again = false;
};

class MergeOutput {
 public:
  MergeOutput(std::string path, const Columns& columns);
  /// Creates and lays out the file; `text_bytes` bounds what texts will need. throws Error E301 when it does not fit.
  void lay_out(std::uint64_t text_bytes);
  /// Opens a file that lay_out() made, to write numbers, or texts as well (before the first number).
  void open(bool with_texts);
  void sync();
  void close();

  const std::vector<Target>& targets() const { return targets_; }
  const Target* find(const std::string& group, const std::string& name) const;
  /// Stores rows that are laid out as the target is. False when a row that must be the same is not.
  bool store(const Target& target, const core::Array& values, const Place* places, std::size_t rows);
  /// Hash of everything in the file, computed from its bytes.
  std::string content_sha256();
  /// Puts the hash into the root attributes and syncs the file. Not safe against a kill.
  void seal(const std::string& hash);
  std::uint64_t bytes() const;

 private:
  void list(const std::string& path, const Columns& columns, Lengths lengths, bool hashed);
  core::Array read(const Target& target, std::size_t first, std::size_t rows);
  bool store_texts(const Target& target, const std::vector<std::string>& texts, const Place* places, std::size_t rows);
  std::uint64_t number_bytes() const;
  void reserve(std::uint64_t size);
  [[noreturn]] void fail(const core::Error& error);

  std::string path_;
  const Columns& columns_;
  std::vector<Target> targets_;  ///< in the order of the content hash
  std::map<std::string, std::size_t> by_path_;
  Descriptor file_;
  std::unique_ptr<h5::Handle> hdf5_;
  std::map<std::string, h5::Handle> texts_;  ///< open text variables by path
};

}  // namespace eos::io::sweep
