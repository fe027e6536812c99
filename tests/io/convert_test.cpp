#include "eos/io/convert.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "eos/core/hash.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using eos::core::Dataset;
using eos::io::calibration_from;
using eos::io::plan_from;
using eos::io::schedule_from;
using eos::io::to_csv;
using eos::io::to_dataset;
using eos::io::to_json;
using eos::io::testing::code_of;
using eos::io::testing::Scratch;
using namespace eos::theory;
using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Plan small_plan() {
  Plan p;
  p.problem.title = "small";
  p.problem.lambda = {1, 0.25};
  p.problem.initial = {1, 0.5};
  p.problem.horizon = 4;
  p.problem.intervals = 2;
  p.problem.weight_rule = Rule::random;
  p.problem.data_signal = CaptureCurve::tabulated({0.1, 0.5}, {0.4, 0.8});
  p.status = SolveStatus::stalled;
  p.message = "no progress";
  p.objective = 0.1, p.terminal_loss = 1.0 / 3, p.energy = 0.02, p.solve_seconds = 0.5;
  p.starts = 3, p.iterations = 17, p.evaluations = 99;
  p.certificate.stationarity_residual = 1e-7, p.certificate.hamiltonian_drift = 2e-6,
  p.certificate.interior_intervals = 2;
  p.certificate.hamiltonian_jump = 5e-4;
  p.certificate.energy_bound = .015, p.certificate.efficiency = .75;
  p.certificate.bound_statement = "clock of the drift";
  p.certificate.minimum_gap = 3e-9, p.certificate.data_condition = 4e-4;
  p.trajectory = {{0, 2, 4},
                  {0.5, 0.25},
                  {1, 0.1},
                  {0.4, 0.2},
                  {0.625, 0.5, 0.25},
                  {0, 0.01, 0.02},
                  {-1, -1},
                  {{1, 0.5}, {0.9, 0.4}, {0.8, 0.3}},
                  {{3, 2}, {2, 1}, {1, 0}}};
  return p;
}

TEST(Convert, a_plan_survives_a_file) {
  const Scratch scratch;
  const Plan p = small_plan();
  eos::io::write_hdf5(scratch / "plan.h5", to_dataset(p));
  const Plan q = plan_from(eos::io::read_hdf5(scratch / "plan.h5"));
  EXPECT_EQ(eos::io::to_toml(q.problem), eos::io::to_toml(p.problem));
  EXPECT_EQ(q.status, p.status);
  EXPECT_EQ(q.message, p.message);
  EXPECT_EQ(q.objective, p.objective);
  EXPECT_EQ(q.terminal_loss, p.terminal_loss);
  EXPECT_EQ(q.solve_seconds, p.solve_seconds);
  EXPECT_EQ(q.evaluations, 99);
  EXPECT_EQ(q.certificate.minimum_gap, 3e-9);
  EXPECT_EQ(q.certificate.energy_bound, .015);
  EXPECT_EQ(q.certificate.bound_statement, "clock of the drift");
  EXPECT_EQ(q.certificate.hamiltonian_jump, 5e-4);
  EXPECT_EQ(q.certificate.data_condition, 4e-4);
  EXPECT_EQ(q.trajectory.state, p.trajectory.state);
  EXPECT_EQ(q.trajectory.costate, p.trajectory.costate);
  EXPECT_EQ(q.trajectory.hamiltonian, p.trajectory.hamiltonian);
  EXPECT_EQ(to_json(q), to_json(p));
}

TEST(Convert, the_schedule_of_a_plan_file_is_that_of_the_plan) {
  Plan plan = small_plan();
  plan.problem.horizon_epochs = 5;
  const Schedule s = schedule_from(to_dataset(plan)), direct = plan.schedule();
  EXPECT_EQ(s.edges, direct.edges);
  EXPECT_EQ(s.data_fraction, direct.data_fraction);
  EXPECT_EQ(s.weight_fraction, direct.weight_fraction);
  EXPECT_EQ(s.learning_rate, direct.learning_rate);
  EXPECT_EQ(s.data_rule, Rule::ranked);
  EXPECT_EQ(s.weight_rule, Rule::random);
  EXPECT_EQ(s.epochs, 5);
  EXPECT_EQ(s.origin, direct.origin);
}

