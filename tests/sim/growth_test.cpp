// Residual branches that appear in the course of a run.
#include "../../sim/src/growth.hpp"

#include <gtest/gtest.h>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim {
namespace {

constexpr int k_rows = 3;

theory::NetworkSpec gpt() {
  theory::NetworkSpec spec;
  spec.architecture = theory::Architecture::gpt;
  spec.width = 8, spec.depth = 2, spec.heads = 2, spec.feedforward = 12;
  return spec;
}
theory::DataShape text() { return {{6, 1, 1, true}, 11, true}; }

TEST(ResidualBranches, are_attention_and_feed_forward_of_every_block) {
  const theory::Graph graph = theory::build_graph(gpt(), text());
  const std::vector<theory::Branch> branches = theory::residual_branches(graph);
  ASSERT_EQ(branches.size(), 4u);
  // T = 6, D = 8, F = 12. Attention: q, k, v and output are 4 D^2 a token, and 2 D for each of the T(T+1)/2 pairs.
  EXPECT_EQ(branches[0].forward_macs, 6 * 4 * 64 + 2 * 8 * 21);
  EXPECT_EQ(branches[1].forward_macs, 6 * 2 * 8 * 12);
  EXPECT_EQ(branches[1].backward_macs, 2 * branches[1].forward_macs);
  EXPECT_EQ(branches[0].backward_macs, 2 * branches[0].forward_macs);
  // Weights and biases, and gains and biases of the norm in front.
  EXPECT_EQ(branches[0].parameters, 4 * 64 + 4 * 8 + 16);
  EXPECT_EQ(branches[1].parameters, 2 * 8 * 12 + 12 + 8 + 16);
  EXPECT_EQ(branches[0].to, branches[1].from);
  EXPECT_EQ(graph.blocks[static_cast<std::size_t>(branches[1].last)].rows, 12);
}

TEST(ResidualBranches, do_not_exist_in_a_chain) {
  theory::NetworkSpec mlp;
  EXPECT_TRUE(theory::residual_branches(theory::build_graph(mlp, {{5, 5, 1, false}, 3, false})).empty());
}

TEST(ResidualBranches, appear_at_the_ends_of_stages) {
  const theory::GrowthSpec growth{{0.25, 0.5}, {0.2, 0.6}, 1};
  EXPECT_EQ(theory::grown_branches(growth, 8, 0), 2);
  EXPECT_EQ(theory::grown_branches(growth, 8, 0.19), 2);
  EXPECT_EQ(theory::grown_branches(growth, 8, 0.2), 4);
  EXPECT_EQ(theory::grown_branches(growth, 8, 0.6), 8);
  EXPECT_EQ(theory::grown_branches(growth, 1, 0), 1);
  EXPECT_EQ(theory::grown_branches({}, 8, 0), 8);
  EXPECT_EQ(theory::stage_ends({{0.1, 0.2, 0.25, 0.5}, {}, 0.5}), (std::vector<double>{0.125, 0.25, 0.375, 0.5}));
}

struct Fixture {
  kernels::Context context = kernels::Context::cpu();
  Network network{gpt(), text()};
  Growth growth{context, {{0.5}, {0.5}, 1}, network};
  kernels::Buffer<float> weights{context, initial_weights(network, gpt(), 7)};
  Activations a{context, network, k_rows};
  std::vector<float> state = std::vector<float>(1);

