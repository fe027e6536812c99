// eos train as people use it: files that can be run again, threads that do not matter, kills that do no harm.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"
#include "process.hpp"

namespace eos::test {
namespace {

using testing::HasSubstr;
namespace fs = std::filesystem;

std::string hash_of(const std::string& path) { return io::read_hdf5(path).text("content_sha256"); }

std::string hash_after(const std::vector<std::string>& words, const std::string& out) {
  const Said said = eos_says(words);
  EXPECT_EQ(said.code, 0) << said.err;
  return hash_of(out);
}

TEST(Train, writes_what_readers_rely_on) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training()), out = folder / "run.h5";
  const Said said = eos_says({"train", toml, "-o", out, "--format", "json", "--seed", "3"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  EXPECT_EQ(json["schema"], "eos.train/1");
  EXPECT_EQ(json["status"], "complete");
  EXPECT_EQ(json["seeds"], 1);
  const core::Dataset run = io::read_hdf5(out);
  for (const char* name : {"train_loss", "validation_accuracy", "test_accuracy", "data_fraction", "weight_fraction",
                           "learning_rate", "samples_seen", "samples_backward", "writes", "path_length", "energy"}) {
    ASSERT_TRUE(run.has(name)) << name;
    EXPECT_EQ(run.find(name)->dims, std::vector<std::string>{"epoch"}) << name;
  }
  EXPECT_EQ(json["content_sha256"], run.text("content_sha256"));
  EXPECT_EQ(json["samples_seen"], 1200) << "two epochs of 600 samples";
  EXPECT_FALSE(fs::exists(out + ".checkpoint")) << "removed when the run is complete";
}

TEST(Train, of_the_stored_configuration_gives_the_same_content) {
  const Folder folder;
  const std::string toml = folder.write(
      "tiny.toml", tiny_training("[selection]\nmethod = \"joint\"\n[plasticity]\nmethod = \"error-feedback\"\n"));
  const std::string first = hash_after(
      {"train", toml, "-o", folder / "a.h5", "--set", "train.epochs=1.5", "--set", "prices=\"hbm2\""}, folder / "a.h5");
  const Said config = eos_says({"show", folder / "a.h5", "--config"});
  ASSERT_EQ(config.code, 0);
  const std::string again = folder.write("again.toml", config.out);
  EXPECT_EQ(hash_after({"train", again, "-o", folder / "b.h5"}, folder / "b.h5"), first);
  EXPECT_EQ(eos_says({"show", folder / "b.h5", "--config"}).out, config.out) << "the configuration is a fixed point";
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "b.h5"}).code, 0);
}

TEST(Train, does_not_depend_on_threads) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  const std::string one = hash_after({"train", toml, "-o", folder / "a.h5", "--threads", "1"}, folder / "a.h5");
  EXPECT_EQ(hash_after({"train", toml, "-o", folder / "b.h5", "--threads", "2"}, folder / "b.h5"), one);
  EXPECT_NE(hash_after({"train", toml, "-o", folder / "c.h5", "--set", "train.seeds=[1,3]"}, folder / "c.h5"), one)
      << "the hash sees the seed";
}

/// Long enough (about three seconds on an idle core) that a checkpoint and two signals always come before the end.
std::string long_training() {
  return replaced(
      replaced(tiny_training(), "epochs = 2", "epochs = 2500\nevaluate_every = 100\ncheckpoint_seconds = 1"),
      "hidden = [16]", "hidden = [64, 64]");
}

class Interrupted : public testing::Test {
 protected:
  void SetUp() override {
    toml = folder.write("long.toml", long_training());
    words = {"train", toml, "-o", folder / "run.h5", "--threads", "2", "--progress", "none"};
    expected = hash_after({"train", toml, "-o", folder / "whole.h5", "-q"}, folder / "whole.h5");
  }
  bool has_checkpoint() const {
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(folder / "run.h5.checkpoint", ignored))
      if (entry.path().extension() == ".h5") return true;
    return false;
  }
  Folder folder;
  std::string toml, expected;
  std::vector<std::string> words;
};

