// Write and read EOS-1 files: netCDF-4-readable HDF5 that xarray opens with both engines.
//
// Rules: docs/file-format.md. One dimension scale on every dimension, units and long_name on every variable,
// variable-length UTF-8 text, no enums, no compound types, content_sha256 verified on reading. Writing is atomic:
// a temporary name in the same folder, fsync, rename, fsync of the folder; an existing file is never damaged.
#pragma once

#include <string>

#include "eos/core/dataset.hpp"
#include "eos/core/sink.hpp"

namespace eos::io {

/// Adds Conventions, eos_schema, status, content_sha256 to the root. throws Error E301 (disk full, read-only, ...).
void write_hdf5(const std::string& path, const core::Dataset& data);
/// throws Error E201, E210 (not an EOS-1 file), E211 (hash), E212 (schema).
core::Dataset read_hdf5(const std::string& path);

/// A folder of EOS-1 files as a Sink: write(name) makes FOLDER/name.h5 atomically.
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
