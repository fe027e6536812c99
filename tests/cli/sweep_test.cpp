// eos sweep as people use it: what is run, how it is cut does not matter, kills lose nothing, mistakes are explained.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <set>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_journal.hpp"
#include "eos/io/sweep_folder.hpp"
#include "process.hpp"
#include "sweep_work.hpp"

namespace eos::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

/// A run of a few milliseconds times `seeds`, two rates and two rules.
std::string tiny_sweep(int seeds, const std::string& more = {}, double epochs = 2) {
  return "[sweep]\ntitle = \"tiny\"\nseeds = " + std::to_string(seeds) +
         "\n[[sweep.axes]]\nkey = \"optimiser.learning_rate\"\nvalues = [0.05, 0.2]\n"
         "[[sweep.axes]]\nkey = \"selection.method\"\nname = \"rule\"\nvalues = [\"all\", \"dbpd\"]\n" +
         more +
         "[data]\nname = \"teacher\"\ntrain_samples = 300\nvalidation_samples = 100\ntest_samples = 100\n"
         "[data.teacher]\ninputs = 16\nclasses = 4\nhidden = 12\n[network]\nhidden = [16]\n"
         "[train]\nbatch = 16\nepochs = " +
         std::to_string(epochs) + "\n";
}

/// Runs a sweep in-process into folder/name with further options and merges it; returns the content hash.
class Sweep : public ::testing::Test {
 protected:
  std::string start(const std::string& name, const std::vector<std::string>& more) {
    std::vector<std::string> words = {"sweep", file, "-o", folder / name};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 0) << said.err;
    return said.out;
  }
  std::string merged(const std::string& name) {
    const Said said = eos_says({"merge", folder / name, "-o", folder / (name + ".h5")});
    EXPECT_EQ(said.code, 0) << said.err;
    return io::read_hdf5(folder / (name + ".h5")).text("content_sha256");
  }
  std::string whole(const std::string& name, const std::vector<std::string>& more) {
    start(name, more);
    return merged(name);
  }

  Folder folder;
  std::string file = folder.write("sweep.toml", tiny_sweep(3));
};

TEST_F(Sweep, makes_every_run_and_labels_it) {
  start("all", {});
  EXPECT_EQ(merged("all").size(), 64u);
  const core::Dataset table = io::read_hdf5(folder / "all.h5");
  EXPECT_EQ(table.dims.at("run"), 12);
  EXPECT_EQ(table.text("kind"), "sweep");
  const std::vector<std::string> rules = table.strings("rule"), ids = table.strings("run_id");
  const std::vector<double> rates = table.numbers("optimiser_learning_rate"), seeds = table.numbers("seed");
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), 12u);
  for (std::size_t i = 0; i < 12; ++i) {  // plan order: last axis fastest, then the seeds
    EXPECT_EQ(seeds[i], static_cast<double>(i % 3 + 1));
    EXPECT_EQ(rules[i], i / 3 % 2 == 0 ? "all" : "dbpd");
    EXPECT_EQ(rates[i], i < 6 ? 0.05 : 0.2);
  }
}

TEST_F(Sweep, has_the_numbers_of_the_same_runs_alone) {
  start("all", {});
  merged("all");
  const core::Dataset table = io::read_hdf5(folder / "all.h5");
  const std::string alone = folder.write("alone.toml", replaced(tiny_sweep(3), "[sweep]", "[sweep]"));
  const std::size_t run = 4;  // rate 0.05, dbpd, seed 2
  std::string text = tiny_sweep(3);
  text = text.substr(text.find("[data]"));
  folder.write("alone.toml", text);
  const Said said = eos_says({"train", alone, "-o", folder / "alone.h5", "--set", "optimiser.learning_rate=0.05",
                              "--set", "selection.method=dbpd", "--set", "train.seeds=[2]"});
  ASSERT_EQ(said.code, 0) << said.err;
  const core::Dataset one = io::read_hdf5(folder / "alone.h5");
  for (const char* name : {"test_loss", "validation_accuracy", "path_length", "writes", "energy"}) {
    const std::vector<double> many = table.numbers(name), own = one.numbers(name);
    const auto begin = many.begin() + static_cast<std::ptrdiff_t>(run * own.size());
    EXPECT_EQ(std::vector<double>(begin, begin + static_cast<std::ptrdiff_t>(own.size())), own) << name;
  }
}

