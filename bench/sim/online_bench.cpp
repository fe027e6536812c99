// Online training (batch 1) of 784-100-10 through the engine: samples per second of CPU time, on one thread.
//
// MNIST if it is found, else the data of the other benchmarks. raw: most inputs are zero, and rows of weights that they
// multiply are skipped; centred: no input is zero. Peer: bench/peers/online_torch.py.
#include <benchmark/benchmark.h>

#include "eos/core/error.hpp"
#include "epoch_bench.hpp"

namespace {

using namespace eos;
using namespace eos::sim;

constexpr int k_samples = 5000;

theory::DataSpec data_spec(const std::string& name) {
  theory::DataSpec spec;
  spec.name = name;
  spec.train_samples = k_samples, spec.validation_samples = 1, spec.test_samples = 1;
  return spec;
}

const TaskData& task() {
  static const TaskData data = [] {
    try {
      return load_data(data_spec("mnist"));
    } catch (const core::Error&) {
      return load_data(data_spec("auto"));
    }
  }();
  return data;
}

void online(benchmark::State& state, bool centred, const char* method) {
  theory::TrainingSpec spec;
  spec.batch = 1, spec.epochs = 1;
  spec.network.hidden = {100};
  spec.data.centred = centred;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.optimiser.learning_rate = 0.005;
  spec.plasticity = theory::plasticity_preset(method);
  spec.plasticity.theta = 1e-5;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, task(), context);
  const theory::Ledger ledger = timed_epochs(state, setup, context);
  const double updates = static_cast<double>(ledger.steps) * static_cast<double>(setup.counts.parameters);
  state.counters["written"] = static_cast<double>(ledger.writes) / updates;
  state.counters["samples"] = benchmark::Counter(k_samples, benchmark::Counter::kIsIterationInvariantRate);
}

BENCHMARK_CAPTURE(online, raw, false, "all")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(online, centred, true, "all")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(online, raw_threshold, false, "threshold")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(online, centred_threshold, true, "threshold")->Unit(benchmark::kMillisecond);

}  // namespace
