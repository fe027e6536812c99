// plan, calibrate, compare, show, check, diff, data, doctor: what they print and how they end.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "analysis.hpp"
#include "cli_support.hpp"
#include "eos/io/hdf5.hpp"

namespace eos::test {
namespace {

using nlohmann::json;
using testing::HasSubstr;
namespace fs = std::filesystem;

json parsed(const Said& said) {
  EXPECT_EQ(said.code, 0) << said.err;
  return json::parse(said.out);
}

std::string example(const std::string& name) { return std::string(EOS_SOURCE_DIR) + "/examples/" + name; }

bool is_png(const std::string& path) { return file_text(path).substr(0, 8) == "\x89PNG\r\n\x1a\n"; }

TEST(Plan, json_has_what_scripts_rely_on) {
  const json plan = parsed(eos_says({"plan", example("reference_ranked.toml"), "--format", "json"}));
  for (const char* key :
       {"status", "objective", "terminal_loss", "energy", "stationarity_residual", "hamiltonian_drift", "energy_bound",
        "efficiency", "solve_seconds", "time", "data_fraction", "weight_fraction", "learning_rate"})
    EXPECT_TRUE(plan.contains(key)) << key;
  EXPECT_EQ(plan["status"], "optimal");
  EXPECT_EQ(plan["time"].size(), 41);
  EXPECT_EQ(plan["data_fraction"].size(), 40);
}

TEST(Plan, table_and_csv_come_from_the_same_rows) {
  const Said text = eos_says({"plan", example("reference_dense.toml")});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, HasSubstr("objective J"));
  EXPECT_THAT(text.out, HasSubstr("0.324634")) << "the reference value of the dense case";
  const Said csv = eos_says({"plan", example("reference_dense.toml"), "--format", "csv"});
  EXPECT_THAT(csv.out, testing::StartsWith("time,data_fraction,weight_fraction,learning_rate,loss,energy\n"));
  EXPECT_EQ(std::count(csv.out.begin(), csv.out.end(), '\n'), 41);
}

TEST(Plan, is_stored_drawn_and_made_again_from_its_configuration) {
  const Folder folder;
  EXPECT_EQ(eos_says({"plan", example("reference_ranked.toml"), "--set", "problem.horizon=20", "-o", folder / "a.h5",
                      "--plot", folder / "a.png"})
                .code,
            0);
  EXPECT_TRUE(is_png(folder / "a.png"));
  const std::string again = folder.write("again.toml", eos_says({"show", folder / "a.h5", "--config"}).out);
  EXPECT_EQ(eos_says({"plan", again, "-o", folder / "b.h5", "-q"}).code, 0);
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "b.h5"}).code, 0) << "the same problem gives the same bits";
}