TEST_F(Sweep, does_not_depend_on_threads_shards_or_packing) {
  const std::vector<std::string> small = {"--chunk-minutes", "0.001"};
  const std::string hash = whole("one", {"--threads", "1"});
  EXPECT_EQ(whole("two", {"--threads", "2"}), hash);
  for (const char* replicas : {"1", "4", "16"})
    EXPECT_EQ(whole(std::string("r") + replicas, {"--replicas", replicas}), hash);
  for (const int shards : {3, 7}) {
    const std::string name = "shards" + std::to_string(shards);
    for (int shard = shards; shard >= 1; --shard)
      start(name, {"--shard", std::to_string(shard) + "/" + std::to_string(shards), "--chunk-minutes", "0.001"});
    EXPECT_EQ(merged(name), hash);
  }
}

TEST_F(Sweep, chunk_by_chunk_is_idempotent) {
  start("chunks", {"--chunk", "0"});
  const auto chunks = static_cast<int>(io::SweepFolder(folder / "chunks").plan().chunks.size());
  const std::string before = file_text(io::SweepFolder(folder / "chunks").chunk_file(0));
  for (int c = 0; c < chunks; ++c)
    EXPECT_EQ(eos_says({"sweep", folder / "chunks", "--chunk", std::to_string(c)}).code, 0);
  EXPECT_EQ(file_text(io::SweepFolder(folder / "chunks").chunk_file(0)), before);
  EXPECT_EQ(merged("chunks"), whole("one", {}));
}

TEST_F(Sweep, that_diverges_somewhere_is_recorded_and_goes_on) {
  file = folder.write("sweep.toml", replaced(tiny_sweep(1), "0.05, 0.2", "0.05, 1e30"));
  start("wild", {});
  merged("wild");
  const std::vector<std::string> status = io::read_hdf5(folder / "wild.h5").strings("run_status");
  EXPECT_EQ(std::count(status.begin(), status.end(), "diverged"), 2);
  const auto json = nlohmann::json::parse(eos_says({"sweep", "status", folder / "wild", "--format", "json"}).out);
  EXPECT_EQ(json["done"], 4);
  EXPECT_EQ(json["diverged"], 2);
  EXPECT_EQ(json["running"], 0);
}

