#include "eos/io/sweep_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

#include "eos/core/philox.hpp"
#include "support.hpp"

namespace {

using eos::core::Diagnostic;
using eos::core::Error;
using eos::io::FileKind;
using eos::io::Overrides;
using eos::io::overrides_of;
using eos::io::parse_sweep;
using eos::io::read_sweep;
using eos::io::SweepFile;
using eos::io::training_of;
using eos::io::testing::code_of;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using eos::theory::expand;
using eos::theory::SweepPoint;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string k_run = "[train]\nepochs = 2\nseeds = [4, 5]\n[data]\nname = \"teacher\"\n";

std::vector<Diagnostic> problems(const std::string& text, const Overrides& overrides = {}) {
  return error_of([&] { parse_sweep(text, "sweep.toml", overrides); }).diagnostics();
}

/// The only problem of a file.
Diagnostic problem(const std::string& text, const Overrides& overrides = {}) {
  const auto all = problems(text, overrides);
  EXPECT_EQ(all.size(), 1u) << Error(all).what();
  return all.front();
}

std::string axis(const std::string& keys) { return "[[sweep.axes]]\n" + keys + "\n"; }

TEST(SweepFile, reads_axes_of_every_form) {
  const SweepFile file =
      parse_sweep("[sweep]\ntitle = \"t\"\nseeds = [3, 1]\n" +
                      axis("key = \"optimiser.learning_rate\"\nfrom = 0.01\nto = 1\ncount = 3\nscale = \"log\"") +
                      axis("keys = [\"selection.method\", \"plasticity.method\"]\nvalues = [[\"all\", \"top-k\"], "
                           "[\"dbpd\", \"all\"]]\n"
                           "labels = [\"writes\", \"data\"]\nname = \"policy\"") +
                      axis("key = \"selection.tau\"\nvalues = [0.25, 3e-1]\nwhen = { selection.method = \"dbpd\" }") +
                      axis("key = \"network.hidden\"\nvalues = [[], [16, 8]]") +
                      axis("key = \"data.teacher\"\nvalues = [{ inputs = 8, margin = 0.5 }, { inputs = 9 }]") +
                      axis("key = \"train.batch\"\nfrom = 8\nto = 16\ncount = 2\nwhole = true") + k_run,
                  "sweep.toml");
  EXPECT_EQ(file.sweep.title, "t");
  EXPECT_THAT(file.sweep.seeds, ElementsAre(3u, 1u));
  const auto points = expand(file.sweep);
  EXPECT_EQ(points.size(), 3u * 3 * 2 * 2 * 2);  // policy and tau: writes, data 0.25, data 0.3
  const SweepPoint& last = points.back();
  EXPECT_EQ(
      describe(last),
      "optimiser.learning_rate = 1, selection.method = \"dbpd\", plasticity.method = \"all\", selection.tau = 0.3, "
      "network.hidden = [16, 8], data.teacher = {\"inputs\" = 9}, train.batch = 16");
  const auto spec = training_of(file, last, 77);
  EXPECT_EQ(spec.optimiser.learning_rate, 1);
  EXPECT_EQ(spec.selection.method, "dbpd");
  EXPECT_EQ(spec.selection.tau, 0.3);
  EXPECT_THAT(spec.network.hidden, ElementsAre(16, 8));
  EXPECT_EQ(spec.data.teacher.inputs, 9);
  EXPECT_EQ(spec.data.teacher.margin, eos::theory::TrainingSpec().data.teacher.margin);  // the inline table replaces
  EXPECT_EQ(spec.batch, 16);
  EXPECT_THAT(spec.seeds, ElementsAre(77u));
  EXPECT_EQ(spec.epochs, 2);
  EXPECT_EQ(training_of(file, points.front(), 1).data.teacher.margin, 0.5);
  const auto all = coordinates(file.sweep);
  EXPECT_EQ(all[1].name, "policy");
  EXPECT_EQ(value_at(all[1], last).text, "data");
  EXPECT_EQ(value_at(all[2], last).number, 0.3);
  EXPECT_FALSE(value_at(all[2], points.front()).given);
}

TEST(SweepFile, the_run_of_a_point_is_that_of_its_overrides) {
  for (const char* name : {"rate_and_method", "hypercube", "conditions", "architectures"}) {
    SCOPED_TRACE(name);
    const std::string path = fmt::format("{}/examples/sweeps/{}.toml", EOS_SOURCE_DIR, name);
    const SweepFile file = read_sweep(path);
    const std::string text = slurp(path);  // the run alone: [sweep] goes up to [train]
    const std::string run = text.substr(text.find("[train]"));
    for (const SweepPoint& point : expand(file.sweep)) {
      auto set = overrides_of(point);
      set.push_back("train.seeds=[9]");
      EXPECT_EQ(eos::io::to_toml(training_of(file, point, 9)),
                eos::io::to_toml(eos::io::parse_training(run, path, {std::move(set)})));
    }
  }
}

TEST(SweepFile, every_example_is_valid_and_small) {
  std::map<std::string, std::size_t> runs;
  for (const auto& entry : std::filesystem::directory_iterator(EOS_SOURCE_DIR "/examples/sweeps")) {
    SCOPED_TRACE(entry.path().string());
    EXPECT_EQ(eos::io::kind_of(entry.path().string()), FileKind::sweep);
    const SweepFile file = read_sweep(entry.path().string());
    const auto points = expand(file.sweep);
    runs[entry.path().stem().string()] = points.size() * file.sweep.seeds.size();
    for (const SweepPoint& point : points) training_of(file, point, 1);
  }
  EXPECT_EQ(runs, (std::map<std::string, std::size_t>{{"rate_and_method", 27},
                                                      {"hypercube", 16},
                                                      {"conditions", 14},
                                                      {"architectures", 12},
                                                      {"published_methods", 16},
                                                      {"energy_at_accuracy", 800}}));
}

TEST(SweepFile, seeds_are_a_list_a_number_or_those_of_the_run) {
  EXPECT_THAT(parse_sweep("[sweep]\n" + k_run, "s").sweep.seeds, ElementsAre(4u, 5u));
  EXPECT_THAT(parse_sweep("[sweep]\nseeds = 3\n" + k_run, "s").sweep.seeds, ElementsAre(1u, 2u, 3u));
  EXPECT_THAT(parse_sweep("[sweep]\nseeds = [0, 8]\n" + k_run, "s").sweep.seeds, ElementsAre(0u, 8u));
  EXPECT_EQ(problem("[sweep]\nseeds = 0\n" + k_run).code, "E104");
  EXPECT_EQ(problem("[sweep]\nseeds = [1, -1]\n" + k_run).code, "E104");
  EXPECT_EQ(problem("[sweep]\nseeds = []\n" + k_run).code, "E105");
  EXPECT_EQ(problem("[sweep]\nseeds = \"many\"\n" + k_run).code, "E103");
  EXPECT_EQ(problem("[sweep]\nseeds = 20000000\n" + k_run).code, "E104");
  const auto d = problem("[sweep]\nseeds = [1, 2, 1]\n" + k_run);
  EXPECT_EQ(d.line, 2);
  EXPECT_EQ(d.column, 16);
  EXPECT_THAT(d.message, HasSubstr("given twice"));
}

TEST(SweepFile, overrides_change_the_run_or_the_sweep) {
  const std::string text = "[sweep]\nseeds = 1\n" + axis("key = \"train.batch\"\nvalues = [8, 16]") + k_run;
  const SweepFile file = parse_sweep(text, "s", {{"train.epochs=7", "sweep.seeds=4", "train.batch=99"}});
  EXPECT_EQ(file.sweep.seeds.size(), 4u);
  EXPECT_THAT(file.overrides, ElementsAre("train.epochs=7", "train.batch=99"));
  const auto spec = training_of(file, expand(file.sweep)[1], 1);
  EXPECT_EQ(spec.epochs, 7);
  EXPECT_EQ(spec.batch, 16);  // the axis has the last word
  EXPECT_EQ(problem(text, {{"train.epohcs=7"}}).file, "--set");
  EXPECT_EQ(problem(text, {{"sweep.sedes=7"}}).help, "did you mean 'seeds'?");
}

TEST(SweepFile, lists_may_nest_their_keys_or_not) {
  const SweepFile file = parse_sweep(
      "[sweep]\ndesign = \"list\"\n[[sweep.runs]]\nselection.method = \"ranked\"\nselection.fraction = 0.5\n"
      "[[sweep.runs]]\n\"train.batch\" = 8\n[sweep.runs.optimiser]\nlearning_rate = 1\n[[sweep.runs]]\n" +
          k_run,
      "s");
  const auto points = expand(file.sweep);
  ASSERT_EQ(points.size(), 3u);
  EXPECT_EQ(describe(points[0]), "selection.method = \"ranked\", selection.fraction = 0.5");
  EXPECT_EQ(describe(points[1]), "train.batch = 8, optimiser.learning_rate = 1");
  EXPECT_EQ(training_of(file, points[1], 1).batch, 8);
  EXPECT_EQ(training_of(file, points[2], 1).batch, 32);
  const auto d = problem("[sweep]\ndesign = \"list\"\n[[sweep.runs]]\nselection.tua = 1\n" + k_run);
  EXPECT_EQ(d.line, 4);
  EXPECT_THAT(d.help, HasSubstr("'tau'"));
}

TEST(SweepFile, a_base_is_relative_to_the_sweep_file_and_so_are_paths_of_values) {
  const Scratch scratch;
  std::filesystem::create_directories(scratch / "runs");
  spill(scratch / "runs/run.toml", k_run + "path = \"here\"\n");
  const std::string text = "[sweep]\nbase = \"runs/run.toml\"\n";
  spill(scratch / "a.toml", text + axis("key = \"data.path\"\nvalues = [\"there\"]"));
  const SweepFile file = read_sweep(scratch / "a.toml");
  EXPECT_EQ(file.base_text, slurp(scratch / "runs/run.toml"));
  EXPECT_EQ(file.base_name, scratch / "runs/run.toml");
  EXPECT_EQ(training_of(file, {}, 1).data.path, scratch / "runs/here");
  EXPECT_EQ(training_of(file, expand(file.sweep)[0], 1).data.path, scratch / "there");
  EXPECT_EQ(training_of(read_sweep(scratch / "a.toml", {{"data.path=where"}}), {}, 1).data.path, "where");

  spill(scratch / "b.toml", text + "[train]\nepochs = 1\n");
  const auto both = error_of([&] { read_sweep(scratch / "b.toml"); }).diagnostics();
  EXPECT_EQ(both[0].code, "E107");
  EXPECT_EQ(both[0].line, 3);
  spill(scratch / "c.toml", "[sweep]\nbase = \"nothing.toml\"\n");
  const auto missing = error_of([&] { read_sweep(scratch / "c.toml"); }).diagnostics();
  EXPECT_EQ(missing[0].code, "E201");
  EXPECT_EQ(missing[0].line, 2);
  spill(scratch / "runs/run.toml", "[train]\nepohcs = 1\n");
  const auto within = error_of([&] { read_sweep(scratch / "a.toml"); }).diagnostics();
  EXPECT_EQ(within[0].file, scratch / "runs/run.toml");
  EXPECT_EQ(within[0].line, 2);
  EXPECT_THAT(within[0].message, ::testing::Not(HasSubstr("(at")));  // the run itself is wrong, at every point
  spill(scratch / "runs/run.toml", "[train\n");
  EXPECT_EQ(error_of([&] { read_sweep(scratch / "a.toml"); }).diagnostics()[0].line, 1);
  spill(scratch / "runs/run.toml", "[sweep]\n");
  EXPECT_EQ(code_of([&] { read_sweep(scratch / "a.toml"); }), "E108");
  spill(scratch / "runs/run.toml", "[prices]\nmac = 1\n[energy_model]\n");
  EXPECT_EQ(code_of([&] { read_sweep(scratch / "a.toml"); }), "E108");
}

TEST(SweepFile, only_training_runs_are_swept) {
  const auto refused =
      problem("[sweep]\n[problem]\nhorizon = 3\n[modes]\ncount = 2\nlambda = {power = -1}\ninitial = [1, 1]\n");
  EXPECT_EQ(refused.code, "E108");
  EXPECT_THAT(refused.help, HasSubstr("eos plan"));
  EXPECT_EQ(problem("[sweep]\n" + slurp(EOS_SOURCE_DIR "/examples/gold/goddard.toml")).code, "E108");
  EXPECT_EQ(problem("[sweep]\n[fly]\n").code, "E108");
}

TEST(SweepFile, values_are_tried_at_once_and_shown_where_they_stand) {
  const auto d = problems("[sweep]\n" + axis("key = \"optimiser.learning_rate\"\nvalues = [0.1, -1, \"fast\"]") +
                          axis("key = \"selection.mehtod\"\nvalues = [\"all\"]") +
                          axis("key = \"optimser.momentum\"\nfrom = 0\nto = 0.9\ncount = 2") + k_run);
  std::vector<std::string> said;
  for (const auto& one : d) said.push_back(fmt::format("{}:{}:{} {}", one.file, one.line, one.column, one.code));
  std::sort(said.begin(), said.end());
  EXPECT_THAT(
      said, ElementsAre("sweep.toml:4:16 E104", "sweep.toml:4:20 E103", "sweep.toml:6:7 E102", "sweep.toml:9:7 E102"));
  for (const auto& one : d) {
    if (one.code == "E104") {
      EXPECT_THAT(one.message, AllOf(HasSubstr("optimiser.learning_rate = -1"), HasSubstr("(at ")));
      EXPECT_EQ(one.source_line, "values = [0.1, -1, \"fast\"]");
    }
    if (one.line == 6) {
      EXPECT_EQ(one.help, "did you mean 'method'?");
      EXPECT_EQ(one.source_line, "key = \"selection.mehtod\"");
    }
  }
}

TEST(SweepFile, what_fails_only_at_some_points_names_the_point) {
  const std::string text = "[sweep]\n" + axis("key = \"selection.method\"\nvalues = [\"all\", \"schedule\"]") +
                           axis("key = \"train.batch\"\nvalues = [8, 16]") + k_run;
  const auto d = problem(text);
  EXPECT_EQ(d.code, "E502");
  EXPECT_THAT(d.message, HasSubstr("(at selection.method = \"schedule\", train.batch = 8)"));
  const SweepFile good = parse_sweep("[sweep]\n" + k_run, "sweep.toml");
  const auto later = error_of([&] { training_of(good, {{{"train.batch", "0"}}}, 1); }).diagnostics();
  EXPECT_THAT(later[0].message, AllOf(HasSubstr("train.batch = 0"), HasSubstr("(at train.batch = 0)")));
  EXPECT_NO_THROW(training_of(good, {}, 1));  // nothing of the failure is left
  EXPECT_EQ(code_of([&] { training_of(good, {{{"train.epochs.x", "0"}}}, 1); }), "E103");
  EXPECT_EQ(code_of([&] { training_of(good, {{{"train.epochs", "[1,"}}}, 1); }), "E101");
  EXPECT_EQ(training_of(good, {}, 1).epochs, 2);
}

TEST(SweepFile, mistakes_of_the_table_are_all_reported_with_their_place) {
  const auto d =
      problems("[sweep]\ndesgin = \"grid\"\n" + axis("key = 3\nvalues = [1]") + axis("key = \"a b\"\nvalues = [1]") +
               axis("key = \"train.batch\"\nkeys = [\"train.batch\"]\nvalues = []") + axis("key = \"train.batch\"") +
               axis("key = \"train.batch\"\nfrom = 1") +
               axis("keys = []\nvalues = [1]\nlabels = [1]\nwhen = 3\nscale = \"ln\"") + k_run);
  std::vector<std::string> said;
  for (const auto& one : d) said.push_back(fmt::format("{}:{} {}", one.line, one.column, one.code));
  EXPECT_THAT(said, ElementsAre("2:1 E102", "4:7 E103", "7:7 E104", "11:8 E107", "12:10 E103", "13:1 E105", "15:1 E105",
                                "19:8 E103", "21:10 E103", "22:8 E103", "23:9 E106"));
  EXPECT_EQ(d[0].help, "did you mean 'design'?");
}

TEST(SweepFile, contradictions_point_at_their_axis) {
  const auto at = [&](const std::string& text) {
    const auto d = problem("[sweep]\n" + text + k_run);
    return fmt::format("{}:{} {}", d.line, d.column, d.code);
  };
  EXPECT_EQ(at(axis("key = \"train.batch\"\nvalues = [1, 2, 1.0]")), "4:17 E107");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nfrom = 0\nto = 1\ncount = 2\nscale = \"log\"")), "4:8 E104");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nfrom = 1\nto = 2\ncount = 0")), "6:9 E105");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nfrom = 1\nto = 2")), "2:1 E105");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nvalues = [1]\nwhen = { train.epohcs = 1 }")), "5:8 E102");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nvalues = [1]\nname = \"seed\"")), "5:8 E107");
  EXPECT_EQ(at("design = \"sobol\"\n" + axis("key = \"train.batch\"\nvalues = [1]")), "1:1 E105");
  EXPECT_EQ(at("design = \"sobol\"\nsamples = 2000000\n" + axis("key = \"train.batch\"\nvalues = [1]")), "1:1 E104");
  EXPECT_EQ(at("design = \"gird\"\n"), "2:10 E106");
  EXPECT_EQ(at("runs = 3\n"), "2:8 E103");
  EXPECT_EQ(at("runs = [3]\n"), "2:9 E103");
  EXPECT_EQ(at("exclude = [{ train.batch = 1 }]\n"), "2:12 E102");
  EXPECT_EQ(at(axis("key = \"train.batch\"\nvalues = [8]") + "[[sweep.exclude]]\ntrain.batch = 8\n"), "5:1 E107");
  EXPECT_EQ(at("axes = 3\n"), "2:8 E103");
  EXPECT_EQ(at("design = \"list\"\n[[sweep.runs]]\n\"a b\" = 1\n"), "4:9 E104");
}

