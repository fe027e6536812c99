// Exact top-k by magnitude: ours, Thrust's sort on OpenMP, and std::nth_element.
#include <bit>
#include <functional>

#include "bench_support.hpp"
#include "eos/kernels/select.hpp"

namespace eos::bench {

namespace {

using namespace eos::kernels;

/// n, k per mille, threads
struct Problem {
  std::vector<float> values;
  std::int64_t offsets[2], k;
  Selection selection;
  Context context;
  explicit Problem(const benchmark::State& state)
      : values(normals(static_cast<std::size_t>(state.range(0)), 1)),
        offsets{0, state.range(0)},
        k(state.range(0) * state.range(1) / 1000),
        context(Context::cpu(static_cast<int>(state.range(2)))) {}
  double bytes() const { return 4.0 * static_cast<double>(values.size()); }
};

void select(benchmark::State& state) {
  Problem p(state);
  measure(state, 0, p.bytes(), static_cast<int>(state.range(2)), [&] {
    select_threshold(p.context, p.values.data(), {1, p.offsets}, &p.k, &p.selection);
  });
}
void select_thrust(benchmark::State& state) {
  Problem p(state);
  measure(state, 0, p.bytes(), static_cast<int>(state.range(2)), [&] {
    select_threshold_thrust(p.context, p.values.data(), {1, p.offsets}, &p.k, &p.selection);
  });
}
void select_nth_element(benchmark::State& state) {
  Problem p(state);
  std::vector<std::uint32_t> keys(p.values.size());
  measure(state, 0, p.bytes(), 1, [&] {
    for (std::size_t i = 0; i < keys.size(); ++i) keys[i] = std::bit_cast<std::uint32_t>(p.values[i]) & 0x7FFFFFFFu;
    std::nth_element(keys.begin(), keys.begin() + p.k, keys.end(), std::greater<>());
    benchmark::DoNotOptimize(keys.data());
  });
}

void sizes(benchmark::internal::Benchmark* b) {
  b->ArgNames({"n", "k/1000", "threads"})->UseManualTime();
  for (const int n : {269322, 1 << 20}) {
    for (const int k : {10, 100, 500}) {
      for (const int threads : {1, 2}) b->Args({n, k, threads});
    }
  }
}
BENCHMARK(select)->Apply(sizes);
BENCHMARK(select_thrust)
    ->ArgNames({"n", "k/1000", "threads"})
    ->Args({1 << 20, 10, 1})
    ->Args({1 << 20, 10, 2})
    ->UseManualTime();
BENCHMARK(select_nth_element)->ArgNames({"n", "k/1000", "threads"})->Args({1 << 20, 10, 1})->UseManualTime();

/// 16.8 M values: larger than the caches.
BENCHMARK(select)->Name("select_large")->ArgNames({"n", "k/1000", "threads"})->Args({1 << 24, 10, 2})->UseManualTime();

}  // namespace
}  // namespace eos::bench
