#include "eos/kernels/replica_update.hpp"

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

/// Segments: single, shorter and longer than a counting block.
const std::vector<std::int64_t> k_offsets = {0, 1, 300, 4397, 12610};
constexpr int k_replicas = 4, k_segments = 4;
constexpr std::int64_t k_size = 12610;
constexpr std::size_t k_all = k_replicas * static_cast<std::size_t>(k_size);

Segments segments() { return {k_segments, k_offsets.data()}; }

struct Case {
  UpdateMethod method;
  Mask mask;
  bool accumulator;
};

std::vector<Case> cases() {
  std::vector<Case> all;
  for (const UpdateMethod method : {UpdateMethod::sgd, UpdateMethod::nesterov, UpdateMethod::adamw})
    for (const Mask mask : {Mask::all, Mask::threshold, Mask::selection})
      for (const bool accumulator : {false, true}) all.push_back({method, mask, accumulator});
  return all;
}

/// What two updates of all replicas leave behind.
struct Outcome {
  std::vector<float> weights, velocity, second_moment, accumulator;
  std::vector<UpdateCounts> totals;
};

/// Replica 2 rests; each of the others has its own numbers.
std::vector<ReplicaRule> rules_of(std::int64_t update) {
  std::vector<ReplicaRule> rules(k_replicas);
  for (int r = 0; r < k_replicas; ++r) {
    rules[r].writes = r == 2 ? 0 : 1;
    rules[r].update = update;
    rules[r].learning_rate = 0.01f * static_cast<float>(r + 1), rules[r].momentum = 0.3f * static_cast<float>(r);
    rules[r].weight_decay = 1e-3f * static_cast<float>(r), rules[r].threshold = 0.01f * static_cast<float>(r + 1);
  }
  return rules;
}

std::vector<std::int64_t> ranks_of(std::int64_t update) {
  std::vector<std::int64_t> ranks;
  for (int i = 0; i < k_replicas * k_segments; ++i) ranks.push_back((13 * i + update) % 7 == 0 ? 0 : 20 * i + 1);
  return ranks;
}

/// Coarse, so that there are ties and zeros.
std::vector<float> gradient_of(std::int64_t update) {
  std::vector<float> g = normals(k_all, static_cast<std::uint32_t>(update));
  for (float& value : g) value = std::round(16 * value) / 16;
  return g;
}

Outcome run(const Context& context, Case c) {
  Buffer<float> weights(context, normals(k_all, 9)), velocity(context, k_all), second(context, k_all),
      accumulator(context, c.accumulator ? k_all : 0);
  Buffer<Selection> selection(context, k_replicas * k_segments);
  Buffer<UpdateCounts> counts(context, k_replicas * k_segments), totals(context, k_replicas * (k_segments + 1));
  for (const std::int64_t update : {1, 2}) {
    Buffer<float> gradient(context, gradient_of(update));
    Buffer<ReplicaRule> rules(context, rules_of(update));
    const Buffer<std::int64_t> ranks(context, ranks_of(update));
    replica_update(context, k_replicas, segments(), {c.method, c.mask}, rules.data(),
                   {gradient.data(), weights.data(), velocity.data(), second.data(), accumulator.data(), ranks.data(),
                    selection.data(), counts.data(), totals.data()});
    context.synchronise();
  }
  return {weights.get(), velocity.get(), second.get(), accumulator.get(), totals.get()};
}

/// One update of one replica by the plain functions for one.
void update_one(Case c, const ReplicaRule& rule, const float* g, const std::int64_t* ranks, float* w, float* v,
                float* m, float* acc, UpdateCounts* counts) {
  std::vector<float> delta(k_size);
  if (c.method == UpdateMethod::adamw) {
    reference::adamw_delta(k_size,
                           {rule.learning_rate, rule.beta1, rule.beta2, rule.epsilon, rule.weight_decay, rule.update},
                           g, w, v, m, delta.data());
  } else {
    const SgdParameters p{rule.learning_rate, rule.momentum, rule.weight_decay, c.method == UpdateMethod::nesterov};
    reference::sgd_delta(k_size, p, g, w, v, delta.data());
  }
  std::vector<Selection> selection(k_segments);
  MaskedUpdate update;
  update.mask = c.mask, update.threshold = rule.threshold, update.accumulator = acc;
  const float* changes = delta.data();
  if (c.mask == Mask::selection) {
    for (std::int64_t i = 0; acc != nullptr && i < k_size; ++i) acc[i] += delta[static_cast<std::size_t>(i)];
    reference::select_threshold(acc != nullptr ? acc : delta.data(), segments(), ranks, selection.data());
    update.selection = selection.data();
    if (acc != nullptr) changes = nullptr;
  }
  reference::masked_update(segments(), changes, update, w, counts);
}

