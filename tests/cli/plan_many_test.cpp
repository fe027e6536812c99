// eos plan --sweep, --pareto, --budget and eos reproduce.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "cli_support.hpp"
#include "eos/core/error.hpp"
#include "eos/io/hdf5.hpp"
#include "reproduce.hpp"
#include "sweep_axes.hpp"

namespace eos::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

const std::string k_ranked = std::string(EOS_SOURCE_DIR) + "/examples/reference_ranked.toml";

TEST(SweepAxes, ranges_are_even_or_of_constant_ratio) {
  EXPECT_THAT(cli::parse_axis("a.b=1:2:3").numbers, testing::ElementsAre(1, 1.5, 2));
  EXPECT_THAT(cli::parse_axis("a=1:100:3:log").numbers, testing::ElementsAre(1, testing::DoubleNear(10, 1e-12), 100));
  EXPECT_THAT(cli::parse_axis("rule=ranked,random").words, testing::ElementsAre("ranked", "random"));
  EXPECT_TRUE(cli::parse_axis("rule=ranked,random").numbers.empty());
}

TEST(SweepAxes, bad_requests_are_refused_with_the_forms) {
  for (const char* text :
       {"", "a", "=1", "a=", "a=1:2:0", "a=1:2:2.5", "a=0:1:3:log", "a=1:2:3:lag", "a=1,,2", "a=x:2:3", "a=1:2:1e9"})
    EXPECT_THROW(cli::parse_axis(text), core::Error) << text;
  EXPECT_THROW(cli::combinations({cli::parse_axis("a=1:2:2000"), cli::parse_axis("b=1:2:2000")}), core::Error);
}

TEST(SweepAxes, the_last_axis_varies_fastest) {
  const std::vector<cli::SweepAxis> axes{cli::parse_axis("a=1,2"), cli::parse_axis("b.C=3,4,5")};
  const auto all = cli::combinations(axes);
  ASSERT_EQ(all.size(), 6u);
  EXPECT_THAT(all[4], testing::ElementsAre("a=2", "b.C=4"));
  const auto variables = cli::axis_variables(axes);
  EXPECT_EQ(variables[1].name, "b_c");
  EXPECT_EQ(std::get<std::vector<double>>(variables[0].values), (std::vector<double>{1, 1, 1, 2, 2, 2}));
  EXPECT_EQ(std::get<std::vector<double>>(variables[1].values), (std::vector<double>{3, 4, 5, 3, 4, 5}));
}

TEST(PlanSweep, stores_one_plan_per_combination_whatever_the_threads) {
  const Folder folder;
  const auto sweep = [&](const std::string& file, const char* threads) {
    return eos_says({"plan", k_ranked, "--sweep", "problem.horizon=10,20", "--sweep", "price.write=1e-3:1e-2:2:log",
                     "-o", folder / file, "--plot", folder / "a.png", "--threads", threads});
  };
  const Said said = sweep("a.h5", "1");
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_EQ(sweep("b.h5", "2").code, 0);
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "b.h5"}).code, 0);
  const core::Dataset table = io::read_hdf5(folder / "a.h5");
  EXPECT_EQ(table.dims.at("run"), 4);
  EXPECT_EQ(table.numbers("problem_horizon"), (std::vector<double>{10, 10, 20, 20}));
  // The last run is the plan that one gets alone.
  EXPECT_EQ(
      eos_says({"plan", k_ranked, "--set", "problem.horizon=20", "--set", "price.write=1e-2", "-o", folder / "c.h5"})
          .code,
      0);
  EXPECT_EQ(io::read_hdf5(folder / "c.h5").number("objective"), table.numbers("objective")[3]);
}

TEST(PlanSweep, in_lockstep_finds_the_same_optima) {
  const Folder folder;
  const std::vector<std::string> sweep{
      "plan", k_ranked, "--set", "solver.rest_intervals=-1", "--sweep", "price.write=1e-3,1e-2", "-o"};
  auto batched = sweep, single = sweep;
  batched.insert(batched.end(), {folder / "a.h5", "--batched"}), single.push_back(folder / "b.h5");
  ASSERT_EQ(eos_says(batched).code, 0) << eos_says(batched).err;
  ASSERT_EQ(eos_says(single).code, 0);
  const core::Dataset a = io::read_hdf5(folder / "a.h5"), b = io::read_hdf5(folder / "b.h5");
  for (int i = 0; i < 2; ++i) EXPECT_NEAR(a.numbers("objective")[i], b.numbers("objective")[i], 1e-7);
  EXPECT_EQ(a.numbers("price_write"), b.numbers("price_write"));
  batched.insert(batched.end(), {"--device", "cuda:0:bf16"});
  EXPECT_EQ(eos_says(batched).code, 2);
  EXPECT_THAT(eos_says(batched).err,
              HasSubstr("--device cannot be 'cuda:0:bf16': plans are solved in double precision"));
  batched.back() = "cuda:77";
  EXPECT_EQ(eos_says(batched).code, 3);
  EXPECT_THAT(eos_says(batched).err, HasSubstr("error[E302]"));
}

