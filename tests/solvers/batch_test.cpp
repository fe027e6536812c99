#include "eos/solvers/batch.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/solvers/solve.hpp"
#include "needs_cuda.hpp"
#include "reference_problem.hpp"

namespace {

using namespace eos;
using solvers::BatchOptions;
using solvers::BatchResult;
using theory::ModeProblem;
using theory::Rule;

double uniform(std::uint32_t i) {
  core::Address a;
  a.index = i;
  return core::uniform(3, a);
}

/// Reference problems with prices, noise and horizon spread over factors of up to ten.
std::vector<ModeProblem> spread(Rule rule, std::size_t count) {
  std::vector<ModeProblem> problems;
  for (std::uint32_t i = 0; i < count; ++i) {
    ModeProblem p = printed_reference_problem(rule);
    p.discretisation.rest_intervals = -1;
    p.price_sample *= std::pow(10, uniform(4 * i) - .5), p.price_write *= std::pow(10, uniform(4 * i + 1) - .5);
    p.noise_variance *= std::pow(10, uniform(4 * i + 2) - .5), p.horizon *= .5 + uniform(4 * i + 3);
    problems.push_back(p);
  }
  return problems;
}

TEST(Batch, objective_and_gradient_are_those_of_the_single_solver) {
  for (const Rule rule : {Rule::all, Rule::random, Rule::ranked}) {
    const std::vector<ModeProblem> problems = spread(rule, 3);
    theory::Schedule s;
    std::vector<double> rho, kappa, eta;
    for (int i = 0; i < 40; ++i)
      rho.push_back(.2 + .01 * i), kappa.push_back(.9 - .02 * i), eta.push_back(.4 - .005 * i);
    for (int i = 0; i <= 40; ++i) s.edges.push_back(i / 40.);
    s.data_fraction = rho, s.weight_fraction = kappa, s.learning_rate = eta, s.data_rule = s.weight_rule = rule;
    for (const ModeProblem& p : problems) {
      const auto values = solvers::evaluate_batch(std::span(&p, 1), rho, kappa, eta);
      const theory::Plan plan = solvers::evaluate(p, s);
      EXPECT_NEAR(values.objective[0], plan.objective, 1e-13);
      EXPECT_NEAR(values.terminal_loss[0], plan.terminal_loss, 1e-13);
      EXPECT_NEAR(values.energy[0], plan.energy, 1e-13);
    }
  }
}

TEST(Batch, finds_the_optima_of_the_single_solver) {
  for (const Rule rule : {Rule::all, Rule::random, Rule::ranked}) {
    const std::vector<ModeProblem> problems = spread(rule, 12);
    const BatchResult batch = solvers::solve_batch(problems);
    for (std::size_t i = 0; i < problems.size(); ++i) {
      const double single = solvers::solve(problems[i]).objective;
      EXPECT_EQ(batch.status[i], theory::SolveStatus::optimal) << i;
      // Both stop at a projected gradient of 1e-8 or less. Ranked rests are local optima of two searches.
      EXPECT_NEAR(batch.objective[i], single, (rule == Rule::ranked ? 1e-4 : 1e-7) * single) << i;
    }
  }
}

TEST(Batch, the_printed_reference_values_come_out) {
  for (const auto& [rule, value] : {std::pair{Rule::all, .324634}, {Rule::random, .191722}}) {
    const ModeProblem p = printed_reference_problem(rule);
    EXPECT_NEAR(solvers::solve_batch(std::span(&p, 1)).objective[0], value, 6e-7);
  }
}

TEST(Batch, does_not_depend_on_threads_order_or_company) {
  std::vector<ModeProblem> problems = spread(Rule::ranked, 9);
  BatchOptions two;
  two.threads = 2;
  const BatchResult a = solvers::solve_batch(problems), b = solvers::solve_batch(problems, two);
  EXPECT_EQ(a.objective, b.objective);
  EXPECT_EQ(a.learning_rate, b.learning_rate);
  const BatchResult alone = solvers::solve_batch(std::span(problems).subspan(4, 1));
  EXPECT_EQ(alone.objective[0], a.objective[4]);
  std::reverse(problems.begin(), problems.end());
  const BatchResult reversed = solvers::solve_batch(problems);
  EXPECT_EQ(reversed.objective[0], a.objective[8]);
}

TEST(Batch, a_solution_starts_the_certified_solver) {
  const std::vector<ModeProblem> problems = spread(Rule::ranked, 2);
  const BatchResult batch = solvers::solve_batch(problems);
  for (std::size_t i = 0; i < problems.size(); ++i) {
    const theory::Schedule schedule = batch.schedule(problems[i], i);
    solvers::SolveOptions options;
    options.warm_start = &schedule;
    const theory::Plan plan = solvers::solve(problems[i], options);
    EXPECT_NEAR(plan.objective, batch.objective[i], 1e-9);
    EXPECT_LT(plan.certificate.stationarity_residual, 1e-5);
  }
}

TEST(Batch, what_cannot_be_a_lane_is_refused) {
  std::vector<ModeProblem> problems = spread(Rule::ranked, 2);
  EXPECT_THROW(solvers::solve_batch({}), core::Error);
  problems[1].intervals = 20;
  EXPECT_THROW(solvers::solve_batch(problems), core::Error);
  problems[1] = problems[0];
  problems[1].price_path = 1;
  EXPECT_THROW(solvers::solve_batch(problems), core::Error);
}

TEST(Batch, the_device_agrees_with_the_cpu) {
  std::string reason;
  const bool available = solvers::batch_cuda_available(&reason);
  EOS_NEEDS_CUDA(available, reason);
  const std::vector<ModeProblem> problems = spread(Rule::ranked, 64);
  BatchOptions cuda;
  cuda.device = solvers::BatchDevice::cuda;
  const BatchResult a = solvers::solve_batch(problems), b = solvers::solve_batch(problems, cuda);
  for (std::size_t i = 0; i < problems.size(); ++i) EXPECT_NEAR(a.objective[i], b.objective[i], 1e-7 * a.objective[i]);
}

}  // namespace