TEST(SweepFile, verbs_tell_sweeps_from_runs) {
  const auto sweep = error_of([] { eos::io::parse_training("[sweep]\n" + k_run, "a.toml"); }).diagnostics()[0];
  EXPECT_EQ(sweep.code, "E108");
  EXPECT_THAT(sweep.message, HasSubstr("a sweep ([sweep])"));
  EXPECT_EQ(sweep.help, "use `eos sweep`");
  const auto run = error_of([] { parse_sweep(k_run, "a.toml"); }).diagnostics()[0];
  EXPECT_EQ(run.code, "E108");
  EXPECT_THAT(run.help, HasSubstr("eos train"));
  EXPECT_EQ(code_of([] { parse_sweep("", "a.toml"); }), "E108");
}

TEST(SweepFile, threads_may_read_runs_at_the_same_time) {
  const SweepFile file = parse_sweep(
      "[sweep]\n" + axis("key = \"train.batch\"\nfrom = 1\nto = 200\ncount = 200\nwhole = true") + k_run, "s");
  const auto points = expand(file.sweep);
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (std::size_t p = t; p < points.size(); p += 4)
        wrong[t] += training_of(file, points[p], 1).batch == static_cast<int>(p) + 1 ? 0 : 1;
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(wrong, ElementsAre(0, 0, 0, 0));
}

