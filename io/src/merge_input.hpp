// One sweep table that is merged: its headers, and its variables in pieces. Private to io/.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "hdf5_handle.hpp"
#include "sweep_layout.hpp"

namespace eos::io::sweep {

/// A variable of a table by the path of its group ("" or "/schedule").
struct Member {
  std::string group;
  core::Variable head;  ///< with the values of coordinates and counts, else empty
  std::vector<std::int64_t> lengths;
  bool hashed = true;  ///< false in groups `provenance`
  bool over_runs() const { return !head.dims.empty() && head.dims.front() == k_run; }
  std::string path() const { return group + "/" + head.name; }
  std::size_t row_elements() const;
};

class MergeInput {
 public:
  /// Reads the headers. throws Error E201, E210, E212 that name the file and what to do about it.
  explicit MergeInput(const std::string& path);

  const core::Dataset& header() const { return header_; }
  std::int64_t runs() const { return runs_; }
  /// Per run; empty when the table has no plan_index.
  std::vector<std::int64_t> plan_index() const;
  /// Changes when the file does.
  std::string fingerprint() const { return fingerprint_; }
  /// Bytes of the file that are not numbers over `run`: an upper bound of its texts.
  std::uint64_t text_bytes() const;

  /// All variables in the order of the content hash, those of groups that are not hashed behind the others of their
  /// parent.
  const std::vector<Member>& members() const { return members_; }
  /// Rows of a variable over `run`, or all of another one (first = 0, rows = 1).
  core::Array rows(const Member& member, std::size_t first, std::size_t rows);
  const core::Dataset& group(const std::string& path) const;
  [[noreturn]] void damaged(const std::string& why) const;
  /// Lets go of the open file; the headers stay.
  void close();

 private:
  void open();
  void list(const std::string& path, const core::Dataset& group, Lengths lengths, bool hashed);

  std::string path_, fingerprint_;
  std::uint64_t bytes_ = 0;
  core::Dataset header_;
  std::int64_t runs_ = 0;
  std::vector<Member> members_;
  std::unique_ptr<h5::Handle> file_;
  std::string open_path_;  ///< of the variable that is open, since pieces come one after the other
  std::unique_ptr<h5::Handle> dataset_;
};

}  // namespace eos::io::sweep
