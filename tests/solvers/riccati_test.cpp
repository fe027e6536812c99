// Riccati equations against closed forms and the benchmark collection of Benner, Laub & Mehrmann.
#include "eos/solvers/riccati.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"

namespace eos::solvers {
namespace {

LinearQuadratic double_integrator(std::vector<double> q) { return {2, 1, {0, 1, 0, 0}, {0, 1}, std::move(q), {1}}; }

// P of order one from a dozen operations on matrices of order one: rounding stays below 1e-13.
constexpr double k_rounding = 1e-13;

TEST(ContinuousRiccati, double_integrator_is_the_square_root_of_three) {
  const RiccatiSolution s = solve_continuous_riccati(double_integrator({1, 0, 0, 1}));
  ASSERT_EQ(s.status, RiccatiStatus::solved);
  const double root = std::sqrt(3.0);
  EXPECT_NEAR(s.value[0], root, k_rounding);
  EXPECT_NEAR(s.value[1], 1, k_rounding);
  EXPECT_NEAR(s.value[3], root, k_rounding);
  EXPECT_NEAR(s.gain[0], 1, k_rounding);
  EXPECT_NEAR(s.gain[1], root, k_rounding);
  EXPECT_LT(s.residual, 1e-14);
  EXPECT_NEAR(s.spectral_margin, root / 2, 1e-12);  // poles (-sqrt 3 +- i)/2
}

// The closed loop has a double pole without a second eigenvector, which defeats eigenvector methods.
TEST(ContinuousRiccati, benchmark_1_1_of_the_carex_collection) {
  const RiccatiSolution s = solve_continuous_riccati(double_integrator({1, 0, 0, 2}));
  ASSERT_EQ(s.status, RiccatiStatus::solved);
  const std::vector<double> exact = {2, 1, 1, 2};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(s.value[i], exact[i], k_rounding) << i;
  EXPECT_LT(s.residual, 1e-14);
}

TEST(ContinuousRiccati, unstable_and_weakly_controlled_scalar) {
  // 2 a p - b^2 p^2 + q = 0: p = (a + sqrt(a^2 + b^2 q))/b^2, for b = 1e-3 about 2e6.
  const RiccatiSolution s = solve_continuous_riccati({1, 1, {1}, {1e-3}, {1}, {1}});
  ASSERT_EQ(s.status, RiccatiStatus::solved);
  const double exact = (1 + std::sqrt(1 + 1e-6)) / 1e-6;
  EXPECT_NEAR(s.value[0] / exact, 1, 1e-13);
}

TEST(ContinuousRiccati, says_when_nothing_stabilises) {
  EXPECT_EQ(solve_continuous_riccati({1, 1, {1}, {0}, {1}, {1}}).status, RiccatiStatus::no_stabilising_solution);
  EXPECT_EQ(solve_continuous_riccati({1, 1, {0}, {0}, {1}, {1}}).status, RiccatiStatus::no_stabilising_solution);
  EXPECT_EQ(to_string(RiccatiStatus::no_stabilising_solution), "no stabilising solution");
}

TEST(FiniteRiccati, double_integrator_over_unit_time) {
  const RiccatiPath path = solve_finite_horizon_riccati(double_integrator({1, 0, 0, 1}), 1, 10);
  ASSERT_EQ(path.status, RiccatiStatus::solved);
  // From an independent solution of the Riccati equation in 15 digits.
  EXPECT_NEAR(path.value[0][0], 0.964835684943498, k_rounding);
  EXPECT_NEAR(path.value[0][1], 0.389571120504592, k_rounding);
  EXPECT_NEAR(path.value[0][3], 0.964835684943498, k_rounding);
  EXPECT_LT(path.residual, 1e-13);
  EXPECT_EQ(path.time.front(), 0);
  EXPECT_EQ(path.time.back(), 1);
  EXPECT_EQ(path.value.back(), std::vector<double>(4, 0.0));
}

TEST(FiniteRiccati, scalar_problems_have_closed_forms) {
  for (const double horizon : {.3, 1.0, 20.0}) {
    const RiccatiPath path = solve_finite_horizon_riccati({1, 1, {0}, {1}, {1}, {1}}, horizon, 7);
    EXPECT_NEAR(quadratic_value(path.value[0], {1}), .5 * std::tanh(horizon), k_rounding) << horizon;
  }
  const RiccatiPath decay = solve_finite_horizon_riccati({1, 1, {-1}, {1}, {1}, {1}}, 1, 3);
  EXPECT_NEAR(quadratic_value(decay.value[0], {1}), 0.192909298093169, k_rounding);
}

TEST(FiniteRiccati, end_cost_and_running_cost_give_the_tanh_law) {
  // de/dt = -u, cost 1/2 int (q e^2 + r u^2) + 1/2 s e_T^2: P(0) = sqrt(qr) tanh(w T + artanh(s/sqrt(qr))).
  const double q = 1.7, r = .6, s = .4, horizon = 2.5;
  const RiccatiPath path = solve_finite_horizon_riccati({1, 1, {0}, {-1}, {q}, {r}}, horizon, 5, {s});
  const double root = std::sqrt(q * r);
  EXPECT_NEAR(path.value[0][0], root * std::tanh(std::sqrt(q / r) * horizon + std::atanh(s / root)), k_rounding);
}

TEST(FiniteRiccati, a_long_horizon_ends_at_the_algebraic_solution) {
  const LinearQuadratic problem = double_integrator({1, 0, 0, 2});
  const RiccatiPath path = solve_finite_horizon_riccati(problem, 60, 60);
  const RiccatiSolution steady = solve_continuous_riccati(problem);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(path.value[0][i], steady.value[i], 1e-12) << i;
}

TEST(FiniteRiccati, reports_a_finite_escape_time) {
  // -dP/dt = -P^2 - 1: P = -tan(T - t), infinite at T - t = pi/2.
  const RiccatiPath path = solve_finite_horizon_riccati({1, 1, {0}, {1}, {-1}, {1}}, std::acos(-1.0) / 2, 4);
  EXPECT_EQ(path.status, RiccatiStatus::escape);
}

TEST(DiscreteRiccati, scalar_is_the_golden_ratio) {
  const RiccatiSolution s = solve_discrete_riccati({1, 1, {1}, {1}, {1}, {1}});
  ASSERT_EQ(s.status, RiccatiStatus::solved);
  EXPECT_NEAR(s.value[0], (1 + std::sqrt(5.0)) / 2, 1e-14);
  EXPECT_LT(s.residual, 1e-15);
}

TEST(DiscreteRiccati, discrete_double_integrator) {
  const RiccatiSolution s = solve_discrete_riccati({2, 1, {1, 1, 0, 1}, {0, 1}, {1, 0, 0, 1}, {1}});
  ASSERT_EQ(s.status, RiccatiStatus::solved);
  // Printed to 15 digits (also scipy.linalg.solve_discrete_are).
  EXPECT_NEAR(s.value[0], 2.94712296670701, k_rounding);
  EXPECT_NEAR(s.value[1], 2.36920540709247, k_rounding);
  EXPECT_NEAR(s.value[3], 4.61313426099618, k_rounding);
  EXPECT_NEAR(s.gain[0], 0.422082440385453, 1e-14);
  EXPECT_NEAR(s.gain[1], 1.24392885390371, 1e-14);
  EXPECT_GT(s.spectral_margin, 0);
}

TEST(DiscreteRiccati, says_when_nothing_stabilises) {
  EXPECT_EQ(solve_discrete_riccati({1, 1, {1.5}, {0}, {1}, {1}}).status, RiccatiStatus::no_stabilising_solution);
}

TEST(Riccati, wrong_matrices_are_refused_with_the_reason) {
  const auto message = [](const LinearQuadratic& problem) {
    try {
      solve_continuous_riccati(problem);
    } catch (const core::Error& error) {
      EXPECT_EQ(error.diagnostics().front().code, "E401");
      return error.diagnostics().front().message;
    }
    return std::string();
  };
  EXPECT_NE(message({2, 1, {0, 1, 0}, {0, 1}, {1, 0, 0, 1}, {1}}).find("A has 3 entries"), std::string::npos);
  EXPECT_NE(message({2, 1, {0, 1, 0, 0}, {0, 1}, {1, 2, 0, 1}, {1}}).find("not symmetric"), std::string::npos);
  EXPECT_NE(message({1, 1, {0}, {1}, {1}, {0}}).find("not positive definite"), std::string::npos);
  EXPECT_NE(message({1, 1, {std::nan("")}, {1}, {1}, {1}}).find("NaN"), std::string::npos);
  EXPECT_NE(message({0, 1, {}, {}, {}, {1}}).find("0 states"), std::string::npos);
}

}  // namespace
}  // namespace eos::solvers