TEST(Plan, refuses_goals_for_a_problem_that_has_its_own) {
  const Said said = eos_says({"plan", example("reference_ranked.toml"), "--target-loss", "0.3"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("--target-loss is for calibrated plans"));
}

/// calibrate -> plan -> train -> compare on a task of a second.
TEST(Loop, from_calibration_to_comparison) {
  const Folder folder;
  const std::string toml = example("teacher_quick.toml");
  EXPECT_EQ(parsed(eos_says({"calibrate", toml, "-o", folder / "cal.h5", "--plot", folder / "cal.png", "--format",
                             "json"}))["schema"],
            "eos.calibration/1");
  EXPECT_TRUE(is_png(folder / "cal.png"));
  EXPECT_EQ(eos_says({"plan", folder / "cal.h5"}).code, 2) << "a goal is missing";
  for (const char* epochs : {"1", "2"})
    EXPECT_EQ(eos_says({"train", toml, "-o", folder / (std::string("dense") + epochs + ".h5"), "--set",
                        std::string("train.epochs=") + epochs})
                  .code,
              0);
  const double loss = io::read_hdf5(folder / "dense2.h5").numbers("validation_loss").back();
  const Said plan = eos_says({"plan", folder / "cal.h5", "--prices", "metabolic-m0", "--target-loss",
                              std::to_string(1.2 * loss), "--epochs", "2", "-o", folder / "plan.h5"});
  ASSERT_EQ(plan.code, 0) << plan.err;
  const Said train = eos_says({"train", toml, "-o", folder / "planned.h5", "--set", "train.epochs=2", "--set",
                               "selection.method=schedule", "--set", "plasticity.method=schedule-feedback", "--set",
                               "optimiser.law=schedule", "--set", "schedule.file=" + folder / "plan.h5"});
  ASSERT_EQ(train.code, 0) << train.err;
  const Said said = eos_says({"compare", folder / "dense1.h5", folder / "dense2.h5", folder / "planned.h5", "--prices",
                              "all", "--plan", folder / "plan.h5", "--plot", folder / "c.png", "--format", "json"});
  const json compared = parsed(said);
  EXPECT_TRUE(is_png(folder / "c.png"));
  ASSERT_EQ(compared["runs"].size(), 3);
  EXPECT_EQ(compared["work"][0]["effective_epochs"], 1.0) << "dense: every sample is learned";
  EXPECT_EQ(compared["work"][0]["cost_ratio"], 1.0);
  EXPECT_EQ(compared["savings"].size(), 1) << "the baseline is left out";
  EXPECT_EQ(compared["predictions"][0]["run"], "planned");
  const double foretold = compared["predictions"][0]["predicted_energy"],
               measured = compared["predictions"][0]["measured_energy"];
  EXPECT_NEAR(foretold / measured, 1, 0.1) << "counts of a followed schedule are foretold by its fractions";
}

TEST(Compare, prices_stored_counts_again) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  ASSERT_EQ(eos_says({"train", toml, "-o", folder / "a.h5", "--set", "prices=\"hbm2\""}).code, 0);
  const json compared = parsed(eos_says({"compare", folder / "a.h5", "--prices", "sram-7nm,hbm2", "--format", "json"}));
  EXPECT_EQ(compared["prices"], "sram-7nm");
  const core::Dataset run = io::read_hdf5(folder / "a.h5");
  const json again = parsed(eos_says({"compare", folder / "a.h5", "--format", "json"}));
  const std::vector<double> stored = run.numbers("energy");
  const std::size_t rows = stored.size() / 2;
  EXPECT_DOUBLE_EQ(again["runs"][0]["energy"], 0.5 * (stored[rows - 1] + stored[2 * rows - 1]))
      << "the stored prices, mean of two seeds";
  EXPECT_LT(compared["runs"][0]["energy"].get<double>(), again["runs"][0]["energy"].get<double>())
      << "SRAM words are cheaper than HBM2 words";
}

TEST(Compare, without_a_baseline_or_with_one_run_says_so) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  ASSERT_EQ(eos_says({"train", toml, "-o", folder / "a.h5"}).code, 0);
  EXPECT_THAT(eos_says({"compare", folder / "a.h5"}).out, HasSubstr("One baseline run gives bounds only"));
  ASSERT_EQ(eos_says({"train", toml, "-o", folder / "b.h5", "--set", "selection.method=dbpd"}).code, 0);
  EXPECT_THAT(eos_says({"compare", folder / "b.h5"}).out, HasSubstr("name a baseline with --baseline"));
  EXPECT_THAT(eos_says({"compare", folder / "b.h5", "--baseline", folder / "a.h5"}).out, HasSubstr("baseline"));
  const Said wrong = eos_says({"compare", folder / "a.h5", "--prices", "hmb2"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.err, HasSubstr("'hbm2'"));
}

TEST(Savings, interpolate_log_energy_in_accuracy_and_bound_outside) {
  const cli::BaselineCurve curve(
      {{0.75, 4.0}, {0.25, 1.0}, {0.5, 9.0}});  // the dear point in the middle is not on the front
  ASSERT_EQ(curve.points().size(), 2);
  EXPECT_DOUBLE_EQ(curve.energy_at(0.5), 2.0) << "geometric mean of 1 and 4";
  EXPECT_DOUBLE_EQ(curve.saving(0.5, 0.5).factor, 4.0);
  EXPECT_EQ(curve.saving(0.5, 0.5).bound, cli::Bound::exact);
  EXPECT_EQ(curve.saving(0.875, 2.0).bound, cli::Bound::at_least);
  EXPECT_DOUBLE_EQ(curve.saving(0.875, 2.0).factor, 2.0);
  EXPECT_EQ(curve.saving(0.125, 2.0).bound, cli::Bound::at_most);
  EXPECT_DOUBLE_EQ(curve.saving(0.125, 2.0).factor, 0.5);
  EXPECT_EQ(cli::shown(curve.saving(0.875, 2.0)), "≥ 2.00 ×");
  EXPECT_EQ(cli::shown(cli::BaselineCurve({}).saving(0.9, 1)), "–");
}

