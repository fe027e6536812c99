// Updates whose backward pass stops above the first layer: what they compute, write and count, and how deep they reach.
#include "../../sim/src/layer_gate.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

theory::TrainingSpec spec_of(const TaskData& data, const char* method) {
  theory::TrainingSpec spec = small_spec(data);
  spec.network.hidden = {10, 9, 8};
  spec.plasticity = theory::plasticity_preset(method);
  return spec;
}

struct Steps {
  TaskData data = small_task(192);  // whole batches: every step is an update
  theory::TrainingSpec spec;
  kernels::Context context = kernels::Context::cpu();
  RunSetup setup;
  Replica replica;

  explicit Steps(const char* method, double depth_share = 0.5)
      : spec(with(spec_of(data, method), depth_share)), setup(spec, data, context), replica(setup, context, 1) {}
  static theory::TrainingSpec with(theory::TrainingSpec spec, double depth_share) {
    spec.plasticity.depth_share = depth_share;
    spec.epochs = 10;
    return spec;
  }
  std::vector<float> weights() { return std::get<std::vector<float>>(replica.checkpoint().find("weights")->values); }
};

TEST(LayerGateAtRandom, skips_all_below_a_block_and_counts_what_is_left) {
  Steps s("random-skipping", 0.4);
  const Network& network = s.setup.layout;
  std::vector<int> depths(4, 0);
  std::vector<float> before = s.weights();
  std::int64_t macs = 0;
  for (int step = 0; step < 100; ++step) {
    s.replica.advance();
    const std::vector<float> after = s.weights();
    int first = 0;  // block that was written first
    while (first < 4 && std::equal(before.begin() + network.offsets[static_cast<std::size_t>(first)],
                                   before.begin() + network.offsets[static_cast<std::size_t>(first) + 1],
                                   after.begin() + network.offsets[static_cast<std::size_t>(first)]))
      ++first;
    ASSERT_LT(first, 4);
    ++depths[static_cast<std::size_t>(first)];
    const std::int64_t now = s.replica.ledger().backward_macs;
    const std::int64_t widths[] = {12, 10, 9, 8, 3};
    std::int64_t expected = 0;
    for (int l = first; l < 4; ++l) expected += (l > first ? 2 : 1) * widths[l] * widths[l + 1];
    EXPECT_EQ(now - macs, 16 * expected) << "step " << step;
    macs = now, before = after;
  }
  EXPECT_NEAR(depths[0], 40, 15);  // three standard deviations of a binomial
  for (int l = 1; l < 4; ++l) EXPECT_NEAR(depths[static_cast<std::size_t>(l)], 20, 12) << l;
}

TEST(LayerGateAtRandom, with_a_share_of_1_is_plain_training) {
  Steps plain("all"), gated("random-skipping", 1);
  for (int step = 0; step < 20; ++step) plain.replica.advance(), gated.replica.advance();
  EXPECT_EQ(plain.weights(), gated.weights());
  EXPECT_EQ(plain.replica.ledger().backward_macs, gated.replica.ledger().backward_macs);
}

/// A gate on gradients that are made up.
struct MadeUp {
  theory::TrainingSpec spec;
  kernels::Context context = kernels::Context::cpu();
  Network network{std::vector<int>{6, 5, 4, 3}};
  std::vector<theory::Ledger> changes = std::vector<theory::Ledger>(3);

  MadeUp() {
    spec.prices = theory::PriceList{};
    spec.prices.mac = 1, spec.prices.write = 2;
    spec.plasticity.layer_gate = theory::LayerGate::ratio;
    for (std::size_t l = 0; l < 3; ++l) changes[l].writes = static_cast<std::int64_t>(10 * (l + 1));
  }
  std::vector<float> gradient(const std::vector<double>& norms) const {
    std::vector<float> g(static_cast<std::size_t>(network.parameters()));
    for (std::size_t l = 0; l < 3; ++l) g[static_cast<std::size_t>(network.offsets[l])] = static_cast<float>(norms[l]);
    return g;
  }
};

