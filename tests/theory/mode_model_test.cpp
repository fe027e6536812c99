#include "eos/theory/mode_model.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "eos/core/philox.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

ModeProblem problem(Rule data, Rule weight, bool rebatched = false, double path = 0) {
  ModeProblem p;
  p.lambda = {1.1, .4, .07};
  p.initial = {1, .8, 2};
  p.multiplicity = {1, 3, 5};
  p.batch = 6;
  p.noise_variance = .3;
  p.noise_scale = 1.4;
  p.running_weight = .02;
  p.price_time = .01;
  p.price_screening = .002;
  p.price_sample = .04;
  p.price_write = .03;
  p.price_path = path;
  p.rebatched = rebatched;
  p.data_rule = data;
  p.weight_rule = weight;
  p.data_noise = CaptureCurve::laplace();
  p.rate_bounds = {0, .9};
  return p;
}

const Vector k_m{.7, 1.3, .4}, k_p{.5, .9, .3};
const Controls k_u{.35, .55, .21};  // not on a knot of a tabulated curve, where its slope has a kink

/// Every kind of problem the model distinguishes.
std::vector<ModeProblem> variants() {
  std::vector<ModeProblem> all;
  for (Rule data : {Rule::all, Rule::random, Rule::ranked}) {
    for (Rule weight : {Rule::all, Rule::random, Rule::ranked}) {
      for (bool rebatched : {false, true}) {
        for (double path : {0.0, .05}) all.push_back(problem(data, weight, rebatched, path));
      }
    }
  }
  ModeProblem tabulated = problem(Rule::ranked, Rule::ranked, true, .05);
  tabulated.data_noise = tabulated.weight_capture = CaptureCurve::tabulated({.1, .3, .6}, {.5, .8, .95});
  all.push_back(tabulated);
  ModeProblem accumulated = problem(Rule::ranked, Rule::ranked, true, .05);
  accumulated.accumulated = true;
  accumulated.accumulated_path = CaptureCurve::tabulated({.01, .1, .5}, {.2, .4, .8});
  all.push_back(accumulated);
  return all;
}

double derivative(const std::function<double(double)>& f, double x) {
  const double h = 1e-5 * std::max(1.0, std::abs(x));
  return (f(x + h) - f(x - h)) / (2 * h);
}

TEST(ModeModel, dynamics_are_the_published_ones_for_gaussian_captures) {
  ModeProblem p = problem(Rule::ranked, Rule::ranked);
  p.data_noise = CaptureCurve::gaussian();
  p.multiplicity.clear();
  p.noise_scale = 1;
  const ModeModel model(p);
  Vector rate(3);
  model.dynamics(k_m, k_u, rate);
  double v = p.noise_variance;
  for (int j = 0; j < 3; ++j) v += p.lambda[j] * k_m[j];
  const double clock = gaussian_phi(k_u.data_fraction) * gaussian_phi(k_u.weight_fraction), eta = k_u.learning_rate;
  for (int j = 0; j < 3; ++j) {
    const double expected = clock * (-2 * eta * p.lambda[j] * k_m[j] + eta * eta / p.batch * p.lambda[j] * v);
    EXPECT_NEAR(rate[j], expected, 1e-15);
  }
  EXPECT_NEAR(model.loss(k_m), .5 * (v - p.noise_variance), 1e-15);
}

TEST(ModeModel, repeated_modes_equal_a_multiplicity) {
  ModeProblem listed = problem(Rule::ranked, Rule::random, false, .05);
  listed.lambda = {1.1, .4, .4, .4};
  listed.initial = {1, .8, .8, .8};
  listed.multiplicity.clear();
  ModeProblem counted = listed;
  counted.lambda = {1.1, .4};
  counted.initial = {1, .8};
  counted.multiplicity = {1, 3};
  const Vector m4{.7, 1.3, 1.3, 1.3}, m2{.7, 1.3}, p4{.5, .3, .3, .3}, p2{.5, .9};
  const ModeModel a(listed), b(counted);
  EXPECT_NEAR(a.loss(m4), b.loss(m2), 1e-15);
  EXPECT_NEAR(a.energy_rate(m4, k_u).total(), b.energy_rate(m2, k_u).total(), 1e-15);
  EXPECT_NEAR(a.hamiltonian(m4, p4, k_u), b.hamiltonian(m2, p2, k_u), 1e-15);
}