  Fixture() {
    growth.start(weights);
    for (int i = 0; i < k_rows * 6; ++i) a.row(0, 0)[i] = static_cast<float>(i * 7 % 11);
  }
  Pass pass(int depth) const {
    Pass pass;
    pass.rows = k_rows, pass.depth = depth;
    return pass;
  }
  std::vector<float> outputs(int depth) {
    forward(context, network, weights.data(), a, pass(depth));
    const float* last = a.row(network.nodes(), 0);
    return {last, last + k_rows * a.level_size(network.nodes())};
  }
  std::vector<float> gradient(int depth) {
    std::vector<float> dz(static_cast<std::size_t>(k_rows * 6 * 11)), g(weights.size(), 0.0f);
    for (std::size_t i = 0; i < dz.size(); ++i) dz[i] = static_cast<float>(i * 29 % 53) / 53.0f - 0.5f;
    outputs(depth);
    Backward backward(context, network, k_rows);
    backward.run(context, network, weights.data(), a, pass(depth), dz.data(), dz.data(), g.data());
    return g;
  }
};

TEST(Growth, does_not_change_the_function) {
  Fixture f;
  EXPECT_EQ(f.growth.depth(), 2);
  EXPECT_EQ(f.outputs(2), f.outputs(-1));
}

TEST(Growth, leaves_the_gradient_of_what_exists) {
  Fixture f;
  const std::vector<float> some = f.gradient(f.growth.depth()), all = f.gradient(-1);
  bool moves = false;
  for (int l = 0; l < f.network.layers(); ++l) {
    const bool rests = f.growth.resting()[static_cast<std::size_t>(l)] != 0;
    const theory::Block& block = f.network.block(l);
    for (std::int64_t i = block.offset; i < block.offset + block.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      // An absent branch adds exact zeros to values and errors.
      ASSERT_EQ(some[at], rests ? 0.0f : all[at]) << block.name;
      moves |= rests && all[at] != 0;
    }
  }
  EXPECT_TRUE(moves) << "a branch that appears must be able to learn";
}

TEST(Growth, is_not_for_networks_without_branches) {
  const TaskData data = testing::small_task();
  theory::TrainingSpec spec = testing::small_spec(data);
  spec.plasticity = theory::plasticity_preset("growth");
  EXPECT_EQ(testing::error_code([&] { testing::run(spec, data); }), "E107");
  spec.plasticity.freeze.law = theory::FreezeLaw::linear;
  EXPECT_EQ(testing::error_code([&] { spec.check(); }), "E107");
  spec.plasticity.freeze = {};
  spec.plasticity.growth.until = {0.5};
  EXPECT_EQ(testing::error_code([&] { spec.check(); }), "E107");
}

TaskData tokens() {
  theory::DataSpec data;
  data.name = "markov";
  data.train_samples = 64, data.validation_samples = 8, data.test_samples = 8;
  data.sequence = 6;
  return load_data(data);
}

theory::TrainingSpec growing(const TaskData& data) {
  theory::TrainingSpec spec;
  spec.data.name = data.name;
  spec.data.train_samples = data.train.samples;
  spec.network = gpt();
  spec.optimiser.kind = theory::OptimiserKind::adamw;
  spec.optimiser.learning_rate = 0.01, spec.optimiser.weight_decay = 0.1;
  spec.batch = 8;
  spec.epochs = 2, spec.evaluate_every = 0.5;
  spec.checkpoint_seconds = 0;
  spec.plasticity = theory::plasticity_preset("growth+error-feedback");
  spec.plasticity.growth = {{0.25, 0.5}, {0.25, 0.5}, 1};
  spec.plasticity.theta = 1e-3;
  return spec;
}

TEST(Growth, costs_what_exists) {
  const TaskData data = tokens();
  const theory::TrainingSpec spec = growing(data);
  const TrainResult result = testing::run(spec, data);
  const theory::Graph graph = theory::build_graph(spec.network, data.shape());
  const std::vector<theory::Branch> branches = theory::residual_branches(graph);
  const theory::NetworkCounts all = theory::graph_counts(graph, 6);
  theory::Ledger expected;
  for (int step = 0; step < 16; ++step) {
    const int depth = step < 4 ? 1 : step < 8 ? 2 : 4;
    theory::NetworkCounts now = all;
    for (std::size_t b = static_cast<std::size_t>(depth); b < branches.size(); ++b) {
      now.forward_macs -= branches[b].forward_macs, now.backward_macs -= branches[b].backward_macs;
      now.parameters -= branches[b].parameters;
    }
    expected.forward_macs += 8 * now.forward_macs, expected.backward_macs += 8 * now.backward_macs;
    expected.accumulator_updates += now.parameters;
    expected.weight_reads += 3 * now.parameters;
  }
  const theory::Ledger& l = result.replicas[0].epochs.back().ledger;
  EXPECT_EQ(l.forward_macs, expected.forward_macs);
  EXPECT_EQ(l.backward_macs, expected.backward_macs);
  EXPECT_EQ(l.accumulator_updates, expected.accumulator_updates);
  EXPECT_EQ(l.weight_reads, expected.weight_reads);
  EXPECT_EQ(l.scoring_macs, 0);
}

TEST(Growth, leaves_what_does_not_exist_as_it_is) {
  const TaskData data = tokens();
  const theory::TrainingSpec spec = growing(data);
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 3);
  const std::vector<float> before = replica.result(RunStatus::complete).weights;
  for (int step = 0; step < 4; ++step) replica.advance();
  const std::vector<float> after = replica.result(RunStatus::complete).weights;
  const theory::Block& later = setup.layout.block(setup.layout.branches[1].first_block);
  for (std::int64_t i = later.offset; i < setup.layout.block(setup.layout.branches[3].last).offset; ++i)
    ASSERT_EQ(after[static_cast<std::size_t>(i)], before[static_cast<std::size_t>(i)]) << i;
  while (!replica.finished()) replica.advance();
  const std::vector<float> end = replica.result(RunStatus::complete).weights;
  const theory::Block& last = setup.layout.block(setup.layout.branches[3].last);
  EXPECT_NE(end[static_cast<std::size_t>(last.offset)], 0.0f);
}

TEST(Growth, survives_a_kill_at_every_chunk) {
  const TaskData data = tokens();
  theory::TrainingSpec spec = growing(data);
  spec.selection = theory::selection_preset("dbpd");
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica whole(setup, context, 3);
  while (!whole.finished()) whole.advance();
  const std::vector<float> undisturbed = whole.result(RunStatus::complete).weights;
  for (int chunks = 1; chunks < 16; chunks += 2) {
    Replica killed(setup, context, 3), resumed(setup, context, 3);
    for (int i = 0; i < chunks; ++i) killed.advance();
    resumed.restore(killed.checkpoint());
    while (!resumed.finished()) resumed.advance();
    EXPECT_EQ(resumed.result(RunStatus::complete).weights, undisturbed) << chunks;
    EXPECT_EQ(resumed.ledger().forward_macs, whole.ledger().forward_macs) << chunks;
  }
}

}  // namespace
}  // namespace eos::sim
