#include "merge_output.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "eos/core/content_hash.hpp"
#include "eos/core/error.hpp"
#include "hdf5_parts.hpp"

namespace eos::io::sweep {

using core::Array;
using core::Dataset;
using core::Error;
using h5::Handle;

namespace {

constexpr std::size_t k_piece_bytes = std::size_t{4} << 20;
constexpr std::uint64_t k_metadata_bytes = std::uint64_t{1} << 20;  ///< generous for the headers of a sweep

std::size_t element_bytes(const Array& like) {
  return std::visit([](const auto& v) { return sizeof(v[0]); }, like);
}

Dataset skeleton_of(const Columns& columns) {
  Dataset data;
  data.dims = columns.dims;
  data.attributes = columns.attributes;
  for (const Column& column : columns.columns) data.variables.push_back(column.head);
  for (const auto& [name, group] : columns.groups) data.groups[name] = skeleton_of(group);
  return data;
}

/// Length of the stretch of places from `i` on that follow each other in the file.
std::size_t stretch(const Place* places, std::size_t i, std::size_t rows) {
  std::size_t end = i + 1;
  while (end < rows && places[end].again == places[i].again && places[end].row == places[end - 1].row + 1) ++end;
  return end - i;
}

bool same_bytes(int fd, const char* bytes, std::size_t size, off_t offset) {
  std::vector<char> stored(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, stored.data() + have, size - have, offset + static_cast<off_t>(have));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    have += static_cast<std::size_t>(n);
  }
  return std::memcmp(stored.data(), bytes, size) == 0;
}

}  // namespace

MergeOutput::MergeOutput(std::string path, const Columns& columns) : path_(std::move(path)), columns_(columns) {
  list("", columns, {}, true);
}

void MergeOutput::list(const std::string& path, const Columns& columns, Lengths lengths, bool hashed) {
  for (const auto& [name, length] : columns.dims) lengths[name] = length;
  std::map<std::string, const Column*> sorted;
  for (const Column& column : columns.columns) sorted[column.head.name] = &column;
  for (const auto& [name, column] : sorted) {
    Target target{path, *column, {}, 1, hashed, -1};
    for (const std::string& dim : column->head.dims)
      if (dim != k_run || column->role == Column::Role::index) target.lengths.push_back(lengths.at(dim));
    for (const std::int64_t n : target.lengths) target.row_elements *= static_cast<std::size_t>(n);
    by_path_[target.path()] = targets_.size();
    targets_.push_back(std::move(target));
  }
  for (const auto& [name, child] : columns.groups)
    list(path + "/" + name, child, lengths, hashed && name != "provenance");
}

const Target* MergeOutput::find(const std::string& group, const std::string& name) const {
  const auto found = by_path_.find(group + "/" + name);
  return found == by_path_.end() ? nullptr : &targets_[found->second];
}

std::uint64_t MergeOutput::number_bytes() const {
  std::uint64_t bytes = 0;
  const auto runs = static_cast<std::uint64_t>(columns_.dims.at(k_run));
  for (const Target& t : targets_)
    if (!t.is_text() && t.column.role != Column::Role::index)
      bytes += runs * t.row_elements * element_bytes(t.column.head.values);
  return bytes;
}

void MergeOutput::fail(const Error& error) {
  struct statvfs disk {};
  const std::string folder = path_.substr(0, path_.rfind('/') + 1);
  if (::statvfs(folder.empty() ? "." : folder.c_str(), &disk) == 0 &&
      static_cast<std::uint64_t>(disk.f_bavail) * disk.f_frsize < k_metadata_bytes)
    fail_to_write(path_, ENOSPC, number_bytes());
  throw Error("E301", fmt::format("cannot write '{}': {}", path_, error.diagnostics().front().message));
}

