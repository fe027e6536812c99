// What the kernel benchmarks share: per-call times with minimum and median, and the roofs they are compared with.
#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <vector>

#include "eos/core/philox.hpp"

namespace eos::bench {

inline double seconds_of(const auto& action) {
  const auto begin = std::chrono::steady_clock::now();
  action();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

inline std::vector<float> normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i) {
    values[i] =
        static_cast<float>(core::normal_pair(3, {stream, 0, core::Purpose::test, static_cast<std::uint32_t>(i)})[0]);
  }
  return values;
}

/// Single-precision operations per second of one core: twelve independent chains of eight fused multiply-adds.
double flop_roof();
/// Bytes per second of y += a x on one core, over arrays of `bytes` together.
double bandwidth_roof(double bytes);

/// Times each call; reports min_us and median_us, and at the minimum GFLOP/s, GB/s and the share of the roofs.
/// flops and bytes are what the algorithm needs; `cores` scales the roofs.
template <class Action>
void measure(benchmark::State& state, double flops, double bytes, int cores, Action action) {
  action();  // working memory is made at the first call
  std::vector<double> seconds;
  for (auto _ : state) {
    seconds.push_back(seconds_of(action));
    state.SetIterationTime(seconds.back());
  }
  std::sort(seconds.begin(), seconds.end());
  const double best = seconds.front();
  state.counters["min_us"] = best * 1e6;
  state.counters["median_us"] = seconds[seconds.size() / 2] * 1e6;
  if (flops > 0) {
    state.counters["GFLOP/s"] = flops / best * 1e-9;
    state.counters["flop_roof%"] = 100 * flops / best / (flop_roof() * cores);
  }
  if (bytes > 0) {
    state.counters["GB/s"] = bytes / best * 1e-9;
    state.counters["bandwidth_roof%"] = 100 * bytes / best / (bandwidth_roof(bytes) * cores);
  }
}

}  // namespace eos::bench
