#include "../../solvers/src/bounded_minimiser.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/philox.hpp"

namespace {

using namespace eos::solvers;
using eos::theory::SolveStatus;
using Vector = std::vector<double>;

double random_number(std::uint32_t run, std::uint32_t index) {
  eos::core::Address a;
  a.run = run;
  a.index = index;
  return 2 * eos::core::uniform(42, a) - 1;
}

TEST(BoundedMinimiser, finds_planted_minima_of_convex_quadratics) {
  // f = 1/2 (x-z)'A(x-z) - s.x with A = M'M + 0.1 I. The solution x* and the signs of its multipliers are planted:
  // s = -A(x*-z)... chosen such that the gradient vanishes at free variables and points outwards at bounds.
  for (std::uint32_t run = 0; run < 30; ++run) {
    const std::size_t n = 12;
    std::uint32_t k = 0;
    Vector m(n * n), a(n * n, 0), planted(n), pull(n), lower(n, -1), upper(n, 1);
    for (double& value : m) value = random_number(run, k++);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t l = 0; l < n; ++l) a[i * n + j] += m[l * n + i] * m[l * n + j];
      }
      a[i * n + i] += .1;
      planted[i] = random_number(run, k++);
      const double kind = random_number(run, k++);
      if (kind > .4) planted[i] = 1, pull[i] = -kind;    // gradient at the upper bound
      if (kind < -.4) planted[i] = -1, pull[i] = -kind;  // at the lower bound
    }
    const Objective f = [&](std::span<const double> x, std::span<double> g) {
      double value = 0;
      for (std::size_t i = 0; i < n; ++i) {
        g[i] = pull[i];
        for (std::size_t j = 0; j < n; ++j) g[i] += a[i * n + j] * (x[j] - planted[j]);
        value += .5 * (g[i] + pull[i]) * (x[i] - planted[i]);
      }
      return value;
    };
    MinimiserOptions options;
    const Minimum found = minimise_bounded(f, Vector(n, 0), lower, upper, options);
    EXPECT_EQ(found.status, SolveStatus::optimal) << run;
    EXPECT_LE(found.projected_gradient, 1e-9);
    // The smallest eigenvalue is at least 0.1, so a projected gradient of 1e-9 places x within about 1e-7.
    for (std::size_t i = 0; i < n; ++i) EXPECT_NEAR(found.x[i], planted[i], 1e-7) << run << " " << i;
  }
}

TEST(BoundedMinimiser, follows_a_curved_valley_to_its_end_at_a_bound) {
  const Objective rosenbrock = [](std::span<const double> x, std::span<double> g) {
    const double a = 1 - x[0], b = x[1] - x[0] * x[0];
    g[0] = -2 * a - 400 * x[0] * b;
    g[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  const Vector lower{-2, -2}, wide{2, 2}, narrow{.5, 2};
  MinimiserOptions options;
  const Minimum free = minimise_bounded(rosenbrock, {-1.2, 1}, lower, wide, options);
  EXPECT_NEAR(free.x[0], 1, 1e-8);
  EXPECT_NEAR(free.x[1], 1, 1e-8);
  EXPECT_LT(free.evaluations, 120);
  const Minimum bound = minimise_bounded(rosenbrock, {-1.2, 1}, lower, narrow, options);
  EXPECT_EQ(bound.x[0], .5);
  EXPECT_NEAR(bound.x[1], .25, 1e-10);
}

TEST(BoundedMinimiser, steps_back_from_values_that_are_not_finite) {
  const Objective cliff = [](std::span<const double> x, std::span<double> g) {
    g[0] = 1 - 1 / x[0];
    return x[0] > 0 ? x[0] - std::log(x[0]) : std::nan("");
  };
  const Minimum found = minimise_bounded(cliff, {1e-3}, Vector{-10}, Vector{10}, {});
  EXPECT_EQ(found.status, SolveStatus::optimal);
  EXPECT_NEAR(found.x[0], 1, 1e-8);
}

TEST(BoundedMinimiser, outcomes_have_their_status) {
  const Objective nowhere = [](std::span<const double>, std::span<double> g) { return g[0] = 0, std::nan(""); };
  EXPECT_EQ(minimise_bounded(nowhere, {0}, Vector{-1}, Vector{1}, {}).status, SolveStatus::not_finite);
  const Objective bowl = [](std::span<const double> x, std::span<double> g) {
    double f = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double c = std::pow(10.0, static_cast<double>(i));
      g[i] = c * (x[i] - .5);
      f += .5 * c * (x[i] - .5) * (x[i] - .5);
    }
    return f;
  };
  MinimiserOptions one;
  one.max_iterations = 2;
  EXPECT_EQ(minimise_bounded(bowl, Vector(5, 0), Vector(5, -1), Vector(5, 1), one).status,
            SolveStatus::iteration_limit);
  const Objective liar = [](std::span<const double> x, std::span<double> g) { return g[0] = -1, x[0]; };
  EXPECT_EQ(minimise_bounded(liar, {0}, Vector{-1}, Vector{1}, {}).status, SolveStatus::stalled);
  // Everything fixed: nothing to do.
  EXPECT_EQ(minimise_bounded(bowl, Vector(2, 0), Vector(2, 0), Vector(2, 0), {}).status, SolveStatus::optimal);
}

}  // namespace
