// Steps of synaptic caching against the plain reference, against comparing arrays before and after, and at limits.
#include "eos/kernels/cache.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "eos/core/error.hpp"
#include "kernel_test.hpp"

namespace eos::kernels {
namespace {

using test::bits;
using test::normals;
using test::OnCuda;

/// Layers of 130 x 100 (two blocks of rows and a rest), 70 x 3, 5000 x 1 and 1 x 9 entries: W and b together.
const std::vector<std::int64_t> k_offsets{0, 13000, 13210, 18210, 18219};
const std::vector<std::int64_t> k_neurons{100, 3, 1, 9};
const Segments k_segments{4, k_offsets.data()};
const std::vector<Trigger> k_triggers{Trigger::synapse, Trigger::neuron_any, Trigger::neuron_sum, Trigger::all};

struct State {
  std::vector<float> weights, persistent, previous;
  std::vector<CacheCounts> counts;
};

/// Weights of size 0.1, transient parts of 0.01, updates of 0.001 that leave every second weight as it was.
State start() {
  const auto size = static_cast<std::size_t>(k_offsets.back());
  State s{normals(size, 1), normals(size, 2), normals(size, 3), std::vector<CacheCounts>(4)};
  for (std::size_t i = 0; i < size; ++i) {
    const float l = 0.1f * s.weights[i], before = l + 0.01f * s.persistent[i];
    s.weights[i] = i % 2 == 0 ? before : before + 0.001f * s.previous[i];
    s.persistent[i] = i % 7 == 0 ? s.weights[i] : l;
    s.previous[i] = before;
  }
  return s;
}

/// Thresholds at which a part of the synapses or neurons fires.
std::vector<float> thresholds(Trigger trigger) {
  if (trigger == Trigger::neuron_any) return {0.028f, 0.024f, 0.02f, 0.01f};
  if (trigger == Trigger::neuron_sum) return {0.9f, 0.45f, 0.1f, 0.005f};
  return {0.01f, 0.005f, 0.02f, 0.0f};
}

State after(const Context& context, Trigger trigger, float keep) {
  const std::vector<float> theta = thresholds(trigger);
  State s = start();
  Buffer<float> w(context, s.weights), l(context, s.persistent), p(context, s.previous);
  Buffer<CacheCounts> counts(context, 4);
  cache_step(context, k_segments, {trigger, theta.data(), k_neurons.data(), keep}, w.data(), l.data(), p.data(),
             counts.data());
  return {w.get(), l.get(), p.get(), counts.get()};
}

State after_reference(Trigger trigger, float keep) {
  const std::vector<float> theta = thresholds(trigger);
  State s = start();
  reference::cache_step(k_segments, {trigger, theta.data(), k_neurons.data(), keep}, s.weights.data(),
                        s.persistent.data(), s.previous.data(), s.counts.data());
  return s;
}

void expect_same(const State& got, const State& expected) {
  EXPECT_EQ(bits(got.weights), bits(expected.weights));
  EXPECT_EQ(bits(got.persistent), bits(expected.persistent));
  EXPECT_EQ(bits(got.previous), bits(expected.previous));
  for (std::size_t g = 0; g < 4; ++g) {
    const CacheCounts &a = got.counts[g], &b = expected.counts[g];
    EXPECT_EQ(a.consolidated.writes, b.consolidated.writes) << "segment " << g;
    EXPECT_EQ(a.additions, b.additions) << "segment " << g;
    // The reference adds in double; sums of 4096 floats are within 1e-5 (header).
    EXPECT_NEAR(a.consolidated.path, b.consolidated.path, 1e-5 * b.consolidated.path);
    EXPECT_NEAR(a.consolidated.squared, b.consolidated.squared, 1e-5 * b.consolidated.squared);
    EXPECT_NEAR(a.transient, b.transient, 1e-5 * b.transient);
    EXPECT_NEAR(a.held, b.held, 1e-5 * b.held);
  }
}

void expect_matches_reference(const Context& context) {
  for (Trigger trigger : k_triggers)
    for (float keep : {1.0f, 0.999f}) {
      SCOPED_TRACE(::testing::Message() << "trigger " << static_cast<int>(trigger) << " keep " << keep);
      expect_same(after(context, trigger, keep), after_reference(trigger, keep));
    }
}

TEST(CacheStep, matches_the_reference_for_every_trigger) { expect_matches_reference(Context::cpu()); }
TEST_F(OnCuda, cache_step_matches_the_reference_for_every_trigger) { expect_matches_reference(Context::cuda()); }

TEST(CacheStep, has_the_same_bits_and_sums_for_one_and_two_threads) {
  for (Trigger trigger : k_triggers) {
    const State one = after(Context::cpu(1), trigger, 0.99f), two = after(Context::cpu(2), trigger, 0.99f);
    expect_same(one, two);
    for (std::size_t g = 0; g < 4; ++g) {
      EXPECT_EQ(one.counts[g].consolidated.path, two.counts[g].consolidated.path);
      EXPECT_EQ(one.counts[g].transient, two.counts[g].transient);
      EXPECT_EQ(one.counts[g].held, two.counts[g].held);
    }
  }
}

/// Which entries fire, from the definition, in double.
std::vector<bool> firing(Trigger trigger, const State& s) {
  std::vector<bool> fires(s.weights.size());
  const std::vector<float> theta = thresholds(trigger);
  for (std::size_t g = 0; g < 4; ++g)
    for (std::int64_t n = 0; n < k_neurons[g]; ++n) {
      double largest = 0, sum = 0;
      const auto transient = [&](std::int64_t i) {
        const auto k = static_cast<std::size_t>(i);
        return static_cast<double>(std::fabs(s.weights[k] - s.persistent[k]));
      };
      for (std::int64_t i = k_offsets[g] + n; i < k_offsets[g + 1]; i += k_neurons[g])
        largest = std::max(largest, transient(i)), sum += transient(i);
      for (std::int64_t i = k_offsets[g] + n; i < k_offsets[g + 1]; i += k_neurons[g])
        fires[static_cast<std::size_t>(i)] = trigger == Trigger::all ||
                                             (trigger == Trigger::synapse && transient(i) > theta[g]) ||
                                             (trigger == Trigger::neuron_any && largest > theta[g]) ||
                                             (trigger == Trigger::neuron_sum && sum > theta[g]);
    }
  return fires;
}

TEST(CacheStep, counts_are_those_of_comparing_arrays_before_and_after) {
  for (Trigger trigger : k_triggers) {
    const State before = start(), now = after(Context::cpu(), trigger, 0.9f);
    const std::vector<bool> fires = firing(trigger, before);
    std::size_t fired = 0;
    for (std::size_t g = 0; g < 4; ++g) {
      CacheCounts c;
      for (auto i = static_cast<std::size_t>(k_offsets[g]); i < static_cast<std::size_t>(k_offsets[g + 1]); ++i) {
        const double moved = static_cast<double>(now.persistent[i]) - before.persistent[i];
        c.consolidated.writes += moved != 0;
        c.consolidated.path += std::fabs(moved);
        c.consolidated.squared += moved * moved;
        const double s = static_cast<double>(before.weights[i]) - before.persistent[i];
        if (fires[i]) {
          ++fired;
          EXPECT_EQ(now.persistent[i], before.weights[i]);
          EXPECT_EQ(now.weights[i], before.weights[i]);
        } else {
          const double added = static_cast<double>(before.weights[i]) - before.previous[i];
          c.additions += added != 0;
          c.transient += std::fabs(added);
          c.held += std::fabs(s);
          EXPECT_EQ(now.persistent[i], before.persistent[i]);
          EXPECT_NEAR(now.weights[i], before.persistent[i] + 0.9 * s, 1e-7);  // three roundings of values below 0.5
        }
        EXPECT_EQ(now.previous[i], now.weights[i]);
      }
      EXPECT_EQ(now.counts[g].consolidated.writes, c.consolidated.writes);
      EXPECT_EQ(now.counts[g].additions, c.additions);
      // Differences rounded to float: relative 6e-8 of w ~ 0.1 against s ~ 0.01 and updates ~ 0.001.
      EXPECT_NEAR(now.counts[g].consolidated.path, c.consolidated.path, 1e-5 * c.consolidated.path);
      EXPECT_NEAR(now.counts[g].consolidated.squared, c.consolidated.squared, 1e-5 * c.consolidated.squared);
      EXPECT_NEAR(now.counts[g].transient, c.transient, 1e-4 * c.transient);
      EXPECT_NEAR(now.counts[g].held, c.held, 1e-5 * c.held);
    }
    EXPECT_GT(fired, 100u);
    if (trigger != Trigger::all) {
      EXPECT_LT(fired, before.weights.size() - 100);
    }
  }
}

TEST(CacheStep, thresholds_are_strict_and_infinite_ones_never_fire) {
  const std::vector<std::int64_t> offsets{0, 2}, neurons{2};
  for (const float theta : {0.5f, std::numeric_limits<float>::infinity()}) {
    std::vector<float> w{0.5f, 0.75f}, l{0.0f, 0.0f}, p = w;
    CacheCounts counts;
    cache_step(Context::cpu(), {1, offsets.data()}, {Trigger::synapse, &theta, neurons.data(), 1.0f}, w.data(),
               l.data(), p.data(), &counts);
    const bool finite = std::isfinite(theta);
    EXPECT_THAT(l, ::testing::ElementsAre(0.0f, finite ? 0.75f : 0.0f));
    EXPECT_DOUBLE_EQ(counts.held, finite ? 0.5 : 1.25);
    EXPECT_EQ(counts.consolidated.writes, finite ? 1 : 0);
  }
}

TEST(CacheStep, without_decay_never_moves_a_weight) {
  for (Trigger trigger : k_triggers)
    EXPECT_EQ(bits(after(Context::cpu(), trigger, 1.0f).weights), bits(start().weights));
}

TEST(CacheStep, refuses_neurons_that_do_not_divide_a_layer) {
  const std::vector<std::int64_t> offsets{0, 10}, neurons{3};
  std::vector<float> w(10), l(10), p(10);
  const float theta = 0;
  CacheCounts counts;
  EXPECT_THROW(cache_step(Context::cpu(), {1, offsets.data()}, {Trigger::synapse, &theta, neurons.data(), 1.0f},
                          w.data(), l.data(), p.data(), &counts),
               core::Error);
}

}  // namespace
}  // namespace eos::kernels
