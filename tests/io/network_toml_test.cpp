// [network] and [[network.layers]]: keys, places of mistakes, overrides, and what is written.
#include <gmock/gmock.h>

#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using eos::core::Diagnostic;
using eos::io::Overrides;
using eos::io::parse_training;
using eos::io::to_toml;
using eos::io::testing::error_of;
using namespace eos::theory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string k_idx = "[data]\nname = \"idx\"\n";

std::vector<Diagnostic> problems(const std::string& text, const Overrides& overrides = {}) {
  return error_of([&] { parse_training(text, "net.toml", overrides); }).diagnostics();
}

/// The only problem of a file, at a line.
Diagnostic problem(const std::string& text, int line) {
  const std::vector<Diagnostic> all = problems(text);
  EXPECT_EQ(all.size(), 1u) << text;
  EXPECT_EQ(all.at(0).line, line) << all.at(0).message;
  return all.at(0);
}

TEST(NetworkToml, sizes_reach_their_fields) {
  const NetworkSpec vit = parse_training(k_idx + R"(
[network]
architecture = "vit"
patch = 7
width = 96
depth = 6
heads = 3
feedforward = 200
dropout = 0.1
label_smoothing = 0.05
)",
                                         "net.toml")
                              .network;
  EXPECT_EQ(vit.architecture, Architecture::vit);
  EXPECT_THAT((std::vector<int>{vit.patch, vit.width, vit.depth, vit.heads, vit.feedforward}),
              ElementsAre(7, 96, 6, 3, 200));
  EXPECT_EQ(vit.dropout, 0.1);
  EXPECT_EQ(vit.label_smoothing, 0.05);
  const NetworkSpec cnn =
      parse_training(k_idx + "[network]\narchitecture = \"cnn\"\nchannels = [8, 16]\nactivation = \"gelu\"\n",
                     "net.toml")
          .network;
  EXPECT_THAT(cnn.channels, ElementsAre(8, 16));
  EXPECT_EQ(cnn.activation, Activation::gelu);
  EXPECT_TRUE(parse_training("[data]\nname = \"text\"\n[network]\narchitecture = \"gpt\"\ntied = true\n", "net.toml")
                  .network.tied);
}

TEST(NetworkToml, layers_reach_their_fields) {
  const std::vector<LayerSpec> layers = parse_training(k_idx + R"(
[network]
architecture = "layers"
[[network.layers]]
kind = "conv2d"
name = "stem"
width = 8
kernel = 5
stride = 2
padding = 1
pool = 2
biases = false
activation = "leaky-relu"
leak = 0.2
gain = 0.5
[[network.layers]]
kind = "add"
from = "stem"
with = "input"
[[network.layers]]
kind = "dropout"
rate = 0.25
[[network.layers]]
kind = "attention"
heads = 3
causal = true
[[network.layers]]
kind = "embedding"
width = 4
vocabulary = 99
)",
                                                       "net.toml")
                                            .network.layers;
  ASSERT_EQ(layers.size(), 5u);
  const LayerSpec& stem = layers[0];
  EXPECT_EQ(stem.kind, LayerKind::conv2d);
  EXPECT_EQ(stem.name, "stem");
  EXPECT_THAT((std::vector<int>{stem.width, stem.kernel, stem.stride, stem.padding, stem.pool}),
              ElementsAre(8, 5, 2, 1, 2));
  EXPECT_FALSE(stem.biases);
  EXPECT_EQ(stem.activation, Activation::leaky_relu);
  EXPECT_EQ(stem.leak, 0.2);
  EXPECT_EQ(stem.gain, 0.5);
  EXPECT_EQ(layers[1].from + layers[1].with, "steminput");
  EXPECT_EQ(layers[2].rate, 0.25);
  EXPECT_EQ(layers[3].heads, 3);
  EXPECT_TRUE(layers[3].causal);
  EXPECT_EQ(layers[4].vocabulary, 99);
}

