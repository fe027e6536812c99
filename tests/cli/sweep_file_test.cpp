// eos merge, and sweeps in eos show, compare, diff and check.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_stack.hpp"

namespace eos::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* k_sweep = R"(
[train]
title = "two policies"
batch = 16
epochs = 1
[data]
name = "teacher"
train_samples = 320
validation_samples = 100
test_samples = 100
[data.teacher]
inputs = 8
classes = 3
hidden = 6
[network]
hidden = [6]
[optimiser]
learning_rate = 0.1
[selection]
fraction = 0.5
[sweep]
seeds = [1, 2, 3]
[[sweep.axes]]
key = "selection.method"
values = ["all", "ranked"]
[[sweep.axes]]
key = "network.hidden"
values = [[6], [8]]
)";

/// A finished sweep of 12 runs in at least two chunks (one a network) and its merged file, made once.
struct Sweep {
  Folder folder;
  std::string dir = folder / "dir", file = folder / "sweep.h5";
  Said swept, merged;
  Sweep() {
    swept = eos_says({"sweep", folder.write("sweep.toml", k_sweep), "-o", dir, "--chunk-minutes", "0.001"});
    merged = eos_says({"merge", dir, "-o", file, "--format", "json"});
  }
};
const Sweep& sweep() {
  static const Sweep k_sweep_done;
  return k_sweep_done;
}

TEST(SweepFile, chunks_become_one_file) {
  ASSERT_EQ(sweep().swept.code, 0) << sweep().swept.err;
  ASSERT_EQ(sweep().merged.code, 0) << sweep().merged.err;
  const json said = json::parse(sweep().merged.out);
  EXPECT_EQ(said["runs"], 12);
  EXPECT_EQ(said["missing"], 0);
  const core::Dataset table = io::read_hdf5(sweep().file);
  EXPECT_EQ(said["content_sha256"], core::content_sha256(table));
  EXPECT_EQ(table.text("kind"), "sweep");
  EXPECT_EQ(table.text("status"), "complete");
  EXPECT_EQ(table.dims.at("run"), 12);
  EXPECT_EQ(eos_says({"check", sweep().file}).code, 0);
}

TEST(SweepFile, show_tells_axes_statuses_and_means) {
  const Said text = eos_says({"show", sweep().file});
  ASSERT_EQ(text.code, 0) << text.err;
  EXPECT_THAT(text.out, HasSubstr("all, ranked"));
  const json said = json::parse(eos_says({"show", sweep().file, "--format", "json"}).out);
  EXPECT_EQ(said["runs"], 12);
  EXPECT_EQ(said["design_points"], 4);
  EXPECT_EQ(said["statuses"][0]["runs"], 12);
  ASSERT_EQ(said["points"].size(), 4u);
  // Mean and standard error of the first point, by hand.
  const core::Dataset table = io::read_hdf5(sweep().file);
  const std::vector<double> point = table.numbers("design_index"), energy = table.numbers("energy"),
                            count = table.numbers("epoch_count");
  const auto epochs = static_cast<std::size_t>(table.dims.at("epoch"));
  double sum = 0, squares = 0;
  for (std::size_t i = 0; i < 12; ++i)
    if (point[i] == said["points"][0]["design_index"].get<double>()) {
      const double last = energy[i * epochs + static_cast<std::size_t>(count[i]) - 1];
      sum += last, squares += last * last;
    }
  EXPECT_EQ(said["points"][0]["seeds"], 3);
  EXPECT_NEAR(said["points"][0]["energy"], sum / 3, 1e-12 * sum);
  EXPECT_NEAR(said["points"][0]["energy_stderr"], std::sqrt(std::max(0.0, squares - sum * sum / 3) / 2 / 3),
              1e-6 * sum);
}

