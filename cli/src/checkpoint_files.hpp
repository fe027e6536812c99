// Checkpoints as files that stay until the result is safe: sim::train removes checkpoints when it returns, which is
// before anything is stored.
#pragma once

#include <string>

#include "eos/io/hdf5.hpp"

namespace eos::cli {

class KeepingSink : public core::Sink {
 public:
  explicit KeepingSink(const std::string& folder) : files_(folder) {}
  void write(const std::string& name, const core::Dataset& data) override { files_.write(name, data); }
  std::optional<core::Dataset> read(const std::string& name) override { return files_.read(name); }
  void remove(const std::string&) override {}

 private:
  io::FileSink files_;
};

}  // namespace eos::cli
