// Direct transcription against problems with known optima.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "eos/core/error.hpp"
#include "eos/solvers/control.hpp"
#include "gold_problems.hpp"

namespace {

using namespace eos;
using eos::solvers::ControlOptions;
using eos::solvers::solve;
using theory::ControlSolution;
using theory::ControlStatus;
using theory::Method;

ControlSolution solved(const theory::ControlProblem& problem, Method method = Method::radau, int intervals = 50) {
  ControlOptions options;
  options.method = method;
  options.intervals = intervals;
  return solve(problem, options);
}

double relative(double value, double reference) {
  return std::fabs(value - reference) / std::max(1.0, std::fabs(reference));
}

/// |J_N - J*| at N and 2 N without refinement: log2 of the ratio is the order.
double order(const theory::ControlProblem& problem, double reference, Method method, int intervals) {
  ControlOptions options;
  options.method = method;
  options.max_refinements = 0;
  options.tolerance = 1e-12;
  double error[2];
  for (int i = 0; i < 2; ++i) {
    options.intervals = intervals << i;
    error[i] = std::fabs(solve(problem, options).objective - reference);
  }
  return std::log2(error[0] / error[1]);
}

struct Gold {
  const char* name;
  theory::ControlProblem problem;
  double optimum, tolerance;
};
void PrintTo(const Gold& g, std::ostream* out) { *out << g.name; }

// Optima: closed forms where there is one (energy, time, Bryson-Denham, brachistochrone, bang-singular problems, fuel,
// turnpike, hyper-sensitive limit), otherwise stationary points of verified structure with residuals below 1e-12.
std::vector<Gold> gold_problems() {
  return {{"energy", gold::energy(), 6, 1e-12},
          {"minimum_time", gold::minimum_time(), 2, 1e-10},
          {"minimum_time_from_1_1", gold::minimum_time(1, 1), 3.44948974278318, 1e-8},
          {"bryson_denham", gold::bryson_denham(), 4, 1e-8},
          {"van_der_pol", gold::van_der_pol(), 2.86726104522167, 1e-10},
          {"rayleigh", gold::rayleigh(), 29.3760796559429, 1e-10},
          {"brachistochrone", gold::brachistochrone(), 1.80160312245308, 1e-10},
          {"bang_singular", gold::bang_singular(), 0.753983860575889, 1e-8},
          {"bressan", gold::bressan(), 1000.0 / 18, 1e-8},
          {"aly_chan", gold::aly_chan(), 0, 1e-8},
          {"catalyst", gold::catalyst(), -0.0480556858608775, 1e-8},
          {"fuel", gold::fuel(), 3 - std::sqrt(5.0), 1e-8},
          {"hyper_sensitive", gold::hyper_sensitive(), 1.33080690494300, 1e-10},
          {"fuller", gold::fuller(), 0.268393830568911, 1e-8},
          {"turnpike", gold::turnpike(), 0.375, 1e-8},
          {"singular_free_time", gold::singular_free_time(), 10.0 / 3, 1e-8}};
}

class GoldProblem : public testing::TestWithParam<Gold> {};
INSTANTIATE_TEST_SUITE_P(Transcription, GoldProblem, testing::ValuesIn(gold_problems()),
                         [](const auto& at) { return at.param.name; });

TEST_P(GoldProblem, reaches_the_known_optimum_from_a_constant_guess) {
  const ControlSolution s = solved(GetParam().problem);
  EXPECT_EQ(s.status, ControlStatus::optimal) << s.message;
  EXPECT_LT(relative(s.objective, GetParam().optimum), GetParam().tolerance) << s.objective;
}

TEST(Transcription, goddard_rocket_comes_close_without_its_structure) {
  // A singular arc on a mesh without free switching times: the objective is right to 1e-5.
  ControlOptions options;
  options.method = Method::radau;
  options.max_refinements = 0;
  EXPECT_LT(relative(solve(gold::goddard(), options).objective, 1.01283691831749), 2e-5);
}

TEST(Transcription, orders_are_2_4_and_5) {
  // Rayleigh has no active bound: states, costates and J converge with the full order of the pair.
  const double j = 29.3760796559429;
  EXPECT_NEAR(order(gold::rayleigh(), j, Method::trapezoid, 160), 2, 0.2);
  EXPECT_NEAR(order(gold::rayleigh(), j, Method::hermite_simpson, 80), 4, 0.2);
  EXPECT_NEAR(order(gold::rayleigh(), j, Method::radau, 40), 5, 0.2);
}

TEST(Transcription, schemes_agree) {
  for (const Method method : {Method::hermite_simpson, Method::radau})
    EXPECT_LT(relative(solved(gold::van_der_pol(), method).objective, 2.86726104522167), 1e-9) << to_string(method);
}

TEST(Transcription, works_from_any_first_mesh) {
  for (const int n : {25, 200, 2000}) {
    EXPECT_LT(relative(solved(gold::van_der_pol(), Method::radau, n).objective, 2.86726104522167), 1e-9) << n;
    EXPECT_LT(relative(solved(gold::bang_singular(), Method::radau, n).objective, 0.753983860575889), 1e-8) << n;
  }
}

TEST(Transcription, gives_costates_and_a_constant_hamiltonian) {
  const ControlSolution s = solved(gold::van_der_pol());
  EXPECT_NEAR(s.costates[0].front(), 0.83293889, 1e-6);
  EXPECT_NEAR(s.costates[1].front(), 4.88565864, 1e-6);
  EXPECT_NEAR(s.costates[0].back(), 0, 1e-8);
  // u = -p1 / 2 where no bound is active.
  for (std::size_t k = 0; k < s.time.size(); ++k)
    if (s.time[k] > 3 && s.time[k] < 4.5) {
      EXPECT_NEAR(s.controls[0][k], -0.5 * s.costates[0][k], 1e-4);
    }
}

TEST(Transcription, hyper_sensitive_problem_needs_few_intervals) {
  ControlOptions options;
  options.method = Method::radau;
  options.tolerance = 1e-8;
  const ControlSolution s = solve(gold::hyper_sensitive(), options);
  EXPECT_LT(relative(s.objective, 1.33080690494300), 1e-8);
  EXPECT_LE(s.intervals, 150);
}

TEST(Transcription, path_constraints_hold) {
  // u limited by a path constraint equals u limited by a bound.
  theory::ControlProblem p = gold::turnpike();
  p.controls[0].bounds = {};
  p.path.push_back({"speed", p.u(0), {-1, 1}});
  ControlOptions options;
  options.method = Method::radau;
  options.max_refinements = 0;
  const ControlSolution s = solve(p, options), bound = solve(gold::turnpike(), options);
  EXPECT_NEAR(s.objective, bound.objective, 1e-8);
}

TEST(Transcription, end_constraints_hold) {
  // Energy to the line x + v = 1 at T = 1: minimise 1/2 int u^2, closed form 1/2 / int (2 - t)^2 dt = 3/14.
  theory::ControlProblem p = gold::double_integrator(0, 0, {}, {}, 1, {});
  p.add_cost("energy", 0.5 * p.u(0) * p.u(0));
  p.ends.push_back({"line", p.x_final(0) + p.x_final(1), {1, 1}});
  EXPECT_NEAR(solved(p).objective, 3.0 / 14, 1e-11);
  p.ends[0].bounds = {1, theory::k_infinity};
  EXPECT_NEAR(solved(p).objective, 3.0 / 14, 1e-9);
}

TEST(Transcription, free_initial_values_follow_their_end_cost) {
  // x' = u, free x(0): min (x(0) - 1)^2 + x(1)^2 + int u^2; stationarity gives x(0) = 2/3, x(1) = 1/3, J = 1/3.
  theory::ControlProblem p;
  p.add_state("x", {});
  p.add_control("u", {});
  p.states[0].dynamics = p.u(0);
  p.add_cost("cost", p.u(0) * p.u(0), (p.x_initial(0) - 1) * (p.x_initial(0) - 1) + p.x_final(0) * p.x_final(0));
  const ControlSolution s = solved(p);
  EXPECT_NEAR(s.objective, 1.0 / 3, 1e-11);
  EXPECT_NEAR(s.states[0].front(), 2.0 / 3, 1e-8);
}

TEST(Transcription, ipopt_agrees_on_the_same_mesh) {
  ControlOptions options;
  options.max_refinements = 0;
  for (const auto& problem : {gold::van_der_pol(), gold::minimum_time(), gold::brachistochrone()}) {
    options.method = Method::radau;
    const double own = solve(problem, options).objective;
    options.method = Method::ipopt;
    try {
      EXPECT_NEAR(solve(problem, options).objective, own, 1e-8);
    } catch (const core::Error& e) {
      EXPECT_THAT(e.what(), testing::HasSubstr("without Ipopt"));
    }
  }
}

TEST(AdjointControl, agrees_with_closed_forms_and_converges_with_order_2) {
  ControlOptions options;
  options.method = Method::adjoint;
  options.max_refinements = 0;
  double error[2];
  for (int i = 0; i < 2; ++i) {
    options.intervals = 50 << i;
    error[i] = std::fabs(solve(gold::van_der_pol(), options).objective - 2.86726104522167);
  }
  EXPECT_NEAR(std::log2(error[0] / error[1]), 2, 0.2);
  options.intervals = 40;
  EXPECT_NEAR(solve(gold::energy(), options).objective, 6 * (1 + 1.0 / (40.0 * 40 - 1)), 1e-7);
}

TEST(AdjointControl, finds_the_least_time) {
  ControlOptions options;
  options.method = Method::adjoint;
  options.max_refinements = 0;
  options.intervals = 50;  // the switch lies on an edge
  EXPECT_NEAR(solve(gold::minimum_time(), options).objective, 2, 1e-6);
}

TEST(AdjointControl, refuses_state_bounds) {
  ControlOptions options;
  options.method = Method::adjoint;
  EXPECT_THROW(solve(gold::bryson_denham(), options), core::Error);
}

TEST(Transcription, infeasible_problem_says_where) {
  // One unit of distance in half a second with |u| <= 1.
  const ControlSolution s = solved([] {
    theory::ControlProblem p = gold::double_integrator(0, 0, gold::point(1), gold::point(0), 0.5, {-1, 1});
    p.add_cost("energy", p.u(0) * p.u(0));
    return p;
  }());
  EXPECT_EQ(s.status, ControlStatus::infeasible);
  EXPECT_FALSE(s.message.empty());
}

TEST(Transcription, unbounded_problem_is_a_status) {
  theory::ControlProblem p = gold::double_integrator(0, 0, {}, {}, 1, {});
  p.add_cost("gain", p.u(0));
  const ControlSolution s = solved(p);
  EXPECT_FALSE(s.ok());
  EXPECT_FALSE(s.message.empty());
}

TEST(Transcription, formula_that_is_not_finite_names_the_place) {
  theory::ControlProblem p = gold::turnpike();
  p.costs[0].running = log(p.x(0) - 2);
  const ControlSolution s = solved(p);
  EXPECT_EQ(s.status, ControlStatus::not_finite);
  EXPECT_THAT(s.message, testing::HasSubstr("cost"));
}

TEST(Transcription, reversed_bounds_are_an_error) {
  theory::ControlProblem p = gold::turnpike();
  p.controls[0].bounds = {1, -1};
  EXPECT_THROW(solve(p), core::Error);
}

}  // namespace
