#include "eos/io/run_journal.hpp"

#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <thread>

#include "support.hpp"
#include "sweep_samples.hpp"

namespace {

using eos::core::content_sha256;
using eos::core::Dataset;
using eos::io::RunJournal;
using eos::io::testing::code_of;
using eos::io::testing::error_of;
using eos::io::testing::sample_run;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(RunJournal, runs_come_back_as_they_were_recorded) {
  const Scratch scratch;
  {
    auto journal = RunJournal::claim(scratch / "j", "sweep");
    ASSERT_TRUE(journal);
    EXPECT_THAT(journal->finished(), IsEmpty());
    for (const int index : {4, 1, 2}) journal->append(index, sample_run(index));
  }
  auto journal = RunJournal::claim(scratch / "j", "sweep");
  ASSERT_TRUE(journal);
  EXPECT_THAT(journal->finished(), ElementsAre(4, 1, 2));
  const auto records = journal->read();
  ASSERT_EQ(records.size(), 3u);
  for (const auto& [index, run] : records) {
    const Dataset original = sample_run(static_cast<int>(index));
    EXPECT_EQ(content_sha256(run), content_sha256(original));
    EXPECT_EQ(run.attributes, original.attributes);
    EXPECT_EQ(run.groups.at("provenance").attributes, original.groups.at("provenance").attributes);
    EXPECT_EQ(run.find("loss0")->long_name, "a loss");
    for (std::size_t v = 0; v < run.variables.size(); ++v) EXPECT_EQ(run.variables[v].name, original.variables[v].name);
  }
}

TEST(RunJournal, a_record_torn_at_any_byte_is_cut_off_and_no_other) {
  const Scratch scratch;
  { RunJournal::claim(scratch / "j", "sweep")->append(0, sample_run(0)); }
  const std::size_t one = slurp(scratch / "j").size();
  { RunJournal::claim(scratch / "j", "sweep")->append(1, sample_run(1)); }
  const std::string both = slurp(scratch / "j");
  for (std::size_t bytes = 0; bytes < both.size(); ++bytes) {
    spill(scratch / "t", both.substr(0, bytes));
    auto journal = RunJournal::claim(scratch / "t", "sweep");
    ASSERT_TRUE(journal);
    ASSERT_EQ(journal->finished().size(), bytes < one ? 0u : 1u) << bytes;
    if (bytes % 97 != 0) continue;
    journal->append(7, sample_run(7));  // and goes on
    const auto records = journal->read();
    ASSERT_EQ(records.back().index, 7);
    ASSERT_EQ(content_sha256(records.back().run), content_sha256(sample_run(7)));
  }
}

TEST(RunJournal, a_flipped_bit_costs_runs_but_never_changes_one) {
  const Scratch scratch;
  {
    auto journal = RunJournal::claim(scratch / "j", "sweep");
    for (int i = 0; i < 3; ++i) journal->append(i, sample_run(i));
  }
  const std::string good = slurp(scratch / "j");
  for (std::size_t at = 72; at < good.size(); at += 31) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x10);
    spill(scratch / "t", bad);
    for (const auto& [index, run] : RunJournal::claim(scratch / "t", "sweep")->read())
      ASSERT_EQ(content_sha256(run), content_sha256(sample_run(static_cast<int>(index))));
  }
}

TEST(RunJournal, one_holder_at_a_time) {
  const Scratch scratch;
  auto first = RunJournal::claim(scratch / "j", "sweep");
  EXPECT_FALSE(RunJournal::claim(scratch / "j", "sweep"));
  first->append(3, sample_run(3));
  first.reset();
  EXPECT_TRUE(RunJournal::claim(scratch / "j", "sweep"));
}

