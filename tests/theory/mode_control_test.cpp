#include "eos/theory/mode_control.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "eos/core/error.hpp"
#include "eos/theory/mode_model.hpp"
#include "eos/theory/models.hpp"
#include "eos/theory/power_schedule.hpp"

namespace {

using namespace eos::theory;
using Vector = std::vector<double>;

ModeProblem problem(Rule data, Rule weight, bool rebatched) {
  ModeProblem p;
  p.lambda = {1.1, .4, .07};
  p.initial = {1, .8, 2};
  p.multiplicity = {1, 3, 5};
  p.batch = 6;
  p.noise_variance = .3;
  p.noise_scale = 1.4;
  p.running_weight = .02;
  p.terminal_weight = .8;
  p.price_time = .01;
  p.price_screening = .002;
  p.price_sample = .04;
  p.price_write = .03;
  p.price_path = .05;
  p.plasticity_exponents = {0, 1, 2};
  p.plasticity_prices = {.01, .02, .03};
  p.price_maintenance = .02;
  p.price_consolidation = .1;
  p.rebatched = rebatched;
  p.data_rule = data;
  p.weight_rule = weight;
  p.rate_bounds = {0, .9};
  p.horizon = 30;
  return p;
}

/// Compares dynamics, running cost and Hamiltonian at random points.
void expect_same(const ModeProblem& p) {
  const ModeModel model(p);
  const ControlProblem c = to_control_problem(p);
  std::vector<Expr> formulas;
  for (const StateVariable& s : c.states) formulas.push_back(s.dynamics);
  formulas.push_back(c.running_cost());
  const Program program(formulas, c.path_slots());
  std::mt19937 random(7);
  std::uniform_real_distribution<double> uniform(.05, .95);
  for (int trial = 0; trial < 20; ++trial) {
    Vector m(3), costate(3), rate(3), out(4), slots(static_cast<std::size_t>(c.path_slots()));
    for (double& x : m) x = 2 * uniform(random);
    for (double& x : costate) x = uniform(random);
    Controls u = model.effective({uniform(random), uniform(random), .9 * uniform(random)});
    for (int j = 0; j < 3; ++j) slots[c.state_slot(j)] = m[j];
    if (const int j = c.find_control("rho"); j >= 0) slots[c.control_slot(j)] = u.data_fraction;
    if (const int j = c.find_control("kappa"); j >= 0) slots[c.control_slot(j)] = u.weight_fraction;
    slots[c.control_slot(c.find_control("eta"))] = u.learning_rate;
    for (std::size_t k = 0; k < c.parameters.size(); ++k) {
      slots[c.parameter_slot(static_cast<int>(k))] = c.parameters[k].value;
    }
    program(slots.data(), out.data());
    model.dynamics(m, u, rate);
    double h = out[3];
    for (int j = 0; j < 3; ++j) {
      EXPECT_NEAR(out[j], rate[j], 1e-12);
      h += costate[j] * out[j];
    }
    EXPECT_NEAR(out[3], p.running_weight * model.loss(m) + model.energy_rate(m, u).total(), 1e-12);
    EXPECT_NEAR(h, model.hamiltonian(m, costate, u), 1e-12);
  }
}

TEST(ModeControl, equals_the_mode_model) {
  for (const Rule data : {Rule::all, Rule::random, Rule::ranked}) {
    for (const Rule weight : {Rule::all, Rule::random, Rule::ranked}) {
      for (const bool rebatched : {false, true}) {
        expect_same(problem(data, weight, rebatched));
        if (HasFailure()) FAIL() << static_cast<int>(data) << static_cast<int>(weight) << rebatched;
      }
    }
  }
  ModeProblem linear = problem(Rule::ranked, Rule::ranked, false);
  linear.data_signal = linear.data_noise = linear.weight_capture = CaptureCurve::linear();
  expect_same(linear);
}

TEST(ModeControl, keeps_terms_horizon_and_start) {
  const ModeProblem p = problem(Rule::ranked, Rule::all, false);
  const ControlProblem c = to_control_problem(p);
  EXPECT_EQ(c.controls.size(), 2u);
  EXPECT_EQ(c.horizon.value, 30);
  EXPECT_EQ(c.states[2].initial.lower, 2);
  for (const char* term : {"loss", "time", "screening", "sample", "write", "path", "plasticity", "cache"}) {
    EXPECT_GE(c.find_cost(term), 0) << term;
  }
  const Program end(std::vector<Expr>{c.terminal_cost()}, c.end_slots());
  Vector slots(static_cast<std::size_t>(c.end_slots()));
  const Vector m{.5, .4, .3};
  for (int j = 0; j < 3; ++j) slots[c.final_slot(j)] = m[j];
  for (std::size_t k = 0; k < c.parameters.size(); ++k) {
    slots[c.end_parameter_slot(static_cast<int>(k))] = c.parameters[k].value;
  }
  double value = 0;
  end(slots.data(), &value);
  EXPECT_NEAR(value, p.terminal_weight * ModeModel(p).loss(m), 1e-15);
}

TEST(ModeControl, says_what_has_no_formula) {
  ModeProblem p = problem(Rule::ranked, Rule::ranked, false);
  p.data_noise = CaptureCurve::laplace();
  EXPECT_THROW(to_control_problem(p), eos::core::Error);
  p = problem(Rule::ranked, Rule::ranked, false);
  p.full_data_end = .1;
  EXPECT_THROW(to_control_problem(p), eos::core::Error);
  p = problem(Rule::ranked, Rule::ranked, false);
  p.discretisation.scheme = Scheme::recursion;
  EXPECT_THROW(to_control_problem(p), eos::core::Error);
  p = problem(Rule::ranked, Rule::ranked, false);
  p.plasticity_exponents[1] = 1.5;
  EXPECT_THROW(to_control_problem(p), eos::core::Error);
}

/// J of a problem with one state along given controls, by classical Runge-Kutta.
double cost_of(const ControlProblem& c, int steps, const std::function<double(double)>& control) {
  const Program path(std::vector<Expr>{c.states[0].dynamics, c.running_cost()}, c.path_slots());
  const Program end(std::vector<Expr>{c.terminal_cost()}, c.end_slots());
  Vector slots(static_cast<std::size_t>(c.path_slots())), last(static_cast<std::size_t>(c.end_slots()));
  for (std::size_t k = 0; k < c.parameters.size(); ++k) {
    slots[c.parameter_slot(static_cast<int>(k))] = c.parameters[k].value;
    last[c.end_parameter_slot(static_cast<int>(k))] = c.parameters[k].value;
  }
  double x = c.states[0].initial.lower, sum = 0;
  const double h = c.horizon.value / steps;
  for (int i = 0; i < steps; ++i) {
    double k[4][2], reach[] = {0, h / 2, h / 2, h};
    for (int stage = 0; stage < 4; ++stage) {
      slots[ControlProblem::time_slot()] = i * h + reach[stage];
      slots[c.state_slot(0)] = x + (stage == 0 ? 0 : reach[stage] * k[stage - 1][0]);
      slots[c.control_slot(0)] = control(i * h + reach[stage]);
      path(slots.data(), k[stage]);
    }
    x += h / 6 * (k[0][0] + 2 * (k[1][0] + k[2][0]) + k[3][0]);
    sum += h / 6 * (k[0][1] + 2 * (k[1][1] + k[2][1]) + k[3][1]);
  }
  last[ControlProblem::horizon_slot()] = c.horizon.value;
  last[c.final_slot(0)] = x;
  double terminal = 0;
  end(last.data(), &terminal);
  return sum + terminal;
}

TEST(ScalingLawModel, states_the_problem_that_the_closed_form_solves) {
  const PowerSchedule best = optimal_power_schedule({.9, 2.5, .4, 2000, 1e3});
  const ControlProblem c =
      make_model("scaling-law", {{"s", .9}, {"beta", 2.5}, {"sigma2", .4}, {"gamma_max", 1e3}, {"N", 2000}});
  auto cost = [&](double tilt) {
    return cost_of(c, 4000,
                   [&](double left) { return best.rate_at_step(2000 - left) * (1 + tilt * std::cos(left / 300)); });
  };
  EXPECT_NEAR(cost(0) / best.loss(), 1, 1e-10);
  EXPECT_NEAR(cost(0), .0258557597, 1e-9);
  EXPECT_GT(cost(.05), cost(0));
  EXPECT_GT(cost(-.05), cost(0));
}

TEST(BatchRampModel, states_the_problem_that_the_closed_form_solves) {
  const PricedBatch best{.3, 200, 2.5, .7, 1e-3};
  const ControlProblem c = make_model("batch-ramp");
  auto cost = [&](double factor) { return cost_of(c, 20000, [&](double t) { return factor * best.batch(t); }); };
  EXPECT_NEAR(cost(1) / best.cost(), 1, 1e-9);
  EXPECT_GT(cost(1.05), cost(1));
  EXPECT_GT(cost(.95), cost(1));
}

}  // namespace