TEST(ModeModel, hamiltonian_is_cost_plus_costate_times_dynamics) {
  for (const ModeProblem& p : variants()) {
    const ModeModel model(p);
    const Controls u = model.effective(k_u);
    Vector rate(3);
    model.dynamics(k_m, u, rate);
    double expected = p.running_weight * model.loss(k_m) + model.energy_rate(k_m, u).total();
    for (int j = 0; j < 3; ++j) expected += k_p[j] * rate[j];
    EXPECT_NEAR(model.hamiltonian(k_m, k_p, u), expected, 1e-14);
  }
}

TEST(ModeModel, costates_follow_the_gradient_of_the_hamiltonian) {
  for (const ModeProblem& p : variants()) {
    const ModeModel model(p);
    const Controls u = model.effective(k_u);
    Vector rate(3, std::numeric_limits<double>::quiet_NaN());
    model.costate_rate(k_m, k_p, u, rate);
    for (std::size_t j = 0; j < 3; ++j) {
      const double slope = derivative(
          [&](double x) {
            Vector m = k_m;
            m[j] = x;
            return model.hamiltonian(m, k_p, u);
          },
          k_m[j]);
      EXPECT_NEAR(rate[j], -slope, 1e-9);  // central differences of a function of order 1: h^2 = 1e-10
    }
  }
}

TEST(ModeModel, control_gradient_is_the_slope_of_the_hamiltonian) {
  for (const ModeProblem& p : variants()) {
    const ModeModel model(p);
    const Controls u = model.effective(k_u);
    const ControlGradient g = model.hamiltonian_gradient(k_m, k_p, u);
    auto at = [&](double Controls::*member, double x) {
      Controls v = u;
      v.*member = x;
      return model.hamiltonian(k_m, k_p, v);
    };
    auto slope = [&](double Controls::*member) {
      return derivative([&](double x) { return at(member, x); }, u.*member);
    };
    if (p.data_rule != Rule::all) {
      EXPECT_NEAR(g.data, slope(&Controls::data_fraction), 1e-8);
    }
    if (p.weight_rule != Rule::all) {
      EXPECT_NEAR(g.weight, slope(&Controls::weight_fraction), 1e-8);
    }
    EXPECT_NEAR(g.rate, slope(&Controls::learning_rate), 1e-8);
  }
}

TEST(ModeModel, optimal_rate_has_the_least_hamiltonian) {
  for (const ModeProblem& p : variants()) {
    const ModeModel model(p);
    Controls u = model.effective(k_u);
    u.learning_rate = model.optimal_rate(k_m, k_p, u);
    const double least = model.hamiltonian(k_m, k_p, u);
    for (int i = 0; i <= 900; ++i) {
      Controls v = u;
      v.learning_rate = i * 1e-3;
      EXPECT_GE(model.hamiltonian(k_m, k_p, v), least - 1e-15);
    }
  }
}

TEST(ModeModel, optimal_rate_is_the_clip_formula_when_captures_agree) {
  ModeProblem p = problem(Rule::ranked, Rule::ranked);
  p.data_noise = CaptureCurve::gaussian();
  p.noise_scale = 1;
  p.rate_bounds = {0, 100};
  const ModeModel model(p);
  double a = 0, c = 0;
  for (int j = 0; j < 3; ++j) {
    a += k_p[j] * p.lambda[j] * k_m[j];
    c += k_p[j] * p.lambda[j];
  }
  const double v = model.residual_variance(k_m);
  EXPECT_NEAR(model.optimal_rate(k_m, k_p, k_u), p.batch * a / (v * c), 1e-13);
  EXPECT_NEAR(model.clock_value(k_m, k_p), p.batch * a * a / (v * c), 1e-13);
  p.rate_bounds = {0, .1};
  EXPECT_EQ(ModeModel(p).optimal_rate(k_m, k_p, k_u), .1);
}

