#include "eos/io/toml.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "support.hpp"

namespace {

using eos::core::Diagnostic;
using eos::io::Overrides;
using eos::io::parse_prices;
using eos::io::parse_problem;
using eos::io::parse_training;
using eos::io::read_training;
using eos::io::testing::code_of;
using eos::io::testing::error_of;
using eos::io::testing::Scratch;
using eos::io::testing::slurp;
using eos::io::testing::spill;
using namespace eos::theory;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

/// Diagnostics of reading a run.
std::vector<Diagnostic> run_problems(const std::string& text, const Overrides& overrides = {}) {
  return error_of([&] { parse_training(text, "run.toml", overrides); }).diagnostics();
}
std::vector<Diagnostic> mode_problems(const std::string& text) {
  return error_of([&] { parse_problem(text, "p.toml"); }).diagnostics();
}

const char* const k_modes = "[modes]\ncount = 3\nlambda = {power = -1}\ninitial = [3, 2, 1]\n";

TEST(Toml, an_empty_run_has_the_documented_defaults) {
  const TrainingSpec read = parse_training("", "empty.toml"), fresh;
  EXPECT_EQ(eos::io::to_toml(read), eos::io::to_toml(fresh));
  EXPECT_EQ(read.prices.name, "metabolic");
  EXPECT_EQ(read.batch, 32);
}

TEST(Toml, keys_reach_their_fields) {
  const TrainingSpec s = parse_training(R"(
prices = "hbm2"
[train]
title = "t"
batch = 64
epochs = 2.5
seeds = [3, 1]
evaluate_every = 0.5
checkpoint_seconds = 0
record_every = 10
[data]
name = "teacher"
train_samples = 5e3
label_noise = 0.1
[data.teacher]
inputs = 20
seed = 9
[network]
hidden = [8]
init_scale = 2
[optimiser]
kind = "adamw"
law = "inverse-time"
learning_rate = 1e-3
beta1 = 0.8
[selection]
method = "dbpd"
tau = 0.7
[plasticity]
method = "top-k"
fraction = 0.05
)",
                                        "run.toml");
  EXPECT_EQ(s.prices.name, "hbm2");
  EXPECT_EQ(s.batch, 64);
  EXPECT_EQ(s.epochs, 2.5);
  EXPECT_THAT(s.seeds, ElementsAre(3u, 1u));
  EXPECT_EQ(s.data.train_samples, 5000);
  EXPECT_EQ(s.data.teacher.seed, 9u);
  EXPECT_THAT(s.network.hidden, ElementsAre(8));
  EXPECT_EQ(s.optimiser.kind, OptimiserKind::adamw);
  EXPECT_EQ(s.optimiser.law, RateLaw::inverse_time);
  EXPECT_EQ(s.selection.gate, Gate::threshold);  // from the preset
  EXPECT_EQ(s.selection.tau, 0.7);               // given beside it
  EXPECT_EQ(s.plasticity.rule, WriteRule::top_k);
  EXPECT_EQ(s.plasticity.fraction, 0.05);
}

TEST(Toml, every_preset_can_be_named) {
  const std::string schedule = "[schedule]\ndata_fraction = [0.5]\nlearning_rate = [0.1]\n";
  for (const std::string& method : selection_presets()) {
    const auto s = parse_training(fmt::format("[selection]\nmethod = \"{}\"\n{}", method, schedule), "run.toml");
    EXPECT_EQ(s.selection.method, method);
    EXPECT_EQ(s.selection.present, selection_preset(method).present);
    EXPECT_EQ(s.selection.gate, selection_preset(method).gate);
  }
  for (const std::string& method : plasticity_presets()) {
    const auto s = parse_training(fmt::format("[plasticity]\nmethod = \"{}\"\n{}", method, schedule), "run.toml");
    EXPECT_EQ(s.plasticity.rule, plasticity_preset(method).rule);
  }
}

TEST(Toml, a_problem_is_shown_with_line_column_text_and_the_smallest_change) {
  const auto d = run_problems("[train]\nepochs = 5\n\n[selection]\n  metod = \"dbpd\"\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E102");
  EXPECT_EQ(d[0].file, "run.toml");
  EXPECT_EQ(d[0].line, 5);
  EXPECT_EQ(d[0].column, 3);
  EXPECT_EQ(d[0].source_line, "  metod = \"dbpd\"");
  EXPECT_THAT(d[0].message, HasSubstr("[selection]"));
  EXPECT_EQ(d[0].help, "did you mean 'method'?");
}

