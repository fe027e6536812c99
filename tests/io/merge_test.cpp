#include "eos/io/merge.hpp"

#include <gmock/gmock.h>
#include <hdf5.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <random>
#include <thread>

#include "eos/io/hdf5.hpp"
#include "eos/io/run_stack.hpp"
#include "support.hpp"
#include "sweep_samples.hpp"

namespace {

using eos::core::content_sha256;
using eos::core::Dataset;
using eos::io::merge_sweeps;
using eos::io::MergeOptions;
using eos::io::MergeResult;
using eos::io::read_hdf5;
using eos::io::runs_of_cell;
using eos::io::stack_runs;
using eos::io::Storage;
using eos::io::write_hdf5;
using eos::io::testing::code_of;
using eos::io::testing::error_of;
using eos::io::testing::sample_run;
using eos::io::testing::sample_runs;
using eos::io::testing::SampleSweep;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using ::testing::HasSubstr;

constexpr int k_runs = 37;

MergeResult merge(const std::vector<std::string>& inputs, const std::string& out, const MergeOptions& options = {}) {
  eos::core::Progress silent;
  return merge_sweeps(inputs, out, options, silent);
}

MergeOptions partial() {
  MergeOptions options;
  options.partial = true;
  return options;
}
MergeOptions of_runs(std::int64_t planned) {
  MergeOptions options;
  options.planned_runs = planned;
  return options;
}

std::string chunk(const Scratch& scratch, int from, int to, const SampleSweep& kind = {}) {
  const std::string path = scratch / fmt::format("chunk-{:06d}-{}.h5", from, to);
  Dataset table = stack_runs(sample_runs(from, to, kind));
  table.attributes["planned_runs"] = std::int64_t{k_runs};
  table.attributes["title"] = std::string("a sweep");
  write_hdf5(path, table, Storage::contiguous);
  return path;
}

/// Cuts all runs into chunks at the given places.
std::vector<std::string> chunks(const Scratch& scratch, const std::vector<int>& cuts, const SampleSweep& kind = {}) {
  std::vector<std::string> paths;
  int from = 0;
  for (const int to : cuts) paths.push_back(chunk(scratch, from, to, kind)), from = to;
  paths.push_back(chunk(scratch, from, k_runs, kind));
  return paths;
}

class Packing : public ::testing::TestWithParam<SampleSweep> {};

TEST_P(Packing, does_not_change_the_result) {
  const SampleSweep kind = GetParam();
  const Dataset whole = stack_runs(sample_runs(0, k_runs, kind));
  const std::string expected = content_sha256(whole);
  for (const std::vector<int>& cuts :
       {std::vector<int>{}, {1}, {36}, {1, 2, 3, 4}, {10, 20, 30}, {4, 5, 29}, {18}, {3, 9, 12, 15, 27, 33}}) {
    const Scratch scratch;
    const MergeResult result = merge(chunks(scratch, cuts, kind), scratch / "all.h5");
    const Dataset merged = read_hdf5(scratch / "all.h5");
    EXPECT_EQ(content_sha256(merged), expected) << cuts.size();
    EXPECT_EQ(result.content_sha256, expected);
    EXPECT_EQ(result.runs, k_runs);
    EXPECT_EQ(merged.text("status"), "complete");
    EXPECT_EQ(merged.text("title"), "a sweep");
    EXPECT_EQ(merged.text("run_coordinates"), "run_id seed design_index rate");
    EXPECT_EQ(merged.find("loss0")->attributes, whole.find("loss0")->attributes);
    EXPECT_EQ(merged.groups.at("provenance").numbers("joules"), whole.groups.at("provenance").numbers("joules"));
    EXPECT_EQ(merged.groups.at("provenance").strings("effective_toml"),
              whole.groups.at("provenance").strings("effective_toml"));
    EXPECT_EQ(scratch.files(), cuts.size() + 2) << "nothing is left behind";
  }
}

INSTANTIATE_TEST_SUITE_P(Runs, Packing,
                         ::testing::Values(SampleSweep{}, SampleSweep{.same_grid = true},
                                           SampleSweep{.ragged = false}));

TEST(Merge, random_packings_and_shards_in_any_order_give_one_result) {
  const std::string expected = content_sha256(stack_runs(sample_runs(0, k_runs)));
  std::mt19937 random(5);
  for (int repeat = 0; repeat < 10; ++repeat) {
    const Scratch scratch;
    std::set<int> cuts;
    for (int i = 0; i < repeat; ++i) cuts.insert(1 + static_cast<int>(random() % (k_runs - 1)));
    std::vector<std::string> paths = chunks(scratch, {cuts.begin(), cuts.end()});
    std::shuffle(paths.begin(), paths.end(), random);
    const std::size_t half = (paths.size() + 1) / 2;
    const std::vector<std::string> first(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(half)),
        second(paths.begin() + static_cast<std::ptrdiff_t>(half), paths.end());
    merge(first, scratch / "first.h5", partial());
    std::vector<std::string> shards{scratch / "first.h5"};
    if (!second.empty()) {
      merge(second, scratch / "second.h5", partial());
      shards.insert(shards.begin(), scratch / "second.h5");
    }
    const MergeResult result = merge(shards, scratch / "all.h5");
    EXPECT_EQ(result.content_sha256, expected);
    EXPECT_EQ(content_sha256(read_hdf5(scratch / "all.h5")), expected);
  }
}

TEST(Merge, files_are_byte_for_byte_the_same) {
  const Scratch scratch;
  const auto paths = chunks(scratch, {10, 20});
  merge(paths, scratch / "a.h5");
  merge(paths, scratch / "b.h5");
  EXPECT_EQ(slurp(scratch / "a.h5"), slurp(scratch / "b.h5"));
}

TEST(Merge, a_run_in_two_files_must_be_the_same) {
  const Scratch scratch;
  const std::string a = chunk(scratch, 0, 20), b = chunk(scratch, 15, k_runs);
  const MergeResult result = merge({a, b}, scratch / "all.h5");
  EXPECT_EQ(result.duplicates, 5);
  EXPECT_EQ(result.content_sha256, content_sha256(stack_runs(sample_runs(0, k_runs))));
  const auto with = [&](auto&& change) {
    std::vector<Dataset> runs = sample_runs(15, k_runs);
    change(runs[2]);
    write_hdf5(scratch / "other.h5", stack_runs(runs));
    return error_of([&] { merge({a, scratch / "other.h5"}, scratch / "bad.h5"); });
  };
  const auto number = with([](Dataset& d) { std::get<std::vector<double>>(d.variables[2].values)[0] += 1e-12; });
  EXPECT_EQ(number.diagnostics().front().code, "E107");
  EXPECT_THAT(number.what(), HasSubstr("'loss0' of it is different"));
  const auto text = with([](Dataset& d) {
    for (auto& v : d.variables)
      if (v.name == "run_id") v.values = std::vector<std::string>{"another"};
  });
  EXPECT_THAT(text.what(), HasSubstr("'run_id' of it is different"));
  EXPECT_FALSE(std::filesystem::exists(scratch / "bad.h5"));
  EXPECT_EQ(scratch.files(), 4u) << "nothing is left behind";
}

TEST(Merge, missing_runs_are_counted_and_partial_files_say_so) {
  const Scratch scratch;
  const std::string a = chunk(scratch, 0, 10), c = chunk(scratch, 20, k_runs);
  const auto error = error_of([&] { merge({a, c}, scratch / "all.h5"); });
  EXPECT_EQ(error.diagnostics().front().code, "E505");
  EXPECT_THAT(error.what(), HasSubstr("10 of 37 runs are missing"));
  EXPECT_THAT(error.diagnostics().front().help, HasSubstr("--partial"));
  const MergeResult result = merge({a, c}, scratch / "all.h5", partial());
  EXPECT_EQ(result.runs, 27);
  EXPECT_EQ(result.planned, 37);
  const Dataset merged = read_hdf5(scratch / "all.h5");
  EXPECT_EQ(merged.text("status"), "partial");
  EXPECT_EQ(merged.numbers("plan_index")[10], 20);
  EXPECT_EQ(content_sha256(runs_of_cell(merged, {10})), content_sha256(sample_run(20)));
  EXPECT_EQ(code_of([&] { merge({a}, scratch / "b.h5", of_runs(11)); }), "E505");
}

TEST(Merge, a_damaged_chunk_is_named_and_nothing_else_touched) {
  const Scratch scratch;
  const auto paths = chunks(scratch, {10, 20});
  merge(paths, scratch / "all.h5");
  const std::string before = slurp(scratch / "all.h5"), good = slurp(paths[1]);
  for (const std::size_t length :
       {std::size_t{0}, std::size_t{7}, std::size_t{100}, good.size() / 2, good.size() * 9 / 10}) {
    spill(paths[1], good.substr(0, length));
    const auto error = error_of([&] { merge(paths, scratch / "all.h5"); });
    EXPECT_THAT(error.diagnostics().front().code, ::testing::AnyOf("E210", "E211")) << length;
    EXPECT_THAT(error.what(), HasSubstr(paths[1]));
    EXPECT_THAT(error.diagnostics().front().help, HasSubstr("remove it and run 'eos sweep'"));
  }
  spill(paths[1], good);
  const hid_t file = H5Fopen(paths[1].c_str(), H5F_ACC_RDWR, H5P_DEFAULT);
  const hid_t data = H5Dopen2(file, "loss2", H5P_DEFAULT);
  std::vector<double> values(10 * 5);
  H5Dread(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  values[5] += 0.125;
  H5Dwrite(data, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values.data());
  H5Dclose(data), H5Fclose(file);
  const auto error = error_of([&] { merge(paths, scratch / "all.h5"); });
  EXPECT_EQ(error.diagnostics().front().code, "E211");
  EXPECT_THAT(error.what(), HasSubstr(paths[1]));
  EXPECT_EQ(slurp(scratch / "all.h5"), before);
  EXPECT_EQ(scratch.files(), 4u);
}

TEST(Merge, other_files_are_refused) {
  const Scratch scratch;
  const std::string a = chunk(scratch, 0, k_runs);
  EXPECT_EQ(code_of([&] { merge({}, scratch / "x.h5"); }), "E201");
  EXPECT_EQ(code_of([&] { merge({a, scratch / "absent.h5"}, scratch / "x.h5"); }), "E201");
  write_hdf5(scratch / "run.h5", sample_run(0));
  EXPECT_EQ(code_of([&] { merge({a, scratch / "run.h5"}, scratch / "x.h5"); }), "E107");
  EXPECT_EQ(code_of([&] { merge({a}, scratch / "absent/x.h5"); }), "E301");
  EXPECT_EQ(code_of([&] { merge({a}, scratch.path()); }), "E301");
  const auto of = [&](const std::string& config) {
    Dataset table = stack_runs(sample_runs(0, 3));
    table.attributes["sweep_sha256"] = config;
    write_hdf5(scratch / (config + ".h5"), table);
    return scratch / (config + ".h5");
  };
  EXPECT_THAT(error_of([&] {
                merge({of("one"), of("two")}, scratch / "x.h5");
              }).what(),
              HasSubstr("belong to different sweeps"));
}

/// Runs with enough numbers that a merge takes a while.
std::vector<std::string> big_chunks(const Scratch& scratch, int count, std::size_t values, int runs = 4) {
  const auto n = static_cast<std::size_t>(runs);
  std::vector<std::string> paths;
  for (int c = 0; c < count; ++c) {
    Dataset table;
    table.attributes = {{"kind", std::string("sweep")}, {"title", std::string("big")}};
    table.add_dim("run", runs, "run");
    table.add_dim("epoch", static_cast<std::int64_t>(values), "epoch");
    table.add("epoch_count", {"run"}, std::vector<std::int32_t>(n, static_cast<std::int32_t>(values)), "1", "rows")
        .attributes["sweep_role"] = std::string("count");
    std::vector<double> loss(n * values);
    for (std::size_t i = 0; i < loss.size(); ++i) loss[i] = static_cast<double>(i % 1000 + static_cast<std::size_t>(c));
    table.add("loss", {"run", "epoch"}, std::move(loss), "1", "loss");
    std::vector<std::int64_t> index;
    std::vector<std::string> id;
    for (int r = 0; r < runs; ++r) index.push_back(runs * c + r), id.push_back(fmt::format("run {}", runs * c + r));
    table.add("plan_index", {"run"}, index, "1", "order");
    table.add("run_id", {"run"}, id, "1", "id");
    paths.push_back(scratch / fmt::format("big-{:03d}.h5", c));
    write_hdf5(paths.back(), table, Storage::contiguous);
  }
  return paths;
}

TEST(Merge, a_killed_merge_goes_on_where_it_was) {
  const Scratch scratch;
  const auto paths = big_chunks(scratch, 24, 20000);  // 15 MB
  const std::string expected = merge(paths, scratch / "undisturbed.h5").content_sha256;
  const std::string bytes = slurp(scratch / "undisturbed.h5");
  /// Kills the process in which it lives after some files.
  struct Killer : eos::core::Progress {
    int after = 0;
    void update(const std::string&, double done, const std::string&) override {
      if (static_cast<int>(done) > after) ::raise(SIGKILL);
      std::this_thread::sleep_for(std::chrono::milliseconds(60));  // so that positions are recorded on the way
    }
  };
  std::mt19937 random(11);
  int resumed = 0;
  for (int repeat = 0; repeat < 4; ++repeat) {
    int done = 0;
    for (int kill = 0; kill < 3; ++kill) {
      done += 4 + static_cast<int>(random() % 5);
      const pid_t child = ::fork();
      if (child == 0) {
        Killer killer;
        killer.after = std::min(done, 23);
        merge_sweeps(paths, scratch / "all.h5", {}, killer);
        ::_exit(0);
      }
      int status = 0;
      ::waitpid(child, &status, 0);
      EXPECT_TRUE(WIFSIGNALED(status));
      EXPECT_FALSE(std::filesystem::exists(scratch / "all.h5"));
    }
    const MergeResult result = merge(paths, scratch / "all.h5");
    resumed += result.resumed ? 1 : 0;
    EXPECT_EQ(result.content_sha256, expected);
    EXPECT_EQ(slurp(scratch / "all.h5"), bytes);
    std::filesystem::remove(scratch / "all.h5");
    EXPECT_EQ(scratch.files(), 25u);
  }
  EXPECT_EQ(resumed, 4);
}

TEST(Merge, a_merge_killed_at_any_moment_never_leaves_a_broken_file) {
  const Scratch scratch;
  const auto paths = big_chunks(scratch, 12, 20000);
  const std::string expected = merge(paths, scratch / "undisturbed.h5").content_sha256;
  std::mt19937 random(3);
  for (int kill = 0; kill < 25; ++kill) {
    const pid_t child = ::fork();
    if (child == 0) {
      merge(paths, scratch / "all.h5");
      ::_exit(0);
    }
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 30000));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    if (std::filesystem::exists(scratch / "all.h5")) {
      EXPECT_EQ(read_hdf5(scratch / "all.h5").text("content_sha256"), expected);
      std::filesystem::remove(scratch / "all.h5");
    }
  }
  EXPECT_EQ(merge(paths, scratch / "all.h5").content_sha256, expected);
}

