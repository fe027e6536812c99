// Networks that contradict themselves, their data or the methods of the run.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "eos/core/error.hpp"
#include "eos/theory/data_shape.hpp"
#include "eos/theory/network_memory.hpp"
#include "eos/theory/training_spec.hpp"

namespace {

using namespace eos::theory;
using testing::HasSubstr;

using Change = std::function<void(TrainingSpec&)>;

std::vector<eos::core::Diagnostic> problems(Architecture architecture, const Change& change) {
  TrainingSpec spec;
  spec.data.name = architecture == Architecture::gpt ? "text" : "idx";
  spec.network.architecture = architecture;
  if (architecture == Architecture::layers) spec.network.layers.resize(1);
  change(spec);
  try {
    spec.check();
  } catch (const eos::core::Error& error) {
    return error.diagnostics();
  }
  return {};
}

void expect_problem(Architecture architecture, const Change& change, const char* code, const std::string& part) {
  const auto found = problems(architecture, change);
  ASSERT_EQ(found.size(), 1u) << part;
  EXPECT_EQ(found[0].code, code);
  EXPECT_THAT(found[0].message, HasSubstr(part));
  EXPECT_TRUE(found[0].code == "E104" || !found[0].help.empty()) << part;
}

constexpr Architecture k_all[] = {Architecture::mlp, Architecture::cnn, Architecture::resnet,
                                  Architecture::vit, Architecture::gpt, Architecture::layers};

TEST(NetworkChecks, every_architecture_is_valid_with_its_defaults) {
  for (const Architecture a : k_all) EXPECT_TRUE(problems(a, [](TrainingSpec&) {}).empty()) << static_cast<int>(a);
}

TEST(NetworkChecks, keys_belong_to_architectures) {
  struct Row {
    const char* key;
    Change change;
    std::vector<Architecture> owners;
  };
  using A = Architecture;
  const Row rows[] = {
      {"hidden", [](TrainingSpec& s) { s.network.hidden = {7}; }, {A::mlp}},
      {"activation", [](TrainingSpec& s) { s.network.activation = Activation::tanh; }, {A::mlp, A::cnn, A::resnet}},
      {"activation",
       [](TrainingSpec& s) { s.network.activation = Activation::gelu; },
       {A::mlp, A::cnn, A::resnet, A::vit, A::gpt}},
      {"leak", [](TrainingSpec& s) { s.network.leak = 0.3; }, {A::mlp, A::cnn, A::resnet}},
      {"biases", [](TrainingSpec& s) { s.network.biases = false; }, {A::mlp}},
      {"random_biases", [](TrainingSpec& s) { s.network.random_biases = true; }, {A::mlp}},
      {"channels", [](TrainingSpec& s) { s.network.channels = {7}; }, {A::cnn, A::resnet}},
      {"patch", [](TrainingSpec& s) { s.network.patch = 7; }, {A::vit}},
      {"width", [](TrainingSpec& s) { s.network.width = 64; }, {A::vit, A::gpt}},
      {"depth", [](TrainingSpec& s) { s.network.depth = 2; }, {A::vit, A::gpt}},
      {"heads", [](TrainingSpec& s) { s.network.heads = 2; }, {A::vit, A::gpt}},
      {"feedforward", [](TrainingSpec& s) { s.network.feedforward = 9; }, {A::vit, A::gpt}},
      {"dropout", [](TrainingSpec& s) { s.network.dropout = 0.1; }, {A::vit, A::gpt}},
      {"tied", [](TrainingSpec& s) { s.network.tied = true; }, {A::gpt}},
      {"output",
       [](TrainingSpec& s) { s.network.output = Activation::logistic, s.network.loss = Loss::squared; },
       {A::mlp}}};
  for (const Row& row : rows) {
    for (const Architecture a : k_all) {
      const auto found = problems(a, row.change);
      const bool owner = std::find(row.owners.begin(), row.owners.end(), a) != row.owners.end();
      SCOPED_TRACE(row.key + std::to_string(static_cast<int>(a)));
      ASSERT_EQ(found.size(), owner ? 0u : 1u);
      if (owner) continue;
      EXPECT_EQ(found[0].code, "E107");
      EXPECT_THAT(found[0].message, HasSubstr(std::string("network.") + row.key + " is for architecture = "));
      EXPECT_THAT(found[0].help, HasSubstr("set network.architecture"));
    }
  }
}

TEST(NetworkChecks, sizes_and_rates_have_ranges) {
  using A = Architecture;
  expect_problem(
      A::cnn,
      [](TrainingSpec& s) {
        s.network.channels = {8, 0};
      },
      "E104", "network.channels contains 0");
  expect_problem(
      A::vit, [](TrainingSpec& s) { s.network.patch = 0; }, "E104", "network.patch");
  expect_problem(
      A::vit, [](TrainingSpec& s) { s.network.depth = 0; }, "E104", "network.depth");
  expect_problem(
      A::vit, [](TrainingSpec& s) { s.network.heads = 3; }, "E107", "network.heads = 3 does not divide");
  expect_problem(
      A::gpt, [](TrainingSpec& s) { s.network.dropout = 1; }, "E104", "network.dropout");
  expect_problem(
      A::gpt, [](TrainingSpec& s) { s.network.feedforward = -1; }, "E104", "network.feedforward");
  expect_problem(
      A::resnet,
      [](TrainingSpec& s) {
        s.network.channels = {1, 2, 3, 4, 5};
      },
      "E107", "four stages");
  expect_problem(
      A::mlp, [](TrainingSpec& s) { s.network.label_smoothing = 1; }, "E104", "network.label_smoothing");
  expect_problem(
      A::mlp, [](TrainingSpec& s) { s.network.label_smoothing = 0.1, s.network.loss = Loss::squared; }, "E107",
      "is for the cross-entropy");
  expect_problem(
      A::mlp, [](TrainingSpec& s) { s.network.output = Activation::gelu; }, "E107",
      "network.output = \"gelu\" must be");
  expect_problem(
      A::layers, [](TrainingSpec& s) { s.network.layers.clear(); }, "E107", "network.layers is empty");
  expect_problem(
      A::layers, [](TrainingSpec& s) { s.network.layers[0].causal = true; }, "E107",
      "network.layers[0].causal is for layers of kind \"attention\"");
  expect_problem(
      A::layers, [](TrainingSpec& s) { s.network.layers[0].gain = 0; }, "E104", "network.layers[0].gain");
}

TEST(NetworkChecks, methods_that_choose_units_need_chains) {
  const Change changes[] = {
      [](TrainingSpec& s) { s.plasticity.units.rule = UnitRule::random, s.plasticity.units.fraction = 0.5; },
      [](TrainingSpec& s) { s.plasticity.units.path = 5; },
      [](TrainingSpec& s) { s.plasticity.topology.rule = TopologyRule::fixed; },
      [](TrainingSpec& s) { s.selection = selection_preset("shallow"); }};
  for (const Change& change : changes) {
    EXPECT_TRUE(problems(Architecture::mlp, change).empty());
    EXPECT_TRUE(problems(Architecture::layers, change).empty()) << "one dense layer is a chain";
    for (const Architecture a : {Architecture::cnn, Architecture::resnet, Architecture::vit})
      expect_problem(a, change, "E107", "needs a chain of dense layers");
    expect_problem(
        Architecture::mlp,
        [&](TrainingSpec& s) {
          change(s);
          s.network.activation = Activation::gelu;
        },
        "E107", "gelu");
  }
}

TEST(NetworkChecks, data_of_the_other_kind_are_refused) {
  expect_problem(
      Architecture::mlp, [](TrainingSpec& s) { s.data.name = "text"; }, "E107", "but the data are tokens");
  expect_problem(
      Architecture::gpt, [](TrainingSpec& s) { s.data.name = "mnist"; }, "E107", "takes tokens");
  expect_problem(
      Architecture::cnn, [](TrainingSpec& s) { s.data.name = "teacher"; }, "E107", "does not fit");
}

TEST(KnownShape, is_that_of_the_published_files_and_generated_tasks) {
  const auto shape = [](const char* name) {
    DataSpec d;
    d.name = name;
    const auto known = known_shape(d);
    return known ? to_string(known->input) + "/" + std::to_string(known->outputs) : std::string("unknown");
  };
  EXPECT_EQ(shape("fashion-mnist"), "28 x 28 x 1/10");
  EXPECT_EQ(shape("cifar-100"), "32 x 32 x 3/100");
  EXPECT_EQ(shape("text"), "128 x 1 x 1/256");
  EXPECT_EQ(shape("markov"), "128 x 1 x 1/32");
  EXPECT_EQ(shape("teacher"), "784/10");
  EXPECT_EQ(shape("auto"), "unknown");
}

TEST(NetworkMemory, counts_the_arrays_of_a_run) {
  TrainingSpec spec;
  spec.batch = 10;
  spec.network.hidden = {30};
  const Graph g = build_graph(spec.network, {{1, 1, 20, false}, 5, false});  // 30 x 21 + 5 x 31 = 785 parameters
  NetworkMemory m = network_memory(spec, g);
  EXPECT_EQ(m.weights, 785);
  EXPECT_EQ(m.gradient, 785);
  EXPECT_EQ(m.optimiser, 0) << "plain descent";
  EXPECT_EQ(m.activations, 10 * 55);
  EXPECT_EQ(m.scoring, 128 * 55) << "chains are scored in larger chunks";
  EXPECT_EQ(m.errors, 10 * (5 + 30 + 5)) << "of both layers and of the loss";
  spec.optimiser.kind = OptimiserKind::adamw;
  EXPECT_EQ(network_memory(spec, g).optimiser, 3 * 785) << "two moments and the change";
  spec.plasticity.accumulate = true;
  m = network_memory(spec, g);
  EXPECT_EQ(m.optimiser, 4 * 785);
  EXPECT_EQ(m.total(), 6 * 785 + 10 * 55 + 128 * 55 + 400);
}

}  // namespace
