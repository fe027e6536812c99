// Measured joules on the command line: asked for, stored, shown beside the modelled ones, and never in the content
// hash.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::test {
namespace {

using ::testing::HasSubstr;
using Json = nlohmann::json;

constexpr const char* k_machine =
    "[energy_model]\nname = \"desk\"\nsource = \"made up\"\njoules_per_flop = 1e-9\njoules_per_byte = 0\n";

class EnergyOption : public ::testing::Test {
 protected:
  std::vector<std::string> train(const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> words = {"train", folder_.write("tiny.toml", tiny_training()), "-o", folder_ / out};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }
  std::vector<std::string> by_model(const std::vector<std::string>& more = {}) {
    std::vector<std::string> options = {"--energy", "model", "--energy-model", folder_.write("desk.toml", k_machine)};
    options.insert(options.end(), more.begin(), more.end());
    return options;
  }
  Folder folder_;
};

TEST_F(EnergyOption, stores_joules_beside_the_modelled_energy_and_not_in_the_hash) {
  ASSERT_EQ(eos_says(train("none.h5")).code, 0);
  const Said said = eos_says(train("run.h5", by_model({"--format", "json", "--carbon-intensity", "100", "--pue", "1.5",
                                                       "--carbon-source", "supplier's statement"})));
  ASSERT_EQ(said.code, 0) << said.err;
  const Json json = Json::parse(said.out);
  const core::Dataset run = io::read_hdf5(folder_ / "run.h5"), none = io::read_hdf5(folder_ / "none.h5");
  EXPECT_EQ(run.text("content_sha256"), none.text("content_sha256"));
  const core::Dataset& group = run.groups.at("provenance");
  // What is measured is the work of all seeds: [replica][epoch], cumulative along epochs.
  const auto total = [&run](const char* name) {
    const std::vector<double> values = run.numbers(name);
    const auto epochs = static_cast<std::size_t>(run.dims.at("epoch"));
    double sum = 0;
    for (std::size_t last = epochs - 1; last < values.size(); last += epochs) sum += values[last];
    return sum;
  };
  const double joules = 2e-9 * (total("forward_macs") + total("scoring_macs") + total("backward_macs"));
  EXPECT_NEAR(group.number("energy_measured"), joules, 1e-12 * joules);
  EXPECT_NEAR(group.number("emissions"), joules / 3.6e6 * 1.5 * 0.1, 1e-12 * joules);
  EXPECT_EQ(group.text("carbon_source"), "supplier's statement");
  EXPECT_EQ(json["energy_source"], "model");
  EXPECT_EQ(json["energy_measured"], group.number("energy_measured"));
  EXPECT_EQ(none.groups.at("provenance").text("energy_source"), "none");
}

TEST_F(EnergyOption, results_are_shown_and_compared_with_their_source) {
  ASSERT_EQ(eos_says(train("a.h5", by_model())).code, 0);
  ASSERT_EQ(eos_says(train("b.h5")).code, 0);
  const Json shown = Json::parse(eos_says({"show", folder_ / "a.h5", "--format", "json"}).out);
  EXPECT_EQ(shown["energy_source"], "model");
  EXPECT_GT(shown["energy"], 0) << "the modelled energy stands beside it";
  const Json compared = Json::parse(eos_says({"compare", folder_ / "a.h5", folder_ / "b.h5", "--format", "json"}).out);
  ASSERT_EQ(compared["measured"].size(), 2u);
  EXPECT_DOUBLE_EQ(2 * compared["measured"][0]["energy_measured"].get<double>(), shown["energy_measured"].get<double>())
      << "comparisons are of a seed, there are two";
  EXPECT_EQ(compared["measured"][0]["energy"], compared["runs"][0]["energy"]);
  EXPECT_EQ(compared["measured"][1]["energy_source"], "none");
  const Json without = Json::parse(eos_says({"compare", folder_ / "b.h5", "--format", "json"}).out);
  EXPECT_FALSE(without.contains("measured"));
}

TEST_F(EnergyOption, that_cannot_be_done_is_an_error_before_training) {
  const Said nvml = eos_says(train("a.h5", {"--energy", "nvml", "--device", "cpu"}));
  EXPECT_EQ(nvml.code, 3);
  EXPECT_THAT(nvml.err, HasSubstr("E307"));
  EXPECT_THAT(nvml.err, HasSubstr("runs on the CPU"));
  EXPECT_EQ(eos_says(train("a.h5", {"--energy", "model"})).code, 3) << "no coefficients";
  const Said source = eos_says(train(
      "a.h5", {"--energy", "model", "--energy-model", folder_.write("x.toml", "[energy_model]\nname = \"x\"\n")}));
  EXPECT_EQ(source.code, 2);
  EXPECT_THAT(source.err, HasSubstr("source"));
  EXPECT_EQ(eos_says(train("a.h5", {"--pue", "0.5"})).code, 2);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "a.h5"));
}

TEST_F(EnergyOption, doctor_says_which_meters_work_and_why_not) {
  const std::string said = eos_says({"doctor"}).out;
  for (const char* meter : {"energy meter nvml", "energy meter rapl", "energy meter model"})
    EXPECT_THAT(said, HasSubstr(meter));
  EXPECT_THAT(said, HasSubstr("no coefficients were given"));
  const Environment model("EOS_ENERGY_MODEL", folder_.write("desk.toml", k_machine));
  EXPECT_THAT(eos_says({"doctor"}).out, HasSubstr("desk: made up"));
}

}  // namespace
}  // namespace eos::test