TEST(SweepFile, one_run_is_the_run_that_train_makes) {
  EXPECT_EQ(eos_says({"show", sweep().file, "--config"}).out, k_sweep);
  const Said config = eos_says({"show", sweep().file, "--run", "7", "--config"});
  ASSERT_EQ(config.code, 0) << config.err;
  const std::string again = sweep().folder.write("again.toml", config.out), out = sweep().folder / "again.h5";
  ASSERT_EQ(eos_says({"train", again, "-o", out}).code, 0);
  const core::Dataset run = io::read_hdf5(out), row = io::runs_of_cell(io::read_hdf5(sweep().file), {7});
  for (const core::Variable& v : run.variables) {
    ASSERT_NE(row.find(v.name), nullptr) << v.name;
    EXPECT_EQ(row.find(v.name)->dims, v.dims) << v.name;
    EXPECT_TRUE(row.find(v.name)->values == v.values) << v.name;
  }
  EXPECT_EQ(eos_says({"show", sweep().file, "--run", "12"}).code, 2);
  EXPECT_EQ(eos_says({"show", out, "--run", "0"}).code, 2);
}

TEST(SweepFile, design_points_are_compared_like_runs_with_seeds) {
  const Said said = eos_says({"compare", sweep().file, "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json runs = json::parse(said.out)["runs"];
  ASSERT_EQ(runs.size(), 4u);
  int baselines = 0;
  for (const json& run : runs) {
    EXPECT_EQ(run["seeds"], 3);
    baselines += run["saving"] == 1.0 && run["saving_bound"] == "=" ? 1 : 0;
  }
  EXPECT_GE(baselines, 2) << "the dense points";
  // One of them is what a run of three seeds says.
  std::string config = eos_says({"show", sweep().file, "--run", "0", "--config"}).out;
  const std::size_t seeds = config.find("seeds = [");
  ASSERT_NE(seeds, std::string::npos);
  config.replace(seeds, config.find(']', seeds) - seeds + 1, "seeds = [1, 2, 3]");
  const std::string toml = sweep().folder.write("three.toml", config), out = sweep().folder / "three.h5";
  ASSERT_EQ(eos_says({"train", toml, "-o", out}).code, 0);
  const json alone = json::parse(eos_says({"compare", out, "--format", "json"}).out)["runs"][0];
  for (const char* key : {"seeds", "test_accuracy", "test_accuracy_stderr", "samples_seen", "writes", "path_length",
                          "effective_epochs", "energy"})
    EXPECT_EQ(runs[0][key], alone[key]) << key;
}

TEST(SweepFile, sweeps_are_equal_however_they_were_merged) {
  const std::string shards = sweep().folder / "shards.h5";
  ASSERT_EQ(eos_says({"merge", sweep().dir, sweep().file, "-o", shards}).code, 0) << "every run twice";
  EXPECT_EQ(eos_says({"diff", sweep().file, shards}).code, 0);
}

TEST(SweepFile, missing_and_damaged_chunks_are_said) {
  const std::string copy = sweep().folder / "copy";
  std::filesystem::copy(sweep().dir, copy, std::filesystem::copy_options::recursive);
  std::string first;
  for (const auto& entry : std::filesystem::directory_iterator(copy + "/chunks")) first = entry.path().string();
  std::filesystem::resize_file(first, 1000);
  const std::string out = sweep().folder / "copy.h5";
  Said said = eos_says({"merge", copy, "-o", out});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr(first));
  EXPECT_THAT(said.err, HasSubstr("remove it and run 'eos sweep'"));
  std::filesystem::remove(first);
  said = eos_says({"merge", copy, "-o", out});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("E505"));
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_EQ(eos_says({"merge", copy, "-o", out, "--partial"}).code, 0);
  EXPECT_EQ(io::read_hdf5(out).text("status"), "partial");
  // The sweep goes on, and is the same as if nothing had happened.
  EXPECT_EQ(eos_says({"sweep", copy}).code, 0);
  EXPECT_EQ(eos_says({"merge", copy, "-o", out}).code, 0);
  EXPECT_EQ(eos_says({"diff", sweep().file, out}).code, 0);
  EXPECT_EQ(eos_says({"merge", sweep().folder.path(), "-o", out}).code, 2) << "not the folder of a sweep";
}

}  // namespace
}  // namespace eos::test
