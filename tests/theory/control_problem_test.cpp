// Every way in which a control problem can be ill posed is reported, all at once, by the key that is wrong.
#include "eos/theory/control_problem.hpp"

#include <gmock/gmock.h>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

ControlProblem good() {
  ControlProblem p;
  p.add_state("x", Interval::point(1), {}, {-5, 5});
  p.add_control("u", {-1, 1});
  const int a = p.add_parameter("a", 2);
  p.states[0].dynamics = p.parameter(a) * p.u(0) - p.x(0);
  p.add_cost("total", p.x(0) * p.x(0), p.x_final(0));
  return p;
}

std::vector<std::string> problems(const ControlProblem& p) {
  try {
    p.check();
  } catch (const eos::core::Error& error) {
    std::vector<std::string> texts;
    for (const auto& d : error.diagnostics()) texts.push_back(d.code + " " + d.message);
    return texts;
  }
  return {};
}

TEST(ControlProblem, a_well_posed_problem_passes) { EXPECT_THAT(problems(good()), ElementsAre()); }

TEST(ControlProblem, an_empty_problem_lacks_states_and_costs) {
  EXPECT_THAT(problems(ControlProblem{}), ElementsAre(HasSubstr("no state"), HasSubstr("no cost")));
}

TEST(ControlProblem, intervals_that_hold_nothing_are_reported) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  ControlProblem p = good();
  p.states[0].initial = {2, 1}, p.states[0].final = {nan, 1}, p.controls[0].bounds = {k_infinity, k_infinity};
  p.path.push_back({"g", p.x(0), {1, 0}}), p.ends.push_back({"e", p.x_final(0), {1, -1}});
  EXPECT_THAT(problems(p),
              ElementsAre(HasSubstr("states.x.initial is reversed"), HasSubstr("states.x.final is not a number"),
                          HasSubstr("controls.u holds no number"), HasSubstr("path.g is reversed"),
                          HasSubstr("ends.e is reversed")));
}

TEST(ControlProblem, values_outside_their_bounds_are_reported) {
  ControlProblem p = good();
  p.states[0].initial = Interval::point(6), p.states[0].final = {-9, -8}, p.controls[0].guess = 3;
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("E107 states.x.initial [6, 6] lies outside the bounds [-5, 5]"),
                                       HasSubstr("E107 states.x.final"), HasSubstr("E107 controls.u.guess")));
}

TEST(ControlProblem, names_that_clash_or_cannot_be_used_are_reported) {
  ControlProblem p = good();
  p.controls[0].name = "x", p.parameters[0].name = "sin";
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("E107 controls.x"), HasSubstr("E109 parameters.sin")));
  p = good();
  p.time_name = "u", p.states[0].name = "", p.parameters[0].name = "price.sample";
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("E109 states."), HasSubstr("E107 controls.u")));
  p = good();
  p.states[0].name = "horizon", p.controls[0].name = "u 1", p.parameters[0].name = "a..b";
  EXPECT_EQ(problems(p).size(), 3u);
}

TEST(ControlProblem, numbers_that_are_not_finite_are_reported) {
  ControlProblem p = good();
  p.parameters[0].value = k_infinity, p.horizon.value = 0;
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("parameters.a is not finite"), HasSubstr("horizon must be positive")));
  p = good();
  p.horizon = {2, true, {3, 1}};
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("horizon is reversed"), HasSubstr("horizon.guess")));
  p.horizon = {2, true, {-1, 5}};
  EXPECT_THAT(problems(p), ElementsAre(HasSubstr("must be positive")));
}

TEST(ControlProblem, formulas_over_slots_that_do_not_exist_are_reported) {
  ControlProblem p = good();
  p.states[0].dynamics = p.x(0) + Expr::input(p.path_slots());
  p.costs[0].terminal = Expr::input(p.end_slots() + 2);
  EXPECT_THAT(problems(p),
              ElementsAre(HasSubstr("E401 states.x.dynamics uses slot"), HasSubstr("E401 cost.total.terminal")));
}

TEST(ControlProblem, costs_add_up_with_their_weights_and_change_sign_when_maximised) {
  ControlProblem p = good();
  p.add_cost("more", p.u(0), 0, 3);
  const auto at = [&](const Expr& y, std::vector<double> in) {
    double value = 0;
    Program(std::vector<Expr>{y}, static_cast<int>(in.size()))(in.data(), &value);
    return value;
  };
  // slots: t, x, u, a, weight.total, weight.more
  EXPECT_EQ(at(p.running_cost(), {0, 2, 5, 0, 10, 3}), 40 + 15);
  p.maximise = true;
  EXPECT_EQ(at(p.running_cost(), {0, 2, 5, 0, 10, 3}), -55);
  EXPECT_TRUE(p.autonomous());
  p.costs[0].running = p.time();
  EXPECT_FALSE(p.autonomous());
}

}  // namespace
