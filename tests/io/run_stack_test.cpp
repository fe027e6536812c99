#include "eos/io/run_stack.hpp"

#include "eos/io/hdf5.hpp"
#include "support.hpp"
#include "sweep_samples.hpp"

namespace {

using eos::core::content_sha256;
using eos::core::Dataset;
using eos::io::runs_of_cell;
using eos::io::stack_runs;
using eos::io::testing::code_of;
using eos::io::testing::sample_run;
using eos::io::testing::sample_runs;
using eos::io::testing::Scratch;

std::string text(const Dataset& d, const char* variable, const char* attribute) {
  const auto& attributes = d.find(variable)->attributes;
  const auto found = attributes.find(attribute);
  return found == attributes.end() ? "none" : std::get<std::string>(found->second);
}

Dataset table(std::vector<double> time, std::vector<double> values, double scalar) {
  Dataset d;
  d.attributes["kind"] = std::string("run");
  d.attributes["run_coordinates"] = std::string("price");
  d.add_dim("time", std::move(time), "1", "time");
  d.add_dim("mode", 2, "mode");
  d.add("x", {"time", "mode"}, std::move(values), "J", "state");
  d.add("price", {}, std::vector<double>{scalar}, "J", "price");
  d.add("status", {}, std::vector<std::string>{"optimal"}, "1", "status");
  d.add("count", {}, std::vector<std::int64_t>{3}, "1", "count");
  return d;
}

TEST(RunStack, gives_every_variable_a_dimension_run) {
  const Dataset s = stack_runs({table({0, 1}, {1, 2, 3, 4}, 5), table({0, 1}, {6, 7, 8, 9}, 10)});
  EXPECT_EQ(s.numbers("run"), (std::vector<double>{0, 1}));
  EXPECT_EQ(s.numbers("x"), (std::vector<double>{1, 2, 3, 4, 6, 7, 8, 9}));
  EXPECT_EQ(s.find("x")->dims, (std::vector<std::string>{"run", "time", "mode"}));
  EXPECT_EQ(s.find("x")->units, "J");
  EXPECT_EQ(s.numbers("price"), (std::vector<double>{5, 10}));
  EXPECT_EQ(s.numbers("time"), (std::vector<double>{0, 1}));
  EXPECT_EQ(s.numbers("time_count"), (std::vector<double>{2, 2}));
  EXPECT_EQ(s.strings("status"), (std::vector<std::string>{"optimal", "optimal"}));
  EXPECT_TRUE(std::holds_alternative<std::vector<std::int64_t>>(s.find("count")->values));
  EXPECT_EQ(text(s, "x", "coordinates"), "price");
  EXPECT_EQ(text(s, "price", "coordinates"), "none");
  EXPECT_EQ(s.text("kind"), "sweep");
  EXPECT_EQ(s.text("run_kind"), "run");
}

TEST(RunStack, short_runs_are_padded_and_counted) {
  const Dataset s = stack_runs({table({0, 1}, {7, 8, 9, 10}, 0), table({0, 1, 2}, {1, 2, 3, 4, 5, 6}, 0)});
  const std::vector<double> x = s.numbers("x");
  ASSERT_EQ(x.size(), 12u);
  EXPECT_EQ(x[3], 10);
  EXPECT_TRUE(std::isnan(x[4]) && std::isnan(x[5]));
  EXPECT_EQ(x[11], 6);
  EXPECT_EQ(s.numbers("time"), (std::vector<double>{0, 1, 2})) << "each is a prefix of the longest";
  EXPECT_EQ(s.numbers("time_count"), (std::vector<double>{2, 3}));
  EXPECT_FALSE(s.has("time_coordinate"));
}

TEST(RunStack, other_coordinates_make_a_plain_index) {
  const Dataset s = stack_runs({table({0, 1, 2}, {1, 2, 3, 4, 5, 6}, 0), table({0, 5}, {7, 8, 9, 10}, 0)});
  EXPECT_EQ(s.numbers("time"), (std::vector<double>{0, 1, 2}));
  EXPECT_TRUE(std::holds_alternative<std::vector<std::int64_t>>(s.find("time")->values));
  EXPECT_EQ(s.find("time_coordinate")->dims, (std::vector<std::string>{"run", "time"}));
  const std::vector<double> time = s.numbers("time_coordinate");
  EXPECT_EQ(time[4], 5);
  EXPECT_TRUE(std::isnan(time[5]));
}

TEST(RunStack, the_table_has_the_variables_of_all_runs) {
  const Dataset s = stack_runs(sample_runs(0, 6));
  EXPECT_EQ(s.numbers("step_count"), (std::vector<double>{3, 0, 0, 3, 0, 0}));
  EXPECT_FALSE(s.has("step_loss_present")) << "the count says it already";
  const auto rare = std::get<std::vector<std::int32_t>>(s.find("only_some")->values);
  EXPECT_EQ(rare, (std::vector<std::int32_t>{-1, 1, -1, -1, -1, 5}));
  EXPECT_EQ(s.numbers("only_some_present"), (std::vector<double>{0, 1, 0, 0, 0, 1}));
  EXPECT_EQ(s.strings("data_method")[1], "random") << "an attribute that differs";
  const Dataset& provenance = s.groups.at("provenance");
  EXPECT_EQ(provenance.text("device"), "cpu") << "one that does not";
  EXPECT_EQ(provenance.numbers("joules"), (std::vector<double>{0, 0.5, 1, 1.5, 2, 2.5}));
  EXPECT_EQ(provenance.find("effective_toml")->dims, std::vector<std::string>{"run"});
  EXPECT_EQ(s.groups.at("schedule").find("planned")->dims, (std::vector<std::string>{"run", "edge"}));
  EXPECT_EQ(s.groups.at("schedule").numbers("edge_count"), (std::vector<double>{3, 0, 0, 3, 0, 0}));
}

TEST(RunStack, every_run_comes_back_from_its_row) {
  const Scratch scratch;
  const std::vector<Dataset> runs = sample_runs(0, 25);
  Dataset s = stack_runs(runs);
  eos::io::write_hdf5(scratch / "s.h5", s, eos::io::Storage::contiguous);
  s = eos::io::read_hdf5(scratch / "s.h5");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Dataset back = runs_of_cell(s, {i});
    EXPECT_EQ(content_sha256(back), content_sha256(runs[i])) << i;
    EXPECT_EQ(back.groups.at("provenance").attributes, runs[i].groups.at("provenance").attributes) << i;
    EXPECT_EQ(back.text("kind"), "run");
    EXPECT_EQ(back.text("data_method"), runs[i].text("data_method"));
    EXPECT_EQ(back.find("loss1")->attributes, runs[i].find("loss1")->attributes);
  }
}

