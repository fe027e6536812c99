#include "eos/sim/train.hpp"

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <mutex>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/kernels/device.hpp"
#include "eos/sim/batch.hpp"
#include "fingerprint.hpp"
#include "replica.hpp"
#include "run_energy.hpp"

namespace eos::sim {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// Sinks need not be thread-safe, so all replicas share one with its lock. The fingerprint is computed when it is first
/// asked for: hashing a data set takes longer than many a run.
struct CheckpointStore {
  core::Sink* sink;
  std::function<std::string()> fingerprint;
  std::mutex lock = {};
  std::string computed = {};

  const std::string& run() {
    if (computed.empty()) computed = fingerprint();
    return computed;
  }
};

/// The checkpoints of one replica.
class Checkpoints {
 public:
  Checkpoints(CheckpointStore& store, const std::string& name, std::size_t replica)
      : store_(&store), name_(fmt::format("{}-{}", name, replica)) {}

  void load(Replica& replica, std::uint64_t seed) {
    if (store_->sink == nullptr) return;
    const std::lock_guard<std::mutex> guard(store_->lock);
    const auto stored = store_->sink->read(name_);
    if (!stored) return;
    if (stored->text("fingerprint") != store_->run() || stored->text("seed") != std::to_string(seed))
      throw core::Error(
          "E501", fmt::format("checkpoint '{}' was written by a run with another configuration, seed or data", name_),
          "remove it, or give the configuration it was made with");
    replica.restore(*stored);
  }
  void save(Replica& replica, std::uint64_t seed) {
    if (store_->sink == nullptr) return;
    core::Dataset state = replica.checkpoint();
    const std::lock_guard<std::mutex> guard(store_->lock);
    state.attributes["title"] = std::string("state of a training run");
    state.attributes["fingerprint"] = store_->run();
    state.attributes["seed"] = std::to_string(seed);
    store_->sink->write(name_, state);
  }
  void remove() {
    if (store_->sink != nullptr) store_->sink->remove(name_);
  }

 private:
  CheckpointStore* store_;
  std::string name_;
};

ReplicaResult run_replica(const RunSetup& setup, const kernels::Context& context, std::uint64_t seed,
                          Checkpoints& checkpoints, RunEnergy& energy, std::size_t index, core::Progress& progress) {
  const std::string task = fmt::format("train seed {}", seed);
  progress.begin(task, setup.spec.epochs, "epochs");
  Replica replica(setup, context, seed);
  checkpoints.load(replica, seed);
  energy.begins(index, replica.ledger());
  auto reported = Clock::now(), saved = reported;
  bool stopped = false;
  while (!replica.finished()) {
    if (progress.stop_requested()) {
      stopped = true;
      checkpoints.save(replica, seed);
      break;
    }
    replica.advance();
    if (seconds_since(reported) > 0.1) {
      reported = Clock::now();
      progress.update(task, replica.epoch(), fmt::format("loss {:.3f}", replica.recent_loss()));
    }
    if (setup.spec.checkpoint_seconds > 0 && seconds_since(saved) >= setup.spec.checkpoint_seconds) {
      checkpoints.save(replica, seed);
      saved = Clock::now();
    }
  }
  // A finished replica waits for the others: if they are interrupted, it need not run again.
  if (!stopped && setup.spec.seeds.size() > 1) checkpoints.save(replica, seed);
  progress.end(task);
  energy.ends(index, replica.ledger());
  return replica.result(stopped ? RunStatus::stopped : replica.status());
}

/// On a GPU seeds are trained in lockstep where that is possible and no state of a run is to be saved.
bool trains_batched(const RunSetup& setup, const TaskData& data, const kernels::Context& context,
                    const TrainOptions& options) {
  const bool saves = options.checkpoints != nullptr && setup.spec.checkpoint_seconds > 0;
  return context.backend() == kernels::Backend::cuda && setup.spec.seeds.size() > 1 && !saves &&
         batchable(setup.spec, data);
}

}  // namespace

std::string to_string(RunStatus status) {
  switch (status) {
    case RunStatus::complete:
      return "complete";
    case RunStatus::stopped:
      return "stopped";
    case RunStatus::diverged:
      return "diverged";
    case RunStatus::goal:
      return "goal reached";
    case RunStatus::no_improvement:
      return "no improvement";
  }
  return "unknown";
}

TrainResult train(const theory::TrainingSpec& spec, const TaskData& data, core::Progress& progress,
                  const TrainOptions& options) {
  spec.check();
  const kernels::Context context = kernels::Context::named(options.device);
  RunSetup setup(spec, data, context);
  setup.keep_weights = options.keep_weights;
  TrainResult result;
  result.spec = spec;
  result.counts = setup.counts;
  result.data_name = data.name;
  result.data_origin = data.origin;
  result.device = kernels::describe_device(context);
  result.train_samples = data.train.samples;
  result.replicas.resize(spec.seeds.size());
  CheckpointStore store{options.checkpoints, [&] { return run_fingerprint(setup, context); }};
  std::vector<Checkpoints> checkpoints;
  for (std::size_t r = 0; r < spec.seeds.size(); ++r) checkpoints.emplace_back(store, options.checkpoint_name, r);
  RunEnergy energy(options, context, spec.seeds.size());
  energy.start();
  if (trains_batched(setup, data, context, options)) {
    result.replicas = train_batched({spec}, data, progress, {options.device, 0, options.threads, options.keep_weights});
    for (std::size_t r = 0; r < spec.seeds.size(); ++r)
      if (!result.replicas[r].epochs.empty()) energy.ends(r, result.replicas[r].epochs.back().ledger);
  } else {
    core::parallel_for(spec.seeds.size(), options.threads, [&](std::size_t r) {
      const kernels::Context own =
          kernels::Context::named(options.device);  // a CUDA context is one stream: one a replica
      result.replicas[r] = run_replica(setup, own, spec.seeds[r], checkpoints[r], energy, r, progress);
    });
  }
  bool stopped = false;
  for (const ReplicaResult& replica : result.replicas) stopped = stopped || replica.status == RunStatus::stopped;
  result.energy = energy.finish(stopped);
  if (!stopped)
    for (Checkpoints& c : checkpoints) c.remove();
  return result;
}

}  // namespace eos::sim
