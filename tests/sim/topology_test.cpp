// Sparse topologies against the rules of their papers, written out: SET, RigL, Top-KAST.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "../../sim/src/replica.hpp"
#include "structure_oracle.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Ledger;
using Flags = std::vector<std::uint8_t>;

// Single precision against double: one update of weights of order one, at a rate of 0.2.
constexpr double k_update_error = 1e-6;

theory::TrainingSpec sparse(const TaskData& data, const std::string& method) {
  theory::TrainingSpec spec = small_spec(data);
  spec.plasticity = theory::plasticity_preset(method);
  spec.plasticity.topology.interval = 3;
  spec.plasticity.topology.density = 0.4;
  spec.optimiser.law = theory::RateLaw::constant;
  spec.epochs = 2;
  return spec;
}

struct State {
  std::vector<double> weights;
  Flags used, learns;
};
State state_of(Replica& replica) {
  const core::Dataset data = replica.checkpoint();
  const auto flags = [&](const char* name) { return std::get<Flags>(data.find(name)->values); };
  return {data.numbers("weights"), flags("used"), flags("learns")};
}

/// Gradient of the mean loss of a batch for given weights, of all connections.
std::vector<double> gradient_of(const RunSetup& setup, const std::vector<double>& weights, const LabelledSet& set,
                                const std::vector<int>& batch) {
  PlainNetwork net(setup.layout.widths, std::vector<float>(weights.begin(), weights.end()));
  net.loss_and_gradient(set, batch, std::vector<double>(batch.size(), 1.0), 1.0 / setup.spec.batch);
  return net.gradient;
}

/// Indices [begin, end) sorted by falling score.
template <class Score>
std::vector<std::size_t> sorted(std::size_t begin, std::size_t end, Score score) {
  std::vector<std::size_t> order(end - begin);
  std::iota(order.begin(), order.end(), begin);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return score(a) > score(b); });
  return order;
}

// 12-10-7-3: sizes 120, 70, 21; Erdos-Renyi at 0.4 of 211: eps (22 + 17 + 10) = 84.4, so 37.9, 29.3, 17.2 connections.
const std::vector<std::int64_t> k_used{38, 29, 17};

TEST(Rigl, drops_the_smallest_grows_the_largest_gradients_and_keeps_its_density) {
  const TaskData data = small_task(160);
  const theory::TrainingSpec spec = sparse(data, "rigl");
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  std::int64_t macs = 0, writes = 0;
  int rewired = 0;
  const auto batches = dense_batches(1, 160, 16, 2);
  for (std::size_t t = 0; t < batches.size(); ++t) {
    const State before = state_of(replica);
    const std::vector<double> g = gradient_of(setup, before.weights, data.train, batches[t]);
    replica.advance();
    const State after = state_of(replica);
    const double progress = static_cast<double>(t) / 20;
    const bool rewires = (t + 1) % 3 == 0 && progress < 0.75;
    macs += rewires ? 16 * (120 + 70 + 21 + 29 + 17) : 16 * (38 + 29 + 17 + 29 + 17);
    for (std::size_t l = 0; l < 3; ++l) {
      const auto begin = static_cast<std::size_t>(setup.layout.offsets[l]),
                 end = static_cast<std::size_t>(setup.layout.bias_offset(static_cast<int>(l)));
      EXPECT_EQ(std::count(after.used.begin() + begin, after.used.begin() + end, 1), k_used[l]);
      for (std::size_t i = begin; i < end; ++i)
        if (after.used[i] == 0) {
          EXPECT_EQ(after.weights[i], 0.0) << "what does not exist is 0";
        }
      for (std::size_t i = begin; i < end && !rewires; ++i)
        EXPECT_NEAR(after.weights[i], before.weights[i] - (before.used[i] != 0 ? 0.2 * g[i] : 0), k_update_error);
      if (!rewires) continue;
      const double share = 0.3 / 2 * (1 + std::cos(std::numbers::pi * progress / 0.75));
      const auto dropped = static_cast<std::size_t>(share * static_cast<double>(k_used[l]));
      Flags expected(after.used.size(), 0);
      const auto by_weight =
          sorted(begin, end, [&](std::size_t i) { return before.used[i] != 0 ? std::abs(before.weights[i]) : -1.0; });
      const auto kept = static_cast<std::size_t>(k_used[l]) - dropped;
      for (std::size_t i = 0; i < kept; ++i) expected[by_weight[i]] = 1;
      const auto by_gradient =
          sorted(begin, end, [&](std::size_t i) { return expected[i] != 0 ? -1.0 : std::abs(g[i]); });
      for (std::size_t i = 0; i < dropped; ++i) expected[by_gradient[i]] = 1;
      for (std::size_t i = begin; i < end; ++i) {
        EXPECT_EQ(after.used[i], expected[i]) << "layer " << l << ", update " << t;
        // Old connections keep their weight, new ones start at 0.
        EXPECT_EQ(after.weights[i], expected[i] != 0 ? before.weights[i] : 0.0);
      }
      rewired += dropped > 0;
    }
    for (std::size_t i = 0; i < after.weights.size(); ++i) writes += after.weights[i] != before.weights[i];
  }
  EXPECT_GT(rewired, 6);
  const Ledger& ledger = replica.result(RunStatus::complete).epochs.back().ledger;
  EXPECT_EQ(ledger.backward_macs, macs);
  EXPECT_EQ(ledger.forward_macs, ledger.samples_backward * (38 + 29 + 17));
  EXPECT_EQ(ledger.writes, writes);
  EXPECT_EQ(ledger.weight_reads, (20 + 2 * 20) * (38 + 29 + 17 + 20));
}

