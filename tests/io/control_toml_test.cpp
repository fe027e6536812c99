// Control problems from TOML: names reach their places, every mistake is shown at its character, and what is written
// reads back equal.
#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/io/toml.hpp"
#include "eos/theory/models.hpp"
#include "support.hpp"

namespace {

using eos::core::Diagnostic;
using eos::io::parse_control;
using eos::io::to_toml;
using eos::io::testing::error_of;
using namespace eos::theory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

const std::string k_base = R"([control_problem]
horizon = 2
[parameters]
a = 3
[states.x]
dynamics = "-a*x + u"
initial = 1
[controls.u]
lower = -1
upper = 1
[cost.total]
running = "x^2 + u^2"
)";

std::vector<Diagnostic> problems_of(const std::string& text, const eos::io::Overrides& set = {}) {
  return error_of([&] { parse_control(text, "p.toml", set); }).diagnostics();
}

double value(const Expr& y, std::vector<double> at) {
  double result = 0;
  Program(std::vector<Expr>{y}, static_cast<int>(at.size()))(at.data(), &result);
  return result;
}

TEST(ControlToml, keys_reach_their_fields) {
  const ControlProblem p = parse_control(R"~(
[control_problem]
title = "two tanks"
source = "a paper"
time = "s"
time_unit = "h"
horizon = { guess = 3, lower = 1, upper = "2*a" }
maximise = true
[parameters]
b = "a/2"
a = { value = 4, unit = "m", meaning = "height" }
price.sample = 0.5
[definitions]
flow = "k*sqrt(level)"
k = "b + 1"
level = "z - y"
[states.z]
dynamics = "-flow + u*s"
initial = "a"
final = { lower = 0, upper = "k" }
lower = 0
unit = "m"
meaning = "first tank"
[states.y]
dynamics = "flow"
initial = "free"
guess = 0.5
[controls.u]
upper = inf
lower = -2
[cost.volume]
terminal = "final(y) - initial(y) + T"
[cost.work]
running = "u^2*price.sample"
weight = "b"
unit = "J"
[path.slope]
expression = "z - y"
lower = "-a"
[ends.sum]
expression = "z + initial(level)"
equals = 2
)~",
                                         "p.toml");
  EXPECT_EQ(p.states[0].name, "z");  // the order of the file, not of the alphabet
  EXPECT_EQ(p.states[1].name, "y");
  EXPECT_TRUE(p.horizon.free);
  EXPECT_EQ(p.horizon.value, 3);
  EXPECT_EQ(p.horizon.bounds.upper, 8);
  EXPECT_TRUE(p.maximise);
  EXPECT_EQ(p.time_name, "s");
  EXPECT_EQ(p.parameters[0].value, 2);  // b
  EXPECT_EQ(p.parameters[1].unit, "m");
  EXPECT_EQ(p.parameters[2].name, "price.sample");
  EXPECT_EQ(p.parameters[3].name, "weight.volume");
  EXPECT_EQ(p.parameters.size(), 4u);  // the weight of work is b itself
  EXPECT_EQ(p.costs[1].weight, 0);
  EXPECT_EQ(p.states[0].initial.lower, 4);
  EXPECT_EQ(p.states[0].final.upper, 3);
  EXPECT_EQ(p.states[0].bounds.lower, 0);
  EXPECT_TRUE(p.states[1].initial.free());
  EXPECT_EQ(p.states[1].guess, 0.5);
  EXPECT_EQ(p.controls[0].bounds.lower, -2);
  EXPECT_EQ(p.controls[0].bounds.upper, k_infinity);
  // slots: s, z, y, u, b, a, price.sample, weight.volume
  EXPECT_DOUBLE_EQ(value(p.states[0].dynamics, {10, 6, 2, 0.5, 1, 4, 0, 1}), -2 * 2 + 5);
  EXPECT_DOUBLE_EQ(value(p.costs[1].running, {0, 0, 0, 3, 0, 0, 0.5, 1}), 4.5);
  // slots at the ends: T, z(0), y(0), z(T), y(T), parameters
  EXPECT_DOUBLE_EQ(value(p.costs[0].terminal, {7, 0, 2, 0, 5, 0, 0, 0, 0}), 10);
  EXPECT_DOUBLE_EQ(value(p.ends[0].expression, {7, 9, 2, 3, 5, 0, 0, 0, 0}), 3 + 7);
  EXPECT_TRUE(p.ends[0].bounds.fixed());
  EXPECT_EQ(p.path[0].bounds.lower, -4);
}

