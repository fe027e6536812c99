// eos train on a population of flies: the file it writes, its configuration, its errors.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"

namespace eos::test {
namespace {

using testing::HasSubstr;

const char* k_flies =
    "[fly]\nflies = 60\nhazards = [0.1, 0.2]\ngates = [\"none\", \"or\"]\n"
    "energy_thresholds = [0.5, 0.8]\nerror_thresholds = [0.05, 1]\n";

TEST(FlyFile, gives_a_table_that_can_be_run_again) {
  const Folder folder;
  const std::string toml = folder.write("fly.toml", k_flies), out = folder / "a.h5";
  const Said said = eos_says({"train", toml, "-o", out, "--format", "json", "--seed", "5"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  EXPECT_EQ(json["schema"], "eos.fly/1");
  EXPECT_EQ(json["lifetimes"].size(), 2u);
  const core::Dataset table = io::read_hdf5(out);
  EXPECT_EQ(table.find("lifetime_grid")->dims,
            (std::vector<std::string>{"hazard", "gate", "energy_threshold", "error_threshold"}));
  EXPECT_EQ(table.numbers("lifetime_grid").size(), 16u);
  EXPECT_EQ(json["lifetimes"][0]["lifetime_none"], table.numbers("lifetime")[0]);
  const Said config = eos_says({"show", out, "--config"});
  const std::string again = folder.write("again.toml", config.out);
  ASSERT_EQ(eos_says({"train", again, "-o", folder / "b.h5", "--threads", "2"}).code, 0);
  EXPECT_EQ(io::read_hdf5(folder / "b.h5").text("content_sha256"), table.text("content_sha256"));
  EXPECT_EQ(io::parse_fly(config.out, "again").seed, 5u);
}

TEST(FlyFile, is_checked_like_any_other) {
  const Folder folder;
  const std::string good = folder.write("fly.toml", k_flies);
  EXPECT_THAT(eos_says({"check", good}).out, HasSubstr("population of flies"));
  const std::string bad = folder.write("bad.toml", "[fly]\ngates = [\"none\", \"orr\"]\nhazards = [2]\nfeed = 1\n");
  const Said said = eos_says({"check", bad});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'or'?"));
  EXPECT_THAT(said.err, HasSubstr("fly.hazards[0]"));
  EXPECT_THAT(said.err, HasSubstr("unknown key 'feed'"));
  EXPECT_THAT(eos_says({"plan", good}).err, HasSubstr("use: eos train"));
}

TEST(FlyFile, keeps_every_value_of_its_configuration) {
  theory::FlySpec spec;
  spec.title = "a \"title\"";
  spec.flies = 7, spec.days = 9, spec.seed = 11;
  spec.hazards = {0.3}, spec.energy_thresholds = {-1.5, 2}, spec.error_thresholds = {0.125};
  spec.gates = {theory::FlyGate::linear, theory::FlyGate::both};
  spec.starvation_exponent = 1, spec.ltm_cost = 2, spec.ltm_event_cost = 3, spec.arm_decay = 0.4;
  spec.expectation_decay = 0.5, spec.learning_rate = 6, spec.ltm_initial = 0.7, spec.ltm_lower = -8;
  spec.ltm_upper = 9, spec.input_mean = 1.5, spec.input_stdev = 2.5, spec.reserve_lower = 0.25;
  spec.reserve_upper = 0.75, spec.daily_feed = -0.125, spec.punishment_probability = 0.625;
  const std::string text = io::to_toml(spec);
  const theory::FlySpec read = io::parse_fly(text, "spec");
  EXPECT_EQ(io::to_toml(read), text);
  EXPECT_EQ(read.gates, spec.gates);
  EXPECT_EQ(read.daily_feed, spec.daily_feed);
  EXPECT_EQ(read.title, spec.title);
}

}  // namespace
}  // namespace eos::test
