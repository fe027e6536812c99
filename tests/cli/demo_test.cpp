// The demonstration on a toy task: it runs, stores, draws, and the commands it suggests work.
#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::test {
namespace {

using nlohmann::json;

TEST(Demo, runs_the_whole_loop_and_its_suggestions_work) {
  const Folder folder;
  const Said said = eos_says({"demo", "--quick", "-o", folder / "try", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const json demo = json::parse(said.out);
  EXPECT_EQ(demo["data"], "teacher");
  EXPECT_EQ(file_text(folder / "try.png").substr(1, 3), "PNG");
  std::size_t baselines = 0;
  for (const json& run : demo["runs"]) {
    baselines += run["test_accuracy"].is_number() && run["run"].get<std::string>().rfind("dense", 0) == 0 ? 1 : 0;
    EXPECT_GT(run["energy"], 0);
  }
  EXPECT_EQ(baselines, 3);
  EXPECT_EQ(demo["runs"].size(), 8);
  EXPECT_EQ(demo["predictions"].size(), 2);

  const core::Dataset file = io::read_hdf5(folder / "try.h5");
  EXPECT_EQ(file.dims.at("method"), 8);
  for (const char* group : {"dense_1", "dbpd", "error_feedback", "planned", "feedback_law", "plan", "calibration"})
    EXPECT_EQ(file.groups.count(group), 1) << group;

  // The commands it prints, in order; they name files in the working folder.
  const std::string next = demo["notes"].back();
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  std::istringstream lines(next);
  std::size_t commands = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.rfind("  eos ", 0) != 0) continue;
    ++commands;
    std::istringstream words(line.substr(6));
    std::vector<std::string> arguments;
    for (std::string word; words >> word && word != ">";) arguments.push_back(word);
    const Said did = eos_says(arguments);
    EXPECT_EQ(did.code, 0) << line << "\n" << did.err;
    if (words >> line) folder.write(line, did.out);  // the shell's redirection
  }
  std::filesystem::current_path(before);
  EXPECT_EQ(commands, 5);
}

TEST(Demo, does_not_depend_on_threads) {
  const Folder folder;
  ASSERT_EQ(eos_says({"demo", "--quick", "-o", folder / "one", "--threads", "1"}).code, 0);
  ASSERT_EQ(eos_says({"demo", "--quick", "-o", folder / "two", "--threads", "3"}).code, 0);
  EXPECT_EQ(io::read_hdf5(folder / "one.h5").text("content_sha256"),
            io::read_hdf5(folder / "two.h5").text("content_sha256"));
}

}  // namespace
}  // namespace eos::test