TEST(Convert, a_run_is_recorded_as_a_schedule) {
  Dataset run;
  run.attributes["title"] = std::string("dbpd");
  run.add_dim("replica", 2);
  run.add_dim("epoch", {1, 2, 4}, "1", "epoch");
  run.add("data_fraction", {"replica", "epoch"}, std::vector<double>{0.9, 0.5, 0.25, 0.1, 0.1, 0.1}, "1", "");
  run.add("weight_fraction", {"replica", "epoch"}, std::vector<double>{1, 0, 0.5, 1, 1, 1}, "1", "");
  run.add("learning_rate", {"replica", "epoch"}, std::vector<double>{0.08, 0.06, 0.02, 1, 1, 1}, "1", "");
  const Schedule s = schedule_from(run);
  EXPECT_THAT(s.edges, ElementsAre(0, 0.25, 0.5, 1));
  EXPECT_THAT(s.data_fraction, ElementsAre(0.9, 0.5, 0.25));
  EXPECT_GT(s.weight_fraction[1], 0);          // a schedule's fractions are positive
  EXPECT_DOUBLE_EQ(s.learning_rate[0], 0.09);  // a linear law has its mean in the middle
  EXPECT_DOUBLE_EQ(s.learning_rate[1], 0.07);
  EXPECT_DOUBLE_EQ(s.learning_rate[2], 0.04);
  EXPECT_EQ(s.epochs, 4);
  EXPECT_THAT(s.origin, HasSubstr("dbpd"));
}

TEST(Convert, a_table_without_schedule_is_refused) {
  EXPECT_EQ(code_of([] { schedule_from(Dataset{}); }), "E502");
  EXPECT_EQ(code_of([] { plan_from(Dataset{}); }), "E191");
  EXPECT_EQ(code_of([] { calibration_from(Dataset{}); }), "E402");
}

MeasuredCurve curve(std::initializer_list<double> u, double power) {
  MeasuredCurve c;
  for (const double x : u) c.fraction.push_back(x), c.value.push_back(std::pow(x, power)), c.error.push_back(0.01 * x);
  return c;
}

Calibration small_calibration() {
  Calibration c;
  c.spec.title = "probe";
  c.spec.network.hidden = {8};
  c.spec.seeds = {3};
  c.counts = {1234, 1200, 1500, 64};
  c.train_samples = 500;
  for (const double epoch : {0.1, 1.0})
    c.snapshots.push_back({epoch,
                           curve({0.1, 0.5, 1}, 0.5),
                           curve({0.1, 1}, 0.6),
                           curve({0.05, 0.2, 0.7, 1}, 0.4),
                           {curve({0.5, 1}, 0.3), curve({0.1, 0.5, 1}, 0.2)},
                           {100, 200 * epoch},
                           {5, 6},
                           {curve({0.5, 1}, 0.35), curve({0.1, 1}, 0.25)},
                           {curve({0.5, 1}, 0.36), curve({0.1, 1}, 0.26)},
                           {curve({0.5, 1}, 0.37), curve({0.1, 1}, 0.27)},
                           curve({0.3, 1}, 0.7),
                           curve({0.3, 1}, 0.8),
                           0.4 * epoch,
                           1.5,
                           0.1,
                           {3, 1, 12, 0.9, 0.05}});
  c.block_names = {"dense1", "dense2"}, c.block_parameters = {1000, 234};
  c.gated_probes = {{4, 5, 0.5, 0.2, 1.9, 0.02, 0.4, 0.3, 1}, {5, 5, 0.5, 0.2, 1.8, 0.02, 0.4, 1, 0.01}};
  c.reuse = {{1, 0.5, 0.01, 0.6, 0.02}, {2, 0.3, 0.01, 0.55, 0.02}};
  c.reuse_share = 0.25, c.reuse_clock = 0.8, c.reuse_clock_error = 0.05;
  c.label_noise = {0.1, 0.08, 0.12, 0.97, 900};
  c.probes = {{0, 10, 1, 0.1, 2.0, 0.01, 0.3}, {1, 20, 1.5, 0.05, 1.5, 0.02, 0.5}};
  c.accumulator_clock = curve({0.01, 0.1, 1}, 0.1);
  c.selection_clock = curve({0.2, 1}, 0.2);
  c.dense_write_share = 0.6, c.dense_path_per_step = 12.5;
  c.accumulator_path = curve({0.01, 0.1, 1}, 0.3);
  c.accumulator_held = curve({0.01, 1}, 0.4);
  c.full_data_start = 0.1, c.full_data_end = 0.2, c.largest_stable_rate = 0.3;
  c.fit.lambda = {1, 0.1, 0.01}, c.fit.initial = {0.5, 0.4, 0.3}, c.fit.initial_error = {0.05, 0.04, 0.03};
  c.fit.multiplicity = {1, 2, 4};
  c.fit.noise_variance = 0.2, c.fit.noise_scale = 1.5, c.fit.loss_offset = 0.1, c.fit.held_out_error = 0.02;
  return c;
}