TEST(Toml, all_problems_are_reported_at_once_in_order) {
  const auto d = run_problems(R"([train]
epochs = -1
batch = "many"
[data]
name = "fashion_mnist"
train_sampels = 10
[optimiser]
learning_rate = nan
momentum = 1.0
[selection]
method = "dpbd"
two_forward = 1
[extra]
x = 1
)");
  std::vector<std::string> codes;
  std::vector<int> lines;
  for (const Diagnostic& x : d) codes.push_back(x.code), lines.push_back(x.line);
  EXPECT_THAT(codes, ElementsAre("E104", "E103", "E106", "E102", "E104", "E104", "E106", "E103", "E102"));
  EXPECT_THAT(lines, ElementsAre(2, 3, 5, 6, 8, 9, 11, 12, 13));
  EXPECT_THAT(d[0].message, AllOf(HasSubstr("train.epochs"), HasSubstr("> 0 epochs")));
  EXPECT_THAT(d[1].message, AllOf(HasSubstr("whole number"), HasSubstr("text"), HasSubstr("many")));
  EXPECT_EQ(d[2].help, "did you mean 'fashion-mnist'?");
  EXPECT_EQ(d[3].help, "did you mean 'train_samples'?");
  EXPECT_THAT(d[4].message, HasSubstr("nan"));
  EXPECT_THAT(d[5].message, HasSubstr("[0, 1)"));
  EXPECT_EQ(d[6].help, "did you mean 'dbpd'?");
}

