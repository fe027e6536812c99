// Control problems: van der Pol's oscillator cold, a Pareto front, a batch; our methods and Ipopt in the same run.
//
// Problem: x1' = (1 - x2^2) x1 - x2 + u, x2' = x1, x(0) = (0, 1), T = 5, -0.3 <= u <= 1, min int x1^2 + x2^2 + u^2.
// Times include compiling the formulas, not the certificate. bench/peers/control_casadi.py and control_scipy.py solve
// the same problem.
#include <benchmark/benchmark.h>

#include "eos/core/error.hpp"
#include "eos/solvers/continuation.hpp"

namespace {

using namespace eos;
using theory::Method;

theory::ControlProblem van_der_pol() {
  theory::ControlProblem p;
  p.add_state("x1", theory::Interval::point(0));
  p.add_state("x2", theory::Interval::point(1));
  p.add_control("u", {-0.3, 1});
  p.states[0].dynamics = (1 - p.x(1) * p.x(1)) * p.x(0) - p.x(1) + p.u(0);
  p.states[1].dynamics = p.x(0);
  p.horizon.value = 5;
  p.add_cost("deviation", p.x(0) * p.x(0) + p.x(1) * p.x(1));
  p.add_cost("energy", p.u(0) * p.u(0));
  return p;
}

void cold(benchmark::State& state, Method method) {
  const theory::ControlProblem problem = van_der_pol();
  solvers::ControlOptions options;
  options.method = method;
  options.intervals = static_cast<int>(state.range(0));
  options.max_refinements = 0;
  options.certificate = false;  // which integrates everything anew
  options.tolerance = 1e-8;
  theory::ControlSolution s;
  try {
    for (auto _ : state) s = solvers::solve(problem, options);
  } catch (const core::Error& e) {
    state.SkipWithError(e.what());
    return;
  }
  state.counters["iterations"] = s.iterations;
  state.counters["J"] = s.objective;
}
BENCHMARK_CAPTURE(cold, trapezoid, Method::trapezoid)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cold, hermite_simpson, Method::hermite_simpson)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cold, radau, Method::radau)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(cold, ipopt_radau, Method::ipopt)->Arg(100)->Arg(1000)->Unit(benchmark::kMillisecond);

void front(benchmark::State& state, Method method) {
  const theory::ControlProblem problem = van_der_pol();
  solvers::ContinuationOptions options;
  options.control.method = method;
  options.control.intervals = 100;
  const std::vector<double> weights = solvers::geometric(0.1, 10, 50);
  double steps = 0;
  for (auto _ : state) {
    const auto points = solvers::pareto_front(problem, "energy", weights, options);
    steps = 0;
    for (std::size_t i = 1; i < points.size(); ++i) steps += points[i].solution.iterations;
  }
  state.counters["newton_per_point"] = steps / static_cast<double>(weights.size() - 1);
}
BENCHMARK_CAPTURE(front, trapezoid, Method::trapezoid)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(front, radau, Method::radau)->Unit(benchmark::kMillisecond);

void batch(benchmark::State& state) {
  const theory::ControlProblem problem = van_der_pol();
  solvers::ContinuationOptions options;
  options.control.method = Method::trapezoid;
  options.control.intervals = 100;
  std::vector<std::vector<double>> points;
  for (const double w : solvers::geometric(0.1, 10, 1000)) points.push_back({1, w});
  for (auto _ : state)
    benchmark::DoNotOptimize(solvers::solve_batch(problem, points, options, static_cast<int>(state.range(0))));
  state.SetItemsProcessed(state.iterations() * 1000);
}
BENCHMARK(batch)->Arg(1)->Arg(2)->UseRealTime()->Unit(benchmark::kMillisecond);

}  // namespace
