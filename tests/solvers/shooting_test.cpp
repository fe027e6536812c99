#include <gtest/gtest.h>

#include <cmath>

#include "../../solvers/src/block_least_squares.hpp"
#include "../../solvers/src/integrate.hpp"
#include "../support/gold_problems.hpp"
#include "eos/solvers/control.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::ControlProblem;
using eos::theory::ControlSolution;
using eos::theory::Method;

ControlSolution shoot(const ControlProblem& problem, int intervals = 50) {
  ControlOptions options;
  options.method = Method::shooting;
  options.intervals = intervals;
  return solve(problem, options);
}

void expect_optimum(const ControlSolution& s, double objective, std::vector<double> switches, double tolerance) {
  ASSERT_EQ(s.status, eos::theory::ControlStatus::optimal) << s.message;
  EXPECT_EQ(s.method, Method::shooting) << s.reason;
  EXPECT_NEAR(s.objective, objective, tolerance * std::max(1.0, std::fabs(objective)));
  ASSERT_EQ(s.switch_times.size(), switches.size()) << s.reason;
  for (std::size_t k = 0; k < switches.size(); ++k) EXPECT_NEAR(s.switch_times[k], switches[k], 1e-9);
  EXPECT_LT(s.certificate.ode_residual, 1e-8);
  EXPECT_LT(s.certificate.costate_residual, 1e-8);
  EXPECT_LT(s.certificate.minimum_residual, 1e-8);
  EXPECT_LT(s.certificate.hamiltonian_drift, 1e-8);
  EXPECT_LT(s.certificate.constraint_violation, 1e-10);
  EXPECT_LT(s.certificate.transversality, 1e-9);
}

TEST(Integrators, have_the_order_of_their_names) {
  // y' = -2 t y^2, y(0) = 1: y = 1 / (1 + t^2).
  const Rate rate = [](double t, const double* y, double* dy) { dy[0] = -2 * t * y[0] * y[0]; };
  const auto slope = [&](Integrator method, int steps) {
    const auto error = [&](int n) {
      std::vector<double> y{1};
      integrate_fixed(rate, y, 0, 1.5, n, method);
      return std::fabs(y[0] - 1 / 3.25);
    };
    return std::log2(error(steps) / error(2 * steps));
  };
  EXPECT_NEAR(slope(Integrator::dopri5, 64), 5, 0.2);
  EXPECT_NEAR(slope(Integrator::fehlberg78, 8), 8, 0.2);
}

TEST(Integrators, keep_their_tolerance_forward_and_backward) {
  const Rate rate = [](double, const double* y, double* dy) { dy[0] = y[1], dy[1] = -y[0]; };
  for (Integrator method : {Integrator::dopri5, Integrator::fehlberg78, Integrator::bulirsch_stoer}) {
    std::vector<double> y{0, 1};
    ASSERT_TRUE(integrate(rate, y, 0, 10, {method, 1e-12, 100000}));
    EXPECT_NEAR(y[0], std::sin(10), 1e-9);
    ASSERT_TRUE(integrate(rate, y, 10, 0, {method, 1e-12, 100000}));
    EXPECT_NEAR(y[0], 0, 1e-9);
  }
  const Rate blow_up = [](double, const double* y, double* dy) { dy[0] = y[0] * y[0]; };
  std::vector<double> y{1};
  EXPECT_FALSE(integrate(blow_up, y, 0, 2));
}

TEST(BlockLeastSquares, solves_a_dichotomic_chain_whose_product_overflows) {
  // d_{k+1} = diag(e^8, e^-8) d_k over 200 links: the product has entries e^1600. First component given at the end,
  // second at the start, the first repeated as a redundant condition.
  BlockLeastSquares s;
  const int links = 200;
  for (int k = 0; k <= links; ++k)
    s.nodes.push_back({Eigen::MatrixXd(0, 2), Eigen::MatrixXd(0, 1), Eigen::VectorXd(0)});
  Eigen::Matrix2d a;
  a << std::exp(8), 0, 0, std::exp(-8);
  for (int k = 0; k < links; ++k) s.links.push_back({a, Eigen::MatrixXd::Zero(2, 1), Eigen::VectorXd::Zero(2)});
  s.nodes[0] = {Eigen::MatrixXd(1, 2), Eigen::MatrixXd::Zero(1, 1), Eigen::VectorXd::Constant(1, -2)};
  s.nodes[0].node << 0, 1;
  s.nodes[links] = {Eigen::MatrixXd(3, 2), Eigen::MatrixXd(3, 1), Eigen::Vector3d(-3, -3, -5)};
  s.nodes[links].node << 1, 0, 1, 0, 0, 0;
  s.nodes[links].border << 0, 0, 1;
  EXPECT_EQ(s.solve(), 0);
  EXPECT_NEAR(s.step[0][1], 2, 1e-12);
  EXPECT_NEAR(s.step[0][0], 0, 1e-12);
  EXPECT_NEAR(s.step[links][0], 3, 1e-12);
  EXPECT_NEAR(s.step[links - 1][0], 3 * std::exp(-8), 1e-12);
  EXPECT_NEAR(s.border_step[0], 5, 1e-12);
}