TEST(Set, replaces_the_smallest_by_random_connections) {
  const TaskData data = small_task(160);
  const theory::TrainingSpec spec = sparse(data, "set");
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  const auto batches = dense_batches(1, 160, 16, 2);
  std::int64_t writes = 0, grown = 0;
  for (std::size_t t = 0; t < batches.size(); ++t) {
    const State before = state_of(replica);
    const std::vector<double> g = gradient_of(setup, before.weights, data.train, batches[t]);
    replica.advance();
    const State after = state_of(replica);
    const double progress = static_cast<double>(t) / 20;
    const bool rewires = (t + 1) % 3 == 0 && progress < 0.75;
    std::vector<double> written = before.weights;
    for (std::size_t i = 0; i < written.size(); ++i)
      if (before.used[i] != 0 && !rewires) written[i] -= 0.2 * g[i];
    for (std::size_t l = 0; l < 3; ++l) {
      const auto begin = static_cast<std::size_t>(setup.layout.offsets[l]),
                 end = static_cast<std::size_t>(setup.layout.bias_offset(static_cast<int>(l)));
      EXPECT_EQ(std::count(after.used.begin() + begin, after.used.begin() + end, 1), k_used[l]);
      const double share = rewires ? 0.3 / 2 * (1 + std::cos(std::numbers::pi * progress / 0.75)) : 0;
      const auto dropped = static_cast<std::size_t>(share * static_cast<double>(k_used[l]));
      const auto by_weight =
          sorted(begin, end, [&](std::size_t i) { return before.used[i] != 0 ? std::abs(written[i]) : -1.0; });
      for (std::size_t i = 0; i + dropped < static_cast<std::size_t>(k_used[l]); ++i) {
        EXPECT_EQ(after.used[by_weight[i]], 1);
        EXPECT_NEAR(after.weights[by_weight[i]], written[by_weight[i]], k_update_error);
      }
      for (std::size_t i = begin; i < end; ++i) {
        grown += after.used[i] != 0 && before.used[i] == 0;
        if (after.used[i] == 0 || before.used[i] == 0) {
          EXPECT_EQ(after.weights[i], 0.0);
        }
      }
    }
    for (std::size_t i = 0; i < after.weights.size(); ++i) writes += after.weights[i] != before.weights[i];
  }
  EXPECT_GT(grown, 10);
  const Ledger& ledger = replica.result(RunStatus::complete).epochs.back().ledger;
  EXPECT_EQ(ledger.backward_macs, ledger.samples_backward * (38 + 29 + 17 + 29 + 17));
  EXPECT_EQ(ledger.writes, writes);
}