TEST(NetworkToml, mistakes_are_shown_where_they_are) {
  const std::string head = k_idx + "[network]\narchitecture = \"layers\"\n";  // four lines
  EXPECT_THAT(problem(head + "[[network.layers]]\nkind = \"conv\"\n", 6).help, HasSubstr("conv2d"));
  EXPECT_THAT(
      problem(head + "[[network.layers]]\nkind = \"dense\"\n[[network.layers]]\nkind = \"dense\"\nwitdh = 3\n", 9).help,
      HasSubstr("width"));
  const Diagnostic kind = problem(head + "[[network.layers]]\nwidth = 3\n", 5);
  EXPECT_EQ(kind.code, "E105");
  EXPECT_THAT(kind.message, HasSubstr("network.layers[0].kind is missing"));
  const Diagnostic range = problem(head + "[[network.layers]]\nkind = \"dropout\"\nrate = 1.0\n", 7);
  EXPECT_EQ(range.code, "E104");
  EXPECT_THAT(range.message, AllOf(HasSubstr("network.layers[0].rate"), HasSubstr("[0, 1)")));
  EXPECT_EQ(problem(head + "[[network.layers]]\nkind = \"dense\"\nwidth = \"3\"\n", 7).code, "E103");
  const Diagnostic table = problem(k_idx + "[network]\n[network.layers]\nkind = \"dense\"\n", 4);
  EXPECT_EQ(table.code, "E103");
  EXPECT_THAT(table.help, HasSubstr("[[network.layers]]"));
  EXPECT_EQ(problem(k_idx + "[network]\nlayers = [1]\n", 4).code, "E103");
}

TEST(NetworkToml, keys_of_other_kinds_and_architectures_are_refused) {
  const std::string head = k_idx + "[network]\narchitecture = \"layers\"\n";
  const Diagnostic pool = problem(head + "[[network.layers]]\nkind = \"dense\"\npool = 2\n", 7);
  EXPECT_EQ(pool.code, "E107");
  EXPECT_THAT(pool.message, AllOf(HasSubstr("conv2d"), HasSubstr("\"dense\"")));
  const Diagnostic patch = problem(k_idx + "[network]\narchitecture = \"cnn\"\npatch = 7\n", 5);
  EXPECT_EQ(patch.code, "E107");
  EXPECT_THAT(patch.message, AllOf(HasSubstr("\"vit\""), HasSubstr("\"cnn\"")));
  EXPECT_THAT(patch.help, HasSubstr("remove it"));
  EXPECT_THAT(problem(k_idx + "[network]\nchannels = [8]\n", 4).message, HasSubstr("\"cnn\" or \"resnet\""));
  EXPECT_THAT(problem(k_idx + "[network]\n[[network.layers]]\nkind = \"dense\"\n", 4).help, HasSubstr("\"layers\""));
  EXPECT_THAT(problem(k_idx + "[network]\narchitecture = \"layers\"\n", 3).message, HasSubstr("is empty"));
}

TEST(NetworkToml, layers_that_do_not_fit_known_data_are_shown_at_their_place) {
  const Diagnostic d = problem(R"([data]
name = "mnist"
[network]
architecture = "layers"
[[network.layers]]
kind = "conv2d"
width = 4
[[network.layers]]
kind = "add"
with = "conv2d7"
[[network.layers]]
kind = "dense"
)",
                               8);
  EXPECT_EQ(d.code, "E106");
  EXPECT_THAT(d.message, HasSubstr("network.layers[1] 'add2' refers to 'conv2d7'"));
  EXPECT_THAT(d.help, HasSubstr("conv2d1"));
  EXPECT_EQ(problem("[data]\nname = \"text\"\n[network]\narchitecture = \"cnn\"\n", 4).code, "E107");
}

TEST(NetworkToml, overrides_choose_another_network) {
  EXPECT_EQ(parse_training("", "net.toml", {{"network.architecture=cnn"}}).network.architecture, Architecture::cnn);
  const NetworkSpec n =
      parse_training("", "net.toml",
                     {{"network.architecture=layers", "network.layers=[{kind=\"dense\",width=8},{kind=\"dense\"}]"}})
          .network;
  ASSERT_EQ(n.layers.size(), 2u);
  EXPECT_EQ(n.layers[0].width, 8);
  EXPECT_EQ(problems("", {{"network.architecture=cnnn"}}).at(0).code, "E106");
}

TEST(NetworkToml, of_a_layer_only_what_is_not_usual_is_written) {
  TrainingSpec spec;
  spec.network.architecture = Architecture::layers;
  spec.network.layers.resize(2);
  spec.network.layers[0].width = 7;
  EXPECT_THAT(to_toml(spec), HasSubstr("[[network.layers]]\nkind = \"dense\"\nwidth = 7\n\n"
                                       "[[network.layers]]\nkind = \"dense\"\n\n"));
  EXPECT_THAT(to_toml(TrainingSpec{}), Not(HasSubstr("[[network.layers]]")));
  EXPECT_THAT(eos::io::toml_reference(), HasSubstr("### [[network.layers]]"));
}

}  // namespace