TEST(Shooting, solves_smooth_problems) {
  expect_optimum(shoot(eos::gold::p1()), 6, {}, 1e-12);
  const ControlSolution s = shoot(eos::gold::p5());
  expect_optimum(s, 29.3760796559429, {}, 1e-12);
  EXPECT_NEAR(s.costates[0][0], -8.73706256, 5e-9);
  EXPECT_NEAR(s.costates[1][0], -2.58139818, 1e-8);  // printed with 8 decimals, cut
  EXPECT_NEAR(s.controls[0][0], 5.16279637218, 1e-10 * 5);
}

TEST(Shooting, finds_bang_arcs_and_their_times) {
  expect_optimum(shoot(eos::gold::p2()), 2, {1}, 1e-12);
  expect_optimum(shoot(eos::gold::p2(3, -2)), 2.47213595499958, {-2 + std::sqrt(5.0)}, 1e-12);
  const double root = std::sqrt(5.0);
  expect_optimum(shoot(eos::gold::p12()), 3 - root, {(3 - root) / 2, (3 + root) / 2}, 1e-12);
}

TEST(Shooting, finds_bounded_arcs_of_a_regular_control) {
  const ControlSolution s = shoot(eos::gold::p4());
  ASSERT_EQ(s.switch_times.size(), 3u) << s.reason;
  // Switch times are known to 8 decimals, J to 14.
  expect_optimum(s, 2.86726104522167, {s.switch_times[0], s.switch_times[1], s.switch_times[2]}, 1e-12);
  EXPECT_NEAR(s.switch_times[0], 0.04860831, 6e-9);
  EXPECT_NEAR(s.switch_times[1], 1.04711243, 6e-9);
  EXPECT_NEAR(s.switch_times[2], 1.43263110, 6e-9);
  EXPECT_NEAR(s.costates[0][0], 0.83293889, 6e-9);
  EXPECT_NEAR(s.costates[1][0], 4.88565864, 6e-9);
}

TEST(Shooting, finds_singular_arcs) {
  expect_optimum(shoot(eos::gold::p8()), 0.753983860575889, {1.41376408763006}, 1e-12);
  expect_optimum(shoot(eos::gold::p9()), 1000.0 / 18, {10.0 / 3}, 1e-12);
  expect_optimum(shoot(eos::gold::p10()), 0, {}, 1e-12);
  expect_optimum(shoot(eos::gold::p11()), -0.0480556858608775, {0.136299034594555, 0.725230107591655}, 1e-12);
  expect_optimum(shoot(eos::gold::p15()), 0.375, {1, 1.5}, 1e-12);
  const ControlSolution s = shoot(eos::gold::p16());
  expect_optimum(s, 10.0 / 3, {1, 3}, 1e-12);
  EXPECT_NEAR(s.horizon, 4, 1e-10);
}

TEST(Shooting, flies_goddards_rocket) {
  const ControlSolution s = shoot(eos::gold::p6());
  expect_optimum(s, 1.01283691831749, {0.02350968404147, 0.07267074344}, 1e-12);
  EXPECT_NEAR(s.horizon, 0.19885626210516, 1e-10);
  // p = d(-J)/dx(0), since the height is maximised.
  EXPECT_NEAR(s.costates[0][0], -4.57290023216, 1e-8);
  EXPECT_NEAR(s.costates[1][0], -0.17429930987, 1e-9);
  EXPECT_NEAR(s.costates[2][0], -0.06224975353, 1e-9);
}

TEST(Shooting, keeps_a_state_bound_of_order_two) {
  for (double l : {1.0 / 9, 0.1, 0.15}) {
    const ControlSolution s = shoot(eos::gold::p3(l));
    expect_optimum(s, 4 / (9 * l), {3 * l, 1 - 3 * l}, 1e-12);
    EXPECT_NEAR(s.controls[0][0], -2 / (3 * l), 1e-9);
    ASSERT_EQ(s.arcs.size(), 3u);
    EXPECT_EQ(s.arcs[1].kind, eos::theory::ArcKind::state_constraint);
  }
}

TEST(Shooting, bridges_long_horizons) {
  // The limit T -> infinity is reached to e^-T.
  const ControlSolution s = shoot(eos::gold::p13(400));
  expect_optimum(s, 1.33080690494300, {}, 1e-10);
  EXPECT_NEAR(s.controls[0].front(), -0.318321675673539, 1e-9);
  EXPECT_NEAR(s.controls[0].back(), 1 + std::sqrt(2.0), 1e-9);
}

TEST(Shooting, does_not_depend_on_the_first_mesh) {
  for (int intervals : {25, 200, 1000}) {
    expect_optimum(shoot(eos::gold::p2(), intervals), 2, {1}, 1e-11);
    expect_optimum(shoot(eos::gold::p8(), intervals), 0.753983860575889, {1.41376408763006}, 1e-11);
    expect_optimum(shoot(eos::gold::p15(), intervals), 0.375, {1, 1.5}, 1e-11);
    expect_optimum(shoot(eos::gold::p3(), intervals), 4, {1.0 / 3, 2.0 / 3}, 1e-11);
  }
}

}  // namespace
