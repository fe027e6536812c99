// Synaptic caching in the engine: limits that must hold exactly, an independent double-precision run, counts by
// comparison, formulas of thresholds and clocks, kill and resume.
#include "eos/theory/synaptic_cache.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <numeric>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::CacheTrigger;
using theory::CacheVariant;
using theory::Ledger;

/// Everything that can make a cache consolidate.
enum class Caching { none, local_local, local_global, global_global, clock };
const std::vector<Caching> k_variants{Caching::local_local, Caching::local_global, Caching::global_global,
                                      Caching::clock};

theory::TrainingSpec cache_spec(const TaskData& data, Caching caching, double theta, int batch) {
  theory::TrainingSpec spec = small_spec(data);
  spec.prices = theory::builtin_prices("metabolic-cache");
  const bool clock = caching == Caching::clock;
  spec.plasticity.cache.variant = clock ? CacheVariant::local_local : static_cast<CacheVariant>(caching);
  spec.plasticity.cache.trigger = clock ? CacheTrigger::clock : CacheTrigger::constant;
  spec.plasticity.cache.theta = theta;
  spec.plasticity.cache.interval = 37;
  spec.optimiser.learning_rate = batch == 1 ? 0.03 : 0.2;
  spec.batch = batch;
  return spec;
}

/// A threshold at which some of the synapses or neurons of the small task fire.
double some_theta(Caching variant) { return variant == Caching::global_global ? 0.1 : 0.02; }

TEST(SynapticCache, without_decay_the_weights_have_the_same_bits_whatever_fires) {
  const TaskData data = small_task(160);
  for (int batch : {1, 16}) {
    const std::vector<float> uncached = run(cache_spec(data, Caching::none, 0, batch), data).replicas[0].weights;
    for (Caching variant : k_variants)
      for (double theta : {0.0, some_theta(variant), 1e30}) {
        const theory::TrainingSpec spec = cache_spec(data, variant, theta, batch);
        EXPECT_EQ(run(spec, data).replicas[0].weights, uncached) << static_cast<int>(variant) << " " << theta;
      }
  }
}

TEST(SynapticCache, a_threshold_never_reached_costs_the_straight_line) {
  const TaskData data = small_task(160);
  for (Caching variant : {Caching::local_local, Caching::local_global, Caching::global_global}) {
    const theory::TrainingSpec spec = cache_spec(data, variant, 1e30, 16);
    const ReplicaResult result = run(spec, data).replicas[0];
    const Network layout(widths_of(spec, data));
    const std::vector<float> initial = initial_weights(layout, spec.network, 1);
    double path = 0, squared = 0;
    std::int64_t changed = 0;
    for (std::size_t i = 0; i < initial.size(); ++i) {
      const double moved = static_cast<double>(result.weights[i]) - initial[i];
      path += std::abs(moved), squared += moved * moved, changed += moved != 0;
    }
    const Ledger& ledger = result.epochs.back().ledger;
    EXPECT_EQ(ledger.writes, changed);
    EXPECT_DOUBLE_EQ(ledger.path_length, path);
    EXPECT_DOUBLE_EQ(ledger.path_squared, squared);
  }
}

TEST(SynapticCache, threshold_zero_is_no_cache) {
  const TaskData data = small_task(160);
  for (int batch : {1, 16}) {
    const ReplicaResult none = run(cache_spec(data, Caching::none, 0, batch), data).replicas[0];
    for (Caching variant : {Caching::local_local, Caching::local_global, Caching::global_global}) {
      const ReplicaResult cached = run(cache_spec(data, variant, 0, batch), data).replicas[0];
      for (std::size_t l = 0; l < 3; ++l) {
        EXPECT_EQ(cached.layers[l].writes, none.layers[l].writes);
        // The same changes, added in float in another order of additions than those of the update.
        EXPECT_NEAR(cached.layers[l].path_length, none.layers[l].path_length, 1e-5 * none.layers[l].path_length);
      }
      EXPECT_EQ(cached.epochs.back().ledger.maintenance, 0);
      EXPECT_EQ(cached.epochs.back().ledger.transient_path, 0);
      EXPECT_EQ(cached.epochs.back().ledger.accumulator_updates, 0);
    }
  }
}

/// One run on line or by batches in double precision: forward, change into s, criterion, consolidation, maintenance of
/// the rest and decay for every presentation. Learns a sample only if it is misclassified when `lazy`.
struct Oracle {
  PlainNetwork net;
  const theory::TrainingSpec& spec;
  Network layout;
  std::vector<double> l, s;
  double path = 0, maintenance = 0, transient = 0;
  std::int64_t writes = 0, since = 0;

  Oracle(const theory::TrainingSpec& all, const TaskData& data)
      : net(widths_of(all, data), initial_weights(Network(widths_of(all, data)), all.network, 1)),
        spec(all),
        layout(widths_of(all, data)),
        l(net.w),
        s(net.w.size(), 0.0) {}