TEST_F(Interrupted, by_sigkill_resumes_to_the_same_content) {
  Process process(words, folder / "out", folder / "err");
  ASSERT_TRUE(process.wait_until([this] { return has_checkpoint(); }))
      << "ended before its first checkpoint: " << file_text(folder / "err");
  process.send(SIGKILL);
  EXPECT_EQ(process.wait(), 128 + SIGKILL);
  ASSERT_FALSE(fs::exists(folder / "run.h5"));
  const Said said = eos_says(words);
  EXPECT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.err, HasSubstr("resuming from"));
  EXPECT_EQ(hash_of(folder / "run.h5"), expected);
}

TEST_F(Interrupted, by_sigint_sigterm_or_sigusr1_saves_says_how_to_resume_and_ends_with_code_4) {
  for (const int number : {SIGINT, SIGTERM, SIGUSR1}) {
    Process process(words, folder / "out", folder / "err");
    ASSERT_TRUE(process.wait_until([this] { return fs::exists(folder / "run.h5.checkpoint/lock"); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(300));
    process.send(number);
    ASSERT_EQ(process.wait(), 4) << file_text(folder / "err");
    EXPECT_THAT(file_text(folder / "err"), HasSubstr("To resume: eos train"));
    EXPECT_EQ(file_text(folder / "out"), "") << "no result, nothing on stdout";
    EXPECT_TRUE(has_checkpoint());
  }
  EXPECT_EQ(eos_says(words).code, 0);
  EXPECT_EQ(hash_of(folder / "run.h5"), expected);
}

TEST_F(Interrupted, and_then_changed_is_refused) {
  Process process(words, folder / "out", folder / "err");
  ASSERT_TRUE(process.wait_until([this] { return has_checkpoint(); }));
  process.send(SIGKILL);
  process.wait();
  std::vector<std::string> changed = words;
  changed.insert(changed.end(), {"--set", "optimiser.learning_rate=0.05"});
  const Said said = eos_says(changed);
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("error[E501]"));
}

TEST(Train, that_saves_nothing_is_killed_by_a_signal) {
  const Folder folder;
  const std::string toml =
      folder.write("long.toml", replaced(long_training(), "checkpoint_seconds = 1", "checkpoint_seconds = 0"));
  Process process({"train", toml, "-o", folder / "run.h5", "--progress", "json"}, folder / "out", folder / "err");
  ASSERT_TRUE(process.wait_until([&] { return !file_text(folder / "err").empty(); }));
  process.send(SIGINT);
  EXPECT_EQ(process.wait(), 128 + SIGINT);
}

TEST(Train, into_a_run_that_another_process_holds_is_refused) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training()), out = folder / "run.h5";
  fs::create_directory(out + ".checkpoint");
  const int lock = ::open((out + ".checkpoint/lock").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_EQ(::flock(lock, LOCK_EX | LOCK_NB), 0);
  const Said said = eos_says({"train", toml, "-o", out});
  ::close(lock);
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("error[E503]"));
}

