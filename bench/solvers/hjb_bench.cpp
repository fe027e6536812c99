// Grid points per second of one explicit Hamilton-Jacobi-Bellman step in three dimensions, against what the memory of
// one core can move, measured in the same run. A step has to read V and write V: 16 bytes a point in double precision.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "eos/solvers/hjb.hpp"
#include "eos/solvers/hjb_step.hpp"
#include "eos/solvers/saving.hpp"

namespace {

using namespace eos::solvers;

/// CPU seconds of this thread: other work on the machine does not count.
double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
template <class F>
double seconds_of(const F& f) {
  const double start = cpu_seconds();
  f();
  return cpu_seconds() - start;
}

/// Bytes per second of a = b + s c on arrays of `size`, counted as three words an entry (McCalpin's STREAM).
double triad(std::size_t size) {
  std::vector<double> a(size, 0.0), b(size, 1.0), c(size, 2.0);
  double best = 1e9;
  for (int i = 0; i < 10; ++i) {
    best = std::min(best, seconds_of([&] {
                      for (std::size_t k = 0; k < size; ++k) a[k] = b[k] + .5 * c[k];
                      benchmark::DoNotOptimize(a.data());
                      benchmark::ClobberMemory();
                    }));
  }
  return 24.0 * static_cast<double>(size) / best;
}

/// The car of Dubins (1957): (heading, x, y), unit speed, |turn| <= 1, minimum time. Drift is constant along a row.
struct Car {
  static constexpr int k_states = 3, k_controls = 1;
  const HjbGrid& grid;
  struct Row {
    static constexpr AffinePattern k_pattern{.drift = {false, true, true},
                                             .gain = {{true, false, false}},
                                             .price_abs = false,
                                             .price_square = false,
                                             .speed = false};
    double cosine, sine;
    template <class Real>
    AffinePoint<3, 1, Real> at(std::int64_t) const {
      AffinePoint<3, 1, Real> p;
      p.running = all<Real>(1);
      p.drift[1] = all<Real>(cosine), p.drift[2] = all<Real>(sine);
      p.gain[0][0] = all<Real>(1);
      p.lower[0] = -1, p.upper[0] = 1;
      return p;
    }
  };
  Row row(std::int64_t index) const {
    const double heading = grid.axes[0].coordinate(index / grid.axes[1].points);
    return {std::cos(heading), std::sin(heading)};
  }
};

/// Triple integrator (position, velocity, acceleration), |jerk| <= 1, cost x^2/2 + u^2/2: drift varies along a row.
struct Triple {
  static constexpr int k_states = 3, k_controls = 1;
  const HjbGrid& grid;
  struct Row {
    static constexpr AffinePattern k_pattern{
        .drift = {true, true, false}, .gain = {{false, false, true}}, .price_abs = false, .speed = false};
    double cost, velocity, lower, step;
    template <class Real>
    AffinePoint<3, 1, Real> at(std::int64_t k) const {
      AffinePoint<3, 1, Real> p;
      p.running = all<Real>(cost);
      p.drift[0] = all<Real>(velocity), p.drift[1] = lower + step * counted<Real>(static_cast<double>(k));
      p.gain[0][2] = all<Real>(1);
      p.price_square[0] = all<Real>(1);
      p.lower[0] = -1, p.upper[0] = 1;
      return p;
    }
  };
  Row row(std::int64_t index) const {
    const double x = grid.axes[0].coordinate(index / grid.axes[1].points);
    return {.5 * x * x, grid.axes[1].coordinate(index % grid.axes[1].points), grid.axes[2].lower, grid.axes[2].step()};
  }
};

HjbGrid cube(std::int64_t points, Edge edge) {
  HjbGrid grid;
  for (int i = 0; i < 3; ++i) grid.axes.push_back({-1, 1, points, Spacing::uniform, edge, edge});
  return grid;
}

template <class Model>
void explicit_step(benchmark::State& state) {
  const HjbGrid grid = cube(state.range(0), Edge::extrapolate);
  const auto size = static_cast<std::size_t>(grid.size());
  std::vector<double> v(size), next(size);
  for (std::size_t k = 0; k < size; ++k) {
    double x[3];
    grid.point(static_cast<std::int64_t>(k), x);
    v[k] = x[0] * x[0] + x[1] * x[1] + x[2] * x[2];
  }
  const Model model{grid};
  double best = 1e9;
  for (auto _ : state) {
    const double seconds = seconds_of([&] {
      upwind_step(grid, model, v.data(), next.data(), 1e-4, 0, 1e6, 1);
      benchmark::DoNotOptimize(next.data());
      benchmark::ClobberMemory();
    });
    best = std::min(best, seconds);
    v.swap(next);
  }
  const double points_a_second = static_cast<double>(size) / best, bandwidth = triad(size);
  state.counters["Gpoints/s"] = points_a_second * 1e-9;
  state.counters["triad GB/s"] = bandwidth * 1e-9;
  state.counters["share of roof"] = points_a_second * 16 / bandwidth;
}

void growth_million_points(benchmark::State& state) {
  SavingProblem p;
  const double steady = std::pow(.36 * .96, 1 / .64);
  p.lower = steady / 2, p.upper = steady * 2, p.discount = .96;
  for (const double k : logarithmic_points(p.lower, p.upper, 1000000)) p.resources.push_back(std::pow(k, .36));
  double error = 0;
  for (auto _ : state) {
    const SavingSolution s = solve_saving(p);
    for (std::size_t i = 0; i < s.value.size(); ++i) {
      error = std::max(error, std::abs(s.value[i] - (-24.6286764183353 + 0.550122249388753 * std::log(s.state[i]))));
    }
  }
  state.counters["error"] = error;
}

BENCHMARK(explicit_step<Car>)->Arg(64)->Arg(200)->Unit(benchmark::kMillisecond);
BENCHMARK(explicit_step<Triple>)->Arg(64)->Arg(200)->Unit(benchmark::kMillisecond);
BENCHMARK(growth_million_points)->Unit(benchmark::kMillisecond);

}  // namespace