  bool fires(std::size_t layer, std::int64_t neuron) const {
    const std::int64_t neurons = layout.widths[layer + 1];
    double largest = 0, sum = 0;
    for (std::int64_t i = layout.offsets[layer] + neuron; i < layout.offsets[layer + 1]; i += neurons) {
      const double size = std::abs(s[static_cast<std::size_t>(i)]);
      largest = std::max(largest, size), sum += size;
    }
    return (spec.plasticity.cache.variant == CacheVariant::local_global ? largest : sum) > spec.plasticity.cache.theta;
  }
  void consolidate(std::size_t i) {
    writes += s[i] != 0;
    path += std::abs(s[i]);
    l[i] += s[i];
    s[i] = 0;
  }
  void present(const TaskData& data, const std::vector<int>& samples, double rate, bool learn) {
    const theory::CacheSpec& cache = spec.plasticity.cache;
    std::vector<double> change(s.size(), 0.0);
    if (learn) {
      net.loss_and_gradient(data.train, samples, std::vector<double>(samples.size(), 1.0), 1.0 / spec.batch);
      for (std::size_t i = 0; i < s.size(); ++i) change[i] = -rate * net.gradient[i], s[i] += change[i];
    }
    since += static_cast<std::int64_t>(samples.size());
    const bool clock = cache.trigger == CacheTrigger::clock, local = cache.variant == CacheVariant::local_local;
    const bool all = clock && static_cast<double>(since) >= cache.interval;
    if (all) since = 0;
    for (std::size_t layer = 0; layer + 1 < layout.widths.size(); ++layer)
      for (std::int64_t n = 0; n < layout.widths[layer + 1]; ++n) {
        const bool together = !clock && !local && fires(layer, n);
        for (auto i = static_cast<std::size_t>(layout.offsets[layer] + n);
             i < static_cast<std::size_t>(layout.offsets[layer + 1]);
             i += static_cast<std::size_t>(layout.widths[layer + 1])) {
          if (all || together || (!clock && local && std::abs(s[i]) > cache.theta))
            consolidate(i);
          else
            transient += std::abs(change[i]);
        }
      }
    for (std::size_t k = 0; k < samples.size(); ++k)
      for (double& transient_part : s) {
        maintenance += std::abs(transient_part);
        if (cache.tau > 0) transient_part *= std::exp(-1 / cache.tau);
      }
    for (std::size_t i = 0; i < s.size(); ++i) net.w[i] = l[i] + s[i];
  }
};

TEST(SynapticCache, follows_an_independent_implementation_in_double_precision) {
  const TaskData data = small_task(120);
  for (Caching variant : k_variants)
    for (int batch : {1, 8})
      for (bool lazy : {false, true}) {
        if (lazy && batch > 1) continue;  // the batches of the oracle are those of the stream
        SCOPED_TRACE(::testing::Message()
                     << "variant " << static_cast<int>(variant) << " batch " << batch << " lazy " << lazy);
        theory::TrainingSpec spec = cache_spec(data, variant, some_theta(variant), batch);
        spec.plasticity.cache.tau = 200;
        spec.optimiser.law = theory::RateLaw::constant;
        spec.epochs = 2;
        if (lazy) spec.selection = theory::selection_preset("lazy");
        Oracle oracle(spec, data);
        for (const std::vector<int>& samples : dense_batches(1, 120, batch, 2)) {
          const std::vector<double> p = oracle.net.probabilities(data.train, samples[0]);
          const auto best = std::max_element(p.begin(), p.end()) - p.begin();
          const bool right = best == data.train.labels[static_cast<std::size_t>(samples[0])];
          oracle.present(data, samples, spec.optimiser.learning_rate, !lazy || !right);
        }
        const ReplicaResult result = run(spec, data).replicas[0];
        for (std::size_t i = 0; i < oracle.net.w.size(); ++i) oracle.consolidate(i);
        for (std::size_t i = 0; i < oracle.l.size(); ++i)
          EXPECT_NEAR(result.weights[i], oracle.net.w[i], 1e-4 * (1 + std::abs(oracle.net.w[i])));
        const Ledger& ledger = result.epochs.back().ledger;
        // Single precision: relative 1e-7 of w ~ 1 against s ~ 0.01.
        EXPECT_NEAR(ledger.path_length / oracle.path, 1, 1e-3);
        EXPECT_NEAR(ledger.maintenance / oracle.maintenance, 1, 1e-3);
        EXPECT_NEAR(ledger.transient_path / oracle.transient, 1, 1e-3);
        EXPECT_NEAR(static_cast<double>(ledger.writes) / static_cast<double>(oracle.writes), 1, 0.01)
            << "a change of 1e-9 of a weight is one in double precision only";
      }
}

