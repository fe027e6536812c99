#include "files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "eos/core/error.hpp"
#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

bool is_toml(const std::string& path) {
  const std::string ending = fs::path(path).extension().string();
  if (ending == ".toml") return true;
  std::ifstream file(path, std::ios::binary);
  char start[8] = {};
  if (file.read(start, sizeof start)) return std::memcmp(start, "\x89HDF\r\n\x1a\n", sizeof start) != 0;
  return ending != ".h5" && ending != ".hdf5";
}

namespace {

/// What a file is, and the verb that takes it.
std::pair<std::string, std::string> description(io::FileKind kind) {
  switch (kind) {
    case io::FileKind::problem:
      return {"a mode problem", "eos plan"};
    case io::FileKind::control:
      return {"a control problem", "eos plan"};
    case io::FileKind::training:
      return {"a training run", "eos train"};
    case io::FileKind::perceptron:
      return {"a grid of perceptrons", "eos train"};
    case io::FileKind::prices:
      return {"a price list", "eos compare --prices"};
    case io::FileKind::plan:
      return {"a plan request", "eos plan"};
    case io::FileKind::fly:
      return {"a population of flies", "eos train"};
    case io::FileKind::energy_model:
      return {"the joules of a machine", "eos train FILE.toml --energy-model"};
    case io::FileKind::sweep:
      return {"a sweep", "eos sweep"};
    case io::FileKind::evidence:
      return {"the protocol of a comparison", "eos evidence DIR --protocol"};
  }
  return {};
}

}  // namespace

void require_kind(const std::string& path, io::FileKind kind, const std::string& verb) {
  const io::FileKind found = io::kind_of(path);
  if (found == kind) return;
  core::Diagnostic d;
  d.code = "E108", d.file = path;
  d.message = fmt::format("{} works on {}, but this file describes {}", verb, description(kind).first,
                          description(found).first);
  d.help = fmt::format("use: {} {}", description(found).second, path);
  throw core::Error(std::vector<core::Diagnostic>{d});
}

std::string with_ending(const std::string& path, const std::string& ending) {
  return fs::path(path).replace_extension(ending).string();
}

void require_writable(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const std::string probe = fmt::format("{}/.eos-probe-{}", folder, ::getpid());
  const int file = ::open(probe.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  const int problem = errno;
  if (file >= 0) {
    ::close(file);
    ::unlink(probe.c_str());
  }
  std::error_code ignored;
  const bool is_folder = fs::is_directory(path, ignored);
  if (file >= 0 && !is_folder) return;
  throw core::Error("E301",
                    fmt::format("cannot write {}: {}", path, is_folder ? "it is a folder" : std::strerror(problem)),
                    is_folder ? "name a file, e.g. " + path + "/out.h5"
                              : fmt::format("make {} writable or choose another place with -o", folder));
}

std::string stored_config(const core::Dataset& data) {
  const auto provenance = data.groups.find("provenance");
  return provenance == data.groups.end() ? std::string() : provenance->second.text("effective_toml");
}

theory::Calibration read_calibration(const std::string& path) {
  const core::Dataset file = io::read_hdf5(path);
  const auto group = file.groups.find("calibration");
  const core::Dataset& data = group == file.groups.end() ? file : group->second;
  if (data.text("kind") != "calibration")
    throw core::Error("E402", fmt::format("{} holds no calibration", path),
                      "make one with: eos calibrate FILE.toml -o calibration.h5");
  return io::calibration_from(data);
}

void add_origin(core::Dataset& data, const std::string& title, const std::string& config,
                const std::string& command_line) {
  data.attributes["title"] = title;
  data.attributes["source"] = std::string("eos " EOS_VERSION);
  data.attributes["history"] = command_line;
  const core::Dataset origin = io::provenance(config, command_line);
  core::Dataset& group = data.groups["provenance"];  // may already hold wall times
  for (const auto& [name, value] : origin.attributes) group.attributes[name] = value;
  for (const auto& [name, length] : origin.dims) group.dims[name] = length;
  for (const core::Variable& variable : origin.variables) group.variables.push_back(variable);
}

}  // namespace eos::cli