TEST(Toml, a_key_in_the_wrong_table_is_sent_home) {
  const auto d = run_problems("[optimiser]\nepochs = 3\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].help, "'epochs' belongs in the table [train]");
}

TEST(Toml, a_misspelt_table_is_found) {
  const auto d = run_problems("[optimizer]\nlearning_rate = 0.1\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_THAT(d[0].message, HasSubstr("unknown table 'optimizer'"));
  EXPECT_EQ(d[0].help, "did you mean 'optimiser'?");
}

TEST(Toml, broken_text_is_pointed_at) {
  const auto d = run_problems("[train]\nepochs = 1,5\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E101");
  EXPECT_EQ(d[0].line, 2);
  EXPECT_EQ(d[0].source_line, "epochs = 1,5");
  EXPECT_EQ(run_problems("a = [[[")[0].code, "E101");
  EXPECT_EQ(run_problems("\xff\xfe")[0].code, "E101");
  EXPECT_EQ(run_problems("x = 99999999999999999999")[0].code, "E101");
}

TEST(Toml, contradictions_point_at_a_key) {
  const auto d = run_problems("[train]\nseeds = [1, 1]\n[plasticity]\naccumulate = true\n");
  ASSERT_EQ(d.size(), 2u);
  EXPECT_EQ(d[0].code, "E107");
  EXPECT_EQ(d[0].line, 2);
  EXPECT_EQ(d[1].line, 4);
  EXPECT_EQ(run_problems("[train]\nseed = 1\nseeds = [2]\n")[0].code, "E107");
}

TEST(Toml, a_method_that_follows_a_schedule_needs_one) {
  for (const char* text : {"[selection]\nmethod = \"schedule\"\n", "[plasticity]\nmethod = \"schedule-feedback\"\n",
                           "[optimiser]\nlaw = \"schedule\"\n"}) {
    const auto d = run_problems(text);
    ASSERT_EQ(d.size(), 1u) << text;
    EXPECT_EQ(d[0].code, "E502");
    EXPECT_THAT(d[0].help, HasSubstr("eos plan"));
    EXPECT_EQ(d[0].file, "run.toml");
  }
}

TEST(Toml, a_file_of_another_kind_is_named) {
  const auto d = run_problems("[problem]\nhorizon = 3\n");
  EXPECT_EQ(d[0].code, "E108");
  EXPECT_THAT(d[0].message, HasSubstr("a mode problem"));
  EXPECT_THAT(d[0].help, HasSubstr("eos plan"));
  EXPECT_EQ(mode_problems("[train]\nepochs = 3\n")[0].code, "E108");
}

TEST(Toml, the_kind_of_a_file_is_told_by_its_tables) {
  const Scratch scratch;
  const auto kind = [&](const std::string& text) {
    spill(scratch / "a.toml", text);
    return eos::io::kind_of(scratch / "a.toml");
  };
  EXPECT_EQ(kind(k_modes), eos::io::FileKind::problem);
  EXPECT_EQ(kind("prices = \"hbm2\"\n[plan]\n"), eos::io::FileKind::plan);
  EXPECT_EQ(kind("prices = \"hbm2\"\n[data]\n"), eos::io::FileKind::training);
  EXPECT_EQ(kind("[prices]\nmac = 1\n"), eos::io::FileKind::prices);
  EXPECT_EQ(code_of([&] { kind(""); }), "E108");
  EXPECT_THAT(error_of([&] { kind("[problme]\n"); }).diagnostics()[0].help, HasSubstr("[problem]"));
}

TEST(Toml, overrides_replace_values_of_the_file) {
  const std::string text = "[train]\nepochs = 3\n[selection]\nmethod = \"dbpd\"\ntau = 0.3\n";
  const TrainingSpec s =
      parse_training(text, "run.toml",
                     {{"train.epochs=7", "selection.method=ranked", "selection.fraction = 0.25",
                       "train.title=a title of words", "train.seeds=[4, 5]", "data.teacher.inputs=12",
                       "optimiser.learning_rate=1", "train.epochs=8", "prices=\"sram-7nm\""}});
  EXPECT_EQ(s.epochs, 8);  // the later one holds
  EXPECT_EQ(s.selection.gate, Gate::ranked);
  EXPECT_EQ(s.selection.fraction, 0.25);
  EXPECT_EQ(s.selection.tau, 0.3);
  EXPECT_EQ(s.title, "a title of words");
  EXPECT_THAT(s.seeds, ElementsAre(4u, 5u));
  EXPECT_EQ(s.data.teacher.inputs, 12);
  EXPECT_EQ(s.optimiser.learning_rate, 1);
  EXPECT_EQ(s.prices.name, "sram-7nm");
}

TEST(Toml, problems_of_overrides_point_at_the_override) {
  const auto d = run_problems("[train]\nepochs = 0\n",
                              {{"train.batch=8", "selection.tau=2", "selection.tua=1", "train.epochs=x"}});
  ASSERT_EQ(d.size(), 3u);  // the file's epochs = 0 is overridden, so only the override's x counts
  EXPECT_EQ(d[0].file, "--set");
  EXPECT_EQ(d[0].line, 2);
  EXPECT_EQ(d[0].column, 15);
  EXPECT_EQ(d[0].source_line, "selection.tau=2");
  EXPECT_EQ(d[1].line, 3);
  EXPECT_EQ(d[1].help, "did you mean 'tau'?");
  EXPECT_THAT(d[2].message, AllOf(HasSubstr("train.epochs"), HasSubstr("'x'")));
}

TEST(Toml, overrides_that_are_not_assignments_are_refused) {
  EXPECT_EQ(run_problems("", {{"train.epochs"}})[0].code, "E100");
  EXPECT_EQ(run_problems("", {{"train.epochs=1\n[x]"}})[0].code, "E100");
  EXPECT_EQ(run_problems("", {{"=3"}})[0].code, "E101");
  EXPECT_EQ(run_problems("", {{"train.seeds=[1,"}})[0].code, "E101");
  EXPECT_EQ(run_problems("", {{"train.epochs="}})[0].code, "E101");
  EXPECT_EQ(run_problems("[train]\nepochs=1\n", {{"train.epochs.x=1"}})[0].code, "E103");
  EXPECT_EQ(run_problems("", {{"train=3"}})[0].code, "E103");
}

TEST(Toml, an_inline_table_given_as_override_replaces_the_old_one) {
  const ModeProblem p = parse_problem(std::string("[problem]\nhorizon = 1\n") + k_modes, "p.toml",
                                      {{"modes.lambda={power=-2}", "modes.initial={power=0, scale=2}"}});
  EXPECT_THAT(p.lambda, ElementsAre(1, 0.25, 1.0 / 9));
  EXPECT_THAT(p.initial, ElementsAre(2, 2, 2));
}

TEST(Toml, the_reference_problem_is_read_as_published) {
  const auto p = eos::io::read_problem(EOS_SOURCE_DIR "/examples/reference_ranked.toml");
  ASSERT_EQ(p.lambda.size(), 8u);
  for (int j = 1; j <= 8; ++j) {
    EXPECT_DOUBLE_EQ(p.lambda[static_cast<std::size_t>(j - 1)], std::pow(j, -1.5));
    EXPECT_DOUBLE_EQ(p.initial[static_cast<std::size_t>(j - 1)], std::pow(j, -0.5));
  }
  EXPECT_EQ(p.batch, 4);
  EXPECT_EQ(p.noise_variance, 1);
  EXPECT_EQ(p.terminal_weight, 1);
  EXPECT_EQ(p.running_weight, 0.002);
  EXPECT_EQ(p.price_sample, 0.004);
  EXPECT_EQ(p.price_write, 0.003);
  EXPECT_EQ(p.price_time + p.price_screening + p.price_path, 0);
  EXPECT_EQ(p.horizon, 40);
  EXPECT_EQ(p.intervals, 40);
  EXPECT_EQ(p.data_bounds.lower, 1e-3);
  EXPECT_EQ(p.weight_bounds.upper, 1);
  EXPECT_EQ(p.rate_bounds.upper, 0.4);
  EXPECT_EQ(p.data_rule, Rule::ranked);
  EXPECT_EQ(p.data_signal.kind(), CaptureCurve::Kind::gaussian);
  EXPECT_EQ(p.discretisation.scheme, Scheme::rk4);
  EXPECT_EQ(p.discretisation.steps, 2);
  EXPECT_EQ(p.discretisation.rest_intervals, 2);
  EXPECT_EQ(eos::io::read_problem(EOS_SOURCE_DIR "/examples/reference_dense.toml").weight_rule, Rule::all);
  EXPECT_EQ(eos::io::read_problem(EOS_SOURCE_DIR "/examples/reference_random.toml").data_rule, Rule::random);
}

TEST(Toml, every_example_is_valid) {
  int runs = 0, problems = 0, plans = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EOS_SOURCE_DIR "/examples")) {
    if (entry.path().extension() != ".toml") continue;
    const std::string path = entry.path().string();
    SCOPED_TRACE(path);
    switch (eos::io::kind_of(path)) {
      case eos::io::FileKind::training:
        read_training(path), ++runs;
        break;
      case eos::io::FileKind::problem:
        eos::io::read_problem(path), ++problems;
        break;
      case eos::io::FileKind::plan:
        eos::io::read_plan_request(path), ++plans;
        break;
      case eos::io::FileKind::control:
        eos::io::read_control(path), ++problems;
        break;
      case eos::io::FileKind::fly:
        eos::io::read_fly(path), ++runs;
        break;
      case eos::io::FileKind::perceptron:
        eos::io::read_perceptron(path), ++runs;
        break;
      case eos::io::FileKind::prices:
        ADD_FAILURE() << "price lists live in data/prices";
        break;
      case eos::io::FileKind::sweep:
        ADD_FAILURE() << "sweeps live in examples/sweeps";
        break;
      case eos::io::FileKind::energy_model:
        ADD_FAILURE() << "no example is the joules of a machine";
        break;
      case eos::io::FileKind::evidence:
        ADD_FAILURE() << "protocols live in data/evidence";
        break;
    }
  }
  EXPECT_GE(runs, 5);
  EXPECT_GE(problems, 3);
  EXPECT_GE(plans, 1);
}