TEST(ControlToml, problems_of_formulas_point_at_the_character) {
  const auto d = problems_of(R"~([control_problem]
horizon = 1
[states.x]
dynamics = "-x + uu*2"
[states.y]
dynamics = 'x + * 2'
[states.z]
dynamics = """
x +
  sin(x, y)"""
[controls.u]
[cost.c]
running = "\u0078 + q"
)~");
  ASSERT_EQ(d.size(), 4u);
  EXPECT_EQ(d[0].code, "E109");
  EXPECT_EQ(d[0].line, 4);
  EXPECT_EQ(d[0].column, 18);
  EXPECT_EQ(d[0].help, "did you mean 'u'?");
  EXPECT_THAT(d[0].message, HasSubstr("states.x.dynamics"));
  EXPECT_EQ(d[1].line, 6);
  EXPECT_EQ(d[1].column, 17);
  EXPECT_EQ(d[2].line, 10);
  EXPECT_EQ(d[2].column, 3);
  EXPECT_EQ(d[2].source_line, "  sin(x, y)\"\"\"");
  EXPECT_EQ(d[3].line, 13);
  EXPECT_EQ(d[3].column, 21);  // after the escape, which is six characters for one
}

TEST(ControlToml, problems_of_overrides_point_into_the_override) {
  const auto bare = problems_of(k_base, {{"cost.total.running=u^2 + zz"}});
  ASSERT_EQ(bare.size(), 1u);
  EXPECT_EQ(bare[0].file, "--set");
  EXPECT_EQ(bare[0].column, 26);
  const auto quoted = problems_of(k_base, {{"controls.u.lower=-2", "cost.total.running='u^2 + zz'"}});
  ASSERT_EQ(quoted.size(), 1u);
  EXPECT_EQ(quoted[0].line, 2);
  EXPECT_EQ(quoted[0].column, 27);
}

TEST(ControlToml, overrides_change_horizon_bounds_boundary_values_and_parameters) {
  const ControlProblem p =
      parse_control(k_base, "p.toml",
                    {{"control_problem.horizon=5", "states.x.initial=2", "states.x.final=free", "controls.u.upper=inf",
                      "parameters.a=7", "cost.total.weight=0.5", "cost.total.running=x^4", "states.x.lower=-a"}});
  EXPECT_EQ(p.horizon.value, 5);
  EXPECT_EQ(p.states[0].initial.lower, 2);
  EXPECT_TRUE(p.states[0].final.free());
  EXPECT_EQ(p.controls[0].bounds.upper, k_infinity);
  EXPECT_EQ(p.parameters[0].value, 7);
  EXPECT_EQ(p.parameters[1].value, 0.5);
  EXPECT_EQ(p.states[0].bounds.lower, -7);
  EXPECT_EQ(value(p.costs[0].running, {0, 3, 0, 0, 0}), 81);
  const ControlProblem q =
      parse_control(k_base, "p.toml", {{"control_problem.horizon={guess=1}", "control_problem.horizon.upper=4"}});
  EXPECT_TRUE(q.horizon.free);
  EXPECT_EQ(q.horizon.bounds.upper, 4);
  EXPECT_FALSE(parse_control(k_base, "p.toml", {{"control_problem.horizon={guess=1, free=false}"}}).horizon.free);
}

TEST(ControlToml, names_that_formulas_cannot_use_are_refused) {
  for (const char* name : {"sin", "pi", "horizon", "t", "initial", "x", "a", "step"}) {
    const auto d = problems_of(k_base + fmt::format("[controls.{}]\n", name));
    EXPECT_EQ(d[0].code, "E107") << name;
    EXPECT_EQ(d[0].line, 13) << name;
    EXPECT_THAT(d[0].message, HasSubstr(fmt::format("controls.{}: '{}' is already the name of", name, name)));
  }
  for (const char* name : {"1x", "x-1", "\"a b\"", "\"λ\"", "\"\""})
    EXPECT_EQ(problems_of(k_base + fmt::format("[controls.{}]\n", name))[0].code, "E109") << name;
  EXPECT_EQ(problems_of(k_base, {{"control_problem.time=x"}})[0].code, "E107");
}

TEST(ControlToml, circles_of_definitions_are_refused_and_named) {
  const auto d =
      problems_of(k_base + "[definitions]\np = \"q + 1\"\nq = \"r*x\"\nr = \"p^2\"\ns = \"s\"\ngood = \"x\"\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E107");
  EXPECT_THAT(d[0].message, HasSubstr("p -> q -> r -> p"));
  EXPECT_EQ(problems_of(k_base + "[parameters.b]\nvalue = \"b\"\n")[0].code, "E107");
}

