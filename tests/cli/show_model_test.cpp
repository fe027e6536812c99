// eos show --model, and the example of every architecture.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <set>

#include "cli_support.hpp"
#include "eos/io/toml.hpp"

namespace eos::test {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const std::string k_networks = std::string(EOS_SOURCE_DIR) + "/examples/networks/";

json model(std::vector<std::string> words) {
  words.insert(words.begin(), {"show", "--model", "--format", "json"});
  const Said said = eos_says(words);
  EXPECT_EQ(said.code, 0) << said.err;
  return json::parse(said.out.empty() ? "{}" : said.out);
}

TEST(ShowModel, tells_shapes_parameters_and_costs) {
  const json m = model({k_networks + "cnn_s.toml", "--input", "32x32x3", "--classes", "10"});
  EXPECT_EQ(m["schema"], "eos.model/1");
  EXPECT_EQ(m["architecture"], "cnn");
  EXPECT_EQ(m["parameters"], 113738);
  EXPECT_EQ(m["forward_macs"], 10342400);
  EXPECT_EQ(m["backward_macs"], 2 * 10342400 - 32 * 32 * 27 * 32) << "no gradient of the images";
  EXPECT_DOUBLE_EQ(m["flop_per_step_conventional"], 6.0 * 128 * 10342400);
  EXPECT_DOUBLE_EQ(m["flop_per_step"], 2.0 * 128 * (3.0 * 10342400 - 884736));
  ASSERT_EQ(m["layers"].size(), 4u);
  EXPECT_EQ(m["layers"][0]["output"], "16 x 16 x 32");
  EXPECT_EQ(m["layers"][3]["parameters"], 20490);
  std::int64_t bytes = 0, macs = 0;
  for (const json& row : m["memory"]) bytes += row["part"] == "total" ? 0 : row["bytes"].get<std::int64_t>();
  for (const json& row : m["layers"]) macs += row["forward_macs"].get<std::int64_t>();
  EXPECT_EQ(m["memory"].back()["bytes"], bytes);
  EXPECT_EQ(macs, 10342400);
}

TEST(ShowModel, text_is_a_table_for_people) {
  const Said said = eos_says({"show", "--model", k_networks + "custom_layers.toml"});
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, AllOf(HasSubstr("5 x 5, stride 2, padding 2, relu"), HasSubstr("+ stem"),
                              HasSubstr("28 x 28 x 1"), HasSubstr("dense5-gelu")));
}

TEST(ShowModel, needs_no_data_where_their_shape_is_known_or_stated) {
  const Environment nowhere("EOS_DATA", "/nowhere");
  EXPECT_EQ(model({k_networks + "gpt_s.toml"})["parameters"], 875264);
  EXPECT_EQ(model({k_networks + "gpt_s.toml", "--set", "network.tied=true"})["parameters"], 875264 - 256 * 128);
  EXPECT_EQ(model({k_networks + "gpt_s.toml", "--tokens", "64", "--vocabulary", "100"})["data"],
            "64 tokens, vocabulary 100");
  EXPECT_EQ(model({k_networks + "vit_s.toml", "--input", "32x32x3"})["parameters"], 546186);
  const Folder folder;
  const std::string idx = folder.write("idx.toml", "[data]\nname = \"idx\"\npath = \"/nowhere\"\n");
  const Said said = eos_says({"show", "--model", idx});
  EXPECT_EQ(said.code, 2);  // a missing data set is a mistake of the input
  EXPECT_THAT(said.err, HasSubstr("--input 28x28 --classes 10"));
  EXPECT_EQ(model({idx, "--input", "784"})["parameters"], 269322);
}

TEST(ShowModel, reads_the_network_of_a_stored_run) {
  const Folder folder;
  const std::string out = folder / "run.h5";
  ASSERT_EQ(eos_says({"train", folder.write("a.toml", tiny_training()), "-o", out, "-q"}).code, 0);
  EXPECT_EQ(model({out})["parameters"], 16 * 16 + 16 + 16 * 4 + 4);
}

