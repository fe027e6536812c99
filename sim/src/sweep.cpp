#include "eos/sim/sweep.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "batch_form.hpp"
#include "eos/kernels/device.hpp"
#include "eos/sim/batch.hpp"
#include "eos/theory/network_memory.hpp"
#include "replica.hpp"
#include "replica_batch.hpp"

namespace eos::sim {

namespace {

constexpr double k_probe_macs = 4e9;  ///< of a stretch: a tenth of a second on one core
constexpr int k_least_batches = 4, k_most_batches = 2000;
constexpr int k_probe_evaluation = 64;  ///< samples that a stretch evaluates
constexpr std::int64_t k_word = 4;      ///< bytes
constexpr int k_most_replicas = 256;
constexpr double k_good_enough = 0.95;

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

LabelledSet front(const LabelledSet& set, int samples) {
  if (set.samples <= samples) return set;
  LabelledSet part;
  part.samples = samples;
  const auto share = [&](std::size_t size) {
    return static_cast<std::ptrdiff_t>(size / static_cast<std::size_t>(set.samples) *
                                       static_cast<std::size_t>(samples));
  };
  part.inputs.assign(set.inputs.begin(), set.inputs.begin() + share(set.inputs.size()));
  part.labels.assign(set.labels.begin(), set.labels.begin() + share(set.labels.size()));
  return part;
}

/// The task with next to nothing to evaluate.
TaskData probe_data(const TaskData& data) {
  TaskData probe = data;
  probe.validation = front(data.validation, k_probe_evaluation);
  probe.test = front(data.test, k_probe_evaluation);
  return probe;
}

/// The run cut off after so many batches of positions.
theory::TrainingSpec stretch(const theory::TrainingSpec& spec, const TaskData& data, int batches) {
  theory::TrainingSpec cut = spec;
  cut.seeds = {spec.seeds.front()};
  cut.epochs = std::min(spec.epochs, static_cast<double>(batches) * spec.batch / data.train.samples);
  cut.evaluate_every = spec.epochs;
  cut.optimiser.warmup_epochs = std::min(spec.optimiser.warmup_epochs, cut.epochs);
  cut.checkpoint_seconds = 0, cut.record_every = 0;
  cut.goal = {};
  return cut;
}

theory::NetworkCounts counts_of(const theory::TrainingSpec& spec, const TaskData& data) {
  return network_counts(effective_plasticity(spec).topology, Network(spec.network, data.shape()));
}

int probe_batches(const theory::TrainingSpec& spec, const theory::NetworkCounts& counts) {
  const auto macs = static_cast<double>((counts.forward_macs + counts.backward_macs) * spec.batch);
  return static_cast<int>(
      std::clamp(k_probe_macs / std::max(1.0, macs), double{k_least_batches}, double{k_most_batches}));
}

}  // namespace

std::int64_t data_bytes(const TaskData& data) {
  std::int64_t bytes = 0;
  for (const LabelledSet* set : {&data.train, &data.validation, &data.test})
    bytes += static_cast<std::int64_t>(set->inputs.size() + set->labels.size() * sizeof(set->labels[0]));
  return bytes;
}

RunForecast counted(const theory::TrainingSpec& spec, const TaskData& data) {
  const theory::NetworkCounts counts = counts_of(spec, data);
  RunForecast f;
  f.macs = static_cast<std::int64_t>(spec.epochs * data.train.samples *
                                     static_cast<double>(counts.forward_macs + counts.backward_macs));
  f.memory_bytes = k_word * theory::network_memory(spec, Network(spec.network, data.shape()).graph).total();
  return f;
}

RunForecast forecast(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device) {
  const theory::NetworkCounts counts = counts_of(spec, data);
  const TaskData probe = probe_data(data);
  TrainOptions options;
  options.device = device;
  core::Progress silent;
  const int batches = probe_batches(spec, counts);
  TrainResult last;
  const auto time = [&](int n) {
    return seconds_of([&] { last = train(stretch(spec, data, n), probe, silent, options); });
  };
  const double shorter = time(batches), longer = time(2 * batches);
  const double samples = data.train.samples;
  const double end_of_longer = stretch(spec, data, 2 * batches).epochs;
  const double probed = end_of_longer - stretch(spec, data, batches).epochs;
  // Their difference leaves out what comes once; not where the run is shorter than a stretch, or others disturbed it.
  const bool difference = probed > 0 && longer > shorter;
  const double per_epoch = difference ? (longer - shorter) / probed : longer / end_of_longer;
  const double work = samples * static_cast<double>(counts.forward_macs + counts.backward_macs);
  const double evaluated =
      static_cast<double>(data.validation.samples + data.test.samples) * static_cast<double>(counts.forward_macs);
  const double evaluations = std::max(1.0, std::ceil(spec.epochs / spec.evaluate_every));
  RunForecast f = counted(spec, data);
  f.seconds = spec.epochs * per_epoch + evaluations * per_epoch * evaluated / work;
  const EpochRow& end = last.replicas.front().epochs.back();
  f.energy = theory::energy(end.ledger, spec.prices).total() * spec.epochs / std::max(end.epoch, 1e-9);
  return f;
}

int choose_replicas(int most, const std::function<double(int)>& throughput) {
  std::vector<std::pair<int, double>> measured;
  double best = 0;
  for (int r = 1; r <= most; r *= 2) {
    measured.emplace_back(r, throughput(r));
    best = std::max(best, measured.back().second);
  }
  for (const auto& [replicas, rate] : measured)
    if (rate >= k_good_enough * best) return replicas;
  return 1;
}

int choose_replicas(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device) {
  const kernels::Context context = kernels::Context::named(device);
  const Network layout(spec.network, data.shape());
  const BatchForm form(spec, data.train.samples, layout.predictions());
  const auto free = static_cast<std::int64_t>(kernels::free_bytes(context));
  const int most = std::clamp(replicas_that_fit(form, layout, free), 1, k_most_replicas);
  const TaskData probe = probe_data(data);
  const int batches = probe_batches(spec, counts_of(spec, data));
  return choose_replicas(most, [&](int replicas) {
    core::Progress silent;
    BatchOptions options;
    options.device = device, options.replicas = replicas;
    const auto seconds = [&](const theory::TrainingSpec& single) {
      theory::TrainingSpec cut = single;
      for (int r = 1; r < replicas; ++r) cut.seeds.push_back(cut.seeds.front() + static_cast<std::uint64_t>(r));
      return seconds_of([&] { train_batched({cut}, probe, silent, options); });
    };
    const theory::TrainingSpec shorter = stretch(spec, data, batches), longer = stretch(spec, data, 2 * batches);
    if (longer.epochs <= shorter.epochs) return replicas / seconds(longer);  // the run is shorter than a stretch
    return replicas * (longer.epochs - shorter.epochs) / std::max(seconds(longer) - seconds(shorter), 1e-9);
  });
}

std::vector<RunRange> pack_chunks(const std::vector<int>& group, const std::vector<double>& seconds,
                                  double chunk_seconds) {
  std::vector<RunRange> chunks;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const bool follows = i > 0 && group[i] == group[i - 1];
    if (!follows || chunks.back().seconds + seconds[i] > chunk_seconds)
      chunks.push_back({static_cast<std::int64_t>(i), 0, 0});
    ++chunks.back().count;
    chunks.back().seconds += seconds[i];
  }
  return chunks;
}

TrainResult result_of(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device_name,
                      const ReplicaResult& replica) {
  TrainResult result;
  result.spec = spec;
  result.counts = counts_of(spec, data);
  result.data_name = data.name, result.data_origin = data.origin;
  result.device = device_name;
  result.train_samples = data.train.samples;
  result.replicas = {replica};
  return result;
}

}  // namespace eos::sim