TEST(ControlToml, what_has_no_value_at_the_ends_is_explained) {
  const auto d = problems_of(k_base +
                             "[definitions]\nboth = \"u + x\"\n[ends.e]\nexpression = \"u + t + both\"\nequals = 0\n"
                             "[path.p]\nexpression = \"T*x\"\nupper = \"x\"\n");
  ASSERT_EQ(d.size(), 5u);
  EXPECT_THAT(d[0].help, HasSubstr("is a control"));
  EXPECT_THAT(d[1].help, HasSubstr("T is the horizon"));
  EXPECT_THAT(d[2].help, HasSubstr("changes over time"));
  EXPECT_THAT(d[3].help, HasSubstr("ends only"));
  EXPECT_THAT(d[4].help, HasSubstr("use parameters"));
}

TEST(ControlToml, all_problems_of_a_file_are_reported_at_once) {
  const auto d = problems_of(R"([control_problem]
horizn = 1
[states.x]
dynamics = "y"
initial = true
lowr = 1
[controls.u]
lower = "x"
[cost.c]
[path.p]
expression = "x"
[ends.e]
lower = 0
equals = 1
)");
  std::vector<std::string> codes;
  for (const auto& problem : d) codes.push_back(fmt::format("{}@{}", problem.code, problem.line));
  EXPECT_THAT(codes, ElementsAre("E105@1", "E102@2", "E109@4", "E103@5", "E102@6", "E109@8", "E105@9", "E105@10",
                                 "E105@12", "E107@12"));
}

TEST(ControlToml, statements_that_contradict_themselves_are_placed) {
  const auto reversed = problems_of(k_base, {{"controls.u.lower=2"}});
  EXPECT_EQ(reversed[0].code, "E104");
  EXPECT_THAT(reversed[0].message, HasSubstr("reversed"));
  const auto outside = problems_of(k_base + "[states.Q11]\ndynamics = 0\nupper = 1\ninitial = 2\n");
  EXPECT_EQ(outside[0].code, "E107");
  EXPECT_EQ(outside[0].line, 16);
  EXPECT_EQ(problems_of(k_base, {{"control_problem.horizon=0"}})[0].code, "E104");
  EXPECT_EQ(problems_of(k_base, {{"control_problem.horizon=nan"}})[0].code, "E104");
  EXPECT_EQ(problems_of(k_base, {{"controls.u.lower=nan"}})[0].code, "E104");
  EXPECT_EQ(problems_of(k_base, {{"parameters.a=1/0"}})[0].code, "E104");
  EXPECT_EQ(problems_of(k_base, {{"states.x.initial=inf"}})[0].code, "E104");
  EXPECT_EQ(problems_of("[control_problem]\nhorizon = 1\n")[0].code, "E105");
}

TEST(ControlToml, a_file_is_told_apart_by_its_tables) {
  const eos::io::testing::Scratch scratch;
  eos::io::testing::spill(scratch / "p.toml", k_base);
  EXPECT_EQ(eos::io::kind_of(scratch / "p.toml"), eos::io::FileKind::control);
  EXPECT_EQ(error_of([&] { eos::io::read_problem(scratch / "p.toml"); }).diagnostics()[0].code, "E108");
}

/// Slots at random values, the same for both problems.
std::vector<double> random_point(int slots, std::uint32_t trial) {
  std::vector<double> at;
  for (int i = 0; i < slots; ++i)
    at.push_back(0.1 + eos::core::uniform(trial, {static_cast<std::uint32_t>(i), 5, eos::core::Purpose::test, 0}));
  return at;
}

/// The same number, or no number both times: some formulas are not defined at a random point.
void expect_same(double a, double b) { EXPECT_TRUE(a == b || (std::isnan(a) && std::isnan(b))) << a << " " << b; }

void expect_equal(const ControlProblem& a, const ControlProblem& b) {
  EXPECT_TRUE(to_toml(a) == to_toml(b));
  ASSERT_EQ(a.states.size(), b.states.size());
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  const auto path = random_point(a.path_slots(), 3), ends = random_point(a.end_slots(), 4);
  for (std::size_t i = 0; i < a.states.size(); ++i) {
    expect_same(value(a.states[i].dynamics, path), value(b.states[i].dynamics, path));
    EXPECT_EQ(a.states[i].initial.lower, b.states[i].initial.lower);
    EXPECT_EQ(a.states[i].final.upper, b.states[i].final.upper);
    EXPECT_EQ(a.states[i].bounds.upper, b.states[i].bounds.upper);
    EXPECT_EQ(a.states[i].guess, b.states[i].guess);
  }
  expect_same(value(a.running_cost(), path), value(b.running_cost(), path));
  expect_same(value(a.terminal_cost(), ends), value(b.terminal_cost(), ends));
  for (std::size_t i = 0; i < a.path.size(); ++i)
    expect_same(value(a.path[i].expression, path), value(b.path[i].expression, path));
  for (std::size_t i = 0; i < a.ends.size(); ++i)
    expect_same(value(a.ends[i].expression, ends), value(b.ends[i].expression, ends));
  EXPECT_EQ(a.horizon.value, b.horizon.value);
  EXPECT_EQ(a.horizon.free, b.horizon.free);
  EXPECT_EQ(a.horizon.bounds.upper, b.horizon.bounds.upper);
}