TEST(ModeModel, grid_minimum_is_near_the_true_minimum) {
  for (const ModeProblem& p : variants()) {
    const ModeModel model(p);
    const Controls best = model.minimise_hamiltonian(k_m, k_p, 65);
    const double found = model.hamiltonian(k_m, k_p, best);
    double least = found;
    for (int i = 0; i < 60; ++i) {
      for (int k = 0; k < 60; ++k) {
        Controls u = model.effective({std::pow(1e-3, i / 59.0), std::pow(1e-3, k / 59.0), 0});
        u.learning_rate = model.optimal_rate(k_m, k_p, u);
        least = std::min(least, model.hamiltonian(k_m, k_p, u));
      }
    }
    // Half a grid cell is 0.054 in ln u, and the well's curvature in ln u is at most |H|: |H| 0.054^2 / 2.
    EXPECT_LE(found, least + 1.5e-3 * std::abs(least));
  }
}

TEST(ModeModel, terminal_costate_is_the_slope_of_the_terminal_cost) {
  ModeProblem p = problem(Rule::ranked, Rule::ranked);
  p.terminal_weight = 3;
  const ModeModel model(p);
  Vector costate(3);
  model.terminal_costate(costate);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(costate[j], 1.5 * p.multiplicity[j] * p.lambda[j], 1e-15);
}

TEST(ModeModel, small_rates_turn_the_recursion_into_the_flow) {
  // m' - m = dm/dt (1 + O(eta)) for large batches, where the drift^2 term of v_j is eta times the drift.
  const ModeModel model(problem(Rule::ranked, Rule::ranked));
  Controls u = k_u;
  u.learning_rate = 1e-5;
  Vector next(3), rate(3);
  model.step(k_m, u, next);
  model.dynamics(k_m, u, rate);
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR((next[j] - k_m[j]) / rate[j], 1, 1e-4);
}

TEST(ModeModel, has_the_printed_losses_of_five_rules) {
  // 24 modes lambda_j = j^-1.3, m_j(0) = j^-0.7, sigma^2 = 0.25, rate 0.15, 80 steps of 64 candidates: theory to four
  // digits, and means over 3000 simulated students, which are met within 0.5 %.
  ModeProblem p;
  for (int j = 1; j <= 24; ++j) {
    p.lambda.push_back(std::pow(j, -1.3));
    p.initial.push_back(std::pow(j, -.7));
  }
  p.batch = 64;
  p.noise_variance = .25;
  struct Row {
    Rule data, weight;
    double rho, kappa, theory, simulated;
  };
  for (const Row& row : {Row{Rule::all, Rule::all, 1, 1, .02293, .02292},
                         {Rule::random, Rule::all, .25, 1, .09670, .09672},
                         {Rule::ranked, Rule::all, .25, 1, .03348, .03342},
                         {Rule::all, Rule::random, 1, .3, .08287, .08284},
                         {Rule::ranked, Rule::random, .25, .3, .11134, .11130}}) {
    p.data_rule = row.data;
    p.weight_rule = row.weight;
    const ModeModel model(p);
    Vector m = p.initial, next(m.size());
    for (int t = 0; t < 80; ++t) {
      model.step(m, {row.rho, row.kappa, .15}, next);
      std::swap(m, next);
    }
    EXPECT_NEAR(model.loss(m), row.theory, 5e-6) << row.rho << " " << row.kappa;
    EXPECT_NEAR(model.loss(m) / row.simulated, 1, .005) << row.rho << " " << row.kappa;
  }
}

}  // namespace