TEST(Show, tells_what_a_file_holds_in_three_forms) {
  const Folder folder;
  const std::string toml = folder.write("tiny.toml", tiny_training());
  ASSERT_EQ(eos_says({"train", toml, "-o", folder / "a.h5"}).code, 0);
  const json shown = parsed(eos_says({"show", folder / "a.h5", "--format", "json"}));
  EXPECT_EQ(shown["kind"], "run");
  EXPECT_TRUE(std::any_of(shown["variables"].begin(), shown["variables"].end(),
                          [](const json& v) { return v["name"] == "test_accuracy"; }));
  const json values = parsed(eos_says({"show", folder / "a.h5", "--data", "--format", "json"}));
  EXPECT_EQ(values["schema"], "eos.table/1");
  EXPECT_THAT(eos_says({"show", folder / "a.h5", "--data"}).out, HasSubstr("train_loss"));
  EXPECT_EQ(eos_says({"show", folder / "a.h5", "--plot", folder / "a.png"}).code, 0);
  EXPECT_TRUE(is_png(folder / "a.png"));
  const Said group = eos_says({"show", folder / "a.h5", "--group", "schedul"});
  EXPECT_EQ(group.code, 2);
  EXPECT_THAT(group.err, HasSubstr("did you mean 'schedule'?"));
}

TEST(Check, finds_all_problems_of_all_files) {
  const Folder folder;
  const std::string good = folder.write("good.toml", tiny_training());
  const std::string bad = folder.write("bad.toml", "[train]\nepoch = 3\n[selecton]\nmethod = \"dbpd\"\n");
  ASSERT_EQ(eos_says({"train", good, "-o", folder / "a.h5"}).code, 0);
  EXPECT_EQ(eos_says({"check", good, folder / "a.h5"}).code, 0);
  std::string bytes = file_text(folder / "a.h5");
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 0x40);
  const std::string damaged = folder.write("damaged.h5", bytes), other = folder.write("other.h5", "not HDF5 at all");
  const Said said = eos_says({"check", good, bad, damaged, other, folder / "absent.toml", "--format", "json"});
  EXPECT_EQ(said.code, 2);
  const json files = json::parse(said.out)["files"], errors = json::parse(said.err)["errors"];
  EXPECT_EQ(files[0]["problems"], 0);
  EXPECT_EQ(files[1]["problems"], 2) << "both unknown words";
  for (std::size_t i = 2; i < 5; ++i) EXPECT_GE(files[i]["problems"], 1) << files[i].dump();
  std::vector<std::string> codes;
  for (const json& error : errors) codes.push_back(error["code"]);
  EXPECT_THAT(codes, testing::IsSupersetOf({"E102", "E210", "E201"}));
}

TEST(Diff, measures_in_three_ways_and_ends_with_1_beyond_the_tolerance) {
  const Folder folder;
  core::Dataset a;
  a.attributes["title"] = std::string("sample");
  a.add_dim("x", 3);
  a.add("y", {"x"}, std::vector<double>{1, 2, 4}, "1", "values");
  core::Dataset b = a;
  std::get<std::vector<double>>(b.variables[1].values)[1] = std::nextafter(2.0, 3.0);
  io::write_hdf5(folder / "a.h5", a);
  io::write_hdf5(folder / "b.h5", b);
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "a.h5"}).code, 0);
  const Said said = eos_says({"diff", folder / "a.h5", folder / "b.h5", "--format", "json"});
  EXPECT_EQ(said.code, 1);
  const json row = json::parse(said.out)["variables"][0];
  EXPECT_EQ(row["variable"], "y");
  EXPECT_EQ(row["absolute"], std::ldexp(1, -51));
  EXPECT_EQ(row["ulp"], 1);
  EXPECT_EQ(eos_says({"diff", folder / "a.h5", folder / "b.h5", "--rtol", "1e-12"}).code, 0);
  b.add("z", {}, std::vector<double>{0}, "1", "only here");
  io::write_hdf5(folder / "b.h5", b);
  EXPECT_THAT(eos_says({"diff", folder / "a.h5", folder / "b.h5", "--rtol", "1"}).out,
              HasSubstr("only in the second file"));
}

