// Synaptic caching: bytes per second of each trigger. The layer is 784-100 with its biases, or 16 million weights.
#include "bench_support.hpp"
#include "eos/kernels/cache.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

constexpr std::int64_t k_neurons = 100;

void cache(benchmark::State& state, Trigger trigger, float theta, float keep) {
  const Context context = Context::cpu();
  const std::int64_t size = state.range(0) / k_neurons * k_neurons, offsets[2] = {0, size};
  const auto n = static_cast<std::size_t>(size);
  const std::vector<float> start = normals(n, 1), change = normals(n, 2);
  std::vector<float> w = start, l = start, previous = start;
  for (std::size_t i = 0; i < n; ++i) w[i] += 1e-3f * change[i];
  CacheCounts counts;
  const bool by_neuron = trigger == Trigger::neuron_any || trigger == Trigger::neuron_sum;
  // The threshold is beyond what is there: as in training, where few synapses fire at a step.
  measure(state, 0, (by_neuron ? 32.0 : 24.0) * static_cast<double>(n), 1, [&] {
    cache_step(context, {1, offsets}, {trigger, &theta, &k_neurons, keep}, w.data(), l.data(), previous.data(),
               &counts);
  });
}
void cache_synapse(benchmark::State& state) { cache(state, Trigger::synapse, 1.0f, 1.0f); }
void cache_synapse_decay(benchmark::State& state) { cache(state, Trigger::synapse, 1.0f, 0.999f); }
void cache_neuron_any(benchmark::State& state) { cache(state, Trigger::neuron_any, 1.0f, 0.999f); }
void cache_neuron_sum(benchmark::State& state) { cache(state, Trigger::neuron_sum, 1e9f, 0.999f); }

#define EOS_CACHE_BENCHMARK(name) BENCHMARK(name)->ArgName("n")->Arg(78500)->Arg(1 << 24)->UseManualTime()
EOS_CACHE_BENCHMARK(cache_synapse);
EOS_CACHE_BENCHMARK(cache_synapse_decay);
EOS_CACHE_BENCHMARK(cache_neuron_any);
EOS_CACHE_BENCHMARK(cache_neuron_sum);

}  // namespace

}  // namespace eos::bench
