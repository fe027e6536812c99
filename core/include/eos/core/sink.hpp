// Where results and checkpoints go. sim/ and solvers/ write through these; io/ implements them as files, tests in memory.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "eos/core/dataset.hpp"

namespace eos::core {

class Sink {
 public:
  virtual ~Sink() = default;
  /// Stores `data` under `name`, replacing what was there, all or nothing.
  virtual void write(const std::string& name, const Dataset& data) = 0;
  /// What was stored under `name`, if anything.
  virtual std::optional<Dataset> read(const std::string& name) = 0;
  virtual void remove(const std::string& name) = 0;
};

class MemorySink : public Sink {
 public:
  void write(const std::string& name, const Dataset& data) override { stored[name] = data; }
  std::optional<Dataset> read(const std::string& name) override {
    const auto found = stored.find(name);
    return found == stored.end() ? std::nullopt : std::optional<Dataset>(found->second);
  }
  void remove(const std::string& name) override { stored.erase(name); }
  std::map<std::string, Dataset> stored;
};

}  // namespace eos::core