TEST(Toml, modes_are_lists_or_power_laws) {
  const std::string head = "[problem]\nhorizon = 1\n[modes]\n";
  EXPECT_THAT(parse_problem(head + "lambda = [1, 2]\ninitial = [1, 0]\n", "p").lambda, ElementsAre(1, 2));
  EXPECT_EQ(mode_problems(head + "lambda = {power = -1}\ninitial = {power = -1}\n")[0].code, "E105");
  EXPECT_EQ(mode_problems(head + "count = 2\nlambda = [1]\ninitial = [1, 1]\n")[0].code, "E107");
  EXPECT_EQ(mode_problems(head + "lambda = [1, 2]\ninitial = [1]\n")[0].code, "E107");
  EXPECT_EQ(mode_problems(head + "count = 2\nlambda = {pwoer = -1}\ninitial = [1, 1]\n").size(), 2u);
  EXPECT_EQ(mode_problems(head + "lambda = [1, inf]\ninitial = [1, 1]\n")[0].code, "E104");
  EXPECT_EQ(mode_problems(head + "lambda = [0]\ninitial = [1]\n")[0].code, "E104");
  const auto missing = mode_problems("[problem]\n");
  ASSERT_EQ(missing.size(), 3u);  // horizon, lambda, initial
  for (const auto& d : missing) EXPECT_EQ(d.code, "E105");
}

