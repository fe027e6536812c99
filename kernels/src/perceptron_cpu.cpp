// Perceptrons on a core: the 32 partial sums are lanes of the compiler's vectors.
#include <fmt/format.h>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "perceptron_memory.hpp"

namespace eos::kernels {

namespace {

using formula::k_lanes;
using formula::Terms;

struct Core {
  template <class F>
  void each(int n, const F& f) const {
#pragma GCC ivdep
    for (int i = 0; i < n; ++i) f(i);
  }

  /// pre: n is a multiple of 32.
  template <int K, class F>
  Terms<K> sums(int n, const F& f) const {
    alignas(64) double part[K][k_lanes] = {};
    for (int base = 0; base < n; base += k_lanes) {
#pragma GCC ivdep
      for (int lane = 0; lane < k_lanes; ++lane) {
        const Terms<K> term = f(base + lane);
        for (int k = 0; k < K; ++k) part[k][lane] += term.v[k];
      }
    }
    Terms<K> total;
    for (int k = 0; k < K; ++k) total.v[k] = tree(part[k]);
    return total;
  }

  float dot(int n, const std::int8_t* a, const float* b) const {
    alignas(64) float part[k_lanes] = {};
    for (int base = 0; base < n; base += k_lanes)
      for (int lane = 0; lane < k_lanes; ++lane) part[lane] += static_cast<float>(a[base + lane]) * b[base + lane];
    return tree(part);
  }

  template <class F>
  int fetch(int, const F& f) const {
    return f();
  }
  template <class F>
  void own(int, const F& f) const {
    f();
  }
  void fence() const {}

 private:
  template <class T>
  static T tree(T* part) {
    for (int half = k_lanes / 2; half > 0; half /= 2)
      for (int lane = 0; lane < half; ++lane) part[lane] += part[lane + half];
    return part[0];
  }
};

void check(const PerceptronRun& run) {
  bool good = run.inputs >= 1 && run.patterns >= 1 && run.max_epochs >= 1 && run.window >= 1 &&
              run.course_epochs >= 0 && run.retention > 0 && run.retention <= 1 && run.caches.size() <= k_most_caches &&
              (run.retention == 1 || run.caches.size() == 1);
  for (const PerceptronCache& cache : run.caches)
    good = good && cache.variant != theory::CacheVariant::none && cache.threshold >= 0 && cache.interval >= 1;
  if (!good)
    throw core::Error("E901", fmt::format("a perceptron run of {} inputs, {} patterns and {} caches is outside the "
                                          "contract of train_perceptrons",
                                          run.inputs, run.patterns, run.caches.size()));
}

}  // namespace

std::vector<PerceptronCounts> train_perceptrons(const Context& context, std::span<const PerceptronRun> runs) {
  for (const PerceptronRun& run : runs) check(run);
  if (context.backend() == Backend::cuda) return cuda::train_perceptrons(context, runs);
  std::vector<PerceptronCounts> results;
  for (const PerceptronRun& run : runs) {
    const PerceptronMemory memory(run);
    Buffer<std::byte> block(context, memory.bytes());
    if (!run.caches.empty())
      std::memcpy(block.data() + memory.rules_at(), run.caches.data(), run.caches.size() * sizeof(PerceptronCache));
    formula::Perceptron<Core>(Core{}, memory.task(block.data())).run();
    results.push_back(memory.counts(block.data()));
  }
  return results;
}

}  // namespace eos::kernels