TEST(SweepFile, a_schedule_of_a_file_is_a_value) {
  const SweepFile file = parse_sweep(
      "[sweep]\n" +
          axis("key = \"schedule\"\nvalues = [{ weight_fraction = [0.5] }, { weight_fraction = [1, 0.25] }]") +
          "[plasticity]\nmethod = \"schedule\"\n" + k_run,
      "s");
  const auto points = expand(file.sweep);
  EXPECT_THAT(training_of(file, points[0], 1).schedule.weight_fraction, ElementsAre(0.5));
  EXPECT_THAT(training_of(file, points[1], 1).schedule.weight_fraction, ElementsAre(1, 0.25));
  EXPECT_EQ(problem("[sweep]\n" + axis("key = \"schedule\"\nvalues = [{ file = \"none.h5\" }]") + k_run).line, 4);
}

/// One to four edits, as in toml_fuzz_test.cpp.
std::string damaged(std::string text, std::uint32_t trial) {
  using eos::core::draw;
  using eos::core::Purpose;
  static const std::vector<std::string> k_pieces{"[",
                                                 "]",
                                                 "{",
                                                 "}",
                                                 "\"",
                                                 "=",
                                                 "\n",
                                                 ".",
                                                 "nan",
                                                 "-inf",
                                                 "1e999",
                                                 "\xff",
                                                 "[[sweep.axes]]\n",
                                                 "when = {}\n",
                                                 "count = 999999\n",
                                                 "sweep",
                                                 "[]"};
  const auto rounds = 1 + draw(21, {0, trial, Purpose::test, 0}).v[0] % 4;
  for (std::uint32_t r = 1; r <= rounds && !text.empty(); ++r) {
    const auto w = draw(21, {0, trial, Purpose::test, r});
    const std::size_t at = w.v[0] % text.size();
    if (w.v[2] % 4 == 0)
      text[at] = static_cast<char>(text[at] ^ (1 << (w.v[3] % 8)));
    else if (w.v[2] % 4 == 1)
      text.erase(at, 1 + w.v[1] % 12);
    else if (w.v[2] % 4 == 2)
      text.insert(at, text.substr(w.v[3] % text.size(), 40));
    else
      text.insert(at, k_pieces[w.v[3] % k_pieces.size()]);
  }
  return text;
}

