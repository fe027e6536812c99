#include "../../solvers/src/structure.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "../../solvers/src/polish.hpp"
#include "../support/gold_problems.hpp"
#include "eos/solvers/control.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::ArcKind;
using eos::theory::ControlProblem;
using eos::theory::ControlSolution;
using eos::theory::Interval;
using eos::theory::Method;

const double nan_value = std::nan("");

std::vector<double> slots(const Hamiltonian& h, std::vector<double> x, std::vector<double> u, std::vector<double> p) {
  std::vector<double> in(static_cast<std::size_t>(h.slots()), 0.0);
  std::copy(x.begin(), x.end(), in.begin() + h.problem().state_slot(0));
  std::copy(u.begin(), u.end(), in.begin() + h.problem().control_slot(0));
  std::copy(p.begin(), p.end(), in.begin() + h.costate_slot(0));
  return in;
}

double value(const Hamiltonian& h, const eos::theory::Expr& y, const std::vector<double>& in) {
  double v = 0;
  eos::theory::Program(std::span(&y, 1), h.slots())(in.data(), &v);
  return v;
}

TEST(Hamiltonian, singular_law_of_order_one) {
  // P8: H_u = p2, (H_u)'' = -2 u + 2 x1: u = x1.
  const Hamiltonian h(eos::gold::p8());
  const std::vector<std::vector<double>> samples{slots(h, {0.4, 0.2}, {0.1}, {0.3, 0.5})};
  const SingularLaw law = h.singular_law(0, {nan_value}, samples);
  ASSERT_EQ(law.order, 1);
  EXPECT_NEAR(value(h, law.equation, slots(h, {0.4, 0.2}, {0.4}, {0.3, 0.5})), 0, 1e-15);
  EXPECT_GT(value(h, law.clebsch, samples[0]), 0);
  EXPECT_EQ(law.entry.size(), 2u);
}

TEST(Hamiltonian, singular_law_of_order_two) {
  // Fuller: (H_u)'''' = 2 u.
  const Hamiltonian h(eos::gold::p14());
  const std::vector<std::vector<double>> samples{slots(h, {0.4, 0.2}, {0.1}, {0.3, 0.5})};
  const SingularLaw law = h.singular_law(0, {nan_value}, samples);
  EXPECT_EQ(law.order, 2);
  EXPECT_NEAR(value(h, law.equation, slots(h, {0.4, 0.2}, {0}, {0.3, 0.5})), 0, 1e-15);
}

TEST(Hamiltonian, order_of_bounds_and_levels_of_controls) {
  const Hamiltonian denham(eos::gold::p3());
  ASSERT_EQ(denham.path_bounds().size(), 1u);
  EXPECT_EQ(denham.path_bounds()[0].order(), 2);
  const Hamiltonian fuel(eos::gold::p12());
  EXPECT_EQ(fuel.levels(0), (std::vector<double>{-1, 0, 1}));
  EXPECT_TRUE(fuel.affine(0));
  EXPECT_FALSE(Hamiltonian(eos::gold::p4()).affine(0));
}

TEST(Structure, is_read_from_a_discrete_solution) {
  ControlOptions options;
  options.method = Method::radau;
  options.find_structure = false;
  options.certificate = false;
  const auto read = [&](const ControlProblem& p) {
    return describe(Hamiltonian(p), find_structure(Hamiltonian(p), solve(p, options)).phases);
  };
  EXPECT_EQ(read(eos::gold::p1()), "u: interior");
  EXPECT_EQ(read(eos::gold::p2()), "u: lower | upper");
  EXPECT_EQ(read(eos::gold::p8()), "u: lower | singular");
  EXPECT_EQ(read(eos::gold::p15()), "u: lower | singular | upper");
  EXPECT_EQ(read(eos::gold::p3()), "u: interior | on x | interior");
}

TEST(Structure, mends_arcs_that_the_mesh_did_not_show) {
  // The first arc of P4 is shorter than two intervals of this mesh.
  ControlOptions options;
  options.method = Method::radau;
  options.intervals = 20;
  options.max_refinements = 0;
  options.find_structure = false;
  const ControlProblem p = eos::gold::p4();
  const PolishResult r = polish(p, solve(p, options));
  ASSERT_TRUE(r.solution.has_value()) << r.message;
  EXPECT_NEAR(r.solution->objective, 2.86726104522167, 1e-11);
  EXPECT_EQ(r.message, "u: lower | interior | upper | interior");
}

TEST(Structure, reports_chattering_with_its_ratio) {
  ControlOptions options;
  options.method = Method::shooting;
  const ControlSolution s = solve(eos::gold::p14(), options);
  ASSERT_TRUE(s.ok()) << s.message;
  EXPECT_NEAR(s.objective, 0.268393830568911, 1e-12);
  EXPECT_NE(s.message.find("chatters"), std::string::npos);
  bool reported = false;
  for (const auto& arc : s.arcs) reported = reported || arc.kind == ArcKind::chattering;
  EXPECT_TRUE(reported);
  // Full arcs shrink by 0.242121373548157; the switches lie on x1 = -C x2 |x2|.
  ASSERT_GE(s.switch_times.size(), 4u);
  const auto& t = s.switch_times;
  EXPECT_NEAR((t[2] - t[1]) / (t[1] - t[0]), 0.242121373548157, 1e-4);  // the cut sequence bends the ratio slightly
  EXPECT_NEAR(solve(eos::gold::p14(1, 0), options).objective, 0.764017547725633, 1e-11);
}

TEST(Structure, two_controls_switch_on_their_own) {
  // x1' = u, x2' = v, |u|, |v| <= 1, rest cost |x|^2 from (1, 0.5): each goes to zero at full speed, then is singular.
  ControlProblem p;
  p.add_state("x1", Interval::point(1));
  p.add_state("x2", Interval::point(0.5));
  p.add_control("u", {-1, 1});
  p.add_control("v", {-1, 1});
  p.add_cost("distance", p.x(0) * p.x(0) + p.x(1) * p.x(1));
  p.states[0].dynamics = p.u(0);
  p.states[1].dynamics = p.u(1);
  p.horizon.value = 2;
  ControlOptions options;
  options.method = Method::shooting;
  const ControlSolution s = solve(p, options);
  ASSERT_TRUE(s.ok());
  ASSERT_EQ(s.switch_times.size(), 2u) << s.reason << s.message;
  EXPECT_NEAR(s.switch_times[0], 0.5, 1e-10);
  EXPECT_NEAR(s.switch_times[1], 1, 1e-10);
  EXPECT_NEAR(s.objective, (1 + 0.125) / 3, 1e-12);
}

}  // namespace
