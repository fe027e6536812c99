#include <gtest/gtest.h>

#include <cmath>

#include "../../solvers/src/certify.hpp"
#include "../support/gold_problems.hpp"
#include "eos/solvers/control.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::ControlCertificate;
using eos::theory::ControlProblem;
using eos::theory::ControlSolution;
using eos::theory::Method;

ControlSolution solved(const ControlProblem& p, Method method = Method::shooting) {
  ControlOptions options;
  options.method = method;
  return solve(p, options);
}

TEST(Certificate, closes_the_duality_gap_of_convex_problems) {
  for (const ControlProblem& p :
       {eos::gold::p1(), eos::gold::p3(), eos::gold::p8(), eos::gold::p12(), eos::gold::p15()}) {
    const ControlSolution s = solved(p);
    ASSERT_TRUE(s.certificate.lower_bound.has_value()) << s.reason;
    EXPECT_EQ(s.certificate.lower_bound_source, "convex dual");
    EXPECT_LE(*s.certificate.lower_bound, s.objective + 1e-11);
    EXPECT_LT(s.objective - *s.certificate.lower_bound, 1e-8);
  }
}

TEST(Certificate, gives_no_dual_bound_where_the_problem_is_not_convex) {
  EXPECT_FALSE(solved(eos::gold::p4()).certificate.lower_bound.has_value());
  EXPECT_FALSE(solved(eos::gold::p10()).certificate.lower_bound.has_value());
}

TEST(Certificate, a_suboptimal_control_keeps_a_valid_bound_with_a_gap) {
  // P1 with the costates of half the effort: still a lower bound, no longer tight.
  ControlSolution s = solved(eos::gold::p1());
  for (auto& p : s.costates)
    for (double& v : p) v *= 0.5;
  const std::optional<double> bound = dual_bound(Hamiltonian(eos::gold::p1()), s);
  ASSERT_TRUE(bound.has_value());
  EXPECT_LT(*bound, 6 - 0.1);
}

TEST(Certificate, flags_a_perturbed_state_costate_or_control) {
  const ControlProblem p = eos::gold::p4();
  const ControlSolution good = solved(p);
  ASSERT_LT(certify(p, good).ode_residual, 1e-9);
  const std::size_t middle = good.time.size() / 2;
  ControlSolution bad = good;
  bad.states[0][middle] += 1e-3;
  EXPECT_GT(certify(p, bad).ode_residual, 3e-4);
  bad = good;
  bad.costates[1][middle] += 1e-3;
  EXPECT_GT(certify(p, bad).costate_residual, 1e-4);
  bad = good;
  for (double& u : bad.controls[0]) u = std::min(1.0, u + 0.05);
  const ControlCertificate c = certify(p, bad);
  EXPECT_GT(c.minimum_residual, 1e-4);
  EXPECT_GT(c.ode_residual, 1e-4);
  bad = good;
  bad.controls[0][middle] = 1.5;
  EXPECT_GT(certify(p, bad).constraint_violation, 0.1);
  bad = good;
  bad.costates[0].back() += 0.01;
  EXPECT_GT(certify(p, bad).transversality, 1e-3);
  bad = good;
  for (double& x : bad.states[1]) x += 1e-3;
  EXPECT_GT(certify(p, bad).constraint_violation, 1e-4);
}

TEST(Certificate, is_given_for_transcription_too) {
  const ControlSolution s = solved(eos::gold::p5(), Method::radau);
  EXPECT_LT(s.certificate.constraint_violation, 1e-9);
  EXPECT_LT(s.certificate.transversality, 1e-6);
  EXPECT_LT(s.certificate.minimum_residual, 1e-6);
  EXPECT_LT(s.certificate.ode_residual, 1e-4);
}

TEST(HamiltonianMinimum, finds_joint_minima_of_several_controls) {
  // H = -u v on the unit box from (0.1, 0): coordinates alone stay at 0; the corner (1, 1) is best.
  ControlProblem p;
  p.add_state("x", eos::theory::Interval::point(0));
  p.add_control("u", {0, 1});
  p.add_control("v", {0, 1});
  p.add_cost("c", 0.1 * p.u(0) + 0.1 * p.u(1) - p.u(0) * p.u(1));
  p.states[0].dynamics = 0;
  const Hamiltonian h(p);
  std::vector<double> in(static_cast<std::size_t>(h.slots()), 0.0);
  EXPECT_NEAR(HamiltonianMinimum(h)(in), -0.8, 1e-12);
}

}  // namespace
