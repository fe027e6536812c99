// eos evidence as people use it: a tiny protocol from start to report; interruptions change nothing; mistakes are explained.
#include <gmock/gmock.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"
#include "evidence_results.hpp"
#include "process.hpp"

namespace eos::test {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

const char* k_task =
    "[train]\nbatch = 16\nevaluate_every = 0.5\ncheckpoint_seconds = 1\n"
    "[data]\nname = \"teacher\"\ntrain_samples = 400\nvalidation_samples = 200\ntest_samples = 300\n"
    "[data.teacher]\ninputs = 16\nclasses = 4\nhidden = 12\n[network]\nhidden = [16]\n"
    "[optimiser]\nlearning_rate = 0.3\nlaw = \"linear\"\n";

/// Two seeds, two trials, two horizons: some fifty runs of milliseconds.
const char* k_protocol =
    "[protocol]\ntitle = \"tiny\"\nseeds = [1, 2]\ntrials = 2\nhorizons = [0.5, 1]\nresamples = 100\n"
    "prices = [\"metabolic-m0\", \"hbm2\"]\nplasticity = [\"metabolic-m0\"]\n"
    "[[task]]\nname = \"teacher\"\nbase = \"task.toml\"\ntarget = 0.5\nmargin = 0.1\nhorizon = 4\n"
    "[[method]]\nname = \"dense\"\naxis = \"dense\"\nsearch = { rate = [0.5, 1] }\n"
    "[[method]]\nname = \"large-batch\"\naxis = \"dense\"\nset = { batch = 2 }\nsearch = { rate = [1, 2] }\n"
    "[[method]]\nname = \"dbpd\"\naxis = \"data\"\nset = { \"selection.method\" = \"dbpd\" }\n"
    "search = { \"selection.tau\" = { from = 0.3, to = 0.8 } }\n"
    "[[method]]\nname = \"feedback\"\naxis = \"write\"\nset = { \"plasticity.method\" = \"error-feedback\" }\n"
    "search = { rate = [0.7, 1] }\n"
    "[[method]]\nname = \"stacked\"\naxis = \"stacked\"\nstack = \"plasticity\"\nsearch = { horizon = [1, 1.5] }\n"
    "[[method]]\nname = \"joint\"\naxis = \"joint\"\nprices = [\"metabolic-m0\", \"hbm2\"]\n"
    "set = { \"selection.method\" = \"joint\", \"plasticity.method\" = \"error-feedback\" }\nsearch = { horizon = [1, 1.5] }\n"
    "[[method]]\nname = \"random-data\"\naxis = \"control\"\nfollows = \"joint\"\nrecord = \"data\"\n"
    "[[method]]\nname = \"random-weights\"\naxis = \"control\"\nfollows = \"joint\"\nrecord = \"weights\"\n";

class EvidenceTest : public ::testing::Test {
 protected:
  EvidenceTest() {
    folder.write("task.toml", k_task);
    protocol = folder.write("protocol.toml", k_protocol);
  }
  Said evidence(const std::string& out, std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {"evidence", folder / out});
    return eos_says(more);
  }
  std::string hash(const std::string& out) const {
    return io::read_hdf5(folder / out + "/evidence.h5").text("content_sha256");
  }
  /// Hundreds of small files are fsync'ed: in memory where possible, because disks may be slow.
  Environment place{"TMPDIR", fs::is_directory("/dev/shm") ? "/dev/shm" : "/tmp"};
  Folder folder;
  std::string protocol;
};