TEST(RunJournal, the_claim_ends_with_its_process) {
  const Scratch scratch;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    auto journal = RunJournal::claim(scratch / "j", "sweep");
    for (int i = 0;; ++i) {
      journal->append(i, sample_run(i));
      if (i == 20 && ::write(ready[1], "x", 1) != 1) ::_exit(1);
    }
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  EXPECT_FALSE(RunJournal::claim(scratch / "j", "sweep"));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(ready[0]), ::close(ready[1]);
  auto journal = RunJournal::claim(scratch / "j", "sweep");
  ASSERT_TRUE(journal);
  EXPECT_GE(journal->finished().size(), 21u);
  for (const auto& [index, run] : journal->read())
    ASSERT_EQ(content_sha256(run), content_sha256(sample_run(static_cast<int>(index))));
}

TEST(RunJournal, a_removed_journal_is_nobodys_claim) {
  const Scratch scratch;
  auto first = RunJournal::claim(scratch / "j", "sweep");
  first->append(0, sample_run(0));
  first->remove();
  EXPECT_FALSE(std::filesystem::exists(scratch / "j"));
  const auto second = RunJournal::claim(scratch / "j", "sweep");
  ASSERT_TRUE(second);
  EXPECT_THAT(second->finished(), IsEmpty());
  EXPECT_FALSE(RunJournal::claim(scratch / "j", "sweep"));
}

TEST(RunJournal, a_claim_is_on_the_file_that_has_the_name) {
  // Claims and removals from many threads: two holders of one name at once would both see the counter at 1.
  const Scratch scratch;
  std::atomic<int> holders{0}, claims{0}, clashes{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        auto journal = RunJournal::claim(scratch / "j", "sweep");
        if (!journal) continue;
        ++claims;
        if (++holders != 1) ++clashes;
        std::this_thread::yield();
        --holders;
        journal->remove();
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(clashes, 0);
  EXPECT_GT(claims, 0);
}

TEST(RunJournal, threads_append_whole_records) {
  const Scratch scratch;
  {
    auto journal = RunJournal::claim(scratch / "j", "sweep");
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&, t] {
        for (int i = t; i < 200; i += 4) journal->append(i, sample_run(i));
      });
    for (std::thread& thread : threads) thread.join();
  }
  auto journal = RunJournal::claim(scratch / "j", "sweep");
  std::set<std::int64_t> seen;
  for (const auto& [index, run] : journal->read()) {
    EXPECT_TRUE(seen.insert(index).second);
    EXPECT_EQ(content_sha256(run), content_sha256(sample_run(static_cast<int>(index))));
  }
  EXPECT_EQ(seen.size(), 200u);
}

TEST(RunJournal, other_files_and_other_sweeps_are_refused_and_left_alone) {
  const Scratch scratch;
  { RunJournal::claim(scratch / "j", "sweep")->append(0, sample_run(0)); }
  const std::string before = slurp(scratch / "j");
  EXPECT_EQ(code_of([&] { RunJournal::claim(scratch / "j", "another sweep"); }), "E501");
  EXPECT_EQ(slurp(scratch / "j"), before);
  spill(scratch / "text", "something else altogether");
  EXPECT_EQ(code_of([&] { RunJournal::claim(scratch / "text", "sweep"); }), "E203");
  EXPECT_EQ(slurp(scratch / "text"), "something else altogether");
  EXPECT_EQ(code_of([&] { RunJournal::claim(scratch / "absent/j", "sweep"); }), "E301");
}

TEST(RunJournal, a_full_disk_leaves_whole_records) {
  const Scratch scratch;
  auto journal = RunJournal::claim(scratch / "j", "sweep");
  journal->append(0, sample_run(0));
  const std::string before = slurp(scratch / "j");
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{before.size() + 100, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const auto error = error_of([&] { journal->append(1, sample_run(1)); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.diagnostics().front().code, "E301");
  EXPECT_THAT(error.what(), HasSubstr("the disk is full"));
  EXPECT_EQ(slurp(scratch / "j"), before);
  journal->append(1, sample_run(1));
  EXPECT_THAT(journal->finished(), ElementsAre(0, 1));
}

}  // namespace
