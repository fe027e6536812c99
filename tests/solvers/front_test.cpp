#include "eos/solvers/front.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "reference_problem.hpp"

namespace {

using namespace eos;
using solvers::FrontPoint;

std::vector<double> decades(double low, double high, int n) {
  std::vector<double> f;
  for (int i = 0; i < n; ++i) f.push_back(low * std::pow(high / low, i / (n - 1.0)));
  return f;
}

TEST(Front, slope_is_the_term_and_energy_falls_with_its_price) {
  const auto points = solvers::trace_front(reference_problem(theory::Rule::ranked), "energy", decades(.3, 3, 7));
  for (std::size_t i = 0; i < points.size(); ++i) {
    EXPECT_TRUE(points[i].on_hull) << points[i].factor;
    if (i == 0) continue;
    EXPECT_LT(points[i].energy, points[i - 1].energy);
    EXPECT_GT(points[i].loss, points[i - 1].loss);
  }
}

TEST(Front, envelope_theorem_holds_at_every_point) {
  const theory::ModeProblem p = reference_problem(theory::Rule::ranked);
  for (const char* term : {"energy", "sample", "write", "loss"})
    for (const FrontPoint& point : solvers::trace_front(p, term, decades(.5, 2, 3)))
      EXPECT_LT(point.envelope_residual, 1e-8) << term << " at " << point.factor;
}

TEST(Front, terms_add_up_to_the_objective) {
  theory::ModeProblem p = reference_problem(theory::Rule::ranked);
  p.discretisation.steps = 8;
  const theory::Plan plan = solvers::solve(p);
  const theory::Schedule s = plan.schedule();
  double sum = 0;
  for (const char* term : {"loss", "sample", "write"}) sum += solvers::term_amount(p, s, term);
  EXPECT_NEAR(sum, plan.objective, 1e-13);
  EXPECT_NEAR(solvers::term_amount(p, s, "energy"), plan.energy, 1e-13);
}

TEST(Front, budget_is_met_and_no_cheaper_plan_within_it_is_known) {
  const theory::ModeProblem p = reference_problem(theory::Rule::ranked);
  const double limit = .05;
  const solvers::BudgetPlan b = solvers::solve_with_budget(p, "energy", limit);
  ASSERT_TRUE(b.feasible && b.binding);
  EXPECT_LE(b.point.energy, limit);
  EXPECT_LT(b.gap, .02 * limit) << b.message;  // resting intervals come and go: the front jumps a little
  for (const FrontPoint& other : solvers::trace_front(p, "energy", decades(.5, 2, 9)))
    if (other.energy <= b.point.energy) {
      EXPECT_GE(other.loss, b.point.loss * (1 - 1e-9)) << other.factor;
    }
}

TEST(Front, budgets_that_do_not_bind_or_cannot_be_met_say_so) {
  theory::ModeProblem p = reference_problem(theory::Rule::ranked);
  const solvers::BudgetPlan loose = solvers::solve_with_budget(p, "energy", 10);
  EXPECT_FALSE(loose.binding);
  p.price_time = .01;
  const solvers::BudgetPlan tight = solvers::solve_with_budget(p, "time", .3);
  EXPECT_FALSE(tight.feasible) << "upkeep of a fixed horizon is .4";
  EXPECT_THROW(solvers::solve_with_budget(p, "energy", -1), core::Error);
  EXPECT_THROW(solvers::solve_with_budget(p, "enrgy", 1), core::Error);
}

}  // namespace