TEST(Toml, capture_functions_are_words_or_tables) {
  const std::string head = std::string("[problem]\nhorizon = 1\n") + k_modes + "[data_fraction]\n";
  const auto p = parse_problem(head + "capture = {fraction = [0.1, 0.5], captured = [0.6, 0.9]}\n", "p");
  EXPECT_EQ(p.data_signal.kind(), CaptureCurve::Kind::tabulated);
  EXPECT_NEAR(p.data_signal.value(0.5), 0.9, 1e-15);  // an exponential and a logarithm are one rounding each
  EXPECT_EQ(p.data_noise.kind(), CaptureCurve::Kind::tabulated);  // like capture when absent
  EXPECT_EQ(parse_problem(head + "capture = \"laplace\"\nnoise_capture = \"linear\"\n", "p").data_noise.kind(),
            CaptureCurve::Kind::linear);
  EXPECT_EQ(mode_problems(head + "capture = \"gausian\"\n")[0].help, "did you mean 'gaussian'?");
  EXPECT_EQ(mode_problems(head + "capture = {fraction = [0.5, 0.1], captured = [0.6, 0.9]}\n")[0].code, "E107");
  EXPECT_EQ(mode_problems(head + "capture = 3\n")[0].code, "E103");
}

TEST(Toml, reversed_bounds_are_found) {
  const auto d =
      mode_problems(std::string("[problem]\nhorizon = 1\n") + k_modes + "[data_fraction]\nlower = 0.9\nupper = 0.1\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E401");
  EXPECT_EQ(d[0].line, 7);
}

TEST(Toml, prices_are_a_name_a_file_or_a_table) {
  const Scratch scratch;
  spill(scratch / "mine.toml", "[prices]\nname = \"mine\"\nmac = 2e-12\n");
  spill(scratch / "run.toml", "prices = \"mine.toml\"\n");
  EXPECT_EQ(read_training(scratch / "run.toml").prices.mac, 2e-12);  // relative to the file, not to the current folder
  const auto table = parse_training("[prices]\nwrite = 1e-9\n", "run.toml").prices;
  EXPECT_EQ(table.name, "custom");
  EXPECT_EQ(table.mac, 0);
  const auto based = parse_training("[prices]\nbase = \"hbm2\"\nwrite = 1e-9\n", "run.toml").prices;
  EXPECT_EQ(based.mac, builtin_prices("hbm2").mac);
  EXPECT_EQ(based.write, 1e-9);
  EXPECT_EQ(run_problems("prices = \"hbm\"\n")[0].code, "E106");
  EXPECT_EQ(run_problems("prices = 3\n")[0].code, "E103");
  EXPECT_EQ(run_problems("prices = \"./absent.toml\"\n")[0].code, "E201");
  EXPECT_EQ(run_problems("[prices]\nmac = -1\n")[0].code, "E104");
  EXPECT_EQ(code_of([] { parse_prices("x = 1\n", "p.toml"); }), "E105");
}

TEST(Toml, the_price_files_hold_the_built_in_numbers) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EOS_SOURCE_DIR "/data/prices")) {
    if (entry.path().extension() != ".toml") continue;
    ++files;
    const PriceList file = eos::io::read_prices(entry.path().string());
    EXPECT_EQ(entry.path().stem(), file.name);
    EXPECT_EQ(eos::io::to_toml(file), eos::io::to_toml(eos::io::read_prices(file.name)));
  }
  EXPECT_EQ(files, static_cast<int>(builtin_price_names().size()));
}

