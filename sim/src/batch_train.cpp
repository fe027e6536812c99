#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>

#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/kernels/device.hpp"
#include "eos/sim/batch.hpp"
#include "fingerprint.hpp"
#include "replica_batch.hpp"

namespace eos::sim {

namespace {

constexpr int k_replicas_on_cuda = 64;

/// A run to be made, and where its result belongs.
struct Task {
  const BatchForm* form;
  std::uint64_t seed;
  std::size_t result;
};

/// Runs that share a sequence of kernel calls.
struct Group {
  std::vector<Task> tasks;
  double epochs = 0;  ///< of all tasks
};

/// How far the runs of a group are, for whoever watches.
class Watch {
 public:
  Watch(core::Progress& progress, const Group& group) : progress_(progress) {
    name_ = fmt::format("train {} replicas", group.tasks.size());
    progress_.begin(name_, group.epochs, "epochs");
  }
  ~Watch() { progress_.end(name_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  bool stop() const { return progress_.stop_requested(); }
  /// `epochs` more were trained.
  void note(double epochs, double loss) {
    const std::lock_guard<std::mutex> guard(lock_);
    done_ += epochs;
    progress_.update(name_, done_, fmt::format("loss {:.3f}", loss));
  }

 private:
  core::Progress& progress_;
  std::string name_;
  std::mutex lock_;
  double done_ = 0;
};

/// Where results go, and who is told.
struct Results {
  std::vector<ReplicaResult>& all;
  const std::function<void(std::size_t, const ReplicaResult&)>& finished;
  std::mutex& lock;

  void put(std::size_t place, ReplicaResult result, bool complete) const {
    all[place] = std::move(result);
    if (!complete || !finished) return;
    const std::lock_guard<std::mutex> guard(lock);
    finished(place, all[place]);
  }
};

/// Epochs and mean recent loss of what is in the slots.
std::pair<double, double> standing(const ReplicaBatch& batch) {
  double epochs = 0, loss = 0;
  int runs = 0;
  for (int slot = 0; slot < batch.slots(); ++slot) {
    const BatchRun* run = batch.run(slot);
    if (run == nullptr) continue;
    epochs += run->epoch(), loss += run->recent_loss();
    ++runs;
  }
  return {epochs, runs > 0 ? loss / runs : 0.0};
}

/// Steps a batch until the queue is empty or a stop is asked for.
void work(ReplicaBatch& batch, const RunSetup& setup, const Group& group, std::atomic<std::size_t>& next, Watch& watch,
          const Results& results) {
  std::vector<std::size_t> result_of(static_cast<std::size_t>(batch.slots()));
  bool stopped = false;
  while (true) {
    int busy = 0;
    for (int slot = 0; slot < batch.slots(); ++slot) {
      if (batch.run(slot) == nullptr && !stopped) {
        const std::size_t task = next.fetch_add(1);
        if (task < group.tasks.size()) {
          const Task& t = group.tasks[task];
          result_of[static_cast<std::size_t>(slot)] = t.result;
          batch.put(slot, std::make_unique<BatchRun>(*t.form, setup.layout, setup.counts, t.seed));
        }
      }
      busy += batch.run(slot) != nullptr ? 1 : 0;
    }
    if (busy == 0) return;
    const double before = standing(batch).first;
    stopped = stopped || watch.stop();
    if (!stopped) batch.advance();
    const auto [epochs, loss] = standing(batch);
    watch.note(epochs - before, loss);
    for (int slot = 0; slot < batch.slots(); ++slot) {
      if (batch.run(slot) == nullptr || !(stopped || batch.run(slot)->finished())) continue;
      const bool complete = batch.run(slot)->finished();
      results.put(result_of[static_cast<std::size_t>(slot)], batch.take(slot, !complete), complete);
    }
  }
}

int replicas_for(const BatchOptions& options, const kernels::Context& context, const BatchForm& form,
                 const Network& layout, std::size_t tasks) {
  int replicas = options.replicas;
  if (replicas == 0 && context.backend() == kernels::Backend::cuda)
    replicas = std::clamp(replicas_that_fit(form, layout, static_cast<std::int64_t>(kernels::free_bytes(context))), 1,
                          k_replicas_on_cuda);
  return std::max(1, std::min(replicas, static_cast<int>(tasks)));
}

void train_group(const Group& group, const TaskData& data, core::Progress& progress, const BatchOptions& options,
                 const Results& results) {
  const BatchForm& form = *group.tasks.front().form;
  const kernels::Context context = kernels::Context::named(options.device);
  RunSetup setup(form.spec, data, context);
  setup.keep_weights = options.keep_weights;
  const kernels::Buffer<std::int32_t> labels(context, data.train.labels);
  context.synchronise();
  std::atomic<std::size_t> next{0};
  Watch watch(progress, group);
  const int threads = context.backend() == kernels::Backend::cpu ? std::max(1, options.threads) : 1;
  core::parallel_for(static_cast<std::size_t>(threads), threads, [&](std::size_t) {
    ReplicaBatch batch(setup, form, labels, context,
                       replicas_for(options, context, form, setup.layout, group.tasks.size()));
    work(batch, setup, group, next, watch, results);
  });
}

}  // namespace

bool batchable(const theory::TrainingSpec& spec, const TaskData& data, std::string* reason) {
  std::string why = reason_against_batch(spec);
  if (why.empty()) {
    const Network layout(spec.network, checked(data).shape());
    why = reason_against_batch(BatchForm(spec, data.train.samples, layout.predictions()), layout);
  }
  if (reason != nullptr) *reason = why;
  return why.empty();
}

std::vector<ReplicaResult> train_batched(const std::vector<theory::TrainingSpec>& specs, const TaskData& data,
                                         core::Progress& progress, const BatchOptions& options) {
  std::vector<BatchForm> forms;
  forms.reserve(specs.size());  // groups point to them
  std::map<std::string, std::size_t> place;
  std::vector<Group> groups;
  std::size_t results = 0;
  for (std::size_t i = 0; i < specs.size(); ++i) {
    specs[i].check();
    std::string reason;
    if (!batchable(specs[i], data, &reason))
      throw core::Error("E107", fmt::format("run {} cannot be trained in a batch: {}", i, reason),
                        "train it alone, or choose another method");
    const Network layout(specs[i].network, data.shape());
    forms.emplace_back(specs[i], data.train.samples, layout.predictions());
    const std::string key = describe(specs[i].network, layout.graph) + forms.back().shape();
    const auto [found, is_new] = place.emplace(key, groups.size());
    if (is_new) groups.emplace_back();
    Group& group = groups[found->second];
    for (const std::uint64_t seed : specs[i].seeds) {
      group.tasks.push_back({&forms.back(), seed, results++});
      group.epochs += specs[i].epochs;
    }
  }
  std::vector<ReplicaResult> all(results);
  std::mutex lock;
  const Results sink{all, options.finished, lock};
  for (const Group& group : groups) train_group(group, data, progress, options, sink);
  return all;
}

}  // namespace eos::sim