TEST_F(Sweep, charges_every_run_its_share_of_the_joules) {
  const std::string model = folder.write("machine.toml",
                                         "[energy_model]\nname = \"m\"\nsource = \"made up for a test\"\n"
                                         "idle_watts = 0.0\njoules_per_flop = 1e-9\njoules_per_byte = 0.0\n");
  const std::string hash = whole("bare", {});
  EXPECT_EQ(whole("metered", {"--threads", "1", "--energy", "model", "--energy-model", model}), hash);
  const core::Dataset table = io::read_hdf5(folder / "metered.h5");
  const std::vector<double> joules = table.groups.at("provenance").numbers("energy_measured");
  const std::vector<double> forward = table.numbers("forward_macs"), scoring = table.numbers("scoring_macs"),
                            backward = table.numbers("backward_macs");
  ASSERT_EQ(joules.size(), 12u);
  const std::size_t rows = forward.size() / joules.size();
  for (std::size_t i = 0; i < joules.size(); ++i) {  // one thread: no run is in progress when another ends
    const std::size_t last = i * rows + rows - 1;
    const double expected = 2e-9 * (forward[last] + scoring[last] + backward[last]);
    EXPECT_NEAR(joules[i] / expected, 1, 1e-9) << i;
  }
  // Compared are design points: the joules of their seeds together, a seed.
  const Said said = eos_says({"compare", folder / "metered.h5", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto measured = nlohmann::json::parse(said.out)["measured"];
  ASSERT_EQ(measured.size(), 4u);
  for (std::size_t p = 0; p < 4; ++p) {
    const double sum = joules[3 * p] + joules[3 * p + 1] + joules[3 * p + 2];
    EXPECT_NEAR(measured[p]["energy_measured"].get<double>() / (sum / 3), 1, 1e-12) << p;
    EXPECT_EQ(measured[p]["energy_source"], "model");
  }
}

TEST_F(Sweep, dry_run_foretells_and_writes_nothing) {
  const Said said = eos_says({"sweep", file, "--dry-run", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  EXPECT_EQ(json["points"], 4);
  EXPECT_EQ(json["runs"], 12);
  EXPECT_GT(json["thread_seconds"], 0);
  EXPECT_GT(json["energy"], 0);
  EXPECT_GT(json["memory_bytes"], 0);
  const auto three =
      nlohmann::json::parse(eos_says({"sweep", file, "--dry-run", "--format", "json", "--threads", "3"}).out);
  ASSERT_EQ(three["groups"].size(), 1u);  // the data are there once, whatever the threads
  const double run = three["groups"][0]["memory_bytes"], data = three["groups"][0]["data_bytes"];
  EXPECT_GT(run, 0);
  EXPECT_GE(data, 500 * 16);
  EXPECT_EQ(three["memory_bytes"], 3 * run + data);
  EXPECT_GT(json["file_bytes"], 0);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST_F(Sweep, keeps_the_folder_for_itself) {
  start("mine", {});
  const std::string other = folder.write("other.toml", tiny_sweep(2));
  const Said said = eos_says({"sweep", other, "-o", folder / "mine"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("E504"));
  EXPECT_EQ(merged("mine"), whole("again", {}));
}

TEST_F(Sweep, keeps_every_set_with_its_results) {
  const std::vector<std::string> sets = {"--set",           "train.epochs=3", "--set",
                                         "prices.mac=1e-9", "--set",          "sweep.seeds=1"};
  whole("set", sets);
  const Said config = eos_says({"show", folder / "set.h5", "--run", "3", "--config"});
  ASSERT_EQ(config.code, 0) << config.err;
  EXPECT_THAT(config.out, HasSubstr("epochs = 3"));
  EXPECT_THAT(config.out, HasSubstr("mac = 1e-09"));
  const std::string again = folder.write("again.toml", config.out);
  ASSERT_EQ(eos_says({"train", again, "-o", folder / "again.h5"}).code, 0);
  const auto compared = [](const std::string& path) {
    const Said said = eos_says({"compare", path, "--format", "json"});
    EXPECT_EQ(said.code, 0) << said.err;
    return nlohmann::json::parse(said.out)["runs"];
  };
  const auto points = compared(folder / "set.h5"), alone = compared(folder / "again.h5");
  ASSERT_EQ(points.size(), 4u);
  EXPECT_EQ(points[3]["energy"], alone[0]["energy"]);
  const core::Dataset run = io::read_hdf5(folder / "again.h5");
  const double macs = run.numbers("forward_macs").back() + run.numbers("backward_macs").back();
  EXPECT_NEAR(alone[0]["energy"].get<double>() / (1e-9 * macs), 1, 1e-9) << "priced by --set";
  EXPECT_EQ(eos_says({"sweep", folder / "set"}).code, 0) << "the folder knows what was set";
}

TEST_F(Sweep, of_the_same_file_with_another_set_is_another_sweep) {
  start("mine", {"--set", "train.epochs=3"});
  const auto refused = [&](const std::vector<std::string>& more, const std::string& part) {
    std::vector<std::string> words = {"sweep", file, "-o", folder / "mine"};
    words.insert(words.end(), more.begin(), more.end());
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 2);
    EXPECT_THAT(said.err, ::testing::AllOf(HasSubstr("E504"), HasSubstr(part)));
  };
  refused({}, "with --set train.epochs=3");
  refused({"--set", "train.epochs=4"}, "with --set train.epochs=3");
  refused({"--set", "train.epochs=3", "--set", "sweep.seeds=4"}, "with --set train.epochs=3");
  start("mine", {"--set", "train.epochs=3"});
  whole("other", {"--set", "train.epochs=2"});
  const Said said = eos_says({"merge", folder / "mine", folder / "other", "-o", folder / "both.h5"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("different sweeps"));
}

TEST_F(Sweep, stops_when_the_file_of_its_base_changes) {
  // Two shapes, so at least two chunks.
  const std::string text = tiny_sweep(1, "[[sweep.axes]]\nkey = \"network.hidden\"\nvalues = [[8], [16]]\n"),
                    run = text.substr(text.find("[data]"));
  folder.write("run.toml", run);
  file = folder.write("sweep.toml",
                      replaced(text.substr(0, text.find("[data]")), "[sweep]", "[sweep]\nbase = \"run.toml\""));
  start("based", {"--chunk", "0"});
  const io::SweepFolder sweep(folder / "based");
  const auto finished = [&] {
    const auto chunks = static_cast<std::int64_t>(sweep.plan().chunks.size());
    std::int64_t count = 0;
    for (std::int64_t c = 0; c < chunks; ++c) count += sweep.finished(c) ? 1 : 0;
    return count;
  };
  ASSERT_EQ(finished(), 1);
  folder.write("run.toml", replaced(run, "batch = 16", "batch = 8"));
  const std::vector<std::vector<std::string>> ways = {{"sweep", folder / "based"},
                                                      {"sweep", file, "-o", folder / "based"}};
  for (const std::vector<std::string>& words : ways) {
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 2);
    EXPECT_THAT(said.err, HasSubstr("E504"));
    EXPECT_EQ(finished(), 1) << "a run was made that does not belong";
  }
  folder.write("run.toml", run);
  EXPECT_EQ(eos_says({"sweep", folder / "based"}).code, 0);
  merged("based");
  EXPECT_EQ(eos_says({"compare", folder / "based.h5"}).code, 0);
  folder.write("run.toml", replaced(run, "batch = 16", "batch = 8"));
  const Said said = eos_says({"compare", folder / "based.h5"});  // its work and prices are no longer known
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, ::testing::AllOf(HasSubstr("E504"), HasSubstr("run.toml")));
}

TEST(NodeShare, gives_processes_devices_of_their_own_while_there_are_enough) {
  using Names = std::vector<std::string>;
  const Names four = {"cuda:0", "cuda:1", "cuda:2", "cuda:3"};
  EXPECT_EQ(cli::share_of(four, {}), four);
  EXPECT_EQ(cli::share_of(four, {1, 2}), (Names{"cuda:2", "cuda:3"}));
  EXPECT_EQ(cli::share_of(four, {2, 4}), (Names{"cuda:2"}));
  EXPECT_EQ(cli::share_of(four, {7, 8}), (Names{"cuda:3"}));
  EXPECT_EQ(cli::share_of({"cpu"}, {5, 6}), (Names{"cpu"}));
  for (int devices = 1; devices <= 9; ++devices)
    for (int processes = 1; processes <= 20; ++processes) {
      Names all;
      for (int d = 0; d < devices; ++d) all.push_back("cuda:" + std::to_string(d));
      std::map<std::string, int> users;
      for (int rank = 0; rank < processes; ++rank)
        for (const std::string& name : cli::share_of(all, {rank, processes})) ++users[name];
      EXPECT_EQ(users.size(), all.size()) << "a device is idle";
      const auto [least, most] = std::minmax_element(users.begin(), users.end(),
                                                     [](const auto& a, const auto& b) { return a.second < b.second; });
      EXPECT_LE(most->second - least->second, 1) << processes << " processes, " << devices << " devices";
      if (processes <= devices) {
        EXPECT_EQ(most->second, 1);
      }
    }
}

TEST_F(Sweep, says_what_is_wrong) {
  const auto expect = [&](std::vector<std::string> words, const std::string& part) {
    words.insert(words.begin(), "sweep");
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 2) << part;
    EXPECT_THAT(said.err, HasSubstr(part));
  };
  expect({file}, "needs -o DIR");
  expect({"status"}, "needs the folder");
  expect({"status", folder / "nowhere"}, "not the folder of a sweep");
  expect({folder.path()}, "not the folder of a sweep");
  expect({file, "-o", folder / "d", "--shard", "0/4"}, "I from 1 to N");
  expect({file, "-o", folder / "d", "--shard", "5/4"}, "I from 1 to N");
  expect({file, "-o", folder / "d", "--shard", "half"}, "I from 1 to N");
  expect({file, "-o", folder / "d", "--shard", "1/2", "--chunk", "0"}, "give one of them");
  expect({file, "-o", folder / "d", "--chunk", "99"}, "the sweep has chunks 0 to");
  expect({folder / "d", "-o", folder / "e"}, "holds its own description");
  expect({folder.write("run.toml", tiny_training()), "-o", folder / "f"}, "[sweep]");
  const std::string bad = folder.write("bad.toml", replaced(tiny_sweep(1), "[0.05, 0.2]", "[0.05, -1]"));
  expect({bad, "-o", folder / "g"}, "optimiser.learning_rate");
  EXPECT_FALSE(fs::exists(folder / "g"));
}

TEST_F(Sweep, with_a_damaged_plan_or_chunk_says_which_file) {
  start("torn", {});
  const io::SweepFolder torn(folder / "torn");
  const std::string chunk = file_text(torn.chunk_file(0));
  std::ofstream(torn.chunk_file(0), std::ios::binary) << chunk.substr(0, chunk.size() / 2);
  const Said merge = eos_says({"merge", folder / "torn", "-o", folder / "torn.h5"});
  EXPECT_EQ(merge.code, 2);
  EXPECT_THAT(merge.err, HasSubstr("chunk-000000.h5"));
  EXPECT_FALSE(fs::exists(folder / "torn.h5"));
  fs::remove(torn.chunk_file(0));  // as the message says
  EXPECT_EQ(eos_says({"sweep", folder / "torn"}).code, 0);
  EXPECT_EQ(merged("torn"), whole("good", {}));
  folder.write("torn/plan.json", "{\"schema\": ");
  const Said plan = eos_says({"sweep", folder / "torn"});
  EXPECT_EQ(plan.code, 2);
  EXPECT_THAT(plan.err, HasSubstr("plan.json"));
}

TEST(SweepFailures, are_noted_and_tried_again) {
  const Folder folder;
  std::string text;
  for (int i = 0; i < 400; ++i) text += "the cat sat on the mat. ";
  const std::string book = folder.write("book.txt", text);
  const std::string file = folder.write(
      "sweep.toml",
      "[sweep]\nseeds = 2\n[[sweep.axes]]\nkey = \"optimiser.learning_rate\"\nvalues = [0.01, 0.1]\n"
      "[data]\nname = \"text\"\npath = \"" +
          book +
          "\"\nsequence = 8\ntrain_samples = 60\n"
          "validation_samples = 10\ntest_samples = 10\n"
          "[network]\narchitecture = \"gpt\"\nwidth = 8\ndepth = 1\nheads = 1\n[train]\nbatch = 8\nepochs = 1\n");
  // One chunk: the second of two shards makes the plan and has nothing to do.
  ASSERT_EQ(eos_says({"sweep", file, "-o", folder / "d", "--shard", "2/2"}).code, 0);
  const io::SweepFolder sweep(folder / "d");
  ASSERT_FALSE(sweep.finished(0));
  fs::rename(book, folder / "hidden");
  const Said said = eos_says({"sweep", folder / "d"});
  EXPECT_EQ(said.code, 1);
  EXPECT_THAT(said.out, HasSubstr("runs that failed"));
  ASSERT_EQ(sweep.failures().size(), 4u);
  EXPECT_THAT(file_text(sweep.failure_file(sweep.failures()[0])), HasSubstr("E20"));
  const auto status = nlohmann::json::parse(eos_says({"sweep", "status", folder / "d", "--format", "json"}).out);
  EXPECT_EQ(status["failed"], 4);
  fs::rename(folder / "hidden", book);
  EXPECT_EQ(eos_says({"sweep", folder / "d"}).code, 0);
  EXPECT_TRUE(sweep.failures().empty());
  EXPECT_TRUE(sweep.finished(0));
}

/// Finished runs of a folder, each as often as it is recorded.
std::multiset<std::string> finished_runs(const io::SweepFolder& folder) {
  std::multiset<std::string> ids;
  const io::SweepPlan plan = folder.plan();
  for (std::int64_t c = 0; c < static_cast<std::int64_t>(plan.chunks.size()); ++c) {
    if (folder.finished(c)) {  // then the journal, if it is still there, is about to be removed
      for (const std::string& id : io::read_hdf5(folder.chunk_file(c)).strings("run_id")) ids.insert(id);
      continue;
    }
    for (const io::RunJournal::Record& r : io::RunJournal::look(folder.journal_file(c)))
      ids.insert(r.run.strings("run_id").front());
  }
  return ids;
}

TEST_F(Sweep, survives_thirty_kills_without_losing_or_repeating_a_run) {
  file = folder.write("sweep.toml", tiny_sweep(50, {}, 60));  // 200 runs
  const std::string undisturbed = whole("quiet", {"--threads", "2", "--chunk-minutes", "0.003"});
  const io::SweepFolder sweep(folder / "killed");
  std::mt19937 random(20261122);
  std::uniform_int_distribution<int> milliseconds(10, 70);
  std::multiset<std::string> before;
  int kills = 0;
  for (int attempt = 0; attempt < 200; ++attempt) {
    Process process({"sweep", file, "-o", folder / "killed", "--threads", "2", "--chunk-minutes", "0.003"},
                    folder / "out", folder / "err");
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds(random));
    const bool running = process.wait_until([&] { return kills < 30 && std::chrono::steady_clock::now() >= until; });
    if (running) process.send(SIGKILL), ++kills;
    const int code = process.wait();
    if (sweep.exists()) {
      const std::multiset<std::string> now = finished_runs(sweep);
      EXPECT_EQ(std::set<std::string>(now.begin(), now.end()).size(), now.size()) << "a run was made twice";
      EXPECT_TRUE(std::includes(now.begin(), now.end(), before.begin(), before.end())) << "a finished run was lost";
      before = now;
    }
    if (!running) {
      EXPECT_EQ(code, 0) << file_text(folder / "err");
      break;
    }
  }
  EXPECT_GE(kills, 10) << "the sweep ended before it could be killed";
  EXPECT_TRUE(sweep.workers().empty());  // asking for the living buries the dead
  for (const auto& entry : fs::directory_iterator(folder / "killed/open"))
    if (!entry.path().filename().string().starts_with(".")) {  // what a killed write leaves has a hidden name
      ADD_FAILURE() << entry.path() << " was left behind";
    }
  EXPECT_EQ(before.size(), 200u);
  EXPECT_EQ(merged("killed"), undisturbed);
}

TEST_F(Sweep, asked_to_stop_saves_its_state_and_resumes_exactly) {
  file = folder.write("sweep.toml", replaced(tiny_sweep(1, {}, 400), "values = [0.05, 0.2]", "values = [0.05]"));
  const std::string undisturbed = whole("quiet", {});
  for (const int number : {SIGTERM, SIGINT}) {
    const std::string name = "stopped" + std::to_string(number);
    Process process({"sweep", file, "-o", folder / name, "--threads", "2"}, folder / "out", folder / "err");
    process.wait_until([&] { return fs::exists(folder / (name + "/plan.json")); });
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    process.send(number);
    const int code = process.wait();
    EXPECT_TRUE(code == 4 || code == 0) << file_text(folder / "err");
    if (code == 4) {
      EXPECT_THAT(file_text(folder / "out"), HasSubstr("To go on: eos sweep"));
    }
    EXPECT_EQ(eos_says({"sweep", folder / name}).code, 0);
    EXPECT_EQ(merged(name), undisturbed);
    EXPECT_TRUE(fs::is_empty(folder / (name + "/open"))) << "checkpoints were left behind";
  }
}

TEST_F(Sweep, is_shared_by_processes_without_doing_anything_twice) {
  file = folder.write("sweep.toml", tiny_sweep(10, {}, 20));
  const std::string undisturbed = whole("quiet", {});
  const std::vector<std::string> words = {"sweep",           file,   "-o", folder / "both", "--threads", "1",
                                          "--chunk-minutes", "0.002"};
  Process first(words, folder / "out1", folder / "err1"), second(words, folder / "out2", folder / "err2");
  EXPECT_EQ(first.wait(), 0) << file_text(folder / "err1");
  EXPECT_EQ(second.wait(), 0) << file_text(folder / "err2");
  EXPECT_EQ(finished_runs(io::SweepFolder(folder / "both")).size(), 40u);
  EXPECT_EQ(merged("both"), undisturbed);
}

}  // namespace
}  // namespace eos::test
