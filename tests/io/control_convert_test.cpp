// Solutions of control problems as tables: everything comes back, also through a file, and sweeps of them line up.
#include <gmock/gmock.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "eos/io/convert.hpp"
#include "eos/io/hdf5.hpp"
#include "eos/io/run_stack.hpp"
#include "eos/io/toml.hpp"
#include "support.hpp"

namespace {

using namespace eos::theory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ControlProblem problem() {
  ControlProblem p = eos::io::read_control(EOS_SOURCE_DIR "/examples/gold/least_fuel.toml");
  p.time_unit = "seconds";
  p.states[0].unit = std::string("m");
  return p;
}

ControlSolution solution(int arcs = 3) {
  ControlSolution s;
  s.method = Method::radau, s.reason = "bounded controls";
  s.status = ControlStatus::acceptable, s.message = "component 1 of node 4";
  s.objective = 0.75, s.horizon = 3, s.terms = {0.75}, s.parameters = {1};
  s.time = {0, 1, 1, 3};  // a jump at 1
  s.states = {{0, 0.5, 0.5, 1}, {0, 1, 1, 0}};
  s.controls = {{1, 1, 0, 0}, {0, 0, 0, 1}};
  s.costates = {{-1, -1, -1, -1}, {2, 1, 1, -1}};
  s.switching = {{-1, 0, 0, 1}, {1, 1, 1, 0}};
  s.hamiltonian = {0.1, 0.1, 0.1, 0.1};
  for (int i = 0; i < arcs; ++i)
    s.arcs.push_back({i % 2, 0.5 * i, 0.5 * i + 0.5, i == 1 ? ArcKind::singular : ArcKind::upper});
  s.switch_times.assign(static_cast<std::size_t>(arcs), 0.25);
  s.certificate.ode_residual = 1e-12, s.certificate.lower_bound = 0.7499,
  s.certificate.lower_bound_source = "convex dual";
  s.intervals = 50, s.iterations = 7, s.refinements = 2, s.solve_seconds = 0.001;
  return s;
}

void expect_same(const ControlSolution& a, const ControlSolution& b) {
  EXPECT_EQ(a.method, b.method);
  EXPECT_EQ(a.reason, b.reason);
  EXPECT_EQ(a.status, b.status);
  EXPECT_EQ(a.message, b.message);
  EXPECT_EQ(a.objective, b.objective);
  EXPECT_EQ(a.horizon, b.horizon);
  EXPECT_EQ(a.terms, b.terms);
  EXPECT_EQ(a.parameters, b.parameters);
  EXPECT_EQ(a.time, b.time);
  EXPECT_EQ(a.states, b.states);
  EXPECT_EQ(a.controls, b.controls);
  EXPECT_EQ(a.costates, b.costates);
  EXPECT_EQ(a.hamiltonian, b.hamiltonian);
  EXPECT_EQ(a.switching, b.switching);
  EXPECT_EQ(a.switch_times, b.switch_times);
  ASSERT_EQ(a.arcs.size(), b.arcs.size());
  for (std::size_t i = 0; i < a.arcs.size(); ++i) {
    EXPECT_EQ(a.arcs[i].control, b.arcs[i].control);
    EXPECT_EQ(a.arcs[i].kind, b.arcs[i].kind);
    EXPECT_EQ(a.arcs[i].end, b.arcs[i].end);
  }
  EXPECT_EQ(a.certificate.ode_residual, b.certificate.ode_residual);
  EXPECT_EQ(std::isnan(a.certificate.transversality), std::isnan(b.certificate.transversality));
  EXPECT_EQ(a.certificate.lower_bound, b.certificate.lower_bound);
  EXPECT_EQ(a.certificate.lower_bound_source, b.certificate.lower_bound_source);
  EXPECT_EQ(a.intervals, b.intervals);
  EXPECT_EQ(a.iterations, b.iterations);
  EXPECT_EQ(a.refinements, b.refinements);
  EXPECT_EQ(a.solve_seconds, b.solve_seconds);
}

TEST(ControlConvert, a_solution_comes_back_from_a_file) {
  const eos::io::testing::Scratch scratch;
  eos::io::write_hdf5(scratch / "s.h5", eos::io::to_dataset(problem(), solution()));
  const eos::core::Dataset d = eos::io::read_hdf5(scratch / "s.h5");
  expect_same(eos::io::control_solution_from(d), solution());
  EXPECT_EQ(eos::io::to_toml(eos::io::control_problem_from(d)), eos::io::to_toml(problem()));
  EXPECT_THAT(d.strings("state"), ElementsAre("x", "v"));
  EXPECT_THAT(d.strings("state_units"), ElementsAre("m", "1"));
  EXPECT_EQ(d.find("time")->units, "s");
  EXPECT_THAT(d.strings("arc_kind"), ElementsAre("upper", "singular", "upper"));
  EXPECT_THAT(d.strings("arc_control"), ElementsAre("right", "left", "right"));
}

TEST(ControlConvert, what_a_method_does_not_provide_stays_absent) {
  ControlSolution bare = solution(0);
  bare.costates.clear(), bare.switching.clear(), bare.hamiltonian.clear(), bare.certificate.lower_bound.reset();
  const eos::io::testing::Scratch scratch;
  eos::io::write_hdf5(scratch / "s.h5", eos::io::to_dataset(problem(), bare));
  expect_same(eos::io::control_solution_from(eos::io::read_hdf5(scratch / "s.h5")), bare);
}

TEST(ControlConvert, a_damaged_table_is_an_error) {
  eos::core::Dataset d = eos::io::to_dataset(problem(), solution());
  for (std::size_t i = 0; i < d.variables.size(); ++i) {
    eos::core::Dataset cut = d;
    cut.variables.erase(cut.variables.begin() + static_cast<std::ptrdiff_t>(i));
    try {
      eos::io::control_solution_from(cut);
    } catch (const eos::core::Error& error) {
      EXPECT_EQ(error.diagnostics()[0].code, "E191") << d.variables[i].name;
    }
  }
  for (eos::core::Variable& v : d.variables)
    if (v.name == "x") v.values = std::vector<double>{1, 2, 3};
  EXPECT_EQ(eos::io::testing::code_of([&] { eos::io::control_solution_from(d); }), "E191");
}

TEST(ControlConvert, a_sweep_lines_up_solutions_of_different_structure) {
  const eos::core::Dataset sweep =
      eos::io::stack_runs({eos::io::to_dataset(problem(), solution(3)), eos::io::to_dataset(problem(), solution(1))});
  EXPECT_THAT(sweep.numbers("objective"), ElementsAre(0.75, 0.75));
  EXPECT_THAT(sweep.strings("arc_kind"), ElementsAre("upper", "singular", "upper", "upper", "", ""));
  const std::vector<double> ends = sweep.numbers("arc_end");
  EXPECT_EQ(ends[3], 0.5);
  EXPECT_TRUE(std::isnan(ends[4]));
  const eos::io::testing::Scratch scratch;
  eos::io::write_hdf5(scratch / "sweep.h5", sweep);
  EXPECT_EQ(eos::io::read_hdf5(scratch / "sweep.h5").strings("state").size(), 2u);
}

TEST(ControlConvert, json_and_csv_name_states_and_controls) {
  const auto json = nlohmann::json::parse(eos::io::to_json(problem(), solution()));
  EXPECT_EQ(json["schema"], "eos.control/1");
  EXPECT_EQ(json["status"], "acceptable");
  EXPECT_EQ(json["states"]["v"][1], 1);
  EXPECT_EQ(json["terms"]["fuel"], 0.75);
  EXPECT_EQ(json["arcs"][1]["kind"], "singular");
  EXPECT_EQ(json["certificate"]["lower_bound"], 0.7499);
  EXPECT_TRUE(json["certificate"]["transversality"].is_null());
  EXPECT_THAT(eos::io::to_csv(eos::io::to_dataset(problem(), solution())), HasSubstr("x,1,0.5"));
}

}  // namespace