void expect_equal(const MeasuredCurve& a, const MeasuredCurve& b) {
  EXPECT_EQ(a.fraction, b.fraction);
  EXPECT_EQ(a.value, b.value);
  EXPECT_EQ(a.error, b.error);
}

TEST(Convert, a_calibration_survives_a_file) {
  const Scratch scratch;
  const Calibration c = small_calibration();
  eos::io::write_hdf5(scratch / "c.h5", to_dataset(c));
  const Calibration d = calibration_from(eos::io::read_hdf5(scratch / "c.h5"));
  EXPECT_EQ(eos::io::to_toml(d.spec), eos::io::to_toml(c.spec));
  EXPECT_EQ(d.counts.parameters, 1234);
  EXPECT_EQ(d.counts.input_bytes, 64);
  EXPECT_EQ(d.train_samples, 500);
  ASSERT_EQ(d.snapshots.size(), 2u);
  for (std::size_t i = 0; i < 2; ++i) {
    EXPECT_EQ(d.snapshots[i].epoch, c.snapshots[i].epoch);
    expect_equal(d.snapshots[i].residual, c.snapshots[i].residual);
    expect_equal(d.snapshots[i].signal, c.snapshots[i].signal);
    expect_equal(d.snapshots[i].noise, c.snapshots[i].noise);
    ASSERT_EQ(d.snapshots[i].write.size(), 2u);
    for (std::size_t l = 0; l < 2; ++l) expect_equal(d.snapshots[i].write[l], c.snapshots[i].write[l]);
    EXPECT_EQ(d.snapshots[i].simple_noise_scale, c.snapshots[i].simple_noise_scale);
    EXPECT_EQ(d.snapshots[i].noise_scale_error, c.snapshots[i].noise_scale_error);
    for (std::size_t l = 0; l < 2; ++l) {
      expect_equal(d.snapshots[i].layer_signal[l], c.snapshots[i].layer_signal[l]);
      expect_equal(d.snapshots[i].layer_noise[l], c.snapshots[i].layer_noise[l]);
      expect_equal(d.snapshots[i].write_signal[l], c.snapshots[i].write_signal[l]);
    }
    expect_equal(d.snapshots[i].token_signal, c.snapshots[i].token_signal);
    expect_equal(d.snapshots[i].token_noise, c.snapshots[i].token_noise);
    EXPECT_EQ(d.snapshots[i].residual_variance, c.snapshots[i].residual_variance);
    EXPECT_EQ(d.snapshots[i].benefit_exponent, 1.5);
    EXPECT_EQ(d.snapshots[i].benefit_exponent_error, 0.1);
    EXPECT_EQ(d.snapshots[i].spectrum.effective_rank, 12);
    EXPECT_EQ(d.snapshots[i].spectrum.exponent_error, 0.05);
  }
  expect_equal(d.accumulator_clock, c.accumulator_clock);
  expect_equal(d.selection_clock, c.selection_clock);
  ASSERT_EQ(d.probes.size(), 2u);
  EXPECT_EQ(d.probes[1].probe, 1);
  EXPECT_EQ(d.probes[1].accuracy, 0.5);
  ASSERT_EQ(d.gated_probes.size(), 2u);
  EXPECT_EQ(d.gated_probes[0].data_fraction, 0.3);
  EXPECT_EQ(d.gated_probes[1].weight_fraction, 0.01);
  EXPECT_EQ(d.block_names, c.block_names);
  EXPECT_EQ(d.block_parameters, c.block_parameters);
  ASSERT_EQ(d.reuse.size(), 2u);
  EXPECT_EQ(d.reuse[1].passes, 2);
  EXPECT_EQ(d.reuse[1].unseen_loss, 0.55);
  EXPECT_EQ(d.reuse_clock_error, 0.05);
  EXPECT_EQ(d.label_noise.high, 0.12);
  EXPECT_EQ(d.label_noise.predictions, 900);
  EXPECT_EQ(d.fit.lambda, c.fit.lambda);
  EXPECT_EQ(d.fit.initial_error, c.fit.initial_error);
  EXPECT_EQ(d.fit.multiplicity, c.fit.multiplicity);
  EXPECT_EQ(d.fit.noise_scale, 1.5);
  EXPECT_EQ(d.fit.held_out_error, 0.02);
  expect_equal(d.accumulator_path, c.accumulator_path);
  expect_equal(d.accumulator_held, c.accumulator_held);
  EXPECT_EQ(d.full_data_start, 0.1);
  EXPECT_EQ(d.full_data_end, 0.2);
  EXPECT_EQ(d.largest_stable_rate, 0.3);
  EXPECT_EQ(d.dense_path_per_step, 12.5);
  EXPECT_EQ(d.signal_curve().value(0.3), c.signal_curve().value(0.3));
}