TEST_F(EvidenceTest, goes_through_all_stages_and_reports_from_the_file_alone) {
  const Said said = evidence("e", {"--protocol", protocol, "--threads", "2"});
  ASSERT_EQ(said.code, 0) << said.err;
  EXPECT_THAT(said.out, HasSubstr("teacher"));
  const core::Dataset file = io::read_hdf5(folder / "e/evidence.h5");
  EXPECT_EQ(file.text("status"), "complete");
  EXPECT_EQ(file.dims.at("method"), 8);
  const core::Dataset& runs = file.groups.at("teacher").groups.at("runs");
  const std::vector<std::string> methods = runs.strings("run_method");
  for (const std::string& method : file.strings("method"))  // 2 horizons x 2 seeds of one or two configurations
    EXPECT_EQ(std::count(methods.begin(), methods.end(), method) % 4, 0) << method;
  EXPECT_EQ(std::count(methods.begin(), methods.end(), "joint"), 8);  // one configuration a price list
  const core::Dataset& tuning = file.groups.at("teacher").groups.at("tuning");
  EXPECT_EQ(tuning.dims.at("run"), 12);  // two trials each, of which controls have none

  // Dense training spends on writes what the protocol says, at its own horizon and on the tuning seed.
  const theory::PriceList scaled = io::parse_prices(file.strings("task_prices").front(), "prices");
  EXPECT_NE(scaled.write, theory::builtin_prices("metabolic-m0").write);
  EXPECT_NEAR(file.numbers("plasticity_share").front(), 0.8, 0.1);

  for (const char* made : {"report.html", "tables/summary.md", "tables/results.csv", "figures/teacher_pareto.png"}) {
    EXPECT_TRUE(fs::exists(folder / (std::string("e/") + made))) << made;
  }
  // The report again, from a copy of the file alone.
  fs::create_directory(folder / "copy");
  fs::copy(folder / "e/evidence.h5", folder / "copy/evidence.h5");
  const Said again = evidence("copy", {"--report"});
  EXPECT_EQ(again.code, 0) << again.err;
  for (const char* made : {"report.html", "tables/summary.md", "tables/results.csv"})
    EXPECT_EQ(file_text((folder / "copy/") + made), file_text((folder / "e/") + made)) << made;
  EXPECT_THAT(file_text(folder / "e/report.html"), HasSubstr("data:image/png;base64,iVBOR"));
}

TEST_F(EvidenceTest, gains_are_those_of_its_own_runs) {
  ASSERT_EQ(evidence("e", {"--protocol", protocol}).code, 0);
  const core::Dataset file = io::read_hdf5(folder / "e/evidence.h5");
  const core::Dataset& runs = file.groups.at("teacher").groups.at("runs");
  const theory::PriceList hbm2 = theory::builtin_prices("hbm2");
  const std::vector<std::string> methods = runs.strings("run_method");
  const std::vector<double> factor = runs.numbers("run_factor"), count = runs.numbers("epoch_count"),
                            accuracy = runs.numbers("test_accuracy");
  const auto length = static_cast<std::size_t>(runs.dims.at("epoch"));
  // Mean final accuracy of plain dense training at its longer horizon, by hand.
  double mean = 0, n = 0;
  for (std::size_t i = 0; i < methods.size(); ++i)
    if (methods[i] == "dense" && factor[i] == 1)
      mean += accuracy[i * length + static_cast<std::size_t>(count[i]) - 1], ++n;
  const std::vector<std::string> names = file.strings("method");
  const auto dense = static_cast<std::size_t>(std::find(names.begin(), names.end(), "dense") - names.begin());
  EXPECT_EQ(n, 2);
  const double best = file.numbers("best_quality")[dense * 2 + 1];
  EXPECT_GE(best, mean / n - 1e-12);  // the better of the two horizons
  const std::vector<double> plain = file.numbers("gain_over_plain");
  if (file.strings("gain_over_plain_known")[dense * 2 + 1] == "=") { EXPECT_NEAR(plain[dense * 2 + 1], 1, 1e-12); }
}

