// The roofs of this machine, measured: what one core can compute and move.
#include <cmath>
#include <limits>
#include <map>

#include "bench_support.hpp"

#if defined(__FMA__)
#include <immintrin.h>
#endif

namespace eos::bench {

namespace {

#if defined(__FMA__)
/// 12 chains hide the latency of two FMA units; 16 operations each.
double fma_burst(int steps) {
  __m256 sum[12];
  for (int i = 0; i < 12; ++i) sum[i] = _mm256_set1_ps(static_cast<float>(i));
  const __m256 a = _mm256_set1_ps(0.999f), b = _mm256_set1_ps(1e-3f);
  const double seconds = seconds_of([&] {
    for (int t = 0; t < steps; ++t) {
#pragma GCC unroll 12
      for (int i = 0; i < 12; ++i) sum[i] = _mm256_fmadd_ps(sum[i], a, b);
    }
    for (int i = 0; i < 12; ++i) benchmark::DoNotOptimize(sum[i]);
  });
  return steps * 12.0 * 16.0 / seconds;
}
#else
double fma_burst(int steps) {
  float sum[48];
  for (int i = 0; i < 48; ++i) sum[i] = static_cast<float>(i);
  const double seconds = seconds_of([&] {
    for (int t = 0; t < steps; ++t) {
      for (int i = 0; i < 48; ++i) sum[i] = sum[i] * 0.999f + 1e-3f;
    }
    benchmark::DoNotOptimize(sum);
  });
  return steps * 48.0 * 2.0 / seconds;
}
#endif

}  // namespace

double flop_roof() {
  static const double k_roof = [] {
    double best = 0;
    for (int i = 0; i < 30; ++i) best = std::max(best, fma_burst(100000));
    return best;
  }();
  return k_roof;
}

double bandwidth_roof(double bytes) {
  static std::map<std::size_t, double> known;
  const auto size = std::max<std::size_t>(256, static_cast<std::size_t>(bytes / 12));  // y is read and written, x read
  if (known[size] > 0) return known[size];
  std::vector<float> x(size, 1.0f), y(size, 0.0f);
  for (int i = 0; i < 30; ++i) {
    const double seconds = seconds_of([&] {
      for (std::size_t j = 0; j < size; ++j) y[j] += 0.5f * x[j];
      benchmark::DoNotOptimize(y.data());
      benchmark::ClobberMemory();
    });
    known[size] = std::max(known[size], 12.0 * static_cast<double>(size) / seconds);
  }
  return known[size];
}

namespace {

void roof_flops(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(fma_burst(10000));
  state.counters["GFLOP/s"] = flop_roof() * 1e-9;
}
void roof_bandwidth(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(bandwidth_roof(static_cast<double>(state.range(0))));
  state.counters["GB/s"] = bandwidth_roof(static_cast<double>(state.range(0))) * 1e-9;
}
BENCHMARK(roof_flops)->Iterations(1);
BENCHMARK(roof_bandwidth)->Arg(300 << 10)->Arg(6 << 20)->Arg(400 << 20)->Iterations(1);

}  // namespace
}  // namespace eos::bench
