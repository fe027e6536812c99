// Spread independent tasks over threads. Results never depend on the number of threads: each task writes its own slot.
#pragma once

#include <cstddef>

namespace eos::core {

namespace detail {
void parallel_for(std::size_t count, int threads, void (*call)(const void* task, std::size_t i), const void* task);
}

/// Calls task(i) for i in [0, count) on up to `threads` threads, in order of i as threads become free.
/// The first exception is rethrown after all threads have stopped. One thread allocates nothing.
template <class Task>
void parallel_for(std::size_t count, int threads, const Task& task) {
  const auto call = [](const void* it, std::size_t i) { (*static_cast<const Task*>(it))(i); };
  detail::parallel_for(count, threads, call, &task);
}

/// Number of hardware threads this process may use, at least 1.
int available_threads();

}  // namespace eos::core
