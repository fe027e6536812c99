// Spread independent tasks over threads. Results never depend on the number of threads: each task writes its own slot.
#pragma once

#include <cstddef>
#include <functional>

namespace eos::core {

/// Calls task(i) for i in [0, count) on up to `threads` threads, in order of i as threads become free.
/// The first exception is rethrown after all threads have stopped.
void parallel_for(std::size_t count, int threads, const std::function<void(std::size_t)>& task);

/// Number of hardware threads this process may use, at least 1.
int available_threads();

}  // namespace eos::core
