// Perceptrons that choose their examples: printed errors, simulations, and what the best steps and bands are.
#include "eos/theory/perceptron.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/order_parameters.hpp"

namespace {

using namespace eos::theory;
using std::numbers::pi;
using Vector = std::vector<double>;

/// R after `duration` at the best step times `factor`, by the classical Runge-Kutta method.
double integrate(double R, double band, double duration, double factor) {
  auto rate = [&](double x) { return perceptron_rate(x, band, factor * optimal_step(x, perceptron_drift(x, band))); };
  constexpr int k_steps = 2000;
  const double h = duration / k_steps;
  for (int i = 0; i < k_steps; ++i) {
    const double k1 = rate(R), k2 = rate(R + h / 2 * k1), k3 = rate(R + h / 2 * k2), k4 = rate(R + h * k3);
    R += h / 6 * (k1 + 2 * k2 + 2 * k3 + k4);
  }
  return R;
}

TEST(PerceptronQueries, closed_forms_solve_the_dynamics) {
  // bands of 1e-4 and 12: what a narrow band loses is of the order of its square, what a wide one lacks is exp(-72)
  EXPECT_NEAR(integrate(.2, 1e-4, 3, 1), query_overlap(.2, 3), 1e-8);
  EXPECT_NEAR(integrate(.2, 12, 3, 1), unselected_overlap(.2, 3), 1e-10);
}

TEST(PerceptronQueries, beat_random_examples_as_published) {
  EXPECT_NEAR(1 - std::pow(query_overlap(.2, 3), 2), .1422, 5.1e-5);  // half a unit of the last printed digit
  EXPECT_NEAR(1 - std::pow(unselected_overlap(.2, 3), 2), .3388, 5.1e-5);
}

TEST(PerceptronQueries, no_other_step_does_better) {
  for (double factor : {.5, .8, .95, 1.05, 1.3}) {
    for (double band : {.05, .5, 2.}) EXPECT_LT(integrate(.2, band, 3, factor), integrate(.2, band, 3, 1)) << factor;
  }
}

enum class Choice { queries, all, modulated };

/// Mean and standard error of 1 - R^2 of simulated students after `alpha` trained examples per weight.
std::array<double, 2> simulate(Choice choice, double alpha, double R0) {
  constexpr int n = 400, k_runs = 24;
  double sum = 0, squares = 0;
  for (std::uint32_t run = 0; run < k_runs; ++run) {
    // teacher and student of norm sqrt n in the plane of two alternating patterns
    Vector w(n), teacher(n), x(n);
    for (std::size_t l = 0; l < n; ++l) {
      teacher[l] = l % 2 == 0 ? 1 : -1;
      w[l] = R0 * teacher[l] + std::sqrt(1 - R0 * R0) * ((l / 2) % 2 == 0 ? 1 : -1);
    }
    std::uint32_t step = 0;
    for (int i = 0; i < static_cast<int>(alpha * n); ++step) {
      double h = 0, u = 0, norm = 0, R = 0;
      for (std::uint32_t l = 0; l < n; l += 2) {
        const auto pair = eos::core::normal_pair(12, {run, step, eos::core::Purpose::test, l});
        x[l] = pair[0], x[l + 1] = pair[1];
      }
      for (std::size_t l = 0; l < n; ++l) {
        h += w[l] * x[l] / std::sqrt(n), u += teacher[l] * x[l] / std::sqrt(n);
        norm += w[l] * w[l] / n, R += w[l] * teacher[l] / n;
      }
      R /= std::sqrt(norm), h /= std::sqrt(norm);
      if (choice == Choice::queries) {
        // a query on the decision boundary: the part of x along the student is taken out
        for (std::size_t l = 0; l < n; ++l)
          x[l] -= h * w[l] / std::sqrt(norm * n), u -= teacher[l] * h * w[l] / std::sqrt(norm) / n;
      }
      const double y = u > 0 ? 1 : -1;
      const double f = y * (choice == Choice::queries ? optimal_step(R, query_drift(R))
                            : choice == Choice::all   ? optimal_step(R, unselected_drift(R))
                                                      : optimal_modulation(R, y * h));
      for (std::size_t l = 0; l < n; ++l) w[l] = w[l] / std::sqrt(norm) + f * x[l] / std::sqrt(n);
      ++i;
    }
    double norm = 0, R = 0;
    for (std::size_t l = 0; l < n; ++l) norm += w[l] * w[l] / n, R += w[l] * teacher[l] / n;
    const double q = 1 - R * R / norm;
    sum += q / k_runs, squares += q * q / k_runs;
  }
  return {sum, std::sqrt((squares - sum * sum) / (k_runs - 1))};
}

TEST(PerceptronQueries, agree_with_simulated_students) {
  const auto queries = simulate(Choice::queries, 3, .2), all = simulate(Choice::all, 3, .2);
  // four standard errors and corrections of order 1/N
  EXPECT_NEAR(queries[0], .1422, 4 * queries[1] + 2. / 400);
  EXPECT_NEAR(all[0], .3388, 4 * all[1] + 2. / 400);
}

/// R of the modulated rule after alpha, from R0, by the midpoint rule.
double integrate_modulated(double R, double begin, double end) {
  while (begin < end) {
    const double h = std::min(.002 * (1 + begin), end - begin);
    R += h * modulated_rate(R + h / 2 * modulated_rate(R));
    begin += h;
  }
  return R;
}

// Kinouchi & Caticha (1992): 0.88/alpha, against 1/sqrt(2 pi alpha) with one length for all updates.
TEST(PerceptronModulation, has_the_published_law_of_late_learning) {
  const double R = integrate_modulated(.2, 0, 3000);
  EXPECT_NEAR(perceptron_error(R) * 3000, .88, .005 + .002);  // two printed digits, and transients of 1/alpha
  // at most what the example can tell: better than one length for all, worse than queries of the same number
  for (double overlap : {.3, .6, .9}) {
    const double uniform = std::pow(unselected_drift(overlap), 2) / (2 * overlap);
    EXPECT_GT(modulated_rate(overlap), uniform);
    EXPECT_LT(modulated_rate(overlap), std::pow(query_drift(overlap), 2) / (2 * overlap));
  }
  EXPECT_NEAR(optimal_modulation(.5, -36 * std::sqrt(.75) / .5) / optimal_modulation(.5, -34 * std::sqrt(.75) / .5),
              (36 + 1. / 36) / (34 + 1. / 34), 1e-4);  // both branches of the tail, up to k^-4
}

TEST(PerceptronModulation, agrees_with_simulated_students) {
  const auto seen = simulate(Choice::modulated, 3, .2);
  EXPECT_NEAR(seen[0], 1 - std::pow(integrate_modulated(.2, 0, 3), 2), 4 * seen[1] + 2. / 400);
}

TEST(PerceptronScreening, the_best_band_narrows_as_published) {
  const ScreenedLimit limit = screened_limit();
  EXPECT_NEAR(limit.band, 1.400, 5.1e-4);
  EXPECT_NEAR(limit.error, 1.589, 5.1e-4);
  for (double q : {1e-2, 1e-4, 1e-6}) {
    const double R = std::sqrt(1 - q);
    EXPECT_NEAR(best_screened_band(R) * R / std::sqrt(q), limit.band, 2 * q);  // the next order is c^2/6 of it
  }
}

TEST(PerceptronScreening, the_error_falls_as_one_over_screened_examples) {
  double R = .2, n = 0;
  while (n < 1e4) {
    const double h = .001 * (1 + n);
    auto rate = [](double x) {
      const double band = best_screened_band(x), drift = perceptron_drift(x, band);
      return perceptron_band_share(band) * drift * drift / (2 * x);
    };
    const double middle = R + h / 2 * rate(R);
    R += h * rate(middle);
    n += h;
  }
  EXPECT_NEAR(perceptron_error(R) * n / screened_limit().error, 1, 2e-3);  // transients of relative size ln n/n
}

// Rattray & Saad (1997, 1998): one erf unit, b = 1, from (R, Q) = (0, .25) to alpha = 4.
TEST(OptimalErfRule, has_the_published_overlaps_and_error) {
  const OptimalErfRule x = optimal_erf_rule({1}, {0}, {.25}, 1, 4);
  EXPECT_NEAR(x.teacher_overlap[0], .98168, 5.1e-6);
  EXPECT_NEAR(x.student_overlap[0], .98626, 5.1e-6);
  const Committee task{1, 1, {}, {}, false};
  const double error = committee_error<double>(task, {{x.teacher_overlap[0]}, {x.student_overlap[0]}, {1}});
  EXPECT_NEAR(error, 4.203e-3, 5.1e-7);
  EXPECT_THROW(optimal_erf_rule({1, 1}, {0}, {.25}, 1, 4), eos::core::Error);
}

TEST(OptimalErfRule, is_twice_as_good_as_the_best_constant_rate) {
  const Committee task{1, 1, {}, {}, false};
  double best = 1, best_rate = 0;
  for (int i = 100; i <= 300; ++i) {
    CommitteeInputs<double> inputs;
    inputs.rate = .01 * i;
    const double error = committee_error(task, integrate_committee(task, {{0}, {.25}, {1}}, inputs, 4, 200));
    if (error < best) best = error, best_rate = inputs.rate;
  }
  EXPECT_NEAR(best, 9.03e-3, 5.1e-6);
  EXPECT_NEAR(best_rate, 1.99, .0051);
}

TEST(OptimalErfRule, agrees_with_simulated_students_of_three_units) {
  constexpr int n = 400, k_runs = 12;
  const Vector b{1, .5, -.3};
  std::array<double, 3> R{};
  std::array<double, 9> Q{};
  for (std::uint32_t run = 0; run < k_runs; ++run) {
    std::array<Vector, 3> w{Vector(n, .2), Vector(n, 0), Vector(n, -.1)};
    for (std::uint32_t step = 0; step < 2 * n; ++step) {
      Vector x(n);
      std::array<double, 3> field{};
      double y = 0;
      for (std::uint32_t l = 0; l < n; l += 2) {
        const auto pair = eos::core::normal_pair(13, {run, step, eos::core::Purpose::test, l});
        x[l] = pair[0], x[l + 1] = pair[1];
      }
      for (std::size_t l = 0; l < n; ++l) {
        y += x[l] / std::sqrt(n);  // teacher: all ones
        for (std::size_t i = 0; i < 3; ++i) field[i] += w[i][l] * x[l] / std::sqrt(n);
      }
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t l = 0; l < n; ++l) w[i][l] += (b[i] * y - field[i]) * x[l] / std::sqrt(n);
      }
    }
    for (std::size_t i = 0; i < 3; ++i) {
      for (std::size_t l = 0; l < n; ++l) {
        R[i] += w[i][l] / n / k_runs;
        for (std::size_t k = 0; k < 3; ++k) Q[3 * i + k] += w[i][l] * w[k][l] / n / k_runs;
      }
    }
  }
  const auto x = optimal_erf_rule(b, {.2, 0, -.1}, {.04, 0, -.02, 0, 0, 0, -.02, 0, .01}, 1, 2);
  // overlaps fluctuate by about 1/sqrt N per run: four standard errors
  const double tolerance = 4 / std::sqrt(1. * n * k_runs);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_NEAR(R[i], x.teacher_overlap[i], tolerance);
  for (std::size_t i = 0; i < 9; ++i) EXPECT_NEAR(Q[i], x.student_overlap[i], tolerance);
}

}  // namespace
