// eos train, show and check on grids of perceptrons, and every such example.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;

constexpr const char* k_grid =
    "[perceptron]\ninputs = 100\npatterns = [50, 100]\nreplicas = 3\n"
    "[perceptron.cache]\nvariant = \"local-local\"\nthresholds = [1.5, 2.5]\nmaintenance = [0.01]\n";

TEST(TrainPerceptrons, prints_a_row_a_cell_with_an_interval_and_stores_all_runs) {
  const Folder folder;
  const std::string file = folder.write("grid.toml", k_grid);
  const Said said = eos_says({"train", file, "-o", folder / "grid.h5", "--plot", folder / "grid.png"});
  ASSERT_EQ(said.code, 0) << said.err;
  for (const char* part : {"threshold", "converged", "inefficiency", "M_cache", "±", "least energy at c = 0.01"})
    EXPECT_THAT(said.out, HasSubstr(part));
  EXPECT_TRUE(std::filesystem::exists(folder / "grid.png"));
  const core::Dataset data = io::read_hdf5(folder / "grid.h5");
  EXPECT_EQ(data.find("m_cache")->dims,
            (std::vector<std::string>{"patterns", "decay", "threshold", "maintenance", "replica"}));
}

TEST(TrainPerceptrons, json_holds_numbers) {
  const Folder folder;
  const Said said = eos_says(
      {"train", folder.write("grid.toml", k_grid), "-o", folder / "grid.h5", "--format", "json", "--seed", "9"});
  const json document = json::parse(said.out);
  ASSERT_EQ(document["cells"].size(), 4u);
  EXPECT_EQ(document["cells"][0]["patterns"], 50);
  EXPECT_EQ(document["cells"][0]["converged"], 3);
  EXPECT_TRUE(document["cells"][0]["m_cache_interval"].is_number());
  EXPECT_EQ(io::read_hdf5(folder / "grid.h5").number("seed"), 9);
}

TEST(TrainPerceptrons, a_stored_grid_can_be_shown_and_run_again) {
  const Folder folder;
  ASSERT_EQ(eos_says({"train", folder.write("grid.toml", k_grid), "-o", folder / "a.h5"}).code, 0);
  const Said config = eos_says({"show", folder / "a.h5", "--config"});
  ASSERT_EQ(eos_says({"train", folder.write("again.toml", config.out), "-o", folder / "b.h5"}).code, 0);
  EXPECT_EQ(io::read_hdf5(folder / "a.h5").text("content_sha256"),
            io::read_hdf5(folder / "b.h5").text("content_sha256"));
  EXPECT_EQ(eos_says({"show", folder / "a.h5", "--plot", folder / "a.png"}).code, 0);
  EXPECT_THAT(eos_says({"check", folder / "again.toml"}).out, HasSubstr("perceptrons"));
}

TEST(TrainPerceptrons, runs_that_did_not_converge_are_counted) {
  const Folder folder;
  const Said said = eos_says(
      {"train", folder.write("grid.toml", k_grid), "-o", folder / "grid.h5", "--set", "perceptron.max_epochs=1"});
  EXPECT_EQ(said.code, 0);
  EXPECT_THAT(said.out, HasSubstr("did not converge"));
}

TEST(TrainPerceptrons, mistakes_are_errors_of_the_file) {
  const Folder folder;
  const Said said =
      eos_says({"train", folder.write("bad.toml", "[perceptron]\npatterns = [-1]\n"), "-o", folder / "x.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("bad.toml:2"));
}

TEST(Examples, perceptrons_run_and_converge) {
  const Folder folder;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(EOS_SOURCE_DIR) + "/examples")) {
    const std::string name = entry.path().filename().string();
    if (name.rfind("perceptron_", 0) != 0) continue;
    const Said said = eos_says({"train", entry.path().string(), "-o", folder / "run.h5", "--format", "json"});
    ASSERT_EQ(said.code, 0) << name << said.err;
    EXPECT_EQ(json::parse(said.out)["not_converged"], 0) << name;
    ++files;
  }
  EXPECT_EQ(files, 6);
}

}  // namespace
}  // namespace eos::test
