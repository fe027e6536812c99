// Plans against the energy that no schedule can do without.
#include <gtest/gtest.h>

#include "eos/solvers/solve.hpp"
#include "eos/theory/bounds.hpp"
#include "reference_problem.hpp"

namespace {

using namespace eos;
using theory::Rule;

TEST(EnergyBoundOfPlans, is_below_the_energy_of_every_reference_plan) {
  for (Rule rule : {Rule::all, Rule::random, Rule::ranked}) {
    const theory::Plan plan = solvers::solve(reference_problem(rule));
    const theory::Certificate& c = plan.certificate;
    EXPECT_LE(c.energy_bound, plan.energy);
    EXPECT_GT(c.efficiency, .5) << theory::to_string(plan.status);
    EXPECT_DOUBLE_EQ(c.efficiency, c.energy_bound / plan.energy);
    EXPECT_FALSE(c.bound_statement.empty());
    EXPECT_DOUBLE_EQ(c.energy_bound, theory::energy_bound(plan.problem, plan.terminal_loss).energy);
  }
}

TEST(EnergyBoundOfPlans, is_met_where_noise_is_negligible) {
  // A large batch: the optimum learns with everything at the greatest rate, then rests.
  theory::ModeProblem p = reference_problem(Rule::random);
  p.batch = 1e7;
  p.running_weight = 0;
  const theory::Plan plan = solvers::solve(p);
  // The fractions of the rest are 1e-3, which costs (c_b + c_w) 1e-3 per step.
  EXPECT_GT(plan.certificate.efficiency, .99);
  EXPECT_LE(plan.certificate.efficiency, 1);
}

}  // namespace
