// A ten-dimensional learning curve (ten modes, constant controls) to a relative tolerance of 1e-8, one core: rates
// written in C++, and rates compiled from formulas. Peer: bench/peers/ode_scipy.py, the same problem.
#include <benchmark/benchmark.h>

#include <array>
#include <cmath>

#include "eos/theory/expression.hpp"
#include "integrate.hpp"

namespace {

using eos::solvers::Integrator;
constexpr int k_modes = 10;
constexpr double k_alpha = .8, k_beta = .02, k_noise = 1, k_end = 40;

double lambda(int j) { return std::pow(j + 1, -1.5); }
std::vector<double> initial() {
  std::vector<double> m;
  for (int j = 0; j < k_modes; ++j) m.push_back(std::pow(j + 1, -.5));
  return m;
}

struct Written {
  std::array<double, k_modes> l{};
  Written() {
    for (int j = 0; j < k_modes; ++j) l[static_cast<std::size_t>(j)] = lambda(j);
  }
  void operator()(double, const double* m, double* rate) const {
    double v = k_noise;
    for (int j = 0; j < k_modes; ++j) v += l[static_cast<std::size_t>(j)] * m[j];
    for (int j = 0; j < k_modes; ++j) rate[j] = l[static_cast<std::size_t>(j)] * (k_beta * v - k_alpha * m[j]);
  }
};

eos::theory::Program compiled() {
  using eos::theory::Expr;
  Expr v = k_noise;
  for (int j = 0; j < k_modes; ++j) v += lambda(j) * Expr::input(j);
  std::vector<Expr> rates;
  for (int j = 0; j < k_modes; ++j) rates.push_back(lambda(j) * (k_beta * v - k_alpha * Expr::input(j)));
  return {rates, k_modes};
}

void integrate(benchmark::State& state, const eos::solvers::Rate& rate, Integrator integrator) {
  std::vector<double> m;
  long evaluations = 0;
  const eos::solvers::Rate counted = [&](double t, const double* y, double* dy) {
    ++evaluations;
    rate(t, y, dy);
  };
  m = initial();
  eos::solvers::integrate(counted, m, 0, k_end, {integrator, 1e-8});
  for (auto _ : state) {
    m = initial();
    if (!eos::solvers::integrate(rate, m, 0, k_end, {integrator, 1e-8})) state.SkipWithError("the integration failed");
    benchmark::DoNotOptimize(m.data());
  }
  state.counters["evaluations"] = static_cast<double>(evaluations);
  state.counters["m_10"] = m.back();
}

const eos::solvers::Rate k_written = Written();
const eos::solvers::Rate k_compiled = [program = compiled()](double, const double* y, double* dy) { program(y, dy); };

BENCHMARK_CAPTURE(integrate, written_dopri5, k_written, Integrator::dopri5)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(integrate, written_fehlberg78, k_written, Integrator::fehlberg78)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(integrate, compiled_dopri5, k_compiled, Integrator::dopri5)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(integrate, compiled_fehlberg78, k_compiled, Integrator::fehlberg78)->Unit(benchmark::kMicrosecond);

}  // namespace
