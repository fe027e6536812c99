// Whole training epochs: dense, and data dropout at fixed keep fractions, on one thread.
//
// The task is Fashion-MNIST if it is found (its zeros are those of real images), else the generated one. The learning
// rate is too small to move a weight by much, so the keep fraction of a threshold stays what it is; all work is done.
// Counters: keep = back-propagated / offered; again = samples forwarded a second time / offered; bound = the cost that
// (1/3 + 2 keep/3) 1.1 allows relative to dense; macs = multiply-adds relative to dense. Time is CPU time of the
// thread.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>

#include "epoch_bench.hpp"

namespace {

using namespace eos;
using namespace eos::sim;

constexpr int k_samples = 12800;

const TaskData& task() {
  static const TaskData data = [] {
    theory::DataSpec spec;
    spec.train_samples = k_samples, spec.validation_samples = 1, spec.test_samples = 1;
    return load_data(spec);
  }();
  return data;
}

theory::TrainingSpec epoch_spec(int batch) {
  theory::TrainingSpec spec;
  spec.batch = batch;
  spec.epochs = 1;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.optimiser.learning_rate = 1e-6;
  spec.prices = theory::builtin_prices("hbm2");
  return spec;
}

/// The tau below which a share `keep` of the samples lies under the initial weights.
double threshold_for(double keep) {
  theory::TrainingSpec spec = epoch_spec(128);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, task(), context);
  const kernels::Buffer<float> weights(context, initial_weights(setup.layout, {}, 1));
  Activations a(context, setup.layout, 128);
  std::vector<double> p_true;
  std::vector<std::int32_t> index(128);
  for (int first = 0; first < k_samples; first += 128) {
    for (int i = 0; i < 128; ++i) index[static_cast<std::size_t>(i)] = first + i;
    kernels::gather_rows(context, setup.train.data(), setup.layout.inputs(), index.data(), 128, 1 / 255.f, a.row(0, 0));
    forward(context, setup.layout, weights.data(), a, 0, 128);
    for (int i = 0; i < 128; ++i) {
      const float* z = a.row(setup.layout.layers(), i);
      double sum = 0;
      for (int k = 0; k < setup.layout.classes(); ++k) sum += std::exp(z[k]);
      p_true.push_back(std::exp(z[task().train.labels[static_cast<std::size_t>(first + i)]]) / sum);
    }
  }
  std::sort(p_true.begin(), p_true.end());
  return p_true[static_cast<std::size_t>(keep * k_samples)];
}

void train_epoch(benchmark::State& state, const theory::TrainingSpec& spec) {
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, task(), context);
  const theory::Ledger ledger = timed_epochs(state, setup, context);
  const double keep = static_cast<double>(ledger.samples_backward) / k_samples;
  const double dense = k_samples * static_cast<double>(setup.counts.forward_macs + setup.counts.backward_macs);
  state.counters["keep"] = keep;
  state.counters["again"] = static_cast<double>(ledger.samples_seen) / k_samples - 1;
  state.counters["bound"] = (1.0 / 3 + 2 * keep / 3) * 1.1;
  state.counters["macs"] =
      static_cast<double>(ledger.forward_macs + ledger.scoring_macs + ledger.backward_macs) / dense;
  state.counters["samples"] = benchmark::Counter(k_samples, benchmark::Counter::kIsIterationInvariantRate);
}

void dense_epoch(benchmark::State& state) { train_epoch(state, epoch_spec(static_cast<int>(state.range(0)))); }

void dropout_epoch(benchmark::State& state) {
  theory::TrainingSpec spec = epoch_spec(static_cast<int>(state.range(0)));
  spec.selection = theory::selection_preset("dbpd");
  spec.selection.tau = threshold_for(static_cast<double>(state.range(1)) / 100);
  train_epoch(state, spec);
}

void sparse_write_epoch(benchmark::State& state, const char* method) {
  theory::TrainingSpec spec = epoch_spec(static_cast<int>(state.range(0)));
  spec.plasticity = theory::plasticity_preset(method);
  train_epoch(state, spec);
}

BENCHMARK(dense_epoch)->ArgName("batch")->Arg(128)->Arg(32)->Unit(benchmark::kMillisecond);
BENCHMARK(dropout_epoch)
    ->ArgNames({"batch", "keep%"})
    ->ArgsProduct({{128, 32}, {50, 30, 10}})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sparse_write_epoch, error_feedback, "error-feedback")
    ->ArgName("batch")
    ->Arg(128)
    ->Arg(32)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sparse_write_epoch, top_k, "top-k")
    ->ArgName("batch")
    ->Arg(128)
    ->Arg(32)
    ->Unit(benchmark::kMillisecond);

}  // namespace
