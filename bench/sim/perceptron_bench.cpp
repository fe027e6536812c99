// Perceptrons with N = P = 1000, 20 seeds to convergence on two cores: without a cache, with one, and with decay.
//
// Limits: the forward pass of every presentation is N multiply-adds and reads N bytes of patterns, an update N
// multiply-adds for the weights and some ten operations per synapse and cache. Counters: flops, bytes of patterns.
#include <benchmark/benchmark.h>

#include "eos/sim/perceptron.hpp"

namespace {

using namespace eos;

void learn(benchmark::State& state, theory::CacheVariant variant, double decay) {
  theory::PerceptronSpec spec;
  spec.replicas = 20;
  spec.cache.variant = variant;
  spec.cache.thresholds = {4.5};
  spec.cache.decays = {decay};
  core::Progress silent;
  double presentations = 0;
  for (auto _ : state) {
    const sim::PerceptronGrid grid = sim::run_perceptrons(spec, silent, {"cpu", 2});
    presentations = 0;
    for (const sim::PerceptronResult& run : grid.results[0]) presentations += static_cast<double>(run.presentations);
  }
  const double macs = presentations * spec.inputs;
  state.counters["flops"] = benchmark::Counter(2 * macs, benchmark::Counter::kIsIterationInvariantRate);
  state.counters["bytes"] = benchmark::Counter(macs, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

BENCHMARK_CAPTURE(learn, plain, eos::theory::CacheVariant::none, 0)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(learn, cached, eos::theory::CacheVariant::local_local, 0)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
BENCHMARK_CAPTURE(learn, decaying, eos::theory::CacheVariant::local_local, 1000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();
