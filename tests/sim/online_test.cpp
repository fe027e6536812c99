// Updates from single samples: the direct way against the one over a stored gradient, and counts against comparisons.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>

#include "../../sim/src/replica.hpp"
#include "eos/core/philox.hpp"
#include "support.hpp"

namespace eos::sim::testing {
namespace {

using theory::Activation;
using theory::Ledger;

std::vector<float> normals(std::size_t size, std::uint32_t stream, float share_of_zeros) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    const core::Address at{stream, 0, core::Purpose::test, static_cast<std::uint32_t>(i)};
    values[i] = core::uniform(8, at) < share_of_zeros ? 0.0f : static_cast<float>(core::normal_pair(7, at)[0]);
  }
  return values;
}

struct Case {
  const char* name;
  theory::NetworkSpec network;
  double theta;  ///< below 0: every weight is written
};

std::vector<Case> cases() {
  theory::NetworkSpec relu, logistic, leaky;
  logistic.activation = Activation::logistic, logistic.output = Activation::logistic, logistic.biases = false;
  logistic.loss = theory::Loss::squared, logistic.output_slope = false;
  leaky.activation = Activation::leaky_relu, leaky.loss = theory::Loss::squared;
  return {{"relu", relu, -1}, {"relu_threshold", relu, 0.01}, {"logistic", logistic, -1}, {"leaky", leaky, 0.003}};
}

class OnlineUpdates : public ::testing::TestWithParam<Case> {};
INSTANTIATE_TEST_SUITE_P(Networks, OnlineUpdates, ::testing::ValuesIn(cases()),
                         [](const auto& c) { return std::string(c.param.name); });

TEST_P(OnlineUpdates, write_the_bits_that_a_stored_gradient_gives) {
  const theory::NetworkSpec& network = GetParam().network;
  const kernels::Context context = kernels::Context::cpu();
  const Network layout({40, 21, 13, 5}, network);
  theory::PlasticitySpec plasticity;
  if (GetParam().theta >= 0) plasticity.rule = theory::WriteRule::threshold;
  OnlineUpdate online(context, {}, plasticity, layout, 1);
  ASSERT_TRUE(online.takes(1));
  Plasticity passes(context, {}, plasticity, 0, layout, 1);
  Backward backward(context, layout, 1);
  Activations a(context, layout, 1);
  std::vector<float> direct = initial_weights(layout, network, 1), stored = direct, gradient(direct.size());
  WriteControls controls;
  controls.learning_rate = 0.1, controls.theta = GetParam().theta;
  for (std::uint32_t step = 0; step < 30; ++step) {
    const std::vector<float> x = normals(40, 2 * step, 0.6f);
    std::vector<float> dz = normals(5, 2 * step + 1, 0);
    const std::vector<float> sent = normals(5, 100 + step, 0);
    std::copy(x.begin(), x.end(), a.row(0, 0));
    forward(context, layout, direct.data(), a, 0, 1);
    backward.run(context, layout, stored.data(), a, Pass{0, 1}, dz.data(), sent.data(), gradient.data());
    passes.apply(gradient.data(), controls, stored.data());
    online.run(a, dz.data(), sent.data(), controls, direct.data());
    ASSERT_EQ(std::memcmp(direct.data(), stored.data(), direct.size() * sizeof(float)), 0) << "step " << step;
    for (std::size_t l = 0; l < 3; ++l) {
      const theory::Ledger& expected = passes.changes()[l];
      EXPECT_EQ(online.counts()[l].writes, expected.writes);
      // Both sums are within 1e-5 of the exact one.
      EXPECT_NEAR(online.counts()[l].path, expected.path_length, 2e-5 * expected.path_length);
      EXPECT_NEAR(online.counts()[l].squared, expected.path_squared, 2e-5 * expected.path_squared);
    }
  }
}

TEST(OnlineUpdate, leaves_what_needs_memory_or_more_samples_to_the_general_way) {
  const kernels::Context context = kernels::Context::cpu();
  const Network layout({4, 3, 2});
  const auto takes = [&](auto change) {
    theory::OptimiserSpec optimiser;
    theory::PlasticitySpec plasticity;
    change(optimiser, plasticity);
    return OnlineUpdate(context, optimiser, plasticity, layout, 1).takes(1);
  };
  EXPECT_TRUE(takes([](auto&, auto&) {}));
  EXPECT_FALSE(takes([](auto& o, auto&) { o.momentum = 0.5; }));
  EXPECT_FALSE(takes([](auto& o, auto&) { o.weight_decay = 0.1; }));
  EXPECT_FALSE(takes([](auto& o, auto&) { o.kind = theory::OptimiserKind::adamw; }));
  for (const char* method : {"top-k", "random", "error-feedback"})
    EXPECT_FALSE(takes([&](auto&, auto& p) { p = theory::plasticity_preset(method); })) << method;
  EXPECT_FALSE(OnlineUpdate(context, {}, {}, layout, 1).takes(2));
  // A row left of a larger batch goes the usual way, so that it adds up as it does among replicas.
  EXPECT_FALSE(OnlineUpdate(context, {}, {}, layout, 16).takes(1));
}

class OnlineTraining : public ::testing::TestWithParam<const char*> {};
INSTANTIATE_TEST_SUITE_P(Methods, OnlineTraining, ::testing::Values("all", "lazy", "threshold"));

TEST_P(OnlineTraining, ledger_equals_counts_made_by_comparing_weights_before_and_after) {
  const TaskData data = small_task(150);
  theory::TrainingSpec spec = small_spec(data);
  spec.batch = 1, spec.optimiser.learning_rate = 0.05;
  const std::string method = GetParam();
  if (method == "lazy") spec.selection = theory::selection_preset("lazy");
  if (method == "threshold") spec.plasticity.rule = theory::WriteRule::threshold, spec.plasticity.theta = 0.002;
  const kernels::Context context = kernels::Context::cpu();
  const RunSetup setup(spec, data, context);
  Replica replica(setup, context, 5);
  std::vector<float> before = replica.result(RunStatus::complete).weights;
  std::vector<Ledger> layers(3);
  while (!replica.finished()) {
    replica.advance();  // at most one update
    const std::vector<float> after = replica.result(RunStatus::complete).weights;
    for (std::size_t l = 0; l < 3; ++l) {
      for (std::int64_t i = setup.layout.offsets[l]; i < setup.layout.offsets[l + 1]; ++i) {
        const double change = static_cast<double>(after[i]) - before[i];
        layers[l].writes += change != 0;
        layers[l].path_length += std::abs(change);
        layers[l].path_squared += change * change;
      }
    }
    before = after;
  }
  const ReplicaResult result = replica.result(RunStatus::complete);
  for (std::size_t l = 0; l < 3; ++l) {
    EXPECT_EQ(result.layers[l].writes, layers[l].writes) << "layer " << l;
    // The kernels' sums are within 1e-5 of the exact ones.
    EXPECT_NEAR(result.layers[l].path_length, layers[l].path_length, 1e-5 * layers[l].path_length);
    EXPECT_NEAR(result.layers[l].path_squared, layers[l].path_squared, 1e-5 * layers[l].path_squared);
  }
  EXPECT_GT(layers[0].writes, 0);
}

}  // namespace
}  // namespace eos::sim::testing
