// Prices of the size of writes and the exact recursion, in the integrator and the solver.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "../../solvers/src/mode_integrator.hpp"
#include "eos/core/error.hpp"
#include "eos/solvers/front.hpp"
#include "eos/solvers/solve.hpp"

namespace {

using namespace eos::theory;
using eos::solvers::ModeIntegrator;
using Vector = std::vector<double>;

ModeProblem problem(Rule rule) {
  ModeProblem p;
  for (int j = 1; j <= 5; ++j) {
    p.lambda.push_back(std::pow(j, -1.5));
    p.initial.push_back(std::pow(j, -.5));
  }
  p.multiplicity = {1, 1, 2, 4, 8};
  p.batch = 4;
  p.noise_variance = 1;
  p.noise_scale = 1.2;
  p.running_weight = .05;
  p.price_time = .001;
  p.price_sample = .004;
  p.price_write = .003;
  p.data_rule = p.weight_rule = rule;
  p.data_noise = CaptureCurve::laplace();
  p.rate_bounds = {1e-3, .4};
  p.horizon = 10;
  p.intervals = 5;
  return p;
}

ModeProblem with_plasticity(Rule rule, bool rebatched = false) {
  ModeProblem p = problem(rule);
  p.rebatched = rebatched;
  p.plasticity_exponents = {0, .5, 1, 1.4, 2};
  p.plasticity_prices = {.001, .003, .004, .005, .02};
  return p;
}

ModeProblem with_cache(Rule rule, bool rebatched = false) {
  ModeProblem p = problem(rule);
  p.rebatched = rebatched;
  p.price_maintenance = .01;
  p.price_consolidation = .2;
  return p;
}

ModeProblem as(ModeProblem p, Scheme scheme) {
  p.discretisation = {scheme, scheme == Scheme::rk4 ? 4 : 0, -1};
  return p;
}

const Vector k_edges{0, 1, 3, 5, 10};
const std::vector<Controls> k_controls{{.4, .7, .4}, {.3, .5, .35}, {.2, .9, .2}, {.15, .3, .05}};

void expect_exact_gradient(const ModeProblem& p) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  ModeIntegrator integrator(ModeModel(p), k_edges, 4);
  std::vector<ControlGradient> gradient(4, {nan, nan, nan});
  integrator.forward(k_controls);
  integrator.backward(k_controls, gradient);
  const Vector costate(integrator.costate(0).begin(), integrator.costate(0).end());
  for (std::size_t i = 0; i < 4; ++i) {
    auto slope = [&](double Controls::*member) {
      const double h = 1e-5;
      auto at = [&](double change) {
        std::vector<Controls> u = k_controls;
        u[i].*member += change;
        return integrator.forward(u);
      };
      return (at(h) - at(-h)) / (2 * h);
    };
    // The third derivative times h^2 / 6 is of order 1e-10; rounding of J of order 1 over h is 1e-11.
    EXPECT_NEAR(gradient[i].data, slope(&Controls::data_fraction), 4e-9) << i;
    EXPECT_NEAR(gradient[i].weight, slope(&Controls::weight_fraction), 4e-9) << i;
    EXPECT_NEAR(gradient[i].rate, slope(&Controls::learning_rate), 4e-9) << i;
  }
  for (std::size_t j = 0; j < p.lambda.size(); ++j) {
    auto at = [&](double change) {
      ModeProblem q = p;
      q.initial[j] += change;
      return ModeIntegrator(ModeModel(q), k_edges, 4).forward(k_controls);
    };
    EXPECT_NEAR(costate[j], (at(1e-4) - at(-1e-4)) / 2e-4, 2e-8) << j;
  }
}

TEST(WritePrices, gradient_is_the_slope_of_the_objective) {
  for (const Rule rule : {Rule::ranked, Rule::random}) {
    for (const bool rebatched : {false, true}) {
      for (const Scheme scheme : {Scheme::exponential, Scheme::rk4}) {
        expect_exact_gradient(as(with_plasticity(rule, rebatched), scheme));
        expect_exact_gradient(as(with_cache(rule, rebatched), scheme));
      }
    }
  }
}

TEST(Recursion, gradient_is_the_slope_of_the_objective) {
  for (const Rule rule : {Rule::ranked, Rule::random}) {
    expect_exact_gradient(as(problem(rule), Scheme::recursion));
    expect_exact_gradient(as(with_plasticity(rule), Scheme::recursion));
    expect_exact_gradient(as(with_cache(rule), Scheme::recursion));
  }
}