TEST(TopKast, computes_with_the_largest_lets_more_learn_and_penalises_exploration) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = sparse(data, "top-kast");
  theory::TopologySpec& topology = spec.plasticity.topology;
  topology.density = 0.25, topology.learning_density = 0.5, topology.exploration = 0.05;
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  const std::vector<std::int64_t> used{30, 18, 5}, learning{60, 35, 11};  // of 120, 70, 21, rounded
  const auto batches = dense_batches(1, 160, 16, 2);
  for (std::size_t t = 0; t < batches.size(); ++t) {
    const State before = state_of(replica);
    std::vector<double> effective = before.weights;
    for (std::size_t i = 0; i < effective.size(); ++i)
      if (before.used[i] == 0) effective[i] = 0;
    const std::vector<double> g = gradient_of(setup, effective, data.train, batches[t]);
    replica.advance();
    const State after = state_of(replica);
    for (std::size_t l = 0; l < 3; ++l) {
      const auto begin = static_cast<std::size_t>(setup.layout.offsets[l]),
                 end = static_cast<std::size_t>(setup.layout.bias_offset(static_cast<int>(l)));
      const double density = static_cast<double>(used[l]) / static_cast<double>(end - begin);
      for (std::size_t i = begin; i < end; ++i) {
        const double penalty = before.used[i] != 0 ? 0.05 : before.learns[i] != 0 ? 0.05 / density : 0;
        const double slope = before.learns[i] != 0 ? g[i] + penalty * before.weights[i] : 0;
        EXPECT_NEAR(after.weights[i], before.weights[i] - 0.2 * slope, k_update_error) << "layer " << l;
        EXPECT_LE(after.used[i], after.learns[i]) << "what is used learns";
      }
      const bool ranked = t == 0 || (t + 1) % 3 == 0;  // of these weights; the first time, of the initial ones
      const std::vector<double>& w = t == 0 ? before.weights : after.weights;
      if (!ranked) continue;
      const auto order = sorted(begin, end, [&](std::size_t i) { return std::abs(w[i]); });
      for (std::size_t i = 0; i < order.size(); ++i) {
        EXPECT_EQ(after.used[order[i]] != 0, static_cast<std::int64_t>(i) < used[l]);
        EXPECT_EQ(after.learns[order[i]] != 0, static_cast<std::int64_t>(i) < learning[l]);
      }
    }
  }
  const ReplicaResult result = replica.result(RunStatus::complete);
  const Ledger& ledger = result.epochs.back().ledger;
  EXPECT_EQ(ledger.forward_macs, ledger.samples_backward * (30 + 18 + 5));
  EXPECT_EQ(ledger.backward_macs, ledger.samples_backward * (60 + 35 + 11 + 18 + 5));
  // Evaluation, too, computes with the used weights.
  const State last = state_of(replica);
  std::vector<float> effective(last.weights.begin(), last.weights.end());
  for (std::size_t i = 0; i < effective.size(); ++i)
    if (last.used[i] == 0) effective[i] = 0;
  PlainNetwork net(setup.layout.widths, effective);
  double loss = 0;
  for (int s = 0; s < data.validation.samples; ++s)
    loss -= std::log(net.probabilities(
        data.validation, s)[static_cast<std::size_t>(data.validation.labels[static_cast<std::size_t>(s)])]);
  EXPECT_NEAR(result.epochs.back().validation_loss, loss / data.validation.samples, 1e-5);
}

TEST(FixedTopology, learns_as_a_dense_network_whose_other_weights_are_held_at_zero) {
  const TaskData data = small_task(64);
  const theory::TrainingSpec spec = [&] {
    theory::TrainingSpec s = sparse(data, "all");
    s.plasticity.topology.rule = theory::TopologyRule::fixed;
    s.plasticity.topology.law = theory::DensityLaw::uniform;
    return s;
  }();
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  const Flags first = state_of(replica).used;
  for (const std::vector<int>& batch : dense_batches(1, 64, 16, 2)) {
    const State before = state_of(replica);
    const std::vector<double> g = gradient_of(setup, before.weights, data.train, batch);
    replica.advance();
    const State after = state_of(replica);
    EXPECT_EQ(after.used, first);
    for (std::size_t i = 0; i < g.size(); ++i)
      EXPECT_NEAR(after.weights[i], first[i] != 0 ? before.weights[i] - 0.2 * g[i] : 0, k_update_error);
  }
}

TEST(Rigl, clears_the_optimiser_state_of_connections_that_change) {
  const TaskData data = small_task(160);
  theory::TrainingSpec spec = sparse(data, "rigl");
  spec.optimiser.momentum = 0.9;
  const RunSetup setup(spec, data, kernels::Context::cpu());
  Replica replica(setup, kernels::Context::cpu(), 1);
  int changed = 0;
  for (int t = 0; t < 20; ++t) {
    const State before = state_of(replica);
    replica.advance();
    const State after = state_of(replica);
    const std::vector<double> velocity = replica.checkpoint().numbers("velocity");
    for (std::size_t i = 0; i < velocity.size(); ++i) {
      if (after.used[i] == 0 || after.used[i] != before.used[i]) {
        EXPECT_EQ(velocity[i], 0.0);
      }
      changed += after.used[i] != before.used[i];
    }
  }
  EXPECT_GT(changed, 10);
}

}  // namespace
}  // namespace eos::sim::testing
