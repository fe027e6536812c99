// eos data: what is found where, what is in it, download, checksums.
#include "eos/sim/data.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>

#include "commands.hpp"
#include "eos/core/error.hpp"
#include "eos/io/fetch.hpp"
#include "eos/io/toml.hpp"
#include "eos/io/unpack.hpp"
#include "files.hpp"

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
  const auto generated = [&](const char* name, const char* title) {
    table.add({std::string(name), std::string("generated"), Cell{}, std::string(title)});
  };
  table.add({std::string("text"), Cell{}, Cell{}, std::string("any *.txt or *.txt.gz, by bytes or characters")});
  generated("gaussian", "normal inputs, labels from a linear or one-hidden-layer teacher");
  generated("power-law", "inputs and a linear teacher with power-law spectra");
  generated("hierarchical", "the random hierarchy model (Cagnetta et al. 2024)");
  generated("markov", "text of a Markov chain with a known entropy rate");
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
  const bool packed = !set.archive.name.empty();
  for (const auto& file : packed ? std::vector<sim::KnownData::File>{set.archive} : set.files) {
    const std::string path = (folder / file.name).string();
    session.detail(fmt::format("{} -> {}", file.url, path));
    if (io::fetch({.url = file.url, .path = path, .sha256 = file.sha256}, session.progress()) ==
        io::FetchResult::stopped) {
      session.note("stopped; what has arrived is kept. To go on: " + session.arguments.command_line);
      return k_stopped_resumable;
    }
    table.add({path, static_cast<std::int64_t>(fs::file_size(path)), file.sha256});
  }
  if (packed) {
    std::vector<std::string> names;
    for (const auto& file : set.files) names.push_back(file.name);
    io::unpack((folder / set.archive.name).string(), names, folder.string());
  }
  document.note(fmt::format("{} is in {}; eos finds it there when started from this folder, or with EOS_DATA={}",
                            set.name, folder.string(), fs::absolute(folder.parent_path()).string()));
  session.print(document);
  return k_done;
}

std::string state_of(const sim::KnownData& set, const sim::KnownData::File& file, std::string& path) {
  if (!set.archive.name.empty()) {
    path = (fs::path(set.folder) / fs::path(file.name).filename()).string();
    return io::file_sha256(path) == file.content_sha256 ? "ok" : "DIFFERENT";
  }
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

/// Smallest and largest share of a class among the labels.
std::pair<double, double> class_shares(const sim::LabelledSet& set, int classes) {
  std::vector<double> counts(static_cast<std::size_t>(classes), 0.0);
  for (const std::int32_t label : set.labels) ++counts[static_cast<std::size_t>(label)];
  const auto [low, high] = std::minmax_element(counts.begin(), counts.end());
  const auto all = static_cast<double>(set.labels.size());
  return {*low / all, *high / all};
}

/// The [data] of a training file, or a small sample of the set of that name.
theory::DataSpec shown_spec(const Session& session) {
  const std::string name = session.arguments.text("NAME");
  if (name.empty()) throw core::Error("E100", "eos data show needs the name of a data set or a training file");
  if (fs::path(name).extension() == ".toml") {
    require_kind(name, io::FileKind::training, "eos data show");
    return io::read_training(name).data;
  }
  theory::DataSpec spec;
  spec.name = name;
  spec.train_samples = 5000, spec.validation_samples = spec.test_samples = 1000;
  return spec;
}

int show(Session& session) {
  const sim::TaskData data = sim::load_data(shown_spec(session));
  Document document("eos.data_show/1");
  document.set("name", data.name, "data set");
  document.set("origin", data.origin, "from");
  document.set("shape", fmt::format("{} x {} x {}", data.height, data.width, data.depth()),
               "height x width x channels");
  document.set("classes", std::int64_t{data.classes}, data.tokens ? "vocabulary" : "classes", Style::count);
  if (data.loss_floor) document.set("loss_floor", *data.loss_floor, "least expected loss (nats)", Style::number);
  Table& table = document.table("splits", "",
                                {{"split", "split"},
                                 {"samples", "samples", Style::count},
                                 {"mean", "mean byte", Style::number},
                                 {"rarest", "rarest class", Style::percent},
                                 {"commonest", "commonest class", Style::percent}});
  for (const auto& [split, set] :
       {std::pair{"train", &data.train}, {"validation", &data.validation}, {"test", &data.test}}) {
    if (set->samples == 0) continue;
    double sum = 0;
    for (const std::uint8_t byte : set->inputs) sum += byte;
    const auto [rarest, commonest] = class_shares(*set, data.classes);
    table.add({std::string(split), std::int64_t{set->samples}, sum / static_cast<double>(set->inputs.size()), rarest,
               commonest});
  }
  session.print(document);
  return k_done;
}

}  // namespace

int run_data(Session& session) {
  const std::string action = session.arguments.text("ACTION");
  if (action == "list") return list(session);
  if (action == "fetch") return fetch(session);
  return action == "show" ? show(session) : check(session);
}

}  // namespace eos::cli