TEST(Convert, an_unmeasured_calibration_is_a_table_too) {
  const Calibration back = calibration_from(to_dataset(Calibration{}));
  EXPECT_TRUE(back.snapshots.empty());
  EXPECT_TRUE(back.probes.empty());
  EXPECT_TRUE(back.fit.lambda.empty());
}

TEST(Convert, the_json_of_a_plan_has_the_promised_fields) {
  const json j = json::parse(to_json(small_plan()));
  EXPECT_EQ(j["schema"], "eos.plan/1");
  EXPECT_EQ(j["status"], "stalled");
  for (const char* key :
       {"objective", "terminal_loss", "energy", "stationarity_residual", "hamiltonian_drift", "solve_seconds"})
    EXPECT_TRUE(j[key].is_number()) << key;
  EXPECT_EQ(j["terminal_loss"].get<double>(), 1.0 / 3);
  EXPECT_EQ(j["time"].size(), 3u);
  for (const char* key : {"data_fraction", "weight_fraction", "learning_rate"}) EXPECT_EQ(j[key].size(), 2u) << key;
}

TEST(Convert, json_of_a_table_keeps_values_and_writes_null_for_what_is_not_finite) {
  Dataset d;
  d.attributes["title"] = std::string("t\xFF");
  d.add_dim("i", 2);
  d.add("x", {"i"}, std::vector<double>{std::nan(""), 0.1}, "J", "energy");
  d.add("s", {}, std::vector<std::string>{"word"}, "1", "");
  d.groups["g"].add("big", {}, std::vector<std::int64_t>{INT64_MAX}, "1", "");
  const json j = json::parse(to_json(d));
  EXPECT_EQ(j["schema"], "eos.table/1");
  EXPECT_TRUE(j["variables"]["x"]["values"][0].is_null());
  EXPECT_EQ(j["variables"]["x"]["values"][1].get<double>(), 0.1);
  EXPECT_EQ(j["variables"]["x"]["units"], "J");
  EXPECT_EQ(j["variables"]["s"]["values"], "word");
  EXPECT_EQ(j["dims"]["i"], 2);
  EXPECT_EQ(j["groups"]["g"]["variables"]["big"]["values"].get<std::int64_t>(), INT64_MAX);
}

TEST(Convert, csv_has_one_row_per_element_with_coordinates_and_units) {
  Dataset d;
  d.add_dim("replica", 2);
  d.add_dim("epoch", {0.5, 1}, "1", "");
  d.add("energy", {"replica", "epoch"}, std::vector<double>{1e-9, 0.1, std::nan(""), 4}, "J", "");
  d.add("seed", {"replica"}, std::vector<std::int64_t>{7, 8}, "1", "");
  d.add("who", {"replica", "epoch"}, std::vector<std::string>{"a,b", "say \"x\"", "", "z"}, "1", "");
  d.add("single", {}, std::vector<double>{3}, "1", "");
  EXPECT_EQ(to_csv(d),
            "replica,epoch,energy (J),who\n0,0.5,1e-09,\"a,b\"\n0,1,0.1,\"say \"\"x\"\"\"\n1,0.5,,\n1,1,4,z\n");
  Dataset scalars;
  scalars.add("a", {}, std::vector<double>{1.5}, "s", "");
  scalars.add("b", {}, std::vector<std::int32_t>{2}, "1", "");
  EXPECT_EQ(to_csv(scalars), "a (s),b\n1.5,2\n");
}

TEST(Convert, provenance_says_what_made_a_file_and_does_not_change_its_hash) {
  Dataset d = to_dataset(small_plan());
  const std::string before = eos::core::content_sha256(d);
  const std::string toml = eos::io::to_toml(small_plan().problem);
  const Dataset p = eos::io::provenance(toml, "eos plan a.toml");
  for (const char* key : {"version", "commit", "compiler", "flags", "rng", "created", "hdf5"})
    EXPECT_NE(p.text(key), "") << key;
  EXPECT_EQ(p.text("effective_toml"), toml);
  EXPECT_EQ(p.text("effective_toml_sha256"), eos::core::sha256_hex(toml));
  EXPECT_EQ(p.text("command_line"), "eos plan a.toml");
  d.groups["provenance"] = p;
  EXPECT_EQ(eos::core::content_sha256(d), before);
}

}  // namespace
