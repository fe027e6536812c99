#include "../../sim/src/unit_groups.hpp"

#include <gtest/gtest.h>

#include "../../sim/src/replica.hpp"
#include "support.hpp"

namespace eos::sim {
namespace {

using theory::GroupRule;

theory::DataShape images() { return {{12, 12, 2, false}, 5, false}; }

/// Gradients of a network with and without a choice of columns, from the same values.
void expect_chosen_columns_alone(const theory::NetworkSpec& spec, const theory::DataShape& data) {
  constexpr int k_rows = 7;
  const kernels::Context context = kernels::Context::cpu();
  const Network network(spec, data);
  const std::vector<float> weights = initial_weights(network, spec, 3);
  Activations a(context, network, k_rows);
  for (std::int64_t i = 0; i < k_rows * a.level_size(0); ++i)
    a.row(0, 0)[i] = static_cast<float>(i * 37 % 101) / 101.0f;
  forward(context, network, weights.data(), a, 0, k_rows);
  std::vector<float> dz(static_cast<std::size_t>(k_rows * network.classes()));
  for (std::size_t i = 0; i < dz.size(); ++i) dz[i] = static_cast<float>(i * 29 % 53) / 53.0f - 0.5f;
  Backward backward(context, network, k_rows);
  std::vector<float> all(weights.size()), some(weights.size(), 7.0f);
  std::vector<float> errors = dz;
  backward.run(context, network, weights.data(), a, Pass{0, k_rows}, errors.data(), errors.data(), all.data());
  UnitGroups groups(context, {GroupRule::random, 0.5, 3}, network, 11);
  groups.begin(4);
  BackwardScope scope;
  scope.columns = groups.columns();
  errors = dz;
  backward.run(context, network, weights.data(), a, Pass{0, k_rows}, errors.data(), errors.data(), some.data(), scope);
  std::int64_t learning = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const bool chosen = groups.learning()[i] != 0;
    learning += chosen;
    // The bits of a weight gradient do not depend on its neighbours.
    EXPECT_EQ(some[i], chosen ? all[i] : 0.0f) << i;
  }
  EXPECT_GT(learning, 0);
  EXPECT_LT(learning, network.parameters());
  EXPECT_GT(groups.saved_macs(0), 0);
  EXPECT_LT(groups.saved_macs(0), theory::backward_macs(network.graph, 0));
}

TEST(UnitGroups, get_the_gradient_of_their_columns_alone) {
  theory::NetworkSpec mlp;
  mlp.hidden = {13, 9};
  expect_chosen_columns_alone(mlp, images());
}

TEST(UnitGroups, of_channels_get_the_gradient_of_pooled_and_plain_convolutions) {
  theory::NetworkSpec cnn;
  cnn.architecture = theory::Architecture::cnn;
  cnn.channels = {7, 9};
  expect_chosen_columns_alone(cnn, images());
  theory::LayerSpec conv, output;
  conv.kind = theory::LayerKind::conv2d;
  conv.width = 6;
  theory::NetworkSpec plain;
  plain.architecture = theory::Architecture::layers;
  plain.layers = {conv, output};
  expect_chosen_columns_alone(plain, images());
}

TEST(UnitGroups, in_turn_reach_every_unit_equally_often) {
  theory::NetworkSpec mlp;
  mlp.hidden = {32};
  const Network network(mlp, images());
  const kernels::Context context = kernels::Context::cpu();
  UnitGroups groups(context, {GroupRule::cyclic, 0.25, 4}, network, 1);
  std::vector<int> visits(32, 0);
  for (int step = 1; step <= 8; ++step) {
    groups.begin(step);
    for (const std::int32_t unit : groups.columns()->of_block[0]) ++visits[static_cast<std::size_t>(unit)];
  }
  EXPECT_EQ(visits, std::vector<int>(32, 2));
}

// Momentum and decay must not move what has no gradient.
TEST(UnitGroups, leave_all_other_weights_as_they_are) {
  const TaskData data = testing::small_task();
  theory::TrainingSpec spec = testing::small_spec(data);
  spec.plasticity.groups = {GroupRule::random, 0.3, 2};
  spec.optimiser.momentum = 0.9, spec.optimiser.weight_decay = 0.01;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 5);
  UnitGroups expected(context, spec.plasticity.groups, setup.layout, 5);
  std::vector<float> before = replica.result(RunStatus::complete).weights;
  for (int step = 1; step <= 6; ++step) {
    replica.advance();
    const std::vector<float> after = replica.result(RunStatus::complete).weights;
    expected.begin(step);
    for (std::size_t i = 0; i < after.size(); ++i)
      if (expected.learning()[i] == 0) {
        ASSERT_EQ(after[i], before[i]) << "step " << step << " parameter " << i;
      }
    EXPECT_NE(after, before);
    before = after;
  }
}

}  // namespace
}  // namespace eos::sim
