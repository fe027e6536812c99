// Discrete dynamic programming against exact rationals, closed forms and linear-programming duality.
#include "eos/solvers/markov.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/solvers/riccati.hpp"
#include "eos/solvers/saving.hpp"

namespace eos::solvers {
namespace {

/// The stochastic inventory of Puterman 1994, section 3.2: capacity 3, ordering k > 0 units costs 4 + 2 k, holding a
/// unit costs 1, sales bring 8, demand 0, 1, 2 with chances 1/4, 1/2, 1/4.
MarkovProblem inventory(double discount) {
  MarkovProblem p;
  p.discount = discount;
  const double demand[] = {.25, .5, .25};
  for (int stock = 0; stock <= 3; ++stock) {
    p.add_state();
    for (int order = 0; stock + order <= 3; ++order) {
      const int full = stock + order;
      double reward = -(order > 0 ? 4 + 2 * order : 0) - full;
      std::vector<double> chance(4, 0.0);
      for (int d = 0; d < 3; ++d) {
        reward += 8 * std::min(d, full) * demand[d];
        chance[static_cast<std::size_t>(std::max(full - d, 0))] += demand[d];
      }
      std::vector<std::pair<std::int64_t, double>> transitions;
      for (std::int64_t s = 0; s < 4; ++s) {
        if (chance[static_cast<std::size_t>(s)] > 0) transitions.emplace_back(s, chance[static_cast<std::size_t>(s)]);
      }
      p.add_action(reward, transitions);
    }
  }
  return p;
}

/// A problem with random rewards and transitions.
MarkovProblem random_problem(int states, int actions, double discount) {
  MarkovProblem p;
  p.discount = discount;
  std::uint32_t index = 0;
  const auto draw = [&] { return core::draw(11, {0, 0, core::Purpose::test, index++}); };
  for (int s = 0; s < states; ++s) {
    p.add_state();
    for (int a = 0; a < actions; ++a) {
      std::vector<std::pair<std::int64_t, double>> transitions;
      double total = 0;
      for (int k = 0; k < 3; ++k) {
        const core::Words w = draw();
        const double chance = 1 + core::uniform_int(w.v[0], 1000);
        transitions.emplace_back(core::uniform_int(w.v[1], static_cast<std::uint32_t>(states)), chance);
        total += chance;
      }
      for (auto& entry : transitions) entry.second /= total;
      p.add_action(core::uniform_int(draw().v[0], 1000) / 1000., transitions);
    }
  }
  return p;
}

constexpr double k_exact = 1e-12;  // asked for by the solver's default tolerance; all values are below 100

TEST(Markov, three_stages_of_inventory_are_exact_rationals) {
  const MarkovStages stages = solve_markov_stages(inventory(1), 3);
  const double exact[] = {67. / 16, 129. / 16, 97. / 8, 227. / 16};
  for (std::size_t s = 0; s < 4; ++s) EXPECT_NEAR(stages.value[3][s], exact[s], k_exact) << s;
  EXPECT_EQ(stages.policy[3], (std::vector<std::int64_t>{3, 0, 0, 0}));  // order three units, only when empty
  EXPECT_EQ(stages.value[0], std::vector<double>(4, 0.0));
}

TEST(Markov, discounted_inventory_is_exact_by_every_method) {
  const double exact[] = {74405. / 4244, 92185. / 4244, 107985. / 4244, 116845. / 4244};
  for (const MarkovMethod method :
       {MarkovMethod::policy_iteration, MarkovMethod::value_iteration, MarkovMethod::modified_policy_iteration}) {
    MarkovOptions options;
    options.method = method;
    options.tolerance = 1e-14;
    options.max_iterations = 2000;
    const MarkovSolution s = solve_markov(inventory(.9), options);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(s.value[i], exact[i], k_exact) << i << " method " << static_cast<int>(method);
      EXPECT_LE(std::abs(s.value[i] - exact[i]), s.error_bound + 1e-14 * exact[i]);
    }
    EXPECT_EQ(s.policy, (std::vector<std::int64_t>{3, 0, 0, 0}));
    EXPECT_LT(s.error_bound, k_exact);
  }
}

TEST(Markov, costs_are_rewards_with_the_other_sign) {
  MarkovProblem cost = inventory(.9);
  cost.aim = Aim::least_cost;
  for (double& g : cost.gain) g = -g;
  const MarkovSolution a = solve_markov(cost), b = solve_markov(inventory(.9));
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(a.value[i], -b.value[i]);
  EXPECT_LT(certify_markov(cost, a).value_violation, k_exact);
}

TEST(Markov, value_and_occupation_solve_the_linear_program_and_its_dual) {
  for (const MarkovProblem& p : {inventory(.9), random_problem(300, 5, .97)}) {
    const MarkovSolution s = solve_markov(p);
    const MarkovCertificate c = certify_markov(p, s);
    // Values are below 35 and visits below 1/(1-beta): a few hundred units in the last place.
    EXPECT_LT(c.value_violation, k_exact);
    EXPECT_LT(c.occupation_violation, k_exact);
    EXPECT_LT(c.gap, k_exact);
    double visits = 0;
    for (const double x : c.occupation) visits += x;
    EXPECT_NEAR(visits, 1 / (1 - p.discount), 1e-10);
  }
}

TEST(Markov, a_wrong_policy_shows_in_the_gap) {
  const MarkovProblem p = inventory(.9);
  MarkovSolution s = solve_markov(p);
  s.policy[0] = 1;
  EXPECT_GT(certify_markov(p, s).gap, .1);
  s.value[2] -= .5;
  EXPECT_GT(certify_markov(p, s).value_violation, .1);
}

TEST(Markov, bounds_hold_long_before_convergence) {
  const MarkovProblem p = random_problem(200, 4, .95);
  const MarkovSolution best = solve_markov(p);
  for (const int limit : {1, 3, 10}) {
    MarkovOptions options;
    options.method = MarkovMethod::value_iteration;
    options.max_iterations = limit;
    const MarkovSolution early = solve_markov(p, options);
    EXPECT_EQ(early.status, MarkovStatus::iteration_limit);
    double error = 0;
    for (std::size_t i = 0; i < best.value.size(); ++i) {
      error = std::max(error, std::abs(early.value[i] - best.value[i]));
    }
    EXPECT_LE(error, early.error_bound + k_exact) << limit;
    EXPECT_GT(early.error_bound, k_exact);
  }
}

TEST(Markov, threads_do_not_change_a_bit) {
  const MarkovProblem p = random_problem(9000, 3, .9);
  MarkovOptions options;
  options.method = MarkovMethod::modified_policy_iteration;
  const MarkovSolution one = solve_markov(p, options);
  options.threads = 3;
  const MarkovSolution three = solve_markov(p, options);
  EXPECT_EQ(one.value, three.value);
  EXPECT_EQ(one.policy, three.policy);
}

TEST(Markov, linear_quadratic_steps_agree_with_the_riccati_equation) {
  // x' = x + u, cost x^2 + u^2 by backward induction on the coefficient p: V_k = p_k x^2 with p -> golden ratio.
  double p = 0;
  for (int k = 0; k < 60; ++k) p = 1 + p - p * p / (1 + p);
  EXPECT_NEAR(solve_discrete_riccati({1, 1, {1}, {1}, {1}, {1}}).value[0], p, k_exact);
}

TEST(Markov, ill_posed_problems_are_refused_with_the_place) {
  const auto message = [](MarkovProblem p) {
    try {
      solve_markov(p);
    } catch (const core::Error& error) {
      EXPECT_EQ(error.diagnostics().front().code, "E401");
      return error.diagnostics().front().message;
    }
    return std::string();
  };
  EXPECT_NE(message({}).find("no state"), std::string::npos);
  EXPECT_NE(message(inventory(1)).find("discount 1"), std::string::npos);
  MarkovProblem p = inventory(.9);
  p.next[3] = 17;
  EXPECT_NE(message(p).find("leads to state 17"), std::string::npos);
  p = inventory(.9);
  p.probability[0] = .5;
  EXPECT_NE(message(p).find("add to 0.5"), std::string::npos);
  p = inventory(.9);
  p.add_state();
  EXPECT_NE(message(p).find("state 4 has no action"), std::string::npos);
}

SavingProblem growth(std::int64_t points) {
  SavingProblem p;
  const double alpha = .36;
  const double steady = std::pow(alpha * .96, 1 / (1 - alpha));
  p.lower = steady / 2, p.upper = steady * 2, p.discount = .96;
  for (const double k : logarithmic_points(p.lower, p.upper, points)) p.resources.push_back(std::pow(k, alpha));
  return p;
}

TEST(Saving, brock_mirman_growth_is_linear_in_the_logarithm) {
  const double a = -24.6286764183353, b = 0.550122249388753;
  for (const std::int64_t points : {3, 1000, 100001, 1000000}) {
    const SavingSolution s = solve_saving(growth(points));
    ASSERT_EQ(s.status, MarkovStatus::solved);
    double worst = 0, worst_policy = 0;
    for (std::size_t i = 0; i < s.value.size(); ++i) {
      const double k = s.state[i];
      worst = std::max(worst, std::abs(s.value[i] - (a + b * std::log(k))));
      const double consumption = (1 - .36 * .96) * std::pow(k, .36);
      worst_policy = std::max(worst_policy, std::abs(s.consumption[i] / consumption - 1));
    }
    EXPECT_LT(worst, 25 * k_exact) << points;  // 1e-12 relative to |V| = 25
    // The policy reads the slope of V over one cell: rounding of V, 4e-15, divided by the cell.
    EXPECT_LT(worst_policy, 1e-12 + 1e-14 * static_cast<double>(points)) << points;
    EXPECT_LT(s.error_bound, 1e-10);
    EXPECT_LE(worst, s.error_bound + 25 * k_exact);
  }
}

TEST(Saving, logarithmic_saver_consumes_a_constant_share) {
  SavingProblem p;
  p.lower = .5, p.upper = 2, p.gross_return = 1.04, p.discount = .95;
  p.edge = GridEdge::extrapolate;  // wealth always shrinks, by R beta = 0.988
  p.resources = logarithmic_points(p.lower, p.upper, 1001);
  const SavingSolution s = solve_saving(p);
  EXPECT_NEAR(s.value[500], -64.5022263401021, 65 * k_exact);
  for (std::size_t i = 0; i < s.value.size(); ++i) EXPECT_NEAR(s.consumption[i] / s.state[i], .05, 1e-9);
  EXPECT_TRUE(std::isnan(s.error_bound));
}

// R = 1/beta, gamma = 2: wealth stays where it is, c = (1 - beta) w, V = -1/((1 - beta)^2 w). Staying put needs no
// interpolation, so that the values on grid points are exact.
TEST(Saving, power_utility_keeps_its_wealth_when_return_equals_impatience) {
  SavingProblem p;
  p.lower = .5, p.upper = 2, p.discount = .95, p.gross_return = 1 / .95, p.risk_aversion = 2;
  for (const std::int64_t points : {41, 161}) {
    p.resources = logarithmic_points(p.lower, p.upper, points);
    const SavingSolution s = solve_saving(p);
    for (std::size_t i = 0; i < s.value.size(); ++i) EXPECT_NEAR(s.value[i] * s.state[i], -400, 400 * k_exact);
  }
}

TEST(Saving, threads_do_not_change_a_bit) {
  SavingOptions options;
  const SavingSolution one = solve_saving(growth(20000), options);
  options.threads = 2;
  const SavingSolution two = solve_saving(growth(20000), options);
  EXPECT_EQ(one.value, two.value);
  EXPECT_EQ(one.consumption, two.consumption);
}

TEST(Saving, ill_posed_problems_are_refused) {
  SavingProblem p = growth(10);
  p.discount = 1;
  EXPECT_THROW(solve_saving(p), core::Error);
  p = growth(10);
  p.resources[3] = -1;
  EXPECT_THROW(solve_saving(p), core::Error);
  p = growth(10);
  for (double& f : p.resources) f *= .01;
  EXPECT_THROW(solve_saving(p), core::Error);
}

}  // namespace
}  // namespace eos::solvers
