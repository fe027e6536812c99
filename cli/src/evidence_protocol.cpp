#include "evidence_protocol.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <functional>
#include <map>
#include <sstream>

#include "data_files.hpp"
#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/evidence_file.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

namespace {

std::string stored_file(const std::string& folder) { return folder + "/protocol.toml"; }

/// Whether any task of the folder holds a stage whose path begins like this: "rate", "tune/dbpd".
bool has_results(const std::string& folder, const std::string& task, const std::string& stage) {
  std::error_code none;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, none)) {
    if (!entry.is_directory() || (!task.empty() && entry.path().filename() != task)) continue;
    const fs::path wanted = entry.path() / stage;
    for (const fs::directory_entry& found : fs::directory_iterator(wanted.parent_path(), none)) {
      const std::string name = found.path().filename().string(), stem = wanted.filename().string();
      if (found.is_directory() && (name == stem || name.starts_with(stem + "-with-"))) return true;
    }
  }
  return false;
}

/// Parts of a protocol as text, and whether the folder has results of them.
struct Part {
  std::string text;
  std::function<bool(const std::string& folder)> has_results;
};
std::map<std::string, Part> parts_of(const theory::EvidenceSpec& spec) {
  std::map<std::string, Part> parts;
  parts["[protocol]"] = {io::to_toml_protocol(spec),
                         [](const std::string& folder) { return has_results(folder, "", "rate"); }};
  for (theory::EvidenceTask task : spec.tasks) {
    task.probe = 0;  // foretelling may be asked for later: it changes no run
    parts["task '" + task.name + "'"] = {
        io::to_toml(task) + io::to_toml_task(task.run),
        [name = task.name](const std::string& folder) { return has_results(folder, name, "rate"); }};
  }
  for (const theory::EvidenceMethod& method : spec.methods)
    parts["method '" + method.name + "'"] = {
        io::to_toml(method), [name = method.name](const std::string& folder) {
          return has_results(folder, "", "tune/" + name) || has_results(folder, "", "runs/" + name) ||
                 (name == "dense" && has_results(folder, "", "rate"));
        }};
  return parts;
}

void refuse_changes(const theory::EvidenceSpec& spec, const std::string& folder) {
  const std::map<std::string, Part> now = parts_of(spec);
  std::vector<std::string> changed;
  for (const auto& [name, part] : parts_of(io::read_evidence(stored_file(folder)))) {
    const auto found = now.find(name);
    if ((found == now.end() || found->second.text != part.text) && part.has_results(folder)) changed.push_back(name);
  }
  if (changed.empty()) return;
  throw core::Error("E504",
                    fmt::format("{} holds results of another protocol: {} {} changed", folder, fmt::join(changed, ", "),
                                changed.size() == 1 ? "was" : "were"),
                    fmt::format("to go on with the protocol that is there: eos evidence {}; take another folder for "
                                "another protocol, or add tasks and methods to this one",
                                folder));
}

/// Leaves a file that says the same untouched.
void store(const std::string& path, const std::string& text) {
  if (!fs::exists(path) || io::read_file(path) != text) io::write_file(path, text);
}

void make_folder(const std::string& path) {
  std::error_code problem;
  fs::create_directories(path, problem);
  if (problem)
    throw core::Error("E301", fmt::format("cannot make the folder {}: {}", path, problem.message()),
                      "make its parent writable or choose another place");
}

}  // namespace

theory::EvidenceSpec asked_protocol(const Session& session, const std::string& folder) {
  const Arguments& arguments = session.arguments;
  const int given = arguments.has("quick") + arguments.has("full") + arguments.has("protocol");
  if (given > 1)
    throw core::Error("E107", "--quick, --full and --protocol each name a protocol", "give one of them");
  if (arguments.has("protocol")) return io::read_evidence(arguments.text("protocol"));
  if (given == 1) return io::read_evidence(data_file(arguments.has("quick") ? "evidence/quick.toml" : "evidence/full.toml"));
  if (fs::exists(stored_file(folder))) return io::read_evidence(stored_file(folder));
  throw core::Error("E100", fmt::format("{} holds no protocol: eos evidence needs --quick, --full or --protocol", folder),
                    "for example: " + arguments.verb->examples.front().command);
}

void store_protocol(const theory::EvidenceSpec& spec, const std::string& folder) {
  make_folder(folder);
  if (fs::exists(stored_file(folder))) refuse_changes(spec, folder);
  for (const theory::EvidenceTask& task : spec.tasks) {
    make_folder(folder + "/" + task.name);
    store(folder + "/" + task.name + "/task.toml", io::to_toml_task(task.run));
  }
  store(stored_file(folder), io::to_toml(spec));
}

std::vector<std::string> asked_names(const Arguments& arguments, const std::string& option,
                                     const std::vector<std::string>& known) {
  std::vector<std::string> names;
  std::vector<core::Diagnostic> problems;
  std::istringstream words(arguments.said(option).value_or(""));
  for (std::string word; std::getline(words, word, ',');) {
    if (std::find(known.begin(), known.end(), word) == known.end()) {
      core::Diagnostic d;
      d.code = "E106", d.message = fmt::format("--{} names '{}', which the protocol does not have", option, word);
      d.help = core::suggest(word, known);
      problems.push_back(std::move(d));
    }
    names.push_back(word);
  }
  if (!problems.empty()) throw core::Error(std::move(problems));
  return names;
}

}  // namespace eos::cli