TEST(Train, needs_an_output_and_the_right_kind_of_file) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  EXPECT_THAT(eos_says({"train", toml}).err, HasSubstr("eos train needs -o FILE.h5"));
  const Said said =
      eos_says({"train", std::string(EOS_SOURCE_DIR) + "/examples/reference_ranked.toml", "-o", folder / "a.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("use: eos plan"));
}

TEST(Train, reports_all_problems_of_its_file_with_places) {
  const Folder folder;
  const std::string toml =
      folder.write("bad.toml", "[train]\nepoch = 3\nbatch = \"big\"\n[optimiser]\nlearning_rate = -1.0\n");
  const Said said = eos_says({"train", toml, "-o", folder / "a.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("error[E102]"));
  EXPECT_THAT(said.err, HasSubstr("bad.toml:2:1"));
  EXPECT_THAT(said.err, HasSubstr("did you mean 'epochs'?"));
  EXPECT_THAT(said.err, HasSubstr("error[E103]"));
  EXPECT_THAT(said.err, HasSubstr("error[E104]"));
  EXPECT_THAT(said.err, HasSubstr("learning_rate = -1.0\n"));
  expect_golden("errors_train.txt", replaced(said.err, folder.path(), "FOLDER"));
}

TEST(Train, into_a_place_that_cannot_be_written_fails_before_any_work) {
  const Folder folder;
  const std::string toml = folder.write("long.toml", long_training());
  fs::create_directory(folder / "closed");
  fs::permissions(folder / "closed", fs::perms::owner_read | fs::perms::owner_exec);
  std::vector<std::string> places = {folder / "absent/run.h5", "/proc/run.h5", folder.path()};
  if (::geteuid() != 0) places.push_back(folder / "closed/run.h5");  // permissions do not stop root
  for (const std::string& place : places) {
    const Said said = eos_says({"train", toml, "-o", place});
    EXPECT_EQ(said.code, 3) << place;
    EXPECT_THAT(said.err, HasSubstr("error[E301]"));
    EXPECT_EQ(said.err.find('%'), std::string::npos) << "no progress: it did not start";
  }
}

TEST(Train, on_a_full_disk_says_so_and_leaves_the_old_file_whole) {
  const Folder folder;
  const std::string disk = folder / "disk", toml = folder.write("tiny.toml", tiny_training());
  fs::create_directory(disk);
  if (::mount("eos-test", disk.c_str(), "tmpfs", 0, "size=128k") != 0)
    GTEST_SKIP() << "a small disk needs the right to mount one";
  struct Unmount {
    const std::string& disk;
    ~Unmount() { ::umount2(disk.c_str(), MNT_DETACH); }
  } unmount{disk};
  std::ofstream(disk + "/run.h5") << "old content";
  std::ofstream(disk + "/ballast") << std::string(110 * 1024, 'x');
  const Said said = eos_says(
      {"train", toml, "-o", disk + "/run.h5", "--set", "train.checkpoint_seconds=0", "--set", "train.record_every=1"});
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("error[E301]"));
  EXPECT_EQ(file_text(disk + "/run.h5"), "old content");
  EXPECT_EQ(std::distance(fs::directory_iterator(disk), fs::directory_iterator{}), 2) << "no temporary file is left";
}

TEST(Train, on_a_device_that_is_not_there_is_the_machines_fault) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  const Said said = eos_says({"train", toml, "-o", folder / "a.h5", "--device", "cuda"});
  if (said.code == 0) GTEST_SKIP() << "this machine has a CUDA device";
  EXPECT_EQ(said.code, 3);
  EXPECT_THAT(said.err, HasSubstr("error[E302]"));
  for (const char* name : {"cuda:1", "cuda:bf16", "cuda:7:fp32"}) {
    EXPECT_EQ(eos_says({"train", toml, "-o", folder / "a.h5", "--device", name}).code, 3) << name;
  }
}

TEST(Train, that_diverges_is_done_with_code_1) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training("[optimiser]\nlearning_rate = 1e20\n"));
  const Said said = eos_says({"train", toml, "-o", folder / "a.h5", "--format", "json"});
  EXPECT_EQ(said.code, 1) << said.err;
  EXPECT_EQ(nlohmann::json::parse(said.out)["status"], "diverged");
}

TEST(Train, keeps_progress_off_stdout) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  const Said said = eos_says({"train", toml, "-o", folder / "a.h5", "--progress", "json", "--format", "csv", "-v"});
  EXPECT_EQ(said.out.find("eos.progress"), std::string::npos);
  EXPECT_THAT(said.out, testing::StartsWith("epoch,train_loss,"));
  EXPECT_THAT(said.err, HasSubstr("\"schema\":\"eos.progress/1\",\"event\":\"begin\""));
  EXPECT_THAT(said.err, HasSubstr("data: teacher"));
}

}  // namespace
}  // namespace eos::test