TEST(Merge, changed_inputs_start_a_killed_merge_again) {
  const Scratch scratch;
  auto paths = big_chunks(scratch, 8, 1000);
  struct Stop : eos::core::Progress {
    bool asked = false;
    void update(const std::string&, double done, const std::string&) override { asked = done >= 3; }
    bool stop_requested() const override { return asked; }
  } stop;
  EXPECT_TRUE(merge_sweeps(paths, scratch / "all.h5", {}, stop).stopped);
  EXPECT_FALSE(std::filesystem::exists(scratch / "all.h5"));
  Dataset changed = read_hdf5(paths[1]);
  for (auto& v : changed.variables)
    if (v.name == "loss") std::get<std::vector<double>>(v.values)[7] = -1;
  write_hdf5(paths[1], changed, Storage::contiguous);
  const MergeResult result = merge(paths, scratch / "all.h5");
  EXPECT_FALSE(result.resumed);
  EXPECT_EQ(read_hdf5(scratch / "all.h5").numbers("loss")[4 * 1000 + 7], -1);
}

TEST(Merge, takes_no_more_memory_than_a_piece) {
  const Scratch scratch;
  const auto paths = big_chunks(scratch, 16, 2000, 400);  // 102 MB in files of 6.4 MB
  const pid_t child = ::fork();
  if (child == 0) {
    rusage before{}, after{};
    ::getrusage(RUSAGE_SELF, &before);
    merge(paths, scratch / "all.h5");
    merge({scratch / "all.h5"}, scratch / "again.h5");  // one file of 102 MB
    ::getrusage(RUSAGE_SELF, &after);
    ::_exit(static_cast<int>(std::min(255L, (after.ru_maxrss - before.ru_maxrss) / 1024)));
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_LT(WEXITSTATUS(status), 32) << "MB";
  EXPECT_TRUE(std::filesystem::exists(scratch / "again.h5"));
}

TEST(Merge, a_full_disk_is_said_and_leaves_nothing) {
  const Scratch scratch;
  const auto paths = big_chunks(scratch, 4, 20000);
  rlimit old{};
  ::getrlimit(RLIMIT_FSIZE, &old);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit tight{1 << 20, old.rlim_max};
  ::setrlimit(RLIMIT_FSIZE, &tight);
  const auto error = error_of([&] { merge(paths, scratch / "all.h5"); });
  ::setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(error.diagnostics().front().code, "E301");
  EXPECT_THAT(error.what(), HasSubstr("the disk is full"));
  EXPECT_EQ(scratch.files(), 4u);
}

TEST(Merge, two_at_once_into_one_file_are_told_apart) {
  const Scratch scratch;
  const auto paths = big_chunks(scratch, 4, 1000);
  struct Second : eos::core::Progress {
    const std::vector<std::string>& paths;
    std::string out, code;
    Second(const std::vector<std::string>& p, std::string o) : paths(p), out(std::move(o)) {}
    void update(const std::string&, double, const std::string&) override {
      if (code.empty()) code = code_of([&] { merge(paths, out); });
    }
  } second(paths, scratch / "all.h5");
  merge_sweeps(paths, scratch / "all.h5", {}, second);
  EXPECT_EQ(second.code, "E503");
  EXPECT_TRUE(std::filesystem::exists(scratch / "all.h5"));
}

}  // namespace
