// Synaptic caching on CUDA: levels of neurons by blocks of rows, then over these; one pass over the entries by blocks
// of 4096; one block a segment adds up. No float is added atomically: every sum has a fixed order.
#include <algorithm>
#include <cstdint>

#include "cache_formula.hpp"
#include "cuda_state.hpp"
#include "update_counts.cuh"

namespace eos::kernels::cuda {

namespace {

constexpr int k_block = 4096;  ///< entries of a thread block, fixed so that sums are
constexpr int k_segments_a_launch = 64;

__device__ std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }

/// Of up to k_segments_a_launch segments, passed by value.
struct SegmentSteps {
  float theta[k_segments_a_launch];
  std::int64_t neurons[k_segments_a_launch];
  std::int64_t flags[k_segments_a_launch];  ///< where the segment's neurons begin
};

/// grid: (neurons / threads, blocks of rows, segments). parts [blocks of rows][all neurons]: largest or summed |s|.
__global__ void level_parts(SegmentSteps steps, int first, bool sum, std::int64_t all_neurons,
                            const std::int64_t* offsets, const float* weights, const float* persistent, float* parts) {
  const int g = static_cast<int>(blockIdx.z);
  const std::int64_t begin = offsets[first + g], neurons = steps.neurons[g];
  const std::int64_t rows = (offsets[first + g + 1] - begin) / neurons;
  const std::int64_t n = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  const std::int64_t from = blockIdx.y * k_cache_rows;
  if (n >= neurons || from >= rows) return;
  float level = 0;
  for (std::int64_t r = from; r < smaller(rows, from + k_cache_rows); ++r) {
    const std::int64_t i = begin + r * neurons + n;
    const float s = fabsf(weights[i] - persistent[i]);
    level = sum ? level + s : s > level ? s : level;
  }
  parts[blockIdx.y * all_neurons + steps.flags[g] + n] = level;
}

/// grid: (neurons / threads, segments). Which neurons fire.
__global__ void neuron_flags(SegmentSteps steps, int first, bool sum, std::int64_t all_neurons,
                             const std::int64_t* offsets, const float* parts, std::int32_t* flags) {
  const int g = static_cast<int>(blockIdx.y);
  const std::int64_t neurons = steps.neurons[g];
  const std::int64_t rows = (offsets[first + g + 1] - offsets[first + g]) / neurons;
  const std::int64_t n = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x;
  if (n >= neurons) return;
  float level = 0;
  for (std::int64_t b = 0; b * k_cache_rows < rows; ++b) {
    const float part = parts[b * all_neurons + steps.flags[g] + n];
    level = sum ? level + part : part > level ? part : level;
  }
  flags[steps.flags[g] + n] = level > steps.theta[g];
}

struct Entries {
  Trigger trigger;
  float keep;
  float* weights;
  float* persistent;
  float* previous;
  const std::int32_t* flags;

  __device__ void step(std::int64_t i, bool fires, CacheCounts& c) const {
    const float w = weights[i], l = persistent[i], s = w - l;
    if (fires) {
      c.consolidated.writes += w != l;
      c.consolidated.path += static_cast<double>(fabsf(s));
      c.consolidated.squared += static_cast<double>(s) * static_cast<double>(s);
      persistent[i] = w;
      previous[i] = w;
      return;
    }
    c.additions += w != previous[i];
    c.transient += static_cast<double>(fabsf(w - previous[i]));
    c.held += static_cast<double>(fabsf(s));
    const float after = formula::decayed(l, s, keep, w);
    weights[i] = after;
    previous[i] = after;
  }
};

/// grid: (blocks of the largest segment, segments)
__global__ void step_blocks(SegmentSteps steps, int first, Entries entries, const std::int64_t* offsets,
                            CacheCounts* results) {
  const int g = static_cast<int>(blockIdx.y);
  const std::int64_t origin = offsets[first + g];
  const std::int64_t begin = origin + std::int64_t{blockIdx.x} * k_block;
  const std::int64_t end = smaller(begin + k_block, offsets[first + g + 1]);
  if (begin >= end) return;
  const bool by_neuron = entries.trigger == Trigger::neuron_any || entries.trigger == Trigger::neuron_sum;
  CacheCounts mine{};
  for (std::int64_t i = begin + threadIdx.x; i < end; i += k_threads) {
    bool fires = entries.trigger == Trigger::all;
    if (by_neuron) fires = entries.flags[steps.flags[g] + (i - origin) % steps.neurons[g]] != 0;
    if (entries.trigger == Trigger::synapse) fires = fabsf(entries.weights[i] - entries.persistent[i]) > steps.theta[g];
    entries.step(i, fires, mine);
  }
  const CacheCounts total = sum_over_block(mine);
  if (threadIdx.x == 0) results[std::int64_t{g} * gridDim.x + blockIdx.x] = total;
}

/// One block a segment.
__global__ void add_up(int first, const std::int64_t* offsets, const CacheCounts* results,
                       std::int64_t blocks_a_segment, CacheCounts* counts) {
  const int g = static_cast<int>(blockIdx.x);
  const std::int64_t blocks = (offsets[first + g + 1] - offsets[first + g] + k_block - 1) / k_block;
  CacheCounts sum{};
  for (std::int64_t b = threadIdx.x; b < blocks; b += k_threads) add(sum, results[g * blocks_a_segment + b]);
  const CacheCounts total = sum_over_block(sum);
  if (threadIdx.x == 0) counts[first + g] = total;
}

/// Sizes that the launches of one call share.
struct Extent {
  std::int64_t all_neurons = 0, most_neurons = 1, most_rows = 1, most_blocks = 1;
};

Extent extent_of(Segments segments, const CacheStep& step) {
  Extent e;
  for (int g = 0; g < segments.count; ++g) {
    const std::int64_t size = segments.offsets[g + 1] - segments.offsets[g];
    e.all_neurons += step.neurons[g];
    e.most_neurons = std::max(e.most_neurons, step.neurons[g]);
    e.most_rows = std::max(e.most_rows, size / step.neurons[g]);
    e.most_blocks = std::max(e.most_blocks, (size + k_block - 1) / k_block);
  }
  return e;
}

unsigned blocks_for(std::int64_t size, std::int64_t each) { return static_cast<unsigned>((size + each - 1) / each); }

}  // namespace