void MergeOutput::lay_out(std::uint64_t text_bytes) {
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!file_.ok()) fail_to_write(path_, errno);
  reserve(number_bytes() + text_bytes + k_metadata_bytes);  // whether it fits; HDF5 creates the file anew
  file_.close();
  try {
    lay_out_hdf5(path_, skeleton_of(columns_));
  } catch (const Error& error) {
    if (error.diagnostics().front().code != "E306") throw;
    fail(error);
  }
}

void MergeOutput::open(bool with_texts) {
  close();
  try {
    hdf5_ = std::make_unique<Handle>(H5Fopen(path_.c_str(), with_texts ? H5F_ACC_RDWR : H5F_ACC_RDONLY, H5P_DEFAULT),
                                     H5Fclose, "open the file");
    for (Target& t : targets_) {
      if (t.column.role == Column::Role::index) continue;
      Handle dataset(H5Dopen2(*hdf5_, t.path().c_str(), H5P_DEFAULT), H5Dclose, "open a variable");
      if (t.is_text()) {
        texts_.emplace(t.path(), std::move(dataset));
      } else if (t.row_elements > 0 && columns_.dims.at(k_run) > 0) {
        const haddr_t offset = H5Dget_offset(dataset);
        if (offset == HADDR_UNDEF) throw Error("E306", fmt::format("'{}' has no place in the file", t.path()));
        t.offset = static_cast<off_t>(offset);
      }
    }
  } catch (const Error& error) {
    fail(error);
  }
  if (with_texts) return;
  file_ = Descriptor(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!file_.ok()) fail_to_write(path_, errno);
  reserve(bytes());
}

/// Space for all of the file now, so that a full disk is found out before hours of copying. File systems that cannot
/// reserve find out later.
void MergeOutput::reserve(std::uint64_t size) {
  if (::fallocate(file_.get(), 0, 0, static_cast<off_t>(size)) != 0 &&
      (errno == ENOSPC || errno == EDQUOT || errno == EFBIG))
    fail_to_write(path_, errno, size);
}

void MergeOutput::sync() {
  if (file_.ok() && ::fdatasync(file_.get()) != 0) fail_to_write(path_, errno);
}

void MergeOutput::close() {
  texts_.clear();
  if (hdf5_ && H5Fflush(*hdf5_, H5F_SCOPE_GLOBAL) < 0) {
    hdf5_.reset();
    fail(Error("E306", "HDF5 could not flush the file"));
  }
  hdf5_.reset();
  file_.close();
}

bool MergeOutput::store(const Target& target, const Array& values, const Place* places, std::size_t rows) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&values))
    return store_texts(target, *texts, places, rows);
  const std::size_t row_bytes = target.row_elements * element_bytes(values);
  if (row_bytes == 0) return true;
  const char* bytes = std::visit(
      [](const auto& v) -> const char* {
        if constexpr (std::is_same_v<std::decay_t<decltype(v)>, std::vector<std::string>>)
          return nullptr;
        else
          return reinterpret_cast<const char*>(v.data());
      },
      values);
  for (std::size_t i = 0; i < rows;) {
    const std::size_t n = stretch(places, i, rows);
    const off_t at = target.offset + static_cast<off_t>(static_cast<std::size_t>(places[i].row) * row_bytes);
    const std::string_view piece(bytes + i * row_bytes, n * row_bytes);
    if (places[i].again) {
      if (target.hashed && !same_bytes(file_.get(), piece.data(), piece.size(), at)) return false;
    } else if (const int error = write_all_at(file_.get(), piece, at); error != 0) {
      fail_to_write(path_, error, number_bytes());
    }
    i += n;
  }
  return true;
}

