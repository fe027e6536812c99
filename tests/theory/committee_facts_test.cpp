// Facts about soft committee machines: printed numbers, and the equations of motion themselves.
#include "eos/theory/committee_facts.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "eos/core/error.hpp"
#include "eos/theory/order_parameters.hpp"

namespace {

using namespace eos::theory;
using std::numbers::pi;

OrderParameters<double> symmetric(int K, double R, double S, double Q, double C) {
  OrderParameters<double> x;
  for (int i = 0; i < K; ++i) {
    for (int k = 0; k < K; ++k) {
      x.R.push_back(i == k ? R : S);
      x.Q.push_back(i == k ? Q : C);
    }
    x.v.push_back(1);
  }
  return x;
}
Committee committee(int K) { return {K, K, {}, {}, false}; }

// Saad & Solla, PRE 52, 4225 (1995): plateau overlaps, error and escape rate for K = 2, 3, 4.
TEST(CommitteePlateau, has_the_published_numbers) {
  const double Q[] = {.3333, .2000, .1429}, R[] = {.4082, .2582, .1890}, error[] = {.01161, .02030, .02838},
               rate[] = {.06575, .04612, .03565};
  for (int K = 2; K <= 4; ++K) {
    const CommitteePlateau p = committee_plateau(K);
    EXPECT_NEAR(p.student_overlap, Q[K - 2], 5.1e-5);  // half a unit of the last printed digit, as below
    EXPECT_NEAR(p.teacher_overlap, R[K - 2], 5.1e-5);
    EXPECT_NEAR(p.error, error[K - 2], 5.1e-6);
    EXPECT_NEAR(p.escape_rate, rate[K - 2], 5.1e-6);
  }
}

TEST(CommitteePlateau, is_a_fixed_point_that_is_left_at_the_escape_rate) {
  for (int K : {2, 3, 4}) {
    const CommitteePlateau p = committee_plateau(K);
    CommitteeInputs<double> u;
    u.batch = 1e300;  // small learning rates: the squared term drops out
    const double R = p.teacher_overlap, Q = p.student_overlap;
    const auto d = committee_rates(committee(K), symmetric(K, R, R, Q, Q), u);
    for (double rate : d.R) EXPECT_NEAR(rate, 0, 1e-15);
    for (double rate : d.Q) EXPECT_NEAR(rate, 0, 1e-15);
    EXPECT_NEAR(committee_error(committee(K), symmetric(K, R, R, Q, Q)), p.error, 1e-15);
    // After transients the specialisation R - S grows by exp(rate alpha).
    auto x = symmetric(K, R + 1e-9, R - 1e-9 / (K - 1), Q, Q);
    x = integrate_committee(committee(K), x, u, 60, 600);
    const double before = x.R[0] - x.R[1];
    x = integrate_committee(committee(K), x, u, 60, 600);
    // the deviation is 1e-9 exp(8) at most, which is also the relative size of quadratic terms
    EXPECT_NEAR(std::log((x.R[0] - x.R[1]) / before) / 60, p.escape_rate, 1e-5 * p.escape_rate) << K;
  }
}

TEST(CommitteePlateau, noise_raises_its_error_to_first_order) {
  for (int K : {2, 4}) {
    CommitteeInputs<double> u;
    u.rate = 1e-6;
    u.noise_variance = 1e3;  // eta sigma^2 = 1e-3, noiseless squared terms a thousandth of a millionth of it
    const CommitteePlateau p = committee_plateau(K);
    const double R = p.teacher_overlap, Q = p.student_overlap;
    const auto x = integrate_committee(committee(K), symmetric(K, R, R, Q, Q), u, 2e8, 4000);
    const double rise = committee_error(committee(K), x) - p.error;
    EXPECT_NEAR(rise / plateau_noise_error(K, u.rate, u.noise_variance), 1, 2e-2) << K;
  }
}

TEST(CommitteeNoise, constant_rates_end_at_the_asymptotic_error) {
  for (int K : {1, 2, 4}) {
    CommitteeInputs<double> u;
    u.rate = 1e-6;
    u.noise_variance = 10;
    const auto x = integrate_committee(committee(K), symmetric(K, 1, 0, 1, 0), u, 4e8, 4000);
    const double error = committee_error(committee(K), x);
    EXPECT_NEAR(error / asymptotic_noise_error(K, u.rate, u.noise_variance), 1, 1e-3) << K;
  }
}

// Saad & Solla (1995) for large K; exact values at finite K from the eigenvalues of the full equations.
TEST(CommitteeStability, largest_stable_rates) {
  EXPECT_NEAR(largest_stable_rate(1), 4.056, 5.1e-4);
  EXPECT_NEAR(largest_stable_rate(2), 2.307, 5.1e-4);
  EXPECT_NEAR(largest_stable_rate(3), 1.621, 5.1e-4);
  EXPECT_NEAR(largest_stable_rate(4), 1.249, 5.1e-4);
  EXPECT_NEAR(largest_stable_rate(10), .526, 5.1e-4);
  const double leading = (75 - 42 * std::sqrt(3.0)) / (25 * std::sqrt(3.0) - 42);  // the published prefactor
  EXPECT_NEAR(leading, std::sqrt(3.0), 1e-13);
  EXPECT_NEAR(largest_stable_rate(20) * 20 / pi, leading, 1. / 20);
}

TEST(CommitteeStability, asymmetric_deviations_die_below_the_limit_and_grow_above) {
  for (int K : {2, 3}) {
    for (double factor : {.98, 1.02}) {
      CommitteeInputs<double> u;
      u.rate = factor * largest_stable_rate(K);
      auto x = symmetric(K, 1, 0, 1, 0);
      for (std::size_t i = 0; i < x.R.size(); ++i) x.R[i] -= 1e-9 * static_cast<double>(i % 3);
      auto deviation = [&] {
        double sum = 0;
        for (std::size_t i = 0; i < x.Q.size(); ++i) sum += std::abs(x.Q[i] - (i % (K + 1) == 0 ? 1 : 0));
        return sum;
      };
      x = integrate_committee(committee(K), x, u, 100, 400);
      const double before = deviation();
      x = integrate_committee(committee(K), x, u, 50, 200);
      EXPECT_EQ(deviation() < before, factor < 1) << K;
    }
  }
}

// Leen, Schottky & Saad, NIPS 10, 301 (1997).
TEST(CommitteeAnnealing, has_the_published_thresholds) {
  EXPECT_NEAR(annealing_threshold(1), std::sqrt(3.0) * pi / 4, 1e-14);
  EXPECT_NEAR(annealing_threshold(2), 10.154, 5.1e-4);
  EXPECT_EQ(annealing_threshold(2), annealing_threshold(7));
  EXPECT_NEAR(annealing_optimum(1), 2.7207, 5.1e-5);
  EXPECT_NEAR(annealing_optimum(1), std::sqrt(3.0) * pi / 2, 1e-6);  // a minimum is located to the root of rounding
  EXPECT_THROW(annealing_prefactor(2, 10.1), eos::core::Error);
}

TEST(CommitteeAnnealing, relaxation_rates_are_eigenvalues_of_the_dynamics) {
  for (int K : {2, 3, 6}) {
    const auto l = specialised_linearisation(K);
    // det(A + rate I) = 0, by cofactors of the 4 x 4 matrix through elimination.
    for (double rate : {annealing_rates(K).slow, annealing_rates(K).fast}) {
      auto a = l.first;
      for (std::size_t i = 0; i < 4; ++i) a[i][i] += rate;
      double determinant = 1, scale = 1;
      for (std::size_t k = 0; k < 4; ++k) {
        std::size_t pivot = k;
        for (std::size_t i = k; i < 4; ++i) pivot = std::abs(a[i][k]) > std::abs(a[pivot][k]) ? i : pivot;
        std::swap(a[k], a[pivot]);
        determinant *= a[k][k];
        scale = std::max(scale, std::abs(a[k][k]));
        for (std::size_t i = k + 1; i < 4 && a[k][k] != 0; ++i) {
          const double f = a[i][k] / a[k][k];
          for (std::size_t j = k; j < 4; ++j) a[i][j] -= f * a[k][j];
        }
      }
      EXPECT_NEAR(determinant, 0, 1e-13 * scale) << K;
    }
  }
}

TEST(CommitteeAnnealing, the_prefactor_is_that_of_annealed_learning) {
  for (int K : {1, 2}) {
    const double eta0 = 1.3 * annealing_optimum(K);
    auto x = symmetric(K, 1, 0, 1, 0);
    CommitteeInputs<double> u;
    u.noise_variance = 1e-3;  // small enough that deviations stay linear, noise alone drives them
    double alpha = 1e4;
    // eta = eta_0/alpha is constant to 1e-3 within each step
    for (int i = 0; i < 8000; ++i) {
      const double next = alpha * 1.001;
      u.rate = eta0 * std::log(next / alpha) / (next - alpha);
      x = integrate_committee(committee(K), x, u, next - alpha, 1);
      alpha = next;
    }
    const double measured = alpha * committee_error(committee(K), x) / u.noise_variance;
    EXPECT_NEAR(measured / annealing_prefactor(K, eta0), 1, 1e-2) << K;
  }
}

}  // namespace
