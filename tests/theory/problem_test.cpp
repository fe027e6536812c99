#include "eos/theory/problem.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eos/core/error.hpp"

namespace {

using namespace eos::theory;

ModeProblem small() {
  ModeProblem p;
  p.lambda = {1, .5};
  p.initial = {1, 2};
  return p;
}

std::vector<eos::core::Diagnostic> problems_of(const ModeProblem& p) {
  try {
    p.check();
  } catch (const eos::core::Error& error) {
    return error.diagnostics();
  }
  return {};
}

TEST(ModeProblem, accepts_a_small_problem) { EXPECT_TRUE(problems_of(small()).empty()); }

TEST(ModeProblem, reports_every_problem_at_once) {
  ModeProblem p = small();
  p.data_bounds = {.5, .1};
  p.weight_bounds = {0, 2};
  p.horizon = 0;
  p.price_sample = -1;
  p.noise_variance = std::nan("");
  p.terminal_weight = 0;
  p.initial = {1};
  const auto problems = problems_of(p);
  EXPECT_EQ(problems.size(), 7u);
}

TEST(ModeProblem, each_problem_has_its_code) {
  struct Case {
    std::function<void(ModeProblem&)> change;
    const char* code;
    const char* says;
  };
  const Case cases[] = {
      {[](ModeProblem& p) { p.lambda.clear(), p.initial.clear(); }, "E401", "no modes"},
      {[](ModeProblem& p) { p.initial.push_back(1); }, "E107", "initial"},
      {[](ModeProblem& p) { p.multiplicity = {1}; }, "E107", "multiplicity"},
      {[](ModeProblem& p) { p.lambda[1] = 0; }, "E104", "lambda[1]"},
      {[](ModeProblem& p) { p.initial[0] = -1; }, "E104", "initial[0]"},
      {[](ModeProblem& p) { p.batch = 0; }, "E104", "batch"},
      {[](ModeProblem& p) { p.horizon = INFINITY; }, "E401", "horizon"},
      {[](ModeProblem& p) { p.intervals = 0; }, "E104", "intervals"},
      {[](ModeProblem& p) { p.price_write = -1e-9; }, "E104", "price_write"},
      {[](ModeProblem& p) { p.price_path = std::nan(""); }, "E104", "price_path"},
      {[](ModeProblem& p) { p.running_weight = -1; }, "E104", "running_weight"},
      {[](ModeProblem& p) { p.terminal_weight = 0; }, "E401", "nothing rewards"},
      {[](ModeProblem& p) {
         p.rate_bounds = {.2, .1};
       },
       "E401", "reversed"},
      {[](ModeProblem& p) {
         p.data_bounds = {0, 1};
       },
       "E104", "data_bounds"},
      {[](ModeProblem& p) {
         p.weight_bounds = {.1, 1.1};
       },
       "E104", "weight_bounds"},
      {[](ModeProblem& p) {
         p.rate_bounds = {-.1, .1};
       },
       "E104", "rate_bounds"},
      {[](ModeProblem& p) {
         p.rate_bounds = {0, std::nan("")};
       },
       "E104", "rate_bounds"},
      {[](ModeProblem& p) { p.discretisation.steps = 3; }, "E104", "steps = 3"},
      {[](ModeProblem& p) { p.discretisation.steps = -2; }, "E104", "steps = -2"},
      {[](ModeProblem& p) { p.discretisation.scheme = Scheme::rk4; }, "E401", "rk4"},
      {[](ModeProblem& p) { p.discretisation.rest_intervals = 41; }, "E104", "rest_intervals = 41"},
      {[](ModeProblem& p) { p.discretisation.rest_intervals = -2; }, "E104", "rest_intervals = -2"},
      {[](ModeProblem& p) {
         p.discretisation.rest_intervals = 1;
         p.data_rule = p.weight_rule = Rule::all;
       },
       "E401", "rest of 1"},
      {[](ModeProblem& p) {
         p.discretisation.rest_intervals = 1;
         p.full_data_end = .1;
       },
       "E401", "overlaps"},
  };
  for (const Case& c : cases) {
    ModeProblem p = small();
    c.change(p);
    const auto problems = problems_of(p);
    ASSERT_EQ(problems.size(), 1u) << c.says;
    EXPECT_EQ(problems[0].code, c.code) << c.says;
    EXPECT_THAT(problems[0].message, testing::HasSubstr(c.says));
  }
}

TEST(ModeProblem, full_data_phases_cover_the_intervals_they_name) {
  ModeProblem p = small();
  p.full_data_start = .1;
  p.full_data_end = .25;
  p.check();
  for (int i = 0; i < 20; ++i) {
    const double lower = p.data_bounds_in(i, 20).lower;
    EXPECT_EQ(lower, i < 2 || i >= 15 ? 1 : 1e-3) << i;
    EXPECT_EQ(p.data_bounds_in(i, 20).upper, 1);
  }
}

TEST(ModeProblem, a_rest_of_fixed_length_covers_the_last_intervals) {
  ModeProblem p = small();
  p.full_data_start = .5;  // may precede the rest
  EXPECT_FALSE(p.rests_in(39, 40));
  p.discretisation = {Scheme::rk4, 2, 3};
  p.check();
  for (int i = 0; i < 40; ++i) EXPECT_EQ(p.rests_in(i, 40), i >= 37) << i;
  for (int i = 0; i < 80; ++i) EXPECT_EQ(p.rests_in(i, 80), i >= 74) << i;
  p.discretisation.rest_intervals = 0;
  EXPECT_FALSE(p.rests_in(39, 40));
}

TEST(Plan, becomes_a_schedule_over_progress) {
  Plan plan;
  plan.problem = small();
  plan.problem.title = "two modes";
  plan.problem.weight_rule = Rule::random;
  plan.trajectory.time = {0, 10, 40};
  plan.trajectory.data_fraction = {1, .5};
  plan.trajectory.weight_fraction = {.3, .2};
  plan.trajectory.learning_rate = {.1, .05};
  const Schedule s = plan.schedule();
  s.check();
  EXPECT_EQ(s.edges, (std::vector<double>{0, .25, 1}));
  EXPECT_EQ(s.at(.2).weight_fraction, .3);
  EXPECT_EQ(s.data_rule, Rule::ranked);
  EXPECT_EQ(s.weight_rule, Rule::random);
  EXPECT_EQ(s.origin, "plan: two modes");
}

TEST(SolveStatus, has_a_word_for_every_outcome) {
  for (SolveStatus s : {SolveStatus::optimal, SolveStatus::iteration_limit, SolveStatus::stalled,
                        SolveStatus::not_finite, SolveStatus::evaluated}) {
    EXPECT_NE(to_string(s), "unknown");
  }
}

}  // namespace
