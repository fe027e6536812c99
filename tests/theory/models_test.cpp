// The registry of models: every default states a sound problem, every mistake is answered.
#include "eos/theory/models.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "eos/core/error.hpp"
#include "eos/theory/dual.hpp"
#include "eos/theory/order_parameters.hpp"

namespace {

using namespace eos::theory;

TEST(Models, every_default_is_a_sound_problem) {
  std::set<std::string> names;
  for (const ModelInfo& info : models()) {
    SCOPED_TRACE(info.name);
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_FALSE(info.title.empty());
    EXPECT_FALSE(info.paper.empty());
    const ControlProblem p = make_model(info.name);
    EXPECT_EQ(p.title, info.title);
    EXPECT_FALSE(p.states.empty());
    EXPECT_FALSE(p.costs.empty());
    for (const ModelParameter& q : info.parameters) {
      EXPECT_LE(q.lower, q.value) << q.name;
      EXPECT_GE(q.upper, q.value) << q.name;
      EXPECT_FALSE(q.meaning.empty()) << q.name;
    }
  }
}

TEST(Models, parameters_of_the_problem_carry_the_values_given) {
  const ControlProblem p = make_model("curriculum", {{"eta", 2.5}, {"alpha_F", 7}});
  EXPECT_EQ(p.parameters[static_cast<std::size_t>(p.find_parameter("eta"))].value, 2.5);
  EXPECT_EQ(p.parameters[static_cast<std::size_t>(p.find_parameter("teacher_norm"))].value, 2);
  EXPECT_EQ(p.horizon.value, 7);
  EXPECT_EQ(p.states[3].final.lower, 3.5);  // half of the examples are easy
}

std::string code_of(const std::string& name, const ModelValues& values) {
  try {
    make_model(name, values);
  } catch (const eos::core::Error& e) {
    return e.diagnostics().front().code;
  }
  return "none";
}

TEST(Models, mistakes_are_answered) {
  EXPECT_EQ(find_model("curriculums"), nullptr);
  EXPECT_EQ(code_of("curriculums", {}), "E106");
  EXPECT_EQ(code_of("curriculum", {{"etta", 1}}), "E102");
  EXPECT_EQ(code_of("curriculum", {{"eta", -1}}), "E104");
  EXPECT_EQ(code_of("curriculum", {{"easy_share", std::nan("")}}), "E104");
  EXPECT_EQ(code_of("dropout", {{"K", 2.5}}), "E104");
  EXPECT_EQ(code_of("dropout", {{"K", 3}}), "none");
}

TEST(Models, sizes_set_the_number_of_states_and_controls) {
  EXPECT_EQ(make_model("dropout").states.size(), 6u);
  EXPECT_EQ(make_model("dropout", {{"K", 3}, {"M", 2}}).states.size(), 13u);
  const ControlProblem net = make_model("effort-linear-network", {{"hidden", 3}});
  EXPECT_EQ(net.states.size(), 12u);
  EXPECT_EQ(net.controls.size(), 12u);
}

// The same formula in numbers, in truncated derivatives and as a program must be one function.
TEST(Models, formulas_agree_in_double_dual_and_symbolic_form) {
  const Committee task{2, 1, {}, {}, false};
  const double at[6] = {.3, .1, .5, .05, .4, .7};  // R_11, R_21, Q_11, Q_12, Q_22, p
  auto rates = [&]<class S>(const S* x) {
    CommitteeInputs<S> u;
    u.noise_variance = S(.04);
    u.activation = x[5];
    return pack(task, committee_rates(task, unpack(task, x), u));
  };
  using D = Dual<6>;
  D dual[6];
  std::vector<Expr> symbols;
  for (int i = 0; i < 6; ++i) dual[i] = D::variable(at[i], i), symbols.push_back(Expr::input(i));
  const auto values = rates(at);
  const auto duals = rates(dual);
  const auto formulas = rates(symbols.data());
  const Program program(formulas, 6);
  double programmed[5];
  program(at, programmed);
  for (std::size_t k = 0; k < 5; ++k) {
    EXPECT_NEAR(duals[k].v, values[k], 1e-15);
    EXPECT_NEAR(programmed[k], values[k], 1e-15);
    for (int i = 0; i < 6; ++i) {
      double up[6], down[6];
      std::copy(at, at + 6, up);
      std::copy(at, at + 6, down);
      up[i] += 1e-5, down[i] -= 1e-5;
      const double slope = (rates(up)[k] - rates(down)[k]) / 2e-5;
      EXPECT_NEAR(duals[k].g[i], slope, 1e-9);  // h^2 times a third derivative of order ten
      const Expr derivative[] = {differentiate(formulas[k], i)};
      double exact = 0;
      Program(derivative, 6)(at, &exact);
      EXPECT_NEAR(exact, duals[k].g[i], 1e-14);
    }
  }
}

}  // namespace
