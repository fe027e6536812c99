// Curriculum learning: printed errors of schedules, and the registered problem.
#include "eos/theory/curriculum.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/models.hpp"

namespace {

using namespace eos::theory;

constexpr int k_steps = 240, k_easy = 120;

/// As the released program counts: it divides the easy steps by the number of nodes.
Curriculum published() {
  Curriculum c;
  c.easy_share = k_easy / (k_steps + 1.0);
  return c;
}
std::vector<bool> easy_from(int first) {
  std::vector<bool> easy(k_steps);
  for (int i = first; i < first + k_easy; ++i) easy[static_cast<std::size_t>(i)] = true;
  return easy;
}

// Mignacco & Mori, arXiv:2507.07907, section 3.1: eta = 3, T = 2, dt = 0.05. Digits printed by the released program,
// and those of an independent implementation for the best schedule of two switches.
TEST(Curriculum, schedules_have_the_published_errors) {
  EXPECT_NEAR(evaluate_curriculum(published(), easy_from(0)), .15570, 5.1e-6);  // half a unit of the last digit
  EXPECT_NEAR(evaluate_curriculum(published(), easy_from(k_easy)), .16275, 5.1e-6);
  const TwoSwitchSchedule best = best_two_switch_curriculum(published(), k_steps, k_easy);
  EXPECT_NEAR(best.error, .14655, 5.1e-6);
  EXPECT_EQ(best.first_easy * 12. / k_steps, 2.8);
  EXPECT_LT(best.error, .1466824690);  // where the authors' sweep ended
  EXPECT_EQ(evaluate_curriculum(published(), best.easy), best.error);
}

TEST(Curriculum, random_mixing_lies_between_ordered_schedules) {
  double sum = 0;
  constexpr int k_draws = 200;
  for (std::uint32_t run = 0; run < k_draws; ++run) {
    std::vector<bool> easy = easy_from(0);
    for (std::uint32_t i = k_steps - 1; i > 0; --i) {
      const auto word = eos::core::draw(5, {run, 0, eos::core::Purpose::test, i}).v[0];
      const auto j = eos::core::uniform_int(word, i + 1);
      const bool kept = easy[i];
      easy[i] = easy[j];
      easy[j] = kept;
    }
    sum += evaluate_curriculum(published(), easy) / k_draws;
  }
  // a NumPy implementation finds a mean of .15270 over 400 draws, with a spread of 8.8e-4 in which the published draw
  // of .15247 lies; four standard errors of the difference of both means
  EXPECT_NEAR(sum, .15270, 4 * 8.8e-4 * std::sqrt(1. / k_draws + 1. / 400));
}

TEST(Curriculum, without_irrelevant_weights_difficulty_does_not_matter_to_the_error) {
  const CurriculumState<double> x{.8, 0, .6};
  EXPECT_EQ(curriculum_error(x, 0., 2.), curriculum_error(x, 2., 2.));
}

TEST(Curriculum, impossible_schedules_are_refused) {
  EXPECT_THROW(best_two_switch_curriculum(published(), 10, 11), eos::core::Error);
  EXPECT_THROW(evaluate_curriculum(published(), {}), eos::core::Error);
}

// Independent realisation of the dynamics: gradient descent of one erf unit on the sign-labelled task.
TEST(Curriculum, rates_are_those_of_a_simulated_student) {
  constexpr int n = 300, k_runs = 30;
  for (const double difficulty : {0., 2.}) {
    double relevant = 0, irrelevant = 0, overlap = 0;
    for (std::uint32_t run = 0; run < k_runs; ++run) {
      // weights 0..n-1 relevant, n..2n-1 irrelevant; teacher sqrt 2 everywhere, student alternates: Q11 = Q22 = 1, M =
      // 0
      std::vector<double> w(2 * n);
      for (int l = 0; l < 2 * n; ++l) w[static_cast<std::size_t>(l)] = l % 2 == 0 ? 1 : -1;
      std::uint32_t step = 0;
      for (int i = 0; i < n; ++i, ++step) {
        std::vector<double> x(2 * n);
        double field = 0, teacher = 0;
        for (std::uint32_t l = 0; l < 2 * n; l += 2) {
          const auto pair = eos::core::normal_pair(9, {run, step, eos::core::Purpose::test, l});
          x[l] = pair[0], x[l + 1] = pair[1];
        }
        for (std::size_t l = 0; l < 2 * n; ++l) {
          if (l >= n) x[l] *= std::sqrt(difficulty);
          field += w[l] * x[l] / std::sqrt(n);
          if (l < n) teacher += x[l];
        }
        const double delta = (teacher > 0 ? 1 : -1) - std::erf(field / 2);
        const double slope = std::exp(-field * field / 4) / std::sqrt(3.14159265358979);
        for (std::size_t l = 0; l < 2 * n; ++l) w[l] += .5 * slope * delta * x[l] / std::sqrt(n);
      }
      for (std::size_t l = 0; l < 2 * n; ++l) {
        (l < n ? relevant : irrelevant) += w[l] * w[l] / n / k_runs;
        if (l < n) overlap += std::sqrt(2.) * w[l] / n / k_runs;
      }
    }
    CurriculumState<double> x{1, 1, 0};
    for (int i = 0; i < 1000; ++i) {
      const auto d = curriculum_rates(x, difficulty, .5, 0., 2.);
      x = {x.relevant + 1e-3 * d.relevant, x.irrelevant + 1e-3 * d.irrelevant, x.overlap + 1e-3 * d.overlap};
    }
    // fluctuations of an overlap are about 1/sqrt N per run; four standard errors, Euler and 1/N terms are below
    const double tolerance = 4 / std::sqrt(1. * n * k_runs);
    EXPECT_NEAR(relevant, x.relevant, tolerance) << difficulty;
    EXPECT_NEAR(irrelevant, x.irrelevant, tolerance) << difficulty;
    EXPECT_NEAR(overlap, x.overlap, tolerance) << difficulty;
  }
}

}  // namespace
