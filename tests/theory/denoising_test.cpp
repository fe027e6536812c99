// Denoising autoencoder: printed errors of constant noise.
#include "eos/theory/denoising.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace {

using namespace eos::theory;
using State = DenoisingState<double>;

State add(const State& x, double h, const State& d) {
  State y = x;
  for (std::size_t i = 0; i < 4; ++i) y.R[i] += h * d.R[i], y.Q[i] += h * d.Q[i];
  y.b += h * d.b;
  return y;
}

/// Final error of constant noise, by the classical Runge-Kutta method.
double final_error(const Denoising& task, double noise, double test_noise, int steps) {
  State x{task.overlap, task.unit_overlap, task.skip};
  const double h = 4. / steps;
  auto rates = [&](const State& at) { return denoising_rates(task, at, noise, 5.); };
  for (int i = 0; i < steps; ++i) {
    const State k1 = rates(x), k2 = rates(add(x, h / 2, k1)), k3 = rates(add(x, h / 2, k2)), k4 = rates(add(x, h, k3));
    x = add(add(add(add(x, h / 6, k1), h / 3, k2), h / 3, k3), h / 6, k4);
  }
  return denoising_error(task, x, test_noise);
}

// Mignacco & Mori, arXiv:2507.07907, section 3.3, from the initial state of the released program.
TEST(Denoising, training_at_the_noise_of_the_test_has_the_published_error) {
  const Denoising task = Denoising::published();
  EXPECT_NEAR(final_error(task, .1, .1, 800), 8.886736, 5.1e-7);  // half a unit of the last printed digit
  EXPECT_NEAR(final_error(task, .3, .3, 800), 9.519745, 5.1e-7);
  EXPECT_NEAR(final_error(task, .3, .3, 400), final_error(task, .3, .3, 800), 1e-9);
}

TEST(Denoising, one_unit_and_one_cluster_follow_the_scalar_equations) {
  Denoising task;
  task.clusters = task.units = 1;
  task.mean_overlap = {.9};
  const double m = .3, q = .4, b = .2, noise = .25, eta = 2, s2 = .01;
  const State d = denoising_rates(task, {{m}, {q}, b}, noise, eta);
  const double v = .75 * s2 + .25, root = std::sqrt(.75);
  const double A = .75 * m * m + v * q, E = m * m + s2 * q, D = root * E, B = b + q;
  const double F = .75 * m * .9 + v * m, G = root * (m * .9 + s2 * m);
  EXPECT_NEAR(d.R[0], 2 * G - 2 * b * F - m * A - F * q, 1e-15);
  EXPECT_NEAR(d.b, root * s2 - b * v, 1e-15);
  EXPECT_NEAR(d.Q[0],
              2 * (D - A * B) * (2 + eta * (root * s2 - b * v)) + eta * v * (E - 2 * B * D + B * A * B) +
                  eta * A * (s2 - 2 * b * root * s2 + b * b * v),
              1e-15);
}

TEST(Denoising, a_network_of_nothing_returns_the_variance_as_error) {
  Denoising task = Denoising::published();
  EXPECT_NEAR(denoising_error(task, State{{0, 0, 0, 0}, {0, 0, 0, 0}, 0}, .3), 1000 * .01, 1e-12);
}

}  // namespace