/// A list of one folder with four files that are IDX but not the published ones.
TEST(Data, lists_and_checks_what_is_found) {
  const Folder folder;
  const Environment environment("EOS_DATA", folder.path());
  const json list = parsed(eos_says({"data", "list", "--format", "json"}));
  EXPECT_EQ(list["sets"].back()["name"], "teacher");
  EXPECT_THAT(list["notes"][0].get<std::string>(), HasSubstr(folder.path())) << "the search path starts with EOS_DATA";
  fs::create_directory(folder / "mnist");
  const std::string images("\0\0\x08\x03\0\0\0\x01\0\0\0\x1c\0\0\0\x1c", 16), labels("\0\0\x08\x01\0\0\0\x01\x03", 9);
  for (const char* stem : {"train", "t10k"}) {
    folder.write(std::string("mnist/") + stem + "-images-idx3-ubyte", images + std::string(28 * 28, 'x'));
    folder.write(std::string("mnist/") + stem + "-labels-idx1-ubyte", labels);
  }
  const Said said = eos_says({"data", "check", "mnist", "--format", "json"});
  EXPECT_EQ(said.code, 1) << said.err;
  EXPECT_EQ(json::parse(said.out)["files"][0]["state"], "DIFFERENT");
}

TEST(Data, shows_a_generated_set_and_its_floor) {
  const json shown = parsed(eos_says({"data", "show", "markov", "--format", "json"}));
  EXPECT_EQ(shown["classes"], 32);
  EXPECT_GT(shown["loss_floor"], 0.0);
  EXPECT_LT(shown["loss_floor"], std::log(32.0));
  EXPECT_EQ(shown["splits"][0]["samples"], 5000);
  EXPECT_EQ(eos_says({"data", "show"}).code, 2);
  EXPECT_EQ(eos_says({"data", "show", "markow"}).code, 2);
}

TEST(Data, fetch_wants_a_known_name) {
  EXPECT_EQ(eos_says({"data", "fetch"}).code, 2);
  const Said said = eos_says({"data", "fetch", "fashon-mnist"});
  EXPECT_EQ(said.code, 2);
  EXPECT_THAT(said.err, HasSubstr("did you mean 'fashion-mnist'?"));
}

TEST(Doctor, is_healthy_here_and_names_strange_variables) {
  const Environment environment("EOS_DEVCE", "cpu");
  const Said said = eos_says({"doctor", "--format", "json"});
  const json report = parsed(said);
  EXPECT_EQ(report["healthy"], true);
  EXPECT_THAT(said.out, HasSubstr("did you mean 'EOS_DEVICE'?"));
}

TEST(Files, that_do_not_exist_are_input_errors_of_every_verb) {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"plan", "/nowhere/a.toml"},
                                                {"plan", "/nowhere/a.h5", "--target-loss", "1"},
                                                {"train", "/nowhere/a.toml", "-o", "/tmp/never.h5"},
                                                {"calibrate", "/nowhere/a.toml"},
                                                {"compare", "/nowhere/a.h5"},
                                                {"show", "/nowhere/a.h5"},
                                                {"check", "/nowhere/a.toml"},
                                                {"diff", "/nowhere/a.h5", "/nowhere/b.h5"}}) {
    const Said said = eos_says(words);
    EXPECT_EQ(said.code, 2) << words[0];
    EXPECT_THAT(said.err, HasSubstr("error[E201]")) << words[0];
  }
}

}  // namespace
}  // namespace eos::test
