// Progress for terminals, logs and programs.
#include "progress.hpp"

#include <gmock/gmock.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>
#include <vector>

#include "cli_support.hpp"

namespace eos::test {
namespace {

using cli::ConsoleProgress;
using cli::ProgressMode;
using testing::HasSubstr;
using testing::Not;

std::string shown(ProgressMode mode) {
  std::ostringstream err;
  {
    ConsoleProgress progress(mode, err);
    progress.begin("train seed 1", 100, "epochs");
    for (int i = 1; i <= 100; ++i) progress.update("train seed 1", i, "loss 0.5");
    progress.end("train seed 1");
  }
  return err.str();
}

TEST(Progress, none_says_nothing) { EXPECT_EQ(shown(ProgressMode::none), ""); }

TEST(Progress, plain_lines_are_few_and_end_at_100_percent) {
  const std::string text = shown(ProgressMode::plain);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 2) << "a task of microseconds is worth its last line";
  EXPECT_THAT(text, HasSubstr("100 %"));
  EXPECT_THAT(text, HasSubstr("loss 0.5"));
  EXPECT_THAT(text, Not(HasSubstr("\r")));
}

TEST(Progress, bar_redraws_one_line_and_removes_itself) {
  const std::string text = shown(ProgressMode::bar);
  EXPECT_THAT(text, HasSubstr("\r\033[K"));
  EXPECT_THAT(text, testing::EndsWith("\r\033[K"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0);
}

TEST(Progress, json_lines_parse_and_name_the_task) {
  std::istringstream lines(shown(ProgressMode::json));
  std::vector<std::string> events;
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    EXPECT_EQ(json["schema"], "eos.progress/1");
    EXPECT_EQ(json["task"], "train seed 1");
    events.push_back(json["event"]);
  }
  EXPECT_EQ(events.front(), "begin");
  EXPECT_EQ(events.back(), "end");
}

TEST(Progress, of_concurrent_tasks_is_summed_without_races) {
  std::ostringstream err;
  ConsoleProgress progress(ProgressMode::plain, err);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&progress, t] {
      cli::NamedProgress named(progress, "run " + std::to_string(t));
      named.begin("", 1000, "steps");
      for (int i = 1; i <= 1000; ++i) named.update("", i, "");
      named.end("");
    });
  threads.clear();
  EXPECT_THAT(err.str(), HasSubstr("100 %"));
}

TEST(Progress, expected_work_keeps_the_share_below_one) {
  std::ostringstream err;
  ConsoleProgress progress(ProgressMode::json, err);
  progress.expect(200);
  progress.begin("a", 100, "epochs");
  progress.update("a", 100, "");
  progress.end("a");
  const std::string last = err.str().substr(err.str().rfind("{\"schema\""));
  EXPECT_DOUBLE_EQ(nlohmann::json::parse(last)["share"], 0.5);
}

/// util-linux's script gives a command a terminal.
TEST(Progress, is_a_bar_on_a_terminal_and_colour_obeys_no_color) {
  if (std::system("command -v script > /dev/null 2>&1") != 0) GTEST_SKIP() << "needs 'script' of util-linux";
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", replaced(tiny_training(), "epochs = 2", "epochs = 40"));
  const auto on_terminal = [&](const std::string& environment, const std::string& words) {
    const std::string command =
        environment + " script -qec \"" EOS_PROGRAM " " + words + "\" /dev/null > " + folder / "screen" + " 2>&1";
    (void)std::system(command.c_str());
    return file_text(folder / "screen");
  };
  EXPECT_THAT(on_terminal("TERM=xterm", "train " + toml + " -o " + folder / "a.h5"), HasSubstr("\r\033[K"));
  EXPECT_THAT(on_terminal("TERM=xterm", "trian"), HasSubstr("\033[1;31merror[E100]"));
  EXPECT_THAT(on_terminal("NO_COLOR=1 TERM=xterm", "trian"), Not(HasSubstr("\033[1")));
}

TEST(Stop, is_requested_by_a_signal_only_while_someone_listens) {
  std::ostringstream err;
  const ConsoleProgress progress(ProgressMode::none, err);
  EXPECT_FALSE(progress.stop_requested());
  {
    const cli::StopOnSignal listening;
    ::raise(SIGTERM);
    EXPECT_TRUE(progress.stop_requested());
    EXPECT_EQ(cli::StopOnSignal::signal(), SIGTERM);
    ::raise(SIGTERM);  // schedulers may say it twice
    ::raise(SIGUSR1);
  }
  const cli::StopOnSignal fresh;
  EXPECT_FALSE(progress.stop_requested());
}

}  // namespace
}  // namespace eos::test