Outcome expected(Case c) {
  Outcome o{normals(k_all, 9), std::vector<float>(k_all), std::vector<float>(k_all),
            std::vector<float>(c.accumulator ? k_all : 0), std::vector<UpdateCounts>(k_replicas * (k_segments + 1))};
  for (const std::int64_t update : {1, 2}) {
    const std::vector<float> gradient = gradient_of(update);
    const std::vector<ReplicaRule> rules = rules_of(update);
    const std::vector<std::int64_t> ranks = ranks_of(update);
    for (int r = 0; r < k_replicas; ++r) {
      if (rules[r].writes == 0) continue;
      UpdateCounts counts[k_segments];
      const std::int64_t at = r * k_size;
      update_one(c, rules[r], gradient.data() + at, ranks.data() + r * k_segments, o.weights.data() + at,
                 o.velocity.data() + at, o.second_moment.data() + at,
                 c.accumulator ? o.accumulator.data() + at : nullptr, counts);
      for (int l = 0; l < k_segments; ++l)
        for (const int to : {l, k_segments}) {
          UpdateCounts& total = o.totals[static_cast<std::size_t>(r * (k_segments + 1) + to)];
          total.writes += counts[l].writes, total.path += counts[l].path, total.squared += counts[l].squared;
        }
    }
  }
  return o;
}

void expect_same(const Outcome& got, const Outcome& want) {
  EXPECT_EQ(bits(got.weights), bits(want.weights));
  EXPECT_EQ(bits(got.velocity), bits(want.velocity));
  EXPECT_EQ(bits(got.second_moment), bits(want.second_moment));
  EXPECT_EQ(bits(got.accumulator), bits(want.accumulator));
  for (std::size_t i = 0; i < want.totals.size(); ++i) {
    EXPECT_EQ(got.totals[i].writes, want.totals[i].writes) << i;
    EXPECT_NEAR(got.totals[i].path, want.totals[i].path, 1e-5 * want.totals[i].path) << i;  // summed in float in blocks
    EXPECT_NEAR(got.totals[i].squared, want.totals[i].squared, 1e-5 * want.totals[i].squared) << i;
  }
}

void expect_every_case(const Context& context) {
  for (const Case& c : cases()) {
    SCOPED_TRACE("method " + std::to_string(static_cast<int>(c.method)) + ", mask " +
                 std::to_string(static_cast<int>(c.mask)) + (c.accumulator ? ", accumulator" : ""));
    expect_same(run(context, c), expected(c));
  }
}

TEST(ReplicaUpdate, gives_each_replica_what_the_plain_functions_give_it_alone) {
  expect_every_case(Context::cpu(1));
  expect_every_case(Context::cpu(2));
}
TEST_F(OnCuda, replica_update_gives_each_replica_what_the_plain_functions_give_it_alone) {
  expect_every_case(Context::cuda());
}

void expect_refusal(const Context& context) {
  std::vector<float> g = gradient_of(1);
  g[k_size + 5] = std::numeric_limits<float>::quiet_NaN();  // of replica 1
  Buffer<float> gradient(context, g), weights(context, normals(k_all, 9)), velocity(context, k_all);
  Buffer<Selection> selection(context, k_replicas * k_segments);
  Buffer<UpdateCounts> counts(context, k_replicas * k_segments), totals(context, k_replicas * (k_segments + 1));
  Buffer<ReplicaRule> rules(context, rules_of(1));
  const Buffer<std::int64_t> ranks(context, ranks_of(1));
  replica_update(context, k_replicas, segments(), {UpdateMethod::sgd, Mask::selection}, rules.data(),
                 {gradient.data(), weights.data(), velocity.data(), nullptr, nullptr, ranks.data(), selection.data(),
                  counts.data(), totals.data()});
  const std::vector<ReplicaRule> after = rules.get();
  const std::vector<float> start = normals(k_all, 9), now = weights.get();
  EXPECT_EQ(after[0].refused, 0);
  EXPECT_EQ(after[1].refused, 1);
  EXPECT_TRUE(std::equal(now.begin() + k_size, now.begin() + 2 * k_size, start.begin() + k_size));
  EXPECT_FALSE(std::equal(now.begin(), now.begin() + k_size, start.begin()));
  EXPECT_EQ(totals.get()[2 * k_segments + 1].writes, 0);
}

TEST(ReplicaUpdate, a_replica_with_a_nan_among_ranked_changes_writes_nothing) { expect_refusal(Context::cpu()); }
TEST_F(OnCuda, a_replica_with_a_nan_among_ranked_changes_writes_nothing) { expect_refusal(Context::cuda()); }

TEST(ReplicaUpdate, refuses_masks_and_arrays_that_it_cannot_use) {
  const auto code = [](ReplicaUpdate update, ReplicaArrays arrays) -> std::string {
    try {
      replica_update(Context::cpu(), 0, segments(), update, nullptr, arrays);
    } catch (const core::Error& error) {
      return error.diagnostics().front().code;
    }
    return "";
  };
  float word = 0;
  UpdateCounts counts;
  ReplicaArrays arrays;
  EXPECT_EQ(code({}, arrays), "E901");
  arrays.gradient = arrays.weights = &word, arrays.counts = arrays.totals = &counts;
  EXPECT_EQ(code({}, arrays), "");
  EXPECT_EQ(code({UpdateMethod::sgd, Mask::random}, arrays), "E901");
  EXPECT_EQ(code({UpdateMethod::sgd, Mask::selection}, arrays), "E901");
  EXPECT_EQ(code({UpdateMethod::adamw, Mask::all}, arrays), "E901");
}

}  // namespace
}  // namespace eos::kernels
