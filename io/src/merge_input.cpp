#include "merge_input.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "eos/core/error.hpp"
#include "hdf5_parts.hpp"

namespace eos::io::sweep {

using core::Dataset;
using core::Error;
using core::Variable;
using h5::Handle;

namespace {

constexpr const char* k_plan_index = "plan_index";

bool wants_values(const Variable& v) {
  const auto role = v.attributes.find(k_role);
  const bool count = role != v.attributes.end() && role->second == core::Attribute(std::string("count"));
  const bool coordinate = v.dims.size() == 1 && v.dims.front() == v.name;
  return count || coordinate || v.name == k_plan_index;
}

std::size_t element_bytes(const core::Array& like) {
  return std::visit([](const auto& v) { return sizeof(v[0]); }, like);
}

}  // namespace

std::size_t Member::row_elements() const {
  std::size_t size = 1;
  for (std::size_t d = over_runs() ? 1 : 0; d < lengths.size(); ++d) size *= static_cast<std::size_t>(lengths[d]);
  return size;
}

void MergeInput::damaged(const std::string& why) const {
  throw Error("E210", fmt::format("'{}' cannot be merged: {}", path_, why),
              "if it is a chunk of a sweep, remove it and run 'eos sweep' on its folder again: only its runs are "
              "repeated; if it was copied, copy it again");
}

MergeInput::MergeInput(const std::string& path) : path_(path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0)
    throw Error("E201", fmt::format("cannot read '{}': {}", path, std::strerror(errno)));
  if (!S_ISREG(info.st_mode)) damaged("it is not a file");
  bytes_ = static_cast<std::uint64_t>(info.st_size);
  try {
    open();
    header_ = read_headers(*file_, path, bytes_, wants_values);
  } catch (const Error& error) {
    if (error.diagnostics().front().code == "E212") throw;
    damaged(error.diagnostics().front().message);
  } catch (const std::bad_alloc&) {
    damaged("its sizes do not fit into memory");
  }
  const auto found = header_.dims.find(k_run);
  if (found == header_.dims.end() || header_.text("kind") != "sweep")
    throw Error("E107", fmt::format("'{}' holds no sweep, but {}", path, header_.text("kind", "something else")),
                "merge chunk files or merged files of a sweep");
  runs_ = found->second;
  fingerprint_ = fmt::format("{} {} {}.{} {}", path, bytes_, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                             header_.text("content_sha256"));
  list("", header_, {}, true);
  close();
}

void MergeInput::open() {
  if (file_) return;
  file_ = std::make_unique<Handle>(H5Fopen(path_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose, "open the file");
}

void MergeInput::close() {
  dataset_.reset();
  open_path_.clear();
  file_.reset();
}

void MergeInput::list(const std::string& path, const Dataset& group, Lengths lengths, bool hashed) {
  for (const auto& [name, length] : group.dims) lengths[name] = length;
  std::map<std::string, const Variable*> sorted;
  for (const Variable& v : group.variables) sorted[v.name] = &v;
  for (const auto& [name, v] : sorted) {
    Member member{path, *v, {}, hashed};
    for (const std::string& dim : v->dims) member.lengths.push_back(lengths.at(dim));
    members_.push_back(std::move(member));
  }
  for (const auto& [name, child] : group.groups)
    list(path + "/" + name, child, lengths, hashed && name != "provenance");
}

std::vector<std::int64_t> MergeInput::plan_index() const {
  const Variable* v = header_.find(k_plan_index);
  const auto* values = v == nullptr ? nullptr : std::get_if<std::vector<std::int64_t>>(&v->values);
  return values == nullptr ? std::vector<std::int64_t>() : *values;
}

std::uint64_t MergeInput::text_bytes() const {
  std::uint64_t numbers = 0;
  for (const Member& m : members_)
    if (m.over_runs() && !std::holds_alternative<std::vector<std::string>>(m.head.values))
      numbers += static_cast<std::uint64_t>(runs_) * m.row_elements() * element_bytes(m.head.values);
  return bytes_ > numbers ? bytes_ - numbers : 0;
}

core::Array MergeInput::rows(const Member& member, std::size_t first, std::size_t rows) {
  if (core::array_size(member.head.values) > 0 && first == 0 &&
      core::array_size(member.head.values) == rows * member.row_elements())
    return member.head.values;
  const core::Array like = empty_like(member.head.values);
  try {
    open();
    if (open_path_ != member.path()) {
      dataset_.reset();
      dataset_ =
          std::make_unique<Handle>(H5Dopen2(*file_, member.path().c_str(), H5P_DEFAULT), H5Dclose, "open a variable");
      open_path_ = member.path();
    }
    if (member.over_runs()) return read_rows(*dataset_, like, first, rows, member.row_elements());
    const auto length = member.lengths.empty() ? std::size_t{1} : static_cast<std::size_t>(member.lengths.front());
    return read_rows(*dataset_, like, 0, length, length == 0 ? 0 : member.row_elements() / length);
  } catch (const Error& error) {
    damaged(error.diagnostics().front().message);
  }
}

const Dataset& MergeInput::group(const std::string& path) const {
  const Dataset* at = &header_;
  for (std::size_t from = 1; from < path.size();) {
    const std::size_t to = std::min(path.find('/', from), path.size());
    const auto found = at->groups.find(path.substr(from, to - from));
    static const Dataset k_none;
    if (found == at->groups.end()) return k_none;
    at = &found->second;
    from = to + 1;
  }
  return *at;
}

}  // namespace eos::io::sweep