TEST(WritePrices, model_derivatives_are_slopes) {
  for (const Scheme scheme : {Scheme::exponential, Scheme::recursion}) {
    ModeProblem p = as(with_plasticity(Rule::ranked), scheme);
    p.price_maintenance = .01;
    p.price_consolidation = .2;
    const ModeModel model(p);
    const Vector m{.8, .6, .5, .4, .3}, costate{.3, .2, .1, .05, .04};
    const Controls u{.35, .25, .2};
    const ControlGradient g = model.hamiltonian_gradient(m, costate, u);
    auto slope = [&](double Controls::*member) {
      Controls a = u, b = u;
      a.*member += 1e-5;
      b.*member -= 1e-5;
      return (model.hamiltonian(m, costate, a) - model.hamiltonian(m, costate, b)) / 2e-5;
    };
    EXPECT_NEAR(g.data, slope(&Controls::data_fraction), 1e-9);
    EXPECT_NEAR(g.weight, slope(&Controls::weight_fraction), 1e-9);
    EXPECT_NEAR(g.rate, slope(&Controls::learning_rate), 1e-9);
    Vector rate(5);
    model.costate_rate(m, costate, u, rate);
    for (std::size_t j = 0; j < 5; ++j) {
      Vector a = m, b = m;
      a[j] += 1e-5;
      b[j] -= 1e-5;
      EXPECT_NEAR(-rate[j], (model.hamiltonian(a, costate, u) - model.hamiltonian(b, costate, u)) / 2e-5, 1e-9) << j;
    }
    // H = l + p . f with the model's own dynamics.
    model.dynamics(m, u, rate);
    double h = p.running_weight * model.loss(m) + model.energy_rate(m, u).total();
    for (std::size_t j = 0; j < 5; ++j) h += costate[j] * rate[j];
    EXPECT_NEAR(model.hamiltonian(m, costate, u), h, 1e-14);
  }
}

TEST(WritePrices, best_rate_is_least_on_a_fine_grid) {
  for (const double alpha : {.5, 1., 1.5, 2.}) {
    for (const double price : {1e-3, .05}) {
      ModeProblem p = problem(Rule::ranked);
      p.plasticity_exponents = {alpha};
      p.plasticity_prices = {price};
      const ModeModel model(p);
      const Vector m{.8, .6, .5, .4, .3}, costate{.3, .2, .1, .05, .04};
      Controls u{.35, .25, .2};
      u.learning_rate = model.optimal_rate(m, costate, u);
      const double best = model.hamiltonian(m, costate, u);
      for (int i = 0; i <= 2000; ++i) {
        u.learning_rate = 1e-3 + (.4 - 1e-3) * i / 2000;
        EXPECT_LE(best, model.hamiltonian(m, costate, u) + 1e-15) << alpha << " " << price << " " << u.learning_rate;
      }
    }
  }
}

TEST(WritePrices, an_exponent_of_one_is_the_path_price) {
  ModeProblem path = problem(Rule::ranked), list = path;
  path.price_path = .02;
  list.plasticity_exponents = {1};
  list.plasticity_prices = {.02};
  const Plan a = eos::solvers::solve(path), b = eos::solvers::solve(list);
  EXPECT_NEAR(a.objective, b.objective, 1e-12);
  EXPECT_NEAR(a.energy_terms.path, b.energy_terms.plasticity, 1e-7);  // controls agree to the solver's tolerance
}

TEST(WritePrices, a_price_per_write_is_the_exponent_zero) {
  // sum n_j kappa = 16 kappa written synapses, so that c_w = 16 e_0.
  ModeProblem write = problem(Rule::ranked), list = write;
  write.price_write = .016;
  list.price_write = 0;
  list.plasticity_exponents = {0};
  list.plasticity_prices = {.001};
  EXPECT_NEAR(eos::solvers::solve(write).objective, eos::solvers::solve(list).objective, 1e-10);
}

TEST(WritePrices, terms_add_up_to_the_energy) {
  ModeProblem p = with_plasticity(Rule::ranked);
  p.price_path = .01;
  p.price_maintenance = .01;
  p.price_consolidation = .2;
  const Plan plan = eos::solvers::solve(p);
  EXPECT_EQ(plan.status, SolveStatus::optimal) << plan.message;
  EXPECT_NEAR(plan.energy_terms.total(), plan.energy, 1e-14);
  EXPECT_GT(plan.energy_terms.cache, 0);
  EXPECT_GT(plan.energy_terms.plasticity, 0);
  EXPECT_NEAR(plan.energy_terms.time, .001 * 10, 1e-15);
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
}

TEST(WritePrices, are_terms_of_fronts_and_budgets) {
  ModeProblem p = with_plasticity(Rule::ranked);
  p.price_maintenance = .01;
  p.price_consolidation = .2;
  p.discretisation.steps = 8;
  const Plan plan = eos::solvers::solve(p);
  const Schedule schedule = plan.schedule();
  EXPECT_NEAR(eos::solvers::term_amount(p, schedule, "cache"), plan.energy_terms.cache, 1e-13);
  EXPECT_NEAR(eos::solvers::term_amount(p, schedule, "plasticity"), plan.energy_terms.plasticity, 1e-13);
  EXPECT_NEAR(eos::solvers::term_amount(p, schedule, "energy"), plan.energy, 1e-13);
}