TEST(Toml, an_inline_schedule_may_leave_out_what_is_plain) {
  const Schedule s =
      parse_training("[schedule]\ndata_fraction = [0.5, 0.25, 0.25, 0.125]\nlearning_rate = [4, 3, 2, 1]\n", "r")
          .schedule;
  EXPECT_THAT(s.edges, ElementsAre(0, 0.25, 0.5, 0.75, 1));
  EXPECT_THAT(s.weight_fraction, ElementsAre(1, 1, 1, 1));
  const auto d = run_problems("[schedule]\nedges = [0, 1]\ndata_fraction = [0.5, 0.5]\n");
  EXPECT_EQ(d[0].code, "E502");
  EXPECT_EQ(d[0].line, 1);
}

TEST(Toml, a_schedule_file_is_found_beside_the_toml_file) {
  const Scratch scratch;
  eos::core::Dataset plan;
  plan.add_dim("time", {0, 10, 40}, "1", "time");
  plan.add_dim("interval", 2);
  plan.add("data_fraction", {"interval"}, std::vector<double>{0.5, 0.25}, "1", "");
  plan.add("weight_fraction", {"interval"}, std::vector<double>{1, 0.1}, "1", "");
  plan.add("learning_rate", {"interval"}, std::vector<double>{0.1, 0.05}, "1", "");
  eos::io::write_hdf5(scratch / "plan.h5", plan);
  spill(scratch / "run.toml", "[schedule]\nfile = \"plan.h5\"\n");
  const Schedule s = read_training(scratch / "run.toml").schedule;
  EXPECT_THAT(s.edges, ElementsAre(0, 0.25, 1));
  EXPECT_THAT(s.learning_rate, ElementsAre(0.1, 0.05));
  const auto problems = run_problems("[schedule]\nfile = \"absent.h5\"\n");
  EXPECT_EQ(problems[0].code, "E201");
  EXPECT_EQ(problems[0].line, 2);
  EXPECT_EQ(run_problems("[schedule]\nfile = \"a.h5\"\nedges = [0, 1]\n")[0].code, "E107");
}

TEST(Toml, a_plan_request_needs_a_goal_and_a_calibration) {
  const Scratch scratch;
  const auto read = [&](const std::string& text) {
    spill(scratch / "plan.toml", text);
    return eos::io::read_plan_request(scratch / "plan.toml");
  };
  const auto r = read("prices = \"hbm2\"\n[plan]\ncalibration = \"c.h5\"\ntarget_loss = 0.4\nselect_data = false\n");
  EXPECT_EQ(r.calibration, scratch / "c.h5");
  EXPECT_EQ(r.prices.name, "hbm2");
  EXPECT_FALSE(r.select_data);
  EXPECT_EQ(code_of([&] { read("[plan]\ncalibration = \"c.h5\"\n"); }), "E105");
  EXPECT_EQ(code_of([&] { read("[plan]\ntarget_loss = 1\n"); }), "E105");
  EXPECT_EQ(code_of([&] { read("[plan]\ncalibration = \"c.h5\"\nterminal_weight = 1\nfree_horizon = true\n"); }),
            "E107");
  spill(scratch / "again.toml", eos::io::to_toml(r));
  EXPECT_EQ(eos::io::to_toml(eos::io::read_plan_request(scratch / "again.toml")), eos::io::to_toml(r));
}

TEST(Toml, missing_files_are_reported_as_such) {
  EXPECT_EQ(code_of([] { read_training("/no/such/file.toml"); }), "E201");
  EXPECT_EQ(code_of([] { eos::io::read_problem("/tmp"); }), "E201");
}

TEST(Toml, the_manual_is_the_reference_that_the_program_prints) {
  const std::string path = EOS_SOURCE_DIR "/docs/toml.md", body = eos::io::toml_reference();
  const std::string manual = slurp(path);
  if (std::getenv("EOS_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path) << manual.substr(0, manual.find(body.substr(0, body.find('\n')))) << body;
    return;
  }
  EXPECT_NE(manual.find(body), std::string::npos) << "docs/toml.md is out of date; EOS_UPDATE_GOLDEN=1 rewrites it";
}

}  // namespace
