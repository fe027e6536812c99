// What policies cost in time: one epoch of a proxy under data selection, frozen layers, and groups of units.
//
// Random inputs in the shapes of the pinned proxies; the learning rate is too small to change a loss. Counters: macs =
// multiply-adds relative to dense training, the ratio that time should follow.
#include <benchmark/benchmark.h>

#include <functional>
#include <string>

#include "eos/core/philox.hpp"
#include "epoch_bench.hpp"

namespace {

using namespace eos;
using namespace eos::sim;

constexpr int k_batches = 10;

TaskData task(const std::string& proxy, int samples) {
  TaskData data;
  data.name = data.origin = "generated";
  data.tokens = proxy == "gpt";
  data.height = data.tokens ? 128 : 32, data.width = data.tokens ? 1 : 32, data.channels = data.tokens ? 1 : 3;
  data.classes = data.tokens ? 256 : 10;
  data.inputs = data.height * data.width * data.channels;
  data.labels_per_sample = data.tokens ? data.height : 1;
  data.train.samples = samples;
  const auto words = static_cast<std::size_t>(samples) * static_cast<std::size_t>(data.inputs);
  for (std::size_t i = 0; i < words; ++i)
    data.train.inputs.push_back(static_cast<std::uint8_t>(
        core::draw(1, {0, 0, core::Purpose::teacher_inputs, static_cast<std::uint32_t>(i)}).v[0]));
  for (int i = 0; i < samples * data.labels_per_sample; ++i) data.train.labels.push_back(i * 7 % data.classes);
  return data;
}

theory::TrainingSpec spec_of(const std::string& proxy) {
  theory::TrainingSpec spec;
  spec.network.architecture = proxy == "cnn"   ? theory::Architecture::cnn
                              : proxy == "vit" ? theory::Architecture::vit
                                               : theory::Architecture::gpt;
  spec.batch = proxy == "cnn" ? 128 : proxy == "vit" ? 64 : 16;
  spec.epochs = 1;
  spec.optimiser.momentum = 0.9;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.optimiser.learning_rate = 1e-6;
  spec.checkpoint_seconds = 0;
  return spec;
}

void train_epoch(benchmark::State& state, const std::string& proxy, const theory::TrainingSpec& spec) {
  const TaskData data = task(proxy, spec.batch * k_batches);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  const theory::Ledger ledger = timed_epochs(state, setup, context);
  const theory::NetworkCounts c = theory::graph_counts(setup.layout.graph, 0);
  const auto dense = static_cast<double>(data.train.samples * (c.forward_macs + c.backward_macs));
  state.counters["macs"] =
      static_cast<double>(ledger.forward_macs + ledger.scoring_macs + ledger.backward_macs) / dense;
}

using Change = std::function<void(theory::TrainingSpec&)>;

void add(const std::string& proxy, const std::string& policy, const Change& change) {
  theory::TrainingSpec spec = spec_of(proxy);
  change(spec);
  benchmark::RegisterBenchmark(("policy/" + proxy + "/" + policy).c_str(), [proxy, spec](benchmark::State& state) {
    train_epoch(state, proxy, spec);
  })->Unit(benchmark::kMillisecond);
}

/// The first blocks of parameters up to a share of all never learn.
Change freeze(const std::string& proxy, double share) {
  return [proxy, share](theory::TrainingSpec& s) {
    const Network network(s.network, task(proxy, 1).shape());
    s.plasticity.freeze.law = theory::FreezeLaw::shares;
    s.plasticity.freeze.until.assign(static_cast<std::size_t>(share * network.layers()), 0.0);
    if (s.plasticity.freeze.until.empty()) s.plasticity.freeze.law = theory::FreezeLaw::never;
  };
}

Change groups(double fraction) {
  return [fraction](theory::TrainingSpec& s) { s.plasticity.groups = {theory::GroupRule::cyclic, fraction, 16}; };
}

const bool registered = [] {
  for (const std::string proxy : {"cnn", "vit", "gpt"}) {
    add(proxy, "dense", [](theory::TrainingSpec&) {});
    for (const double keep : {0.5, 0.3, 0.1}) {
      const std::string percent = std::to_string(static_cast<int>(100 * keep));
      add(proxy, "hardest_" + percent, [keep](theory::TrainingSpec& s) {
        s.selection.gate = theory::Gate::ranked;
        s.selection.fraction = keep;
      });
      add(proxy, "stored_" + percent, [keep](theory::TrainingSpec& s) {
        s.selection.present = theory::Present::random;
        s.selection.fraction = keep;
      });
    }
    for (const double share : {0.25, 0.5, 0.75})
      add(proxy, "frozen_" + std::to_string(static_cast<int>(100 * share)), freeze(proxy, share));
    for (const double fraction : {0.75, 0.5, 0.25})
      add(proxy, "groups_" + std::to_string(static_cast<int>(100 * fraction)), groups(fraction));
  }
  return true;
}();

}  // namespace