TEST(ControlToml, every_gold_problem_reads_back_equal) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(EOS_SOURCE_DIR "/examples/gold")) {
    SCOPED_TRACE(entry.path().string());
    const ControlProblem p = eos::io::read_control(entry.path().string());
    expect_equal(p, parse_control(to_toml(p), "again.toml"));
    ++files;
  }
  EXPECT_GE(files, 23);
}

TEST(ControlToml, shared_parts_are_written_once) {
  // 40 levels, each used three times: 3^40 operations if written out.
  ControlProblem p;
  p.title = "deep";
  p.add_state("x", Interval::point(1));
  p.add_control("u", {-1, 1});
  const int part1 = p.add_parameter("part1", 2);
  Expr y = p.x(0) + p.u(0) * p.parameter(part1);
  for (int i = 0; i < 40; ++i) y = (sin(y) + y * y) / (1 + exp(y) * 0.5);
  p.states[0].dynamics = y;
  p.add_cost("c", y * y, p.x_final(0));
  const std::string text = to_toml(p);
  EXPECT_LT(text.size(), 10000u);
  EXPECT_THAT(text, HasSubstr("part2 = "));
  expect_equal(p, parse_control(text, "again.toml"));
}

TEST(ControlToml, every_model_can_be_named_and_reads_back_equal) {
  for (const ModelInfo& info : models()) {
    SCOPED_TRACE(info.name);
    const ControlProblem p = parse_control(fmt::format("[model]\nname = \"{}\"\n", info.name), "m.toml");
    expect_equal(p, make_model(info.name));
    expect_equal(p, parse_control(to_toml(p), "again.toml"));
  }
}

TEST(ControlToml, a_temperature_may_be_called_t) {
  const ControlProblem p =
      parse_control(k_base + "[states.T]\ndynamics = \"-T\"\n[cost.end]\nterminal = \"T + 2*horizon\"\n", "p");
  // slots at the ends: horizon, x(0), T(0), x(T), T(T), a, weights
  EXPECT_EQ(value(p.costs[1].terminal, {5, 0, 0, 0, 3, 0, 0, 0}), 13);
  expect_equal(p, parse_control(to_toml(p), "again.toml"));
}

TEST(ControlToml, tables_change_a_model) {
  const ModelInfo& info = *find_model("effort");
  const std::string parameter = info.parameters.front().name;
  const ControlProblem p = parse_control("[model]\nname = \"effort\"\n", "m.toml");
  const std::string state = p.states[0].name, control = p.controls[0].name;
  const ControlProblem q =
      parse_control("[model]\nname = \"effort\"\n", "m.toml",
                    {{fmt::format("states.{}.initial=0.25", state), fmt::format("states.{}.final={{upper=3}}", state),
                      fmt::format("controls.{}.upper=0.5", control), "control_problem.horizon={guess=2, upper=7}"}});
  EXPECT_EQ(q.states[0].initial.lower, 0.25);
  EXPECT_EQ(q.states[0].final.upper, 3);
  EXPECT_EQ(q.states[0].final.lower, -k_infinity);
  EXPECT_EQ(q.controls[0].bounds.upper, 0.5);
  EXPECT_EQ(q.controls[0].bounds.lower, p.controls[0].bounds.lower);
  EXPECT_TRUE(q.horizon.free);
  EXPECT_EQ(q.horizon.bounds.upper, 7);
  EXPECT_EQ(to_toml(ControlProblem(p)), to_toml(p));
  const auto d = problems_of("[model]\nname = \"effort\"\n[model.parameters]\nzzz = 1\n");
  ASSERT_EQ(d.size(), 1u);
  EXPECT_EQ(d[0].code, "E102");
  EXPECT_EQ(d[0].line, 4);
  EXPECT_EQ(problems_of("[model]\nname = \"efort\"\n")[0].help, "did you mean 'effort'?");
  EXPECT_EQ(problems_of("[model]\n")[0].code, "E105");
  EXPECT_EQ(
      problems_of(fmt::format("[model]\nname = \"effort\"\n[model.parameters]\n{} = \"1 +\"\n", parameter))[0].code,
      "E109");
  EXPECT_EQ(problems_of(fmt::format("[model]\nname = \"effort\"\n[model.parameters]\n{} = nan\n", parameter))[0].line,
            4);
}

}  // namespace