TEST(PlanSweep, unknown_keys_are_found_before_anything_is_stored) {
  const Folder folder;
  const Said said = eos_says({"plan", k_ranked, "--sweep", "price.smaple=1,2", "-o", folder / "a.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'sample'"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a.h5"));
}

TEST(PlanPareto, front_falls_and_obeys_the_envelope_theorem) {
  const Folder folder;
  const Said said = eos_says({"plan", k_ranked, "--pareto", "energy=0.5:2:3:log", "-o", folder / "f.h5", "--plot",
                              folder / "f.png", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json front = json::parse(said.out);
  EXPECT_LT(front["worst_envelope_residual"], 1e-8);
  const core::Dataset table = io::read_hdf5(folder / "f.h5");
  const std::vector<double> energy = table.numbers("energy_term"), loss = table.numbers("loss_term");
  for (std::size_t i = 1; i < energy.size(); ++i) EXPECT_TRUE(energy[i] < energy[i - 1] && loss[i] > loss[i - 1]);
  EXPECT_EQ(eos_says({"show", folder / "f.h5"}).code, 0);
}

TEST(PlanPareto, terms_are_named_in_the_refusal) {
  const Said said = eos_says({"plan", k_ranked, "--pareto", "enregy"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'energy'"));
}

TEST(PlanBudget, is_kept_and_impossible_ones_are_refused) {
  const json plan = json::parse(eos_says({"plan", k_ranked, "--budget", "energy=0.04", "--format", "json"}).out);
  EXPECT_LE(plan["energy"], .04);
  EXPECT_GT(plan["energy"], .039);
  const Said said = eos_says({"plan", k_ranked, "--set", "price.time=0.1", "--budget", "time=1"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("no plan needs as little as 1"));
}

TEST(Reproduce, every_row_says_what_it_is_and_names_are_unique) {
  std::set<std::string> names;
  for (const cli::Reproduction& row : cli::reproductions()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    for (const std::string* text : {&row.group, &row.claim, &row.setup, &row.source})
      EXPECT_FALSE(text->empty()) << row.name;
    EXPECT_TRUE(static_cast<bool>(row.run)) << row.name;
  }
  EXPECT_THAT(eos_says({"reproduce"}).out, HasSubstr("reference-problem"));
}

TEST(Reproduce, verdicts_use_the_tolerance) {
  EXPECT_TRUE(cli::printed("x", .1234, .12344, 1e-4).agrees());
  EXPECT_FALSE(cli::printed("x", .1234, .12346, 1e-4).agrees());
  EXPECT_FALSE(cli::relative("x", 2, 2.3, .1).agrees());
  EXPECT_FALSE((cli::Finding{"x", 1, 1.1, 0, cli::Judge::at_most}).agrees());
  EXPECT_TRUE((cli::Finding{"x", 1, 1.1, 0, cli::Judge::at_least}).agrees());
  EXPECT_FALSE((cli::Finding{"x", 1, std::nan(""), 1}).agrees()) << "what is not a number never agrees";
  EXPECT_TRUE(cli::within("x", std::nan(""), 1.1, .7, 1.1).agrees()) << "the ends belong to the interval";
  EXPECT_FALSE(cli::within("x", 1, 1.2, .7, 1.1).agrees());
  EXPECT_FALSE(cli::within("x", 1, std::nan(""), .7, 1.1).agrees());
}

TEST(Reproduce, shows_claim_set_up_published_and_ours) {
  const Said said = eos_says({"reproduce", "hard-fraction"});
  EXPECT_EQ(said.code, 0);
  for (const char* part : {"set-up", "source", "published", "ours", "0.3221", "agrees"})
    EXPECT_THAT(said.out, HasSubstr(part));
  EXPECT_EQ(eos_says({"reproduce", "hard-fractoin"}).code, 2);
}

}  // namespace
}  // namespace eos::test
