// Rows of `eos reproduce`: Riccati equations and discrete dynamic programming.
#include <fmt/format.h>

#include <cmath>

#include "eos/solvers/markov.hpp"
#include "eos/solvers/riccati.hpp"
#include "eos/solvers/saving.hpp"
#include "reproduce.hpp"

namespace eos::cli {

namespace {

constexpr double k_exact = 1e-12;

using solvers::LinearQuadratic;

Finding exact(std::string quantity, double published, double ours) {
  return {std::move(quantity), published, ours, k_exact * std::max(1.0, std::fabs(published))};
}

LinearQuadratic double_integrator(double position, double speed) {
  return {2, 1, {0, 1, 0, 0}, {0, 1}, {position, 0, 0, speed}, {1}};
}

std::vector<Finding> care() {
  const auto s = solvers::solve_continuous_riccati(double_integrator(1, 1));
  const double root = std::sqrt(3.0);
  return {exact("P11", root, s.value[0]), exact("P12", 1, s.value[1]), exact("P22", root, s.value[3]),
          exact("K1", 1, s.gain[0]), exact("K2", root, s.gain[1])};
}

std::vector<Finding> carex() {
  const auto s = solvers::solve_continuous_riccati(double_integrator(1, 2));
  return {exact("P11", 2, s.value[0]), exact("P12", 1, s.value[1]), exact("P22", 2, s.value[3])};
}

std::vector<Finding> finite_double_integrator() {
  const auto path = solvers::solve_finite_horizon_riccati(double_integrator(1, 1), 1, 10);
  const std::vector<double>& p = path.value.front();
  return {exact("P11(0)", .964835684943498, p[0]), exact("P12(0)", .389571120504592, p[1]),
          exact("P22(0)", .964835684943498, p[3])};
}

/// J of x' = a x + u, x(0) = 1, int (x^2 + u^2)/2 over [0, 1].
double scalar_regulator(double a) {
  return solvers::solve_finite_horizon_riccati({1, 1, {a}, {1}, {1}, {1}}, 1, 10).value.front()[0] / 2;
}

std::vector<Finding> discrete_scalar() {
  return {exact("P", (1 + std::sqrt(5.0)) / 2, solvers::solve_discrete_riccati({1, 1, {1}, {1}, {1}, {1}}).value[0])};
}

std::vector<Finding> discrete_double_integrator() {
  const auto s = solvers::solve_discrete_riccati({2, 1, {1, 1, 0, 1}, {0, 1}, {1, 0, 0, 1}, {1}});
  return {exact("P11", 2.94712296670701, s.value[0]), exact("P12", 2.36920540709247, s.value[1]),
          exact("P22", 4.61313426099618, s.value[3]), exact("K1", .422082440385453, s.gain[0]),
          exact("K2", 1.24392885390371, s.gain[1])};
}

std::vector<Finding> brock_mirman() {
  constexpr double alpha = .36, beta = .96;
  const double steady = std::pow(alpha * beta, 1 / (1 - alpha));
  solvers::SavingProblem p;
  p.lower = steady / 5, p.upper = steady * 5, p.discount = beta;
  for (const double k : solvers::logarithmic_points(p.lower, p.upper, 1000001))
    p.resources.push_back(std::pow(k, alpha));
  const solvers::SavingSolution s = solvers::solve_saving(p);
  const std::size_t n = s.state.size(), middle = n / 2;
  const double slope = (s.value.back() - s.value.front()) / std::log(s.state.back() / s.state.front());
  return {{"B, slope of V in ln k", .550122249388753, slope, 1e-10},
          {"A", -24.6286764183353, s.value[middle] - slope * std::log(s.state[middle]), 1e-9},
          {"V at the steady state", -25.5419423086996, s.value[middle], 1e-9},
          {"share saved at the steady state", alpha * beta, 1 - s.consumption[middle] / p.resources[middle], 1e-8,
           Judge::near, "read from one cell of 10^6"}};
}

std::vector<Finding> saving() {
  solvers::SavingProblem p;
  p.lower = .5, p.upper = 2, p.gross_return = 1.04, p.discount = .95;
  p.edge = solvers::GridEdge::extrapolate;
  p.resources = solvers::logarithmic_points(p.lower, p.upper, 1001);
  const solvers::SavingSolution s = solvers::solve_saving(p);
  return {{"V(1)", -64.5022263401021, s.value[500], 65 * k_exact},
          {"share consumed", .05, s.consumption[500] / s.state[500], 1e-10}};
}

/// Capacity 3, ordering k > 0 units costs 4 + 2 k, holding 1, price 8, demand 0, 1, 2 with chances 1/4, 1/2, 1/4.
solvers::MarkovProblem inventory(double discount) {
  solvers::MarkovProblem p;
  p.discount = discount;
  constexpr double k_demand[] = {.25, .5, .25};
  for (int stock = 0; stock <= 3; ++stock) {
    p.add_state();
    for (int full = stock; full <= 3; ++full) {
      double reward = -(full > stock ? 4 + 2 * (full - stock) : 0) - full;
      std::vector<std::pair<std::int64_t, double>> next;
      for (int d = 0; d < 3; ++d) {
        reward += 8 * std::min(d, full) * k_demand[d];
        next.emplace_back(std::max(full - d, 0), k_demand[d]);
      }
      p.add_action(reward, next);
    }
  }
  return p;
}

std::vector<Finding> puterman() {
  std::vector<Finding> findings;
  const auto stages = solvers::solve_markov_stages(inventory(1), 3);
  const auto discounted = solvers::solve_markov(inventory(.9));
  const double three[] = {67. / 16, 129. / 16, 97. / 8, 227. / 16};
  const double infinite[] = {74405. / 4244, 92185. / 4244, 107985. / 4244, 116845. / 4244};
  for (std::size_t i = 0; i < 4; ++i)
    findings.push_back(exact(fmt::format("three stages, stock {}", i), three[i], stages.value[3][i]));
  for (std::size_t i = 0; i < 4; ++i)
    findings.push_back(exact(fmt::format("discounted, stock {}", i), infinite[i], discounted.value[i]));
  return findings;
}

std::vector<Finding> linear_program() {
  const solvers::MarkovProblem p = inventory(.9);
  const auto certificate = solvers::certify_markov(p, solvers::solve_markov(p));
  return {{"gap between the program and its dual", 0, certificate.gap, 35 * k_exact},
          {"violation by the value", 0, certificate.value_violation, 35 * k_exact},
          {"violation by the occupation measure", 0, certificate.occupation_violation, 35 * k_exact}};
}

}  // namespace

void add_programming_rows(std::vector<Reproduction>& rows) {
  const std::string riccati = "Riccati equations", dynamic = "Dynamic programming";
  const auto add = [&rows](const char* name, const std::string& group, const char* claim, const char* setup,
                           const char* source, std::function<std::vector<Finding>()> run) {
    rows.push_back({name, group, claim, setup, source, true, std::move(run)});
  };
  add("R1", riccati, "algebraic Riccati equation of the double integrator", "Q = I, R = 1", "exact: sqrt 3", care);
  add("R2", riccati, "example 1.1 of the CAREX collection, a double pole", "Q = diag(1, 2), R = 1",
      "Benner, Laub & Mehrmann (1995)", carex);
  add("R3", riccati, "finite horizon, double integrator", "T = 1, no end cost", "15 digits, computed independently",
      finite_double_integrator);
  add("R4", riccati, "scalar regulator without drift", "x' = u, T = 1, x(0) = 1", "exact: tanh(1)/2",
      [] { return std::vector{exact("J", .380797077977882, scalar_regulator(0))}; });
  add("R5", riccati, "scalar regulator with decay", "x' = -x + u, T = 1, x(0) = 1", "closed form",
      [] { return std::vector{exact("J", .192909298093169, scalar_regulator(-1))}; });
  add("D1", dynamic, "optimal growth: V is linear in ln k", "alpha = .36, beta = .96, 10^6 grid points",
      "Brock & Mirman (1972)", brock_mirman);
  add("D2", dynamic, "a logarithmic saver consumes a constant share", "beta = .95, R = 1.04, 1001 points", "exact",
      saving);
  add("D3", dynamic, "discrete scalar regulator: the golden ratio", "x' = x + u", "exact", discrete_scalar);
  add("D4", dynamic, "discrete double integrator", "Q = I, R = 1", "15 digits, computed independently",
      discrete_double_integrator);
  add("D5", dynamic, "stochastic inventory: order only when empty", "capacity 3; three stages, and discounted by .9",
      "Puterman (1994), section 3.2; exact rationals", puterman);
  add("D6", dynamic, "value and occupation measure solve a linear program and its dual", "the inventory of D5",
      "d'Epenoux (1963)", linear_program);
}

}  // namespace eos::cli
