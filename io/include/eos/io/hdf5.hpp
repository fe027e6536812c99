// Write and read EOS-1 files: netCDF-4-readable HDF5 that xarray opens with both engines.
//
// Rules: docs/file-format.md. One dimension scale on every dimension, units and long_name on every variable,
// variable-length UTF-8 text, no enums, no compound types, content_sha256 verified on reading. Writing is atomic:
// a temporary name in the same folder, fsync, rename, fsync of the folder; an existing file is never damaged.
#pragma once

#include <optional>
#include <string>

#include "eos/core/dataset.hpp"
#include "eos/core/sink.hpp"

namespace eos::io {

/// Root attribute eos_schema: "major.minor". Readers of one major version read all its minor versions.
inline constexpr const char* k_schema_version = "1.0";

/// How large arrays are stored.
enum class Storage {
  compressed,  ///< chunks, shuffle, deflate and checksums: small files
  contiguous   ///< plain: written and read at the speed of the disk, as sweeps need
};

/// Writes the whole tree. Sets the root attributes Conventions, eos_schema and content_sha256, and status "complete"
/// and determinism "R1 run-to-run" where `data` has none. Equal tables give byte-identical files. The file is built in
/// memory first: peak memory is about twice the data.
/// throws Error E301 (no folder, no permission, disk full: the old file is intact), E190 (names, sizes or dimensions
/// that do not fit together, a group that redefines a dimension of its parent, text that is not UTF-8).
void write_hdf5(const std::string& path, const core::Dataset& data, Storage storage = Storage::compressed);

/// Reads the whole tree and verifies content_sha256. Groups, dimensions, variables with their order, types and
/// attributes come back as they were written.
/// throws Error E201 (missing), E210 (not HDF5, damaged, or not an EOS-1 file), E211 (hash), E212 (schema).
core::Dataset read_hdf5(const std::string& path);

/// Version of the HDF5 library in use, for `eos doctor`.
std::string hdf5_version();

/// A folder of EOS-1 files as a Sink: write(name) makes FOLDER/name.h5 atomically. Names may contain letters, digits,
/// and "._-" but no slash. The folder is created when the first file is written.
class FileSink : public core::Sink {
 public:
  explicit FileSink(std::string folder);
  void write(const std::string& name, const core::Dataset& data) override;
  std::optional<core::Dataset> read(const std::string& name) override;
  void remove(const std::string& name) override;

 private:
  std::string folder_;
};

}  // namespace eos::io