TEST_F(EvidenceTest, interrupted_and_resumed_it_is_the_same) {
  ASSERT_EQ(evidence("whole", {"--protocol", protocol, "--threads", "1"}).code, 0);
  const std::string err = folder / "err.txt";
  bool ended = false;
  for (int attempt = 0; attempt < 7 && !ended; ++attempt) {  // later and later, by SIGKILL and by SIGTERM
    Process process({"evidence", folder / "torn", "--protocol", protocol, "--threads", "1"}, folder / "out.txt", err);
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(40 << attempt);
    if (process.wait_until([&] { return std::chrono::steady_clock::now() > until; }))
      process.send(attempt % 2 == 0 ? SIGKILL : SIGTERM);
    const int code = process.wait();
    ASSERT_TRUE(code == 0 || code == 4 || code == 128 + SIGKILL || code == 128 + SIGTERM) << code << file_text(err);
    ended = code == 0;
  }
  ASSERT_EQ(evidence("torn", {"--protocol", protocol}).code, 0);
  EXPECT_EQ(hash("torn"), hash("whole"));
}

TEST_F(EvidenceTest, grows_and_protects_what_it_has) {
  ASSERT_EQ(evidence("e", {"--protocol", protocol, "--methods", "dbpd"}).code, 0);
  EXPECT_EQ(io::read_hdf5(folder / "e/evidence.h5").text("status"), "partial");
  EXPECT_FALSE(fs::exists(folder / "e/teacher/tune/feedback"));
  // What has no results may change; what has some may not.
  std::string text = replaced(k_protocol, "rate = [0.7, 1]", "rate = [0.6, 1]");
  text += "[[method]]\nname = \"infobatch\"\naxis = \"data\"\nset = { \"selection.method\" = \"infobatch\" }\n";
  const std::string larger = folder.write("larger.toml", text);
  EXPECT_EQ(evidence("e", {"--protocol", larger, "--methods", "feedback"}).code, 0);
  const std::string other = folder.write("other.toml", replaced(text, "to = 0.8", "to = 0.7"));
  const Said refused = evidence("e", {"--protocol", other});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("E504"));
  EXPECT_THAT(refused.err, HasSubstr("method 'dbpd' was changed"));
}

TEST_F(EvidenceTest, says_what_is_wrong) {
  const auto expect = [&](const std::vector<std::string>& words, const std::string& part) {
    const Said said = evidence("w", words);
    EXPECT_EQ(said.code, 2) << part;
    EXPECT_THAT(said.err, HasSubstr(part));
  };
  expect({}, "needs --quick, --full or --protocol");
  expect({"--quick", "--full"}, "give one of them");
  expect({"--protocol", protocol, "--tasks", "teahcer"}, "did you mean");
  expect({"--protocol", protocol, "--methods", "dpbd"}, "dbpd");
  expect({"--protocol", folder / "task.toml"}, "E108");
  expect({"--report"}, "E201");
  EXPECT_FALSE(fs::exists(folder / "w"));
}

TEST_F(EvidenceTest, leaves_out_tasks_without_data_and_says_so) {
  const Environment nowhere("EOS_DATA", folder / "nowhere");
  folder.write("text.toml", "[data]\nname = \"text\"\npath = \"" + (folder / "no.txt") +
                                "\"\n[network]\narchitecture = \"gpt\"\nwidth = 8\nheads = 1\ndepth = 1\n");
  const std::string two = folder.write(
      "two.toml", replaced(k_protocol, "[[method]]\nname = \"dense\"",
                           "[[task]]\nname = \"missing\"\nbase = \"text.toml\"\nmetric = \"loss\"\ntarget = 1.0\n"
                           "[[method]]\nname = \"dense\""));
  const Said said = evidence("e", {"--protocol", two, "--methods", "dbpd"});
  EXPECT_EQ(said.code, 1) << said.err;
  EXPECT_THAT(said.out, HasSubstr("skipped"));
  EXPECT_THAT(file_text(folder / "e/report.html"), HasSubstr("Skipped"));
}

TEST_F(EvidenceTest, dry_run_counts_and_writes_nothing) {
  const Said said = evidence("e", {"--protocol", protocol, "--dry-run", "--format", "json"});
  ASSERT_EQ(said.code, 0) << said.err;
  const auto json = nlohmann::json::parse(said.out);
  EXPECT_EQ(json["tasks"][0]["runs"], 14);  // 6 methods x 2 trials, and 2 horizons of dense training
  EXPECT_FALSE(fs::exists(folder / "e"));
}

}  // namespace
}  // namespace eos::test