TEST(LayerGateByRatio, stops_where_progress_per_joule_is_largest) {
  // Backward MACs of a sample: 30 + 2 (20 + 12), 20 + 2 12, 12; a forward pass costs 62. Writes cost 2 each.
  const auto best = [](std::vector<double> norms, int rows) {
    int depth = 0;
    double most = -1;
    const double macs[] = {94, 44, 12};
    for (int k = 0; k < 3; ++k) {
      double sum = 0, cost = rows * (62 + macs[k]);
      for (int l = k; l < 3; ++l)
        sum += norms[static_cast<std::size_t>(l)] * norms[static_cast<std::size_t>(l)], cost += 20 * (l + 1);
      if (sum / cost > most) most = sum / cost, depth = k;
    }
    return depth;
  };
  for (const std::vector<double>& norms :
       {std::vector<double>{1, 1, 1}, {0.1, 0.2, 3}, {0.1, 2, 1}, {0.01, 0.01, 1}, {5, 0.1, 0.1}}) {
    MadeUp m;
    LayerGate gate(m.context, m.spec, m.spec.plasticity, m.network, 3);
    const std::vector<float> gradient = m.gradient(norms);
    for (std::int64_t step = 1; step <= 2; ++step) {
      EXPECT_EQ(gate.choose(step, 8, 0, 8 * 62, false), 0) << "at first everything is looked at";
      gate.note(gradient.data(), m.changes);
    }
    // Nothing has changed, so nothing is looked at again.
    for (std::int64_t step = 3; step < 40; ++step) {
      EXPECT_EQ(gate.choose(step, 8, 0, 8 * 62, false), best(norms, 8));
      gate.note(gradient.data(), m.changes);
    }
    EXPECT_EQ(gate.choose(40, 8, 0, 8 * 62, true), 0) << "a phase on all data";
  }
}

TEST(LayerGateByRatio, looks_at_skipped_layers_the_more_often_the_faster_they_change) {
  const auto full_passes = [](double change) {
    MadeUp m;
    LayerGate gate(m.context, m.spec, m.spec.plasticity, m.network, 3);
    int full = 0;
    for (std::int64_t step = 1; step <= 400; ++step) {
      full += gate.choose(step, 8, 0, 8 * 62, false) == 0 ? 1 : 0;
      gate.note(m.gradient({0.3 * std::exp(change * std::sin(0.1 * static_cast<double>(step))), 0.1, 2}).data(),
                m.changes);
    }
    return full;
  };
  EXPECT_EQ(full_passes(0), 2);
  EXPECT_GT(full_passes(0.3), 4);
  EXPECT_GT(full_passes(2), 1.5 * full_passes(0.3));
  EXPECT_LT(full_passes(2), 200);
}

TEST(LayerGateByRatio, goes_on_from_its_sums) {
  MadeUp m;
  LayerGate one(m.context, m.spec, m.spec.plasticity, m.network, 3),
      other(m.context, m.spec, m.spec.plasticity, m.network, 3);
  for (std::int64_t step = 1; step <= 60; ++step) {
    const std::vector<float> g = m.gradient({0.2 + 0.1 * std::sin(static_cast<double>(step)), 0.1, 2});
    if (step == 30) other.restore(one.sums());
    const int first = one.choose(step, 8, 0, 500, false);
    if (step >= 30) {
      EXPECT_EQ(other.choose(step, 8, 0, 500, false), first);
      other.note(g.data(), m.changes);
    }
    one.note(g.data(), m.changes);
  }
  EXPECT_EQ(one.sums(), other.sums());
}

TEST(LayerGate, joins_every_write_rule_and_one_sample_at_a_time) {
  const TaskData data = small_task(60);
  for (const char* method : {"random-skipping", "layer-gate", "random-skipping+error-feedback", "layer-gate+cache",
                             "layer-gate+freeze+top-k", "random-skipping+rigl", "random-skipping+meprop"}) {
    SCOPED_TRACE(method);
    for (const int batch : {16, 1}) {
      theory::TrainingSpec spec = spec_of(data, method);
      spec.batch = batch;
      const TrainResult result = run(spec, data);
      const theory::Ledger& l = result.replicas[0].epochs.back().ledger;
      EXPECT_EQ(result.replicas[0].status, RunStatus::complete);
      EXPECT_LE(l.backward_macs, l.samples_backward * result.counts.backward_macs);
      EXPECT_GT(l.writes, 0);
    }
  }
}

}  // namespace
}  // namespace eos::sim::testing