TEST(ShowModel, misuse_is_explained) {
  const std::string file = k_networks + "mlp.toml";
  EXPECT_THAT(eos_says({"show", file}).err, HasSubstr("--model shows the network"));
  EXPECT_THAT(eos_says({"show", "--model", file, "--input", "28*28"}).err, HasSubstr("--input 32x32x3"));
  EXPECT_THAT(eos_says({"show", "--model", file, "--input", "1x2x3x4"}).err, HasSubstr("HEIGHTxWIDTHxCHANNELS"));
  EXPECT_THAT(eos_says({"show", "--model", file, "--classes", "3"}).err, HasSubstr("needs --input"));
  EXPECT_THAT(eos_says({"show", "--model", file, "--input", "28x28", "--tokens", "3"}).err,
              HasSubstr("one of the pairs"));
  EXPECT_THAT(eos_says({"show", "a.h5", "--input", "28x28"}).err, HasSubstr("belongs to --model"));
  const Said tokens = eos_says({"show", "--model", file, "--tokens", "16"});
  EXPECT_EQ(tokens.code, 2);
  EXPECT_THAT(tokens.err, HasSubstr("the data are tokens"));
}

TEST(NetworkExamples, there_is_one_for_every_architecture) {
  std::set<std::string> architectures;
  for (const auto& entry : fs::directory_iterator(k_networks)) {
    SCOPED_TRACE(entry.path());
    const std::string text = file_text(entry.path());
    EXPECT_EQ(text.rfind("# ", 0), 0u) << "a comment comes first";
    const json m = model({entry.path()});
    architectures.insert(m["architecture"]);
  }
  EXPECT_EQ(architectures, (std::set<std::string>{"mlp", "cnn", "resnet", "vit", "gpt", "layers"}));
}

/// Four files of 28 x 28 images of noise, in the format of MNIST.
std::string noise_images(const Folder& folder, int samples) {
  const auto number = [](int n) {
    return std::string{static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
                       static_cast<char>(n)};
  };
  std::string pixels, labels;
  for (int i = 0; i < samples * 28 * 28; ++i) pixels += static_cast<char>(i * 7919 >> 5);
  for (int i = 0; i < samples; ++i) labels += static_cast<char>(i % 10);
  for (const char* stem : {"train", "t10k"}) {
    folder.write(std::string(stem) + "-images-idx3-ubyte",
                 std::string("\0\0\x08\x03", 4) + number(samples) + number(28) + number(28) + pixels);
    folder.write(std::string(stem) + "-labels-idx1-ubyte", std::string("\0\0\x08\x01", 4) + number(samples) + labels);
  }
  return folder.path();
}

/// The example as it is, on little data, with a few channels and one block.
std::vector<std::string> little(const std::string& architecture, const std::string& images) {
  std::vector<std::string> changes = {"data.train_samples=64", "data.validation_samples=16", "data.test_samples=16",
                                      "train.batch=16", "train.epochs=2"};
  const auto add = [&](std::initializer_list<const char*> more) {
    changes.insert(changes.end(), more.begin(), more.end());
  };
  if (architecture == "gpt") {
    add({"data.name=markov", "data.sequence=16"});
  } else {
    add({"data.name=idx"});
    changes.push_back("data.path=" + images);
  }
  if (architecture == "cnn") add({"network.channels=[4,6,8]"});
  if (architecture == "resnet") add({"network.channels=[4,6,8,10]"});
  if (architecture == "vit" || architecture == "gpt")
    add({"network.width=16", "network.depth=1", "network.feedforward=32"});
  return changes;
}

TEST(NetworkExamples, train) {
  const Folder folder;
  const std::string images = noise_images(folder, 80);
  for (const auto& entry : fs::directory_iterator(k_networks)) {
    SCOPED_TRACE(entry.path());
    std::vector<std::string> words = {"train", entry.path(), "-o", folder / "run.h5", "--format", "json"};
    for (const std::string& change : little(model({entry.path()})["architecture"], images)) {
      words.push_back("--set");
      words.push_back(change);
    }
    const Said said = eos_says(words);
    ASSERT_EQ(said.code, 0) << said.err;
    EXPECT_EQ(json::parse(said.out)["status"], "complete");
  }
}

}  // namespace
}  // namespace eos::test
