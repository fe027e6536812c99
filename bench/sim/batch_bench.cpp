// Run-steps per second of replicas in lockstep, against as many single runs: the MLP of the other benchmarks and a tiny
// one, on one thread and on two.
//
// lockstep: R replicas a batch, one batch a thread; 0 replicas: single runs, spread over the threads. Counter
// run_steps: optimiser updates of all runs per second of wall time, without evaluation of more than one sample. Limit:
// a dense step is 6 batch parameters FLOPs; see bench/kernels/roof_bench.cpp for what a core can do.
#include <benchmark/benchmark.h>

#include "eos/sim/batch.hpp"

namespace {

using namespace eos;
using namespace eos::sim;

struct Shape {
  int inputs, classes, batch, samples;
  std::vector<int> hidden;
};

Shape shape_of(bool tiny) {
  if (tiny) return {32, 10, 32, 2048, {64, 64}};
  return {784, 10, 128, 2560, {256, 256}};
}

const TaskData& task(bool tiny) {
  static const TaskData tasks[] = {[] {
                                     theory::DataSpec spec;
                                     spec.name = "teacher";
                                     spec.train_samples = shape_of(false).samples;
                                     spec.validation_samples = spec.test_samples = 1;
                                     spec.teacher.inputs = shape_of(false).inputs;
                                     return load_data(spec);
                                   }(),
                                   [] {
                                     theory::DataSpec spec;
                                     spec.name = "teacher";
                                     spec.train_samples = shape_of(true).samples;
                                     spec.validation_samples = spec.test_samples = 1;
                                     spec.teacher.inputs = shape_of(true).inputs;
                                     return load_data(spec);
                                   }()};
  return tasks[tiny ? 1 : 0];
}

void steps(benchmark::State& state, bool tiny, const char* weights) {
  const auto replicas = static_cast<int>(state.range(0)), threads = static_cast<int>(state.range(1));
  const Shape shape = shape_of(tiny);
  theory::TrainingSpec spec;
  spec.batch = shape.batch, spec.epochs = tiny ? 2 : 1, spec.evaluate_every = spec.epochs;
  spec.network.hidden = shape.hidden;
  spec.optimiser.learning_rate = 0.05, spec.optimiser.momentum = 0.9;
  spec.checkpoint_seconds = 0;
  spec.plasticity = theory::plasticity_preset(weights);
  if (spec.plasticity.rule == theory::WriteRule::top_k) spec.plasticity.fraction = 0.05;
  spec.seeds.clear();
  const int runs = std::max({replicas * threads, 4 * threads});
  for (int r = 0; r < runs; ++r) spec.seeds.push_back(static_cast<std::uint64_t>(r + 1));
  core::Progress silent;
  double updates = 0;
  for (auto _ : state) {
    if (replicas == 0) {
      TrainOptions options;
      options.threads = threads;
      for (const ReplicaResult& run : train(spec, task(tiny), silent, options).replicas)
        updates += run.epochs.back().step;
    } else {
      for (const ReplicaResult& run : train_batched({spec}, task(tiny), silent, {"cpu", replicas, threads, false}))
        updates += run.epochs.back().step;
    }
  }
  state.counters["run_steps"] = benchmark::Counter(updates, benchmark::Counter::kIsRate);
}

void shapes(benchmark::internal::Benchmark* bench) {
  for (const int threads : {1, 2})
    for (const int replicas : {0, 1, 4, 16, 64}) bench->Args({replicas, threads});
  bench->ArgNames({"replicas", "threads"})->UseRealTime()->Unit(benchmark::kMillisecond);
}

BENCHMARK_CAPTURE(steps, mlp, false, "all")->Apply(shapes);
BENCHMARK_CAPTURE(steps, tiny, true, "all")->Apply(shapes);
BENCHMARK_CAPTURE(steps, tiny_top_k, true, "top-k")->Apply(shapes);

}  // namespace
