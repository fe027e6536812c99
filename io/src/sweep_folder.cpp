#include "eos/io/sweep_folder.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "eos/core/error.hpp"
#include "eos/io/atomic_file.hpp"

namespace eos::io {

namespace fs = std::filesystem;

namespace {

constexpr double k_silent_seconds = 60;  ///< a worker that was not heard of for so long is dead

double now() { return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count(); }

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof(name) - 1) == 0 ? name : "localhost";
}

core::Error unwritable(const std::string& path, const std::string& why) {
  return core::Error("E301", fmt::format("cannot write {}: {}", path, why),
                     "make the folder writable, or choose another with -o");
}

void make_folder(const std::string& path) {
  std::error_code problem;
  fs::create_directories(path, problem);
  if (problem) throw unwritable(path, problem.message());
}

/// Creates a file with this content unless there is one already; whoever comes first decides, and nobody ever sees a
/// part of it.
void create_once(const std::string& path, const std::string& content) {
  const std::string own = fmt::format("{}.{}-{}", path, host_name(), ::getpid());
  write_file(own, content);
  const int failed = ::link(own.c_str(), path.c_str());
  const int reason = errno;
  ::unlink(own.c_str());
  if (failed != 0 && reason != EEXIST) throw unwritable(path, std::strerror(reason));
}

std::string said(const std::vector<std::string>& overrides) {
  return overrides.empty() ? "no --set" : fmt::format("--set {}", fmt::join(overrides, " --set "));
}

core::Error another_sweep(const std::string& folder, const std::string& which) {
  return core::Error(
      "E504", fmt::format("the folder {} holds {}", folder, which),
      fmt::format("choose another folder with -o; to go on with the one that is there: eos sweep {}", folder));
}

std::string file_of(const SweepWorker& w) { return fmt::format("{}-{}.json", w.host, w.pid); }

}  // namespace

bool SweepWorker::alive() const {
  if (now() - updated > k_silent_seconds) return false;
  return host != host_name() || ::kill(static_cast<pid_t>(pid), 0) == 0 || errno == EPERM;
}

SweepWorker this_worker(const std::string& device, int threads) {
  SweepWorker w;
  w.host = host_name(), w.device = device;
  w.pid = ::getpid(), w.threads = threads;
  w.started = w.updated = now();
  return w;
}

bool SweepFolder::exists() const { return fs::exists(path_ + "/plan.json"); }

SweepPlan SweepFolder::create(const std::string& sweep_text, const SweepPlan& plan) const {
  for (const char* part : {"/chunks", "/open"}) make_folder(path_ + part);
  create_once(path_ + "/sweep.toml", sweep_text);
  if (this->sweep_text() != sweep_text) throw another_sweep(path_, "another sweep");
  create_once(path_ + "/plan.json", to_json(plan));
  SweepPlan held = this->plan();
  if (held.overrides != plan.overrides)
    throw another_sweep(path_, fmt::format("this sweep with {}", said(held.overrides)));
  if (held.sha256 != plan.sha256) throw another_sweep(path_, "this sweep with another content of its file `base`");
  return held;
}

std::string SweepFolder::sweep_text() const { return read_file(path_ + "/sweep.toml"); }

SweepPlan SweepFolder::plan() const {
  const std::string path = path_ + "/plan.json";
  if (!exists())
    throw core::Error("E201", fmt::format("{} is not the folder of a sweep: it has no plan.json", path_),
                      "make one with: eos sweep SWEEP.toml -o DIR");
  return sweep_plan_from(read_file(path), path);
}

std::string SweepFolder::chunk_file(std::int64_t chunk) const {
  return fmt::format("{}/chunks/chunk-{:06d}.h5", path_, chunk);
}
std::string SweepFolder::journal_file(std::int64_t chunk) const {
  return fmt::format("{}/open/chunk-{:06d}.journal", path_, chunk);
}
std::string SweepFolder::checkpoints(const std::string& run_id) const { return path_ + "/open/" + run_id; }
std::string SweepFolder::failure_file(const std::string& run_id) const { return path_ + "/failed/" + run_id + ".txt"; }

bool SweepFolder::finished(std::int64_t chunk) const { return fs::exists(chunk_file(chunk)); }

void SweepFolder::remove_checkpoints(const std::string& run_id) const {
  std::error_code ignored;
  fs::remove_all(checkpoints(run_id), ignored);
}

void SweepFolder::retire(const SweepWorker& worker) const {
  std::error_code ignored;
  fs::remove(path_ + "/open/" + file_of(worker), ignored);
}

std::vector<std::string> SweepFolder::failures() const {
  std::vector<std::string> ids;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(path_ + "/failed", none))
    if (entry.path().extension() == ".txt") ids.push_back(entry.path().stem().string());
  std::sort(ids.begin(), ids.end());
  return ids;
}

void SweepFolder::note_failure(const std::string& run_id, const std::string& why) const {
  make_folder(path_ + "/failed");
  write_file(failure_file(run_id), why);
}

void SweepFolder::forget_failure(const std::string& run_id) const {
  std::error_code ignored;
  fs::remove(failure_file(run_id), ignored);
}

}  // namespace eos::io