TEST(WritePrices, caching_costs_what_a_diffusing_cache_costs_at_its_best_threshold) {
  // c theta/3 + D/theta is least at theta = sqrt(3 D / c) = 12.247 with c = .02, D = 1: .16330 per synapse and step.
  ModeProblem p;
  p.lambda = {1};
  p.initial = {0};
  p.batch = 1;
  p.noise_variance = 1;
  p.data_rule = p.weight_rule = Rule::all;
  p.price_maintenance = .02;
  p.price_consolidation = 1;
  p.rate_bounds = {0, 1};
  const ModeModel model(p);  // at m = 0 one update has the variance eta^2 lambda V / B = 1
  EXPECT_NEAR(model.energy_rate(Vector{0}, {1, 1, 1}).cache, .16330, 5e-6);
}

TEST(Recursion, solver_improves_on_the_continuous_schedule_and_certifies_itself) {
  ModeProblem p = problem(Rule::ranked);
  p.horizon = 20;
  p.intervals = 20;
  p.running_weight = .002;
  const Plan continuous = eos::solvers::solve(p);
  const ModeProblem exact = as(p, Scheme::recursion);
  const Plan plan = eos::solvers::solve(exact);
  EXPECT_EQ(plan.status, SolveStatus::optimal) << plan.message;
  EXPECT_LT(plan.certificate.stationarity_residual, 1e-6);
  EXPECT_LT(plan.certificate.rate_condition, 1e-6);
  EXPECT_LT(plan.certificate.data_condition, 1e-5);
  EXPECT_EQ(plan.certificate.energy_bound, 0);  // proven for continuous time only
  const Plan moved = eos::solvers::evaluate(exact, continuous.schedule());
  EXPECT_LT(plan.objective, moved.objective);
  EXPECT_NEAR(plan.objective / continuous.objective, 1, .2);  // the limit neglects eta^2 lambda_j^2 m_j
}

TEST(Recursion, is_the_model_s_own_step) {
  const ModeProblem p = as(problem(Rule::ranked), Scheme::recursion);
  const ModeModel model(p);
  ModeIntegrator integrator(model, k_edges, 2);
  integrator.forward(k_controls);
  EXPECT_EQ(integrator.steps(), 10u);
  EXPECT_FALSE(integrator.refine(k_controls, 1e-9));
  Vector m = p.initial, next(5);
  double running = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    for (double t = k_edges[i]; t < k_edges[i + 1]; ++t) {
      running += model.loss(m);
      model.step(m, k_controls[i], next);
      m = next;
    }
  }
  double integral = 0;
  for (std::size_t i = 0; i < 4; ++i) integral += integrator.loss_integral(i);
  EXPECT_NEAR(integral, running, 1e-14);
  for (std::size_t j = 0; j < 5; ++j) EXPECT_NEAR(integrator.state(4)[j], m[j], 1e-15);
}

TEST(Recursion, needs_whole_steps) {
  ModeProblem p = as(problem(Rule::ranked), Scheme::recursion);
  p.horizon = 12;
  EXPECT_THROW(eos::solvers::solve(p), eos::core::Error);  // 2.4 steps per interval
  p = as(problem(Rule::ranked), Scheme::recursion);
  EXPECT_THROW(ModeIntegrator(ModeModel(p), {0, 1.5, 3}, 2), eos::core::Error);
  p.discretisation.steps = 2;
  EXPECT_THROW(p.check(), eos::core::Error);
  p.discretisation.steps = 0;
  p.rebatched = true;
  EXPECT_THROW(p.check(), eos::core::Error);
}

TEST(WritePrices, contradictions_are_explained) {
  ModeProblem p = with_plasticity(Rule::ranked);
  p.plasticity_prices.pop_back();
  EXPECT_THROW(p.check(), eos::core::Error);
  p = with_plasticity(Rule::ranked);
  p.rate_bounds.lower = 0;
  EXPECT_THROW(p.check(), eos::core::Error);
  p = with_plasticity(Rule::ranked);
  p.accumulated = true;
  EXPECT_THROW(p.check(), eos::core::Error);
  p = with_plasticity(Rule::ranked);
  p.plasticity_exponents[0] = 2.5;
  EXPECT_THROW(p.check(), eos::core::Error);
  p = problem(Rule::ranked);
  p.price_maintenance = 1;
  EXPECT_THROW(p.check(), eos::core::Error);
}

}  // namespace
