// eos train: run a training file to its end, resume it when it was stopped, store what it did and what it cost.
#include "eos/sim/train.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>

#include "analysis.hpp"
#include "checkpoint_files.hpp"
#include "commands.hpp"
#include "energy.hpp"
#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/plot.hpp"
#include "eos/io/toml.hpp"
#include "figures.hpp"
#include "files.hpp"
#include "train_fly.hpp"

namespace eos::cli {

namespace {

namespace fs = std::filesystem;

/// The folder of checkpoints beside the output, held by one process at a time.
class CheckpointFolder {
 public:
  explicit CheckpointFolder(const std::string& out) : path_(out + ".checkpoint"), sink_(path_) {
    std::error_code problem;
    fs::create_directories(path_, problem);
    lock_ = ::open((path_ + "/lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
    if (lock_ < 0)
      throw core::Error("E301", fmt::format("cannot create the checkpoint folder {}", path_),
                        "make the folder of the output writable");
    if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
      ::close(lock_);
      throw core::Error("E503", fmt::format("another process is training into {}", out),
                        "wait for it, or choose another output with -o");
    }
  }
  ~CheckpointFolder() { ::close(lock_); }
  CheckpointFolder(const CheckpointFolder&) = delete;
  CheckpointFolder& operator=(const CheckpointFolder&) = delete;

  core::Sink* sink() { return &sink_; }
  const std::string& path() const { return path_; }
  bool holds_state() const {
    for (const auto& entry : fs::directory_iterator(path_))
      if (entry.path().filename() != "lock") return true;
    return false;
  }
  void remove() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }

 private:
  std::string path_;
  KeepingSink sink_;
  int lock_ = -1;
};

theory::TrainingSpec read_spec(const Arguments& arguments) {
  const std::string path = arguments.text("FILE.toml");
  require_kind(path, io::FileKind::training, "eos train");
  theory::TrainingSpec spec = io::read_training(path, {arguments.list("set")});
  if (arguments.has("seed")) spec.seeds = {arguments.seed("seed")};
  spec.check();
  return spec;
}

void report(Session& session, const core::Dataset& table, const RunSummary& run, const std::string& out) {
  Document document("eos.train/1");
  document.set("output", out);
  document.set("method", label_of(run.spec), "run");
  document.set("status", run.status, "status");
  document.set("seeds", std::int64_t{run.seeds});
  add_epoch_table(document, run);
  const auto count = [&](const char* key, std::int64_t sum, const std::string& title) {
    document.set(key, run.per_seed(static_cast<double>(sum)), title, Style::count);
  };
  document.set("test_accuracy", run.accuracy, "test accuracy", Style::points);
  if (run.seeds > 1) document.set("test_accuracy_stderr", run.accuracy_error, "  ± over seeds", Style::points);
  count("samples_seen", run.total.samples_seen, "samples seen");
  count("samples_backward", run.total.samples_backward, "samples back-propagated");
  count("writes", run.total.writes, "writes M0");
  document.set("path_length", run.per_seed(run.total.path_length), "path length M1", Style::number);
  const theory::Energy energy = run.energy(run.spec.prices);
  for (const auto& [name, joules] : theory::terms(energy))
    if (joules > 0) document.set("energy_" + name, joules, "energy, " + name, Style::energy);
  document.set("energy", energy.total(), "energy, total", Style::energy);
  document.set("prices", run.spec.prices.name, "price list");
  if (run.measured) add_measured(document, *run.measured);
  document.set("content_sha256", core::content_sha256(table), "content hash");
  document.note(fmt::format("Stored in {}. Next: eos compare BASELINE.h5 {}", out, out));
  session.print(document);
}

}  // namespace

int run_train(Session& session) {
  const Arguments& arguments = session.arguments;
  if (!arguments.has("out"))
    throw core::Error("E100", "eos train needs -o FILE.h5, the file to store the run in",
                      "for example: " + arguments.verb->examples.front().command);
  const io::FileKind kind = io::kind_of(arguments.text("FILE.toml"));
  if (arguments.given.count("energy") != 0 && kind != io::FileKind::training)
    throw core::Error("E307", "--energy measures the training of networks, and this file describes something else",
                      "leave --energy out");
  if (kind == io::FileKind::fly) return run_fly(session);
  const std::string out = arguments.text("out");
  if (kind == io::FileKind::perceptron) return train_perceptrons(session, out);
  const theory::TrainingSpec spec = read_spec(arguments);
  require_writable(out);
  const sim::TaskData data = sim::load_data(spec.data);
  session.detail(fmt::format("data: {} from {}, {} + {} + {} samples", data.name, data.origin, data.train.samples,
                             data.validation.samples, data.test.samples));

  sim::TrainOptions options;
  options.device = arguments.text("device");
  options.threads = session.threads();
  options.meter = meter_options(arguments);
  options.carbon = carbon_factors(arguments);
  std::unique_ptr<CheckpointFolder> checkpoints;
  std::unique_ptr<StopOnSignal> stop;
  if (spec.checkpoint_seconds > 0) {
    stop = std::make_unique<StopOnSignal>();  // before the folder: who sees its lock may interrupt
    checkpoints = std::make_unique<CheckpointFolder>(out);
    if (checkpoints->holds_state()) session.note("resuming from " + checkpoints->path());
    options.checkpoints = checkpoints->sink();
  }
  const auto start = std::chrono::steady_clock::now();
  const sim::TrainResult result = sim::train(spec, data, session.progress(), options);
  session.progress().finish();
  bool stopped = false, diverged = false;
  for (const sim::ReplicaResult& replica : result.replicas) {
    stopped = stopped || replica.status == sim::RunStatus::stopped;
    diverged = diverged || replica.status == sim::RunStatus::diverged;
  }
  if (stopped) {
    session.note(
        fmt::format("stopped; the state is saved in {}. To resume: {}", checkpoints->path(), arguments.command_line));
    return k_stopped_resumable;
  }
  core::Dataset table = sim::to_dataset(result);
  add_origin(table, spec.title.empty() ? label_of(spec) : spec.title, io::to_toml(spec), arguments.command_line);
  io::write_hdf5(out, table);
  if (checkpoints) checkpoints->remove();
  session.detail(fmt::format("{} on {} in {:.1f} s", out, result.device,
                             std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count()));
  if (!result.energy.reading.measured()) session.detail("joules were not measured: " + result.energy.reading.note);
  const RunSummary run = summarise(table, out);
  if (arguments.has("plot")) {
    io::write_png(arguments.text("plot"), run_figure(run));
    session.note("drawn in " + arguments.text("plot"));
  }
  report(session, table, run, out);
  if (diverged) session.note("at least one seed diverged: lower optimiser.learning_rate");
  return diverged ? k_check_failed : k_done;
}

}  // namespace eos::cli