bool MergeOutput::store_texts(const Target& target, const std::vector<std::string>& texts, const Place* places,
                              std::size_t rows) {
  if (target.row_elements == 0) return true;
  const Handle& dataset = texts_.at(target.path());
  try {
    for (std::size_t i = 0; i < rows;) {
      const std::size_t n = stretch(places, i, rows);
      const auto begin = texts.begin() + static_cast<std::ptrdiff_t>(i * target.row_elements);
      const std::vector<std::string> piece(begin, begin + static_cast<std::ptrdiff_t>(n * target.row_elements));
      const auto first = static_cast<std::size_t>(places[i].row);
      if (!places[i].again)
        write_texts(dataset, piece, first, n);
      else if (target.hashed &&
               read_rows(dataset, target.column.head.values, first, n, target.row_elements) != Array(piece))
        return false;
      i += n;
    }
  } catch (const Error& error) {
    fail(error);
  }
  return true;
}

Array MergeOutput::read(const Target& target, std::size_t first, std::size_t rows) {
  if (target.is_text())
    return read_rows(texts_.at(target.path()), target.column.head.values, first, rows, target.row_elements);
  Array values = target.column.head.values;
  std::visit(
      [&](auto& v) {
        using T = typename std::decay_t<decltype(v)>::value_type;
        if constexpr (!std::is_same_v<T, std::string>) {
          v.resize(rows * target.row_elements);
          const std::size_t size = v.size() * sizeof(T);
          const auto at = target.offset + static_cast<off_t>(first * target.row_elements * sizeof(T));
          std::size_t have = 0;
          while (have < size) {
            const ssize_t n = ::pread(file_.get(), reinterpret_cast<char*>(v.data()) + have, size - have,
                                      at + static_cast<off_t>(have));
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) throw Error("E201", fmt::format("cannot read '{}' back", path_));
            have += static_cast<std::size_t>(n);
          }
        }
      },
      values);
  return values;
}

std::string MergeOutput::content_sha256() {
  core::ContentHash hash;
  const auto runs = static_cast<std::size_t>(columns_.dims.at(k_run));
  const auto hash_group = [&](const auto& self, const std::string& path, const Columns& columns,
                              Lengths lengths) -> void {
    for (const auto& [name, length] : columns.dims) lengths[name] = length;
    hash.group(path);
    for (const Target& t : targets_) {
      if (t.group != path) continue;
      const core::Variable& head = t.column.head;
      std::vector<std::pair<std::string, std::int64_t>> dims;
      for (const std::string& dim : head.dims) dims.emplace_back(dim, lengths.at(dim));
      hash.variable(head.name, head.values, dims);
      if (t.column.role == Column::Role::index) {
        hash.values(head.values);
        continue;
      }
      if (t.row_elements == 0) continue;
      const std::size_t step = std::max<std::size_t>(1, k_piece_bytes / (t.row_elements * element_bytes(head.values)));
      for (std::size_t at = 0; at < runs; at += step) hash.values(read(t, at, std::min(step, runs - at)));
    }
    for (const auto& [name, child] : columns.groups)
      if (name != "provenance") self(self, path + "/" + name, child, lengths);
  };
  hash_group(hash_group, "", columns_, {});
  return hash.hex();
}

void MergeOutput::seal(const std::string& hash) {
  close();
  try {
    const Handle file(H5Fopen(path_.c_str(), H5F_ACC_RDWR, H5P_DEFAULT), H5Fclose, "open the file");
    const Handle attribute(H5Aopen(file, "content_sha256", H5P_DEFAULT), H5Aclose, "open an attribute");
    const hid_t type = h5::text_type();
    const char* pointer = hash.c_str();
    h5::check(H5Awrite(attribute, type, &pointer), "write an attribute");
    h5::check(H5Fflush(file, H5F_SCOPE_GLOBAL), "flush");
  } catch (const Error& error) {
    fail(error);
  }
  Descriptor file(::open(path_.c_str(), O_RDWR | O_CLOEXEC));
  if (!file.ok() || ::fsync(file.get()) != 0) fail_to_write(path_, errno);
}

std::uint64_t MergeOutput::bytes() const {
  struct stat info {};
  return ::stat(path_.c_str(), &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

}  // namespace eos::io::sweep
