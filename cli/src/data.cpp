// eos data: what is found where, download, checksums.
#include "eos/sim/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <filesystem>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/fetch.hpp"

namespace eos::cli {

namespace {

namespace fs = std::filesystem;

sim::KnownData find_known(const std::string& name) {
  std::vector<std::string> names;
  for (const sim::KnownData& set : sim::known_data()) {
    if (set.name == name) return set;
    names.push_back(set.name);
  }
  throw core::Error(
      "E106",
      name.empty() ? "eos data fetch needs the name of a data set" : fmt::format("no data set is called '{}'", name),
      core::suggest(name, names));
}

Cell or_nothing(const std::string& text) {
  if (text.empty()) return {};
  return text;
}

int list(Session& session) {
  Document document("eos.data/1");
  Table& table = document.table(
      "sets", "", {{"name", "name"}, {"folder", "found in"}, {"licence", "licence"}, {"title", "what it is"}});
  for (const sim::KnownData& set : sim::known_data())
    table.add({set.name, or_nothing(set.folder), set.licence, set.title});
  table.add({std::string("teacher"), std::string("generated"), Cell{},
             std::string("inputs from a Gaussian mixture, labels from a random teacher network")});
  document.note(fmt::format("searched in this order: {}", fmt::join(sim::data_search_path(), ", ")));
  session.print(document);
  return k_done;
}

int fetch(Session& session) {
  const sim::KnownData set = find_known(session.arguments.text("NAME"));
  const fs::path folder = fs::path(session.arguments.text("to")) / set.name;
  Document document("eos.fetch/1");
  Table& table =
      document.table("files", "", {{"file", "file"}, {"bytes", "bytes", Style::count}, {"sha256", "SHA-256"}});
  const StopOnSignal stop;
  for (const auto& file : set.files) {
    const std::string path = (folder / file.name).string();
    session.detail(fmt::format("{} -> {}", file.url, path));
    if (io::fetch({.url = file.url, .path = path, .sha256 = file.sha256}, session.progress()) ==
        io::FetchResult::stopped) {
      session.note("stopped; what has arrived is kept. To go on: " + session.arguments.command_line);
      return k_stopped_resumable;
    }
    table.add({path, static_cast<std::int64_t>(fs::file_size(path)), file.sha256});
  }
  document.note(fmt::format("{} is in {}; eos finds it there when started from this folder, or with EOS_DATA={}",
                            set.name, folder.string(), fs::absolute(folder.parent_path()).string()));
  session.print(document);
  return k_done;
}

std::string state_of(const sim::KnownData& set, const sim::KnownData::File& file, std::string& path) {
  for (const std::string& name : {file.name, fs::path(file.name).stem().string()}) {
    path = (fs::path(set.folder) / name).string();
    if (!fs::exists(path)) continue;
    return sim::idx_sha256(path) == file.content_sha256 ? "ok" : "DIFFERENT";
  }
  return "MISSING";
}

int check(Session& session) {
  const std::string only = session.arguments.text("NAME");
  if (!only.empty()) find_known(only);
  Document document("eos.data_check/1");
  Table& table = document.table("files", "", {{"name", "set"}, {"file", "file"}, {"state", "state"}});
  bool good = true;
  for (const sim::KnownData& set : sim::known_data()) {
    if (!only.empty() && set.name != only) continue;
    if (set.folder.empty()) {
      table.add({set.name, Cell{}, std::string("not found")});
      good = good && only.empty();  // a set nobody asked for may be absent
      continue;
    }
    for (const auto& file : set.files) {
      std::string path;
      const std::string state = state_of(set, file, path);
      table.add({set.name, path, state});
      good = good && state == "ok";
    }
  }
  document.set("good", good);
  session.print(document);
  return good ? k_done : k_check_failed;
}

}  // namespace

int run_data(Session& session) {
  const std::string action = session.arguments.text("ACTION");
  return action == "list" ? list(session) : action == "fetch" ? fetch(session) : check(session);
}

}  // namespace eos::cli
