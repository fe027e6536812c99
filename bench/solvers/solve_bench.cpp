// Time to the optimal schedule of the reference problem (8 modes, 40 intervals) and of larger ones, one core.
#include <benchmark/benchmark.h>

#include <cmath>

#include "eos/solvers/batch.hpp"
#include "eos/solvers/solve.hpp"

namespace {

using namespace eos::theory;

ModeProblem problem(Rule rule, int modes, int intervals) {
  ModeProblem p;
  for (int j = 1; j <= modes; ++j) {
    p.lambda.push_back(std::pow(j, -1.5));
    p.initial.push_back(std::pow(j, -.5));
  }
  p.batch = 4;
  p.noise_variance = 1;
  p.running_weight = .002;
  p.price_sample = .004;
  p.price_write = .003;
  p.horizon = 40;
  p.intervals = intervals;
  p.rate_bounds = {0, .4};
  p.data_rule = p.weight_rule = rule;
  return p;
}

void solve_problem(benchmark::State& state, const ModeProblem& p) {
  Plan plan;
  for (auto _ : state) {
    plan = eos::solvers::solve(p);
    benchmark::ClobberMemory();
  }
  state.counters["J"] = plan.objective;
  state.counters["evaluations"] = plan.evaluations;
  state.counters["drift"] = plan.certificate.hamiltonian_drift;
}

void evaluate_schedule(benchmark::State& state) {
  const ModeProblem p = problem(Rule::ranked, 8, 40);
  const Schedule schedule = eos::solvers::solve(p).schedule();
  for (auto _ : state) benchmark::DoNotOptimize(eos::solvers::evaluate(p, schedule).objective);
}

/// Reference problems at prices over two decades: in lockstep, and one after the other.
std::vector<ModeProblem> price_sweep(Rule rule, int count) {
  std::vector<ModeProblem> problems(static_cast<std::size_t>(count), problem(rule, 8, 40));
  for (int i = 0; i < count; ++i) {
    const double factor = std::pow(100, static_cast<double>(i) / count - .5);
    problems[static_cast<std::size_t>(i)].price_sample *= factor,
        problems[static_cast<std::size_t>(i)].price_write *= factor;
  }
  return problems;
}
void sweep_in_batch(benchmark::State& state, Rule rule) {
  const std::vector<ModeProblem> problems = price_sweep(rule, static_cast<int>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(eos::solvers::solve_batch(problems));
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
void sweep_one_by_one(benchmark::State& state, Rule rule) {
  const std::vector<ModeProblem> problems = price_sweep(rule, static_cast<int>(state.range(0)));
  for (auto _ : state)
    for (const ModeProblem& p : problems) benchmark::DoNotOptimize(eos::solvers::solve(p).objective);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(sweep_in_batch, ranked, Rule::ranked)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sweep_one_by_one, ranked, Rule::ranked)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sweep_in_batch, dense, Rule::all)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(sweep_one_by_one, dense, Rule::all)->Arg(256)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_problem, reference_dense, problem(Rule::all, 8, 40))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_problem, reference_random, problem(Rule::random, 8, 40))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_problem, reference_ranked, problem(Rule::ranked, 8, 40))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_problem, ranked_40_modes, problem(Rule::ranked, 40, 40))->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(solve_problem, ranked_400_intervals, problem(Rule::ranked, 8, 400))->Unit(benchmark::kMillisecond);
BENCHMARK(evaluate_schedule)->Unit(benchmark::kMicrosecond);

}  // namespace
