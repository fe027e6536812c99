// Steps one neuron after the other, counts in double; the sums that decide follow the blocks of the contract.
#include <algorithm>
#include <cmath>

#include "cache_formula.hpp"

namespace eos::kernels::reference {

namespace {

bool neuron_fires(const CacheStep& step, float theta, std::int64_t rows, std::int64_t neurons, const float* w,
                  const float* l) {
  float largest = 0, sum = 0, block = 0;
  for (std::int64_t r = 0; r < rows; ++r) {
    const float s = std::fabs(w[r * neurons] - l[r * neurons]);
    largest = std::max(largest, s);
    block += s;
    if ((r + 1) % k_cache_rows == 0 || r + 1 == rows) sum += block, block = 0;
  }
  return (step.trigger == Trigger::neuron_any ? largest : sum) > theta;
}

}  // namespace

void cache_step(Segments segments, CacheStep step, float* weights, float* persistent, float* previous,
                CacheCounts* counts) {
  for (int g = 0; g < segments.count; ++g) {
    const std::int64_t begin = segments.offsets[g], size = segments.offsets[g + 1] - begin;
    const std::int64_t neurons = step.neurons[g], rows = size / neurons;
    const float theta = step.trigger == Trigger::all ? 0.0f : step.theta[g];
    const bool by_neuron = step.trigger == Trigger::neuron_any || step.trigger == Trigger::neuron_sum;
    CacheCounts total;
    for (std::int64_t n = 0; n < neurons; ++n) {
      const std::int64_t first = begin + n;
      const bool all = step.trigger == Trigger::all ||
                       (by_neuron && neuron_fires(step, theta, rows, neurons, weights + first, persistent + first));
      for (std::int64_t i = first; i < begin + size; i += neurons) {
        const float w = weights[i], s = w - persistent[i];
        const bool fires = by_neuron || all ? all : std::fabs(s) > theta;
        if (fires) {
          total.consolidated.writes += w != persistent[i];
          total.consolidated.path += static_cast<double>(std::fabs(s));
          total.consolidated.squared += static_cast<double>(s) * static_cast<double>(s);
          persistent[i] = w;
        } else {
          total.additions += w != previous[i];
          total.transient += static_cast<double>(std::fabs(w - previous[i]));
          total.held += static_cast<double>(std::fabs(s));
          weights[i] = formula::decayed(persistent[i], s, step.keep, w);
        }
        previous[i] = weights[i];
      }
    }
    counts[g] = total;
  }
}

}  // namespace eos::kernels::reference
