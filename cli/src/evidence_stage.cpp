#include "evidence_stage.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <filesystem>
#include <thread>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"
#include "eos/io/evidence_file.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/merge.hpp"

namespace eos::cli {

namespace fs = std::filesystem;

namespace {

constexpr auto k_wait_for_others = std::chrono::seconds(1);

std::string quoted(const std::string& text) { return "\"" + text + "\""; }

std::string first_failure(const io::SweepFolder& folder) {
  const std::vector<std::string> failures = folder.failures();
  if (failures.empty()) return {};
  std::string text = io::read_file(folder.failure_file(failures.front()));
  if (const std::size_t line = text.find('\n'); line != std::string::npos) text = text.substr(line + 1);
  return text.substr(0, text.find('\n'));
}

bool is_finished(const OpenSweep& sweep) {
  for (std::size_t c = 0; c < sweep.plan.chunks.size(); ++c)
    if (!sweep.folder.finished(static_cast<std::int64_t>(c))) return false;
  return true;
}

}  // namespace

std::string Stages::text_of(const std::string& name, const std::vector<StagePoint>& points,
                            const std::vector<std::uint64_t>& seeds) const {
  std::string text = fmt::format("# Stage {} of task {}: made by `eos evidence`.\n", name, task_.name);
  text += io::to_toml_task(task_.run);
  text += fmt::format("\n[sweep]\ntitle = \"{}, {}\"\ndesign = \"list\"\nseeds = [{}]\n", task_.name, name,
                      fmt::join(seeds, ", "));
  for (const StagePoint& point : points) {
    text += fmt::format("\n[[sweep.runs]]\n\"train.title\" = {}\n",
                        quoted(fmt::format("{}: {}, horizon x {:g}", name, point.configuration, point.factor)));
    for (const auto& [key, word] : point.set) text += fmt::format("{} = {}\n", quoted(key), word);
  }
  return text;
}

OpenSweep Stages::open(const std::string& name, const std::string& text) const {
  const std::string path = folder_ + "/" + name;
  OpenSweep sweep{io::SweepFolder(path), {}, nullptr, nullptr};
  sweep.runs = std::make_unique<SweepRuns>(io::parse_sweep(text, folder_ + "/stage.toml"));
  if (sweep.folder.exists()) {
    if (sweep.folder.sweep_text() != text)
      throw core::Error("E504", fmt::format("{} holds runs of other settings", path),
                        fmt::format("give the protocol it was made with, take another folder, or remove {} and {}.h5 to "
                                    "make its runs again",
                                    path, path));
    sweep.plan = sweep.folder.plan();
  }
  return sweep;
}

StageStatus Stages::finish(OpenSweep& sweep, const std::string& name, bool work, std::string& why) const {
  if (sweep.folder.exists() && is_finished(sweep)) return StageStatus::complete;
  if (!work) return StageStatus::open;
  ConsoleProgress& progress = session_.progress();
  if (!sweep.folder.exists()) {
    SweepPlanOptions options;
    options.device = devices_of(session_.arguments).front();
    options.threads = session_.threads();
    options.epoch_seconds = epoch_seconds;
    core::Progress silent;
    sweep.plan = plan_sweep(*sweep.runs, data_, epoch_seconds > 0 ? silent : static_cast<core::Progress&>(progress), options);
    progress.finish();
    if (progress.stop_requested()) return StageStatus::stopped;
    create_folder(sweep);
  }
  const auto chunks = static_cast<std::int64_t>(sweep.plan.chunks.size());
  while (!is_finished(sweep)) {
    const SweepOutcome outcome = work_on(session_, sweep, data_, chunks_in_order(chunks), {},
                                         fmt::format("{}, {}", task_.name, name));
    if (outcome.stopped || progress.stop_requested()) return StageStatus::stopped;
    if (outcome.failed > 0) {
      why = first_failure(sweep.folder);
      return StageStatus::failed;
    }
    if (outcome.elsewhere > 0) std::this_thread::sleep_for(k_wait_for_others);  // another process holds the rest
  }
  return StageStatus::complete;
}

core::Dataset Stages::merged(const OpenSweep& sweep) const {
  const std::string out = sweep.folder.path() + ".h5";
  if (fs::exists(out)) {
    core::Dataset table = io::read_hdf5(out);
    if (table.text("sweep_sha256") == sweep.plan.sha256 && table.text("status") != "partial") return table;
  }
  std::vector<std::string> chunks;
  for (std::size_t c = 0; c < sweep.plan.chunks.size(); ++c)
    chunks.push_back(sweep.folder.chunk_file(static_cast<std::int64_t>(c)));
  io::MergeOptions options;
  options.history = session_.arguments.command_line;
  core::Progress silent;
  io::merge_sweeps(chunks, out, options, silent);
  return io::read_hdf5(out);
}

StageResult Stages::carry_out(const std::string& name, const std::string& method, std::vector<StagePoint> points,
                              const std::vector<std::uint64_t>& seeds, bool work) {
  StageResult result;
  result.stage.method = method;
  const std::string text = text_of(name, points, seeds);
  if (!work && !io::SweepFolder(folder_ + "/" + name).exists()) return result;
  result.stage.points = std::move(points);
  OpenSweep sweep = open(name, text);
  result.status = finish(sweep, name, work, result.why);
  if (result.status == StageStatus::complete) result.stage.table = merged(sweep);
  return result;
}

}  // namespace eos::cli
