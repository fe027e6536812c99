// eos merge: the finished chunks of a sweep, or the shards of it, as one file.
#include "eos/io/merge.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "commands.hpp"
#include "eos/core/error.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

namespace {

/// Chunk files of a sweep's folder in the order of their names, which is that of the plan.
std::vector<std::string> chunks_of(const std::string& folder) {
  std::vector<std::string> paths;
  std::error_code error;
  const fs::path chunks = fs::path(folder) / "chunks";
  if (!fs::is_directory(chunks, error))
    throw core::Error("E201", fmt::format("'{}' is not the folder of a sweep: it has no folder 'chunks'", folder),
                      "eos sweep FILE.toml -o " + folder + " makes one");
  for (const fs::directory_entry& entry : fs::directory_iterator(chunks))
    if (entry.path().extension() == ".h5" && !entry.path().filename().string().starts_with("."))
      paths.push_back(entry.path().string());
  std::sort(paths.begin(), paths.end());
  if (paths.empty())
    throw core::Error("E505", fmt::format("no chunk of the sweep in '{}' is finished", folder),
                      fmt::format("run: eos sweep {}", folder));
  return paths;
}

std::vector<std::string> inputs_of(const std::vector<std::string>& named) {
  std::vector<std::string> paths;
  for (const std::string& name : named) {
    std::error_code error;
    const std::vector<std::string> more =
        fs::is_directory(name, error) ? chunks_of(name) : std::vector<std::string>{name};
    paths.insert(paths.end(), more.begin(), more.end());
  }
  return paths;
}

}  // namespace

int run_merge(Session& session) {
  const Arguments& arguments = session.arguments;
  const std::vector<std::string> inputs = inputs_of(arguments.list("DIR"));
  const std::string out = arguments.text("out");
  if (out.empty()) throw core::Error("E100", "eos merge needs the name of the file to write", "add -o sweep.h5");
  io::MergeOptions options;
  options.partial = arguments.has("partial");
  options.history = arguments.command_line;
  const auto begin = std::chrono::steady_clock::now();
  const io::MergeResult result = io::merge_sweeps(inputs, out, options, session.progress());
  if (result.stopped) {
    session.note("Stopped. The same command goes on where this one was.");
    return k_stopped_resumable;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  Document document("eos.merge/1");
  document.set("out", out, "written");
  document.set("runs", result.runs, "runs", Style::exact);
  document.set("missing", result.planned - result.runs, result.planned > result.runs ? "missing runs" : "",
               Style::exact);
  document.set("files", static_cast<std::int64_t>(inputs.size()), "from files", Style::exact);
  document.set("duplicates", result.duplicates, result.duplicates > 0 ? "runs in several files" : "", Style::exact);
  document.set("bytes", static_cast<std::int64_t>(result.bytes), "size", Style::bytes);
  document.set("seconds", seconds, "in", Style::seconds);
  document.set("content_sha256", result.content_sha256, "content_sha256");
  if (result.resumed) document.note("A merge that had been killed was continued.");
  session.print(document);
  return k_done;
}

}  // namespace eos::cli