TEST(SweepFuzz, damaged_files_are_read_or_refused) {
  std::vector<std::string> files;
  for (const char* name : {"rate_and_method", "hypercube", "conditions", "architectures"})
    files.push_back(slurp(fmt::format("{}/examples/sweeps/{}.toml", EOS_SOURCE_DIR, name)));
  files.push_back(
      "[sweep]\ndesign = \"list\"\n[[sweep.runs]]\nselection.tau = 0.1\n[[sweep.exclude]]\nselection.tau = 1\n");
  int accepted = 0;
  for (std::uint32_t trial = 0; trial < 600; ++trial) {
    const std::string text = damaged(files[trial % files.size()], trial);
    try {
      const SweepFile file = parse_sweep(text, "fuzz.toml");
      for (const SweepPoint& point : expand(file.sweep))
        for (const auto& [key, word] : point.set) ASSERT_FALSE(key.empty() || word.empty());
      ++accepted;
    } catch (const Error& error) {
      for (const auto& d : error.diagnostics()) ASSERT_NE(eos::core::find_error_code(d.code), nullptr) << d.code;
      ASSERT_NE(error.fault(), eos::core::Fault::bug) << error.what() << "\n" << text;
    }
  }
  EXPECT_GT(accepted, 20);
  EXPECT_LT(accepted, 590);
}

}  // namespace