TEST(SynapticCache, every_row_is_charged_as_if_training_ended_there) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = cache_spec(data, Caching::local_local, 0.02, 16);
  spec.plasticity.cache.tau = 300;
  spec.optimiser.law = theory::RateLaw::constant;
  const ReplicaResult all = run(spec, data).replicas[0];
  ASSERT_EQ(all.epochs.size(), 3u);
  for (int epochs : {1, 2}) {
    spec.epochs = epochs;
    const Ledger alone = run(spec, data).replicas[0].epochs.back().ledger;
    const Ledger& row = all.epochs[static_cast<std::size_t>(epochs - 1)].ledger;
    EXPECT_EQ(row.writes, alone.writes);
    EXPECT_EQ(row.path_length, alone.path_length);
    EXPECT_EQ(row.maintenance, alone.maintenance);
  }
  double layers = 0;
  for (const Ledger& layer : all.layers) layers += layer.path_length;
  EXPECT_NEAR(layers, all.epochs.back().ledger.path_length, 1e-12 * layers);
}

TEST(SynapticCache, adaptive_thresholds_follow_the_measured_mean_square) {
  const TaskData data = small_task(100);
  for (theory::CacheStatistics statistics : {theory::CacheStatistics::layer, theory::CacheStatistics::network}) {
    theory::TrainingSpec spec = cache_spec(data, Caching::local_local, 0, 4);
    spec.plasticity.cache.trigger = CacheTrigger::adaptive;
    spec.plasticity.cache.statistics = statistics;
    spec.plasticity.cache.window = 50;
    spec.plasticity.cache.scale = 1.5;
    spec.record_every = 1;
    theory::TrainingSpec plain = spec;
    plain.plasticity.cache.variant =
        CacheVariant::none;  // the same weights: its squared changes are those that go into s
    const std::vector<StepRow> rows = run(spec, data).replicas[0].steps;
    const kernels::Context context = kernels::Context::cpu();
    const RunSetup setup(plain, data, context);
    Replica replica(setup, context, 1);
    double squared = 0, presented = 0, before = 0;
    const bool layer = statistics == theory::CacheStatistics::layer;
    const auto size = static_cast<double>(layer ? setup.layout.offsets[1] : setup.layout.parameters());
    for (const StepRow& row : rows) {
      replica.advance();
      const std::vector<Ledger> layers = replica.result(RunStatus::complete).layers;
      double now = layers[0].path_squared;
      if (!layer) now += layers[1].path_squared + layers[2].path_squared;
      squared = std::exp(-4 / 50.0) * squared + (now - before);
      presented = std::exp(-4 / 50.0) * presented + 4;
      before = now;
      const double expected = 1.5 * std::sqrt(3 * squared / presented / size / 1e-3);
      EXPECT_NEAR(row.cache_theta, expected, 1e-6 * expected);  // stored in single precision
    }
  }
}

TEST(SynapticCache, a_clock_consolidates_everything_every_n_presentations) {
  const TaskData data = small_task(100);
  theory::TrainingSpec spec = cache_spec(data, Caching::clock, 0, 4);
  spec.plasticity.cache.interval = 0;
  spec.plasticity.cache.upkeep = 0.05;  // 3/(2c) = 30 presentations: after every eighth batch of four
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 1);
  for (int batch = 1; batch <= 40; ++batch) {
    replica.advance();
    const core::Dataset state = replica.checkpoint();
    EXPECT_EQ(state.numbers("weights") == state.numbers("persistent"), batch % 8 == 0) << "batch " << batch;
  }
}

TEST(SynapticCache, runs_that_are_killed_and_resumed_end_with_the_same_bits) {
  const TaskData data = small_task(120);
  for (const char* method : {"cache", "cache-local-global+top-k", "cache-adaptive+write-price-m1", "cache-clock"}) {
    theory::TrainingSpec spec = cache_spec(data, Caching::none, 0, 8);
    spec.plasticity = theory::plasticity_preset(method);
    spec.plasticity.cache.interval = 90;
    spec.selection = theory::selection_preset("dbpd");
    spec.selection.tau = 0.7;
    const kernels::Context context = kernels::Context::cpu();
    const RunSetup setup(spec, data, context);
    Replica whole(setup, context, 1);
    std::vector<core::Dataset> states;
    for (int i = 0; !whole.finished(); ++i) {
      if (i == 3 || i == 20) states.push_back(whole.checkpoint());
      whole.advance();
    }
    const ReplicaResult expected = whole.result(RunStatus::complete);
    ASSERT_EQ(states.size(), 2u);
    for (const core::Dataset& state : states) {
      Replica resumed(setup, context, 1);
      resumed.restore(state);
      while (!resumed.finished()) resumed.advance();
      const ReplicaResult result = resumed.result(RunStatus::complete);
      EXPECT_EQ(result.weights, expected.weights) << method;
      EXPECT_EQ(result.epochs.back().ledger.path_length, expected.epochs.back().ledger.path_length) << method;
      EXPECT_EQ(result.epochs.back().ledger.maintenance, expected.epochs.back().ledger.maintenance) << method;
      EXPECT_EQ(result.epochs.back().ledger.transient_path, expected.epochs.back().ledger.transient_path) << method;
    }
  }
}

}  // namespace
}  // namespace eos::sim::testing