TEST(RunStack, seeds_of_a_design_point_become_replicas) {
  const Dataset s = stack_runs(sample_runs(0, 12, {.ragged = false}));
  const Dataset cell = runs_of_cell(s, {3, 4, 5});
  EXPECT_EQ(cell.numbers("replica"), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(cell.find("loss0")->dims, (std::vector<std::string>{"replica", "epoch"}));
  EXPECT_EQ(cell.numbers("loss0")[5], sample_run(4, {.ragged = false}).numbers("loss0")[0]);
  EXPECT_EQ(cell.find("seed")->dims, std::vector<std::string>{"replica"});
  EXPECT_TRUE(cell.find("rate")->dims.empty()) << "the same for all seeds";
  EXPECT_EQ(cell.groups.at("schedule").find("rate")->dims, (std::vector<std::string>{"replica", "epoch"}));
  EXPECT_EQ(cell.groups.at("schedule").find("planned")->dims, (std::vector<std::string>{"replica", "edge"}));
  const Dataset same = runs_of_cell(stack_runs({sample_run(3), sample_run(3)}), {0, 1});
  EXPECT_EQ(same.groups.at("schedule").find("planned")->dims, std::vector<std::string>{"edge"});
  EXPECT_EQ(same.find("run_status")->dims, std::vector<std::string>{"replica"}) << "stated once per seed";
}

TEST(RunStack, runs_that_contradict_each_other_are_refused) {
  EXPECT_EQ(code_of([] { stack_runs({}); }), "E190");
  const auto with = [](auto&& change) {
    Dataset other = table({0}, {1, 2}, 0);
    change(other);
    return code_of([&] { stack_runs({table({0}, {1, 2}, 0), other}); });
  };
  EXPECT_EQ(with([](Dataset& d) { d.variables[3].values = std::vector<std::string>{"dear"}; }), "E190");
  EXPECT_EQ(with([](Dataset& d) { d.variables[2].units = "1"; }), "E190");
  EXPECT_EQ(with([](Dataset& d) { d.variables[2].dims = {"mode", "time"}; }), "E190");
  EXPECT_EQ(with([](Dataset& d) { d.add("time_count", {}, std::vector<double>{1}, "1", ""); }), "E190");
  const Dataset s = stack_runs({table({0}, {1, 2}, 0)});
  EXPECT_EQ(code_of([&] { runs_of_cell(s, {1}); }), "E191");
  EXPECT_EQ(code_of([&] { runs_of_cell(table({0}, {1, 2}, 0), {0}); }), "E191");
}

}  // namespace