void cache_step(const Context& context, Segments segments, CacheStep step, float* weights, float* persistent,
                float* previous, CacheCounts* counts) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (segments.count == 0) return;
  const std::int64_t* offsets = state.device_offsets(segments);
  const Extent e = extent_of(segments, step);
  const bool sum = step.trigger == Trigger::neuron_sum, by_neuron = sum || step.trigger == Trigger::neuron_any;
  const unsigned row_blocks = blocks_for(e.most_rows, k_cache_rows),
                 neuron_blocks = blocks_for(e.most_neurons, k_threads);
  const auto at_once = static_cast<unsigned>(std::min(segments.count, k_segments_a_launch));
  auto* results = static_cast<CacheCounts*>(
      state.scratch(Scratch::cache_blocks, static_cast<std::size_t>(e.most_blocks) * at_once * sizeof(CacheCounts)));
  float* parts = nullptr;
  std::int32_t* flags = nullptr;
  if (by_neuron) {
    const auto neurons = static_cast<std::size_t>(e.all_neurons);
    parts = static_cast<float*>(state.scratch(Scratch::cache_levels, neurons * row_blocks * sizeof(float)));
    flags = static_cast<std::int32_t*>(state.scratch(Scratch::cache_flags, neurons * sizeof(std::int32_t)));
  }
  std::int64_t neurons_before = 0;
  for (int first = 0; first < segments.count; first += k_segments_a_launch) {
    const int count = std::min(k_segments_a_launch, segments.count - first);
    const auto launched = static_cast<unsigned>(count);
    SegmentSteps steps{};
    for (int g = 0; g < count; ++g) {
      steps.theta[g] = step.trigger == Trigger::all ? 0.0f : step.theta[first + g];
      steps.neurons[g] = step.neurons[first + g];
      steps.flags[g] = neurons_before;
      neurons_before += steps.neurons[g];
    }
    if (by_neuron) {
      level_parts<<<dim3(neuron_blocks, row_blocks, launched), k_threads, 0, state.stream>>>(
          steps, first, sum, e.all_neurons, offsets, weights, persistent, parts);
      EOS_CUDA_CHECK(cudaGetLastError());
      neuron_flags<<<dim3(neuron_blocks, launched), k_threads, 0, state.stream>>>(steps, first, sum, e.all_neurons,
                                                                                  offsets, parts, flags);
      EOS_CUDA_CHECK(cudaGetLastError());
    }
    const Entries entries{step.trigger, step.keep, weights, persistent, previous, flags};
    step_blocks<<<dim3(static_cast<unsigned>(e.most_blocks), launched), k_threads, 0, state.stream>>>(
        steps, first, entries, offsets, results);
    EOS_CUDA_CHECK(cudaGetLastError());
    add_up<<<launched, k_threads, 0, state.stream>>>(first, offsets, results, e.most_blocks, counts);
    EOS_CUDA_CHECK(cudaGetLastError());
  }
}

}  // namespace eos::kernels::cuda
