// The timed loop of benchmarks that train one epoch at a time: building a replica and reading its counts are not timed.
#pragma once

#include <benchmark/benchmark.h>

#include "../../sim/src/replica.hpp"

namespace eos::sim {

/// Counts of the last epoch.
inline theory::Ledger timed_epochs(benchmark::State& state, const RunSetup& setup, const kernels::Context& context) {
  theory::Ledger ledger;
  for (auto _ : state) {
    state.PauseTiming();
    Replica replica(setup, context, 1);
    state.ResumeTiming();
    while (!replica.finished()) replica.advance();
    state.PauseTiming();
    ledger = replica.result(RunStatus::complete).epochs.back().ledger;
    state.ResumeTiming();
  }
  return ledger;
}

}  // namespace eos::sim
