// Synaptic caching on the CPU: where neurons fire together, a pass that decides; then one pass that moves and counts.
#include <algorithm>
#include <cmath>
#include <limits>

#include "cache_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;
using simd::Ints;
using simd::k_lanes;

constexpr std::int64_t k_block = 4096;  ///< entries whose counts are summed in float; fixed, so that bits are

struct Block {
  std::int64_t begin = 0, size = 0;
  int segment = 0;
  CacheCounts counts;
};

/// Largest or summed |s| of the neurons of one segment.
void neuron_levels(bool sum, std::int64_t rows, std::int64_t neurons, const float* w, const float* l, float* block,
                   float* level) {
  std::fill_n(level, neurons, 0.0f);
  for (std::int64_t first = 0; first < rows; first += k_cache_rows) {
    float* to = sum ? block : level;
    if (sum) std::fill_n(block, neurons, 0.0f);
    for (std::int64_t r = first; r < std::min(rows, first + k_cache_rows); ++r) {
      const float* wr = w + r * neurons;
      const float* lr = l + r * neurons;
      if (sum) {
        for (std::int64_t n = 0; n < neurons; ++n) to[n] += std::fabs(wr[n] - lr[n]);
      } else {
        for (std::int64_t n = 0; n < neurons; ++n) {
          const float s = std::fabs(wr[n] - lr[n]);
          to[n] = s > to[n] ? s : to[n];
        }
      }
    }
    if (sum)
      for (std::int64_t n = 0; n < neurons; ++n) level[n] += block[n];
  }
}

/// -1 for the neurons of all segments that fire, one segment after the other.
void neuron_flags(Segments segments, const CacheStep& step, const float* weights, const float* persistent,
                  std::int32_t* flags) {
  std::int64_t most = 0;
  for (int g = 0; g < segments.count; ++g) most = std::max(most, step.neurons[g]);
  float* scratch = host_scratch<struct CacheLevelTag, float>(static_cast<std::size_t>(2 * most));
  for (int g = 0; g < segments.count; ++g) {
    const std::int64_t begin = segments.offsets[g], neurons = step.neurons[g];
    neuron_levels(step.trigger == Trigger::neuron_sum, (segments.offsets[g + 1] - begin) / neurons, neurons,
                  weights + begin, persistent + begin, scratch, scratch + most);
    for (std::int64_t n = 0; n < neurons; ++n) flags[n] = scratch[most + n] > step.theta[g] ? -1 : 0;
    flags += neurons;
  }
}

/// Entry i of the block belongs to neuron (from + i) % neurons.
void repeat_flags(const std::int32_t* flags, std::int64_t neurons, std::int64_t from, std::int64_t size,
                  std::int32_t* fires) {
  for (std::int64_t i = 0, n = from % neurons; i < size; n = 0) {
    const std::int64_t count = std::min(neurons - n, size - i);
    std::copy_n(flags + n, count, fires + i);
    i += count;
  }
}

struct FiresAbove {
  float theta;
  Ints operator()(Floats s, std::int64_t) const { return simd::magnitude(s) > theta; }
  bool operator()(float s, std::int64_t) const { return std::fabs(s) > theta; }
};

struct FiresWhere {
  const std::int32_t* fires;
  Ints operator()(Floats, std::int64_t i) const { return simd::load(fires + i); }
  bool operator()(float, std::int64_t i) const { return fires[i] != 0; }
};

struct FiresAlways {
  Ints operator()(Floats, std::int64_t) const { return Ints{} - 1; }
  bool operator()(float, std::int64_t) const { return true; }
};

template <class Rule>
CacheCounts step_entries(std::int64_t size, float keep, float* w, float* l, float* previous, Rule rule) {
  Ints writes{}, additions{};
  Floats path{}, squared{}, transient{}, held{};
  const Floats zero{};
  std::int64_t i = 0;
  for (; i + k_lanes <= size; i += k_lanes) {
    const Floats now = simd::load(w + i), kept = simd::load(l + i), before = simd::load(previous + i);
    const Floats s = now - kept;
    const Ints fires = rule(s, i);
    const Floats gone = fires ? s : zero, stays = fires ? zero : s;
    writes -= gone != zero;
    path += simd::magnitude(gone);
    squared += gone * gone;
    const Floats added = fires ? zero : now - before;
    additions -= added != zero;
    transient += simd::magnitude(added);
    held += simd::magnitude(stays);
    simd::store(l + i, fires ? now : kept);
    const Floats after = keep == 1.0f ? now : (fires ? now : kept + keep * s);
    if (keep != 1.0f) simd::store(w + i, after);
    simd::store(previous + i, after);
  }
  CacheCounts c;
  for (; i < size; ++i) {
    const float now = w[i], s = now - l[i];
    if (rule(s, i)) {
      c.consolidated.writes += now != l[i];
      c.consolidated.path += static_cast<double>(std::fabs(s));
      c.consolidated.squared += static_cast<double>(s * s);
      l[i] = now;
    } else {
      c.additions += now != previous[i];
      c.transient += static_cast<double>(std::fabs(now - previous[i]));
      c.held += static_cast<double>(std::fabs(s));
      w[i] = formula::decayed(l[i], s, keep, now);
    }
    previous[i] = w[i];
  }
  c.consolidated.writes += simd::sum(writes);
  c.consolidated.path += simd::sum(path);
  c.consolidated.squared += simd::sum(squared);
  c.additions += simd::sum(additions);
  c.transient += simd::sum(transient);
  c.held += simd::sum(held);
  return c;
}

void step_block(const CacheStep& step, Segments segments, const std::int32_t* flags, float* weights, float* persistent,
                float* previous, Block& block) {
  float* w = weights + block.begin;
  float* l = persistent + block.begin;
  float* p = previous + block.begin;
  switch (step.trigger) {
    case Trigger::synapse:
      block.counts = step_entries(block.size, step.keep, w, l, p, FiresAbove{step.theta[block.segment]});
      return;
    case Trigger::all:
      block.counts = step_entries(block.size, step.keep, w, l, p, FiresAlways{});
      return;
    case Trigger::neuron_any:
    case Trigger::neuron_sum: {
      alignas(64) std::int32_t fires[k_block];
      for (int g = 0; g < block.segment; ++g) flags += step.neurons[g];
      repeat_flags(flags, step.neurons[block.segment], block.begin - segments.offsets[block.segment], block.size,
                   fires);
      block.counts = step_entries(block.size, step.keep, w, l, p, FiresWhere{fires});
      return;
    }
  }
}

void check_neurons(Segments segments, const CacheStep& step) {
  for (int g = 0; g < segments.count; ++g)
    if (step.neurons[g] < 1 || (segments.offsets[g + 1] - segments.offsets[g]) % step.neurons[g] != 0)
      throw core::Error("E901", "cache_step was given neurons that do not divide their segment");
}

}  // namespace

void cache_step(const Context& context, Segments segments, CacheStep step, float* weights, float* persistent,
                float* previous, CacheCounts* counts) {
  check_neurons(segments, step);
  if (context.backend() == Backend::cuda) {
    return cuda::cache_step(context, segments, step, weights, persistent, previous, counts);
  }
  const std::int32_t* flags = nullptr;
  if (step.trigger == Trigger::neuron_any || step.trigger == Trigger::neuron_sum) {
    std::int64_t neurons = 0;
    for (int g = 0; g < segments.count; ++g) neurons += step.neurons[g];
    auto* all = host_scratch<struct CacheFlagTag, std::int32_t>(static_cast<std::size_t>(neurons));
    neuron_flags(segments, step, weights, persistent, all);
    flags = all;
  }
  std::size_t count = 0;
  for (int g = 0; g < segments.count; ++g)
    count += static_cast<std::size_t>((segments.offsets[g + 1] - segments.offsets[g] + k_block - 1) / k_block);
  Block* blocks = host_scratch<struct CacheBlockTag, Block>(count);
  Block* next = blocks;
  for (int g = 0; g < segments.count; ++g)
    for (std::int64_t begin = segments.offsets[g]; begin < segments.offsets[g + 1]; begin += k_block)
      *next++ = Block{begin, std::min(k_block, segments.offsets[g + 1] - begin), g, {}};
  constexpr std::size_t k_blocks_a_task = 16;
  core::parallel_for((count + k_blocks_a_task - 1) / k_blocks_a_task, context.threads(), [&](std::size_t task) {
    const std::size_t end = std::min(count, (task + 1) * k_blocks_a_task);
    for (std::size_t b = task * k_blocks_a_task; b < end; ++b)
      step_block(step, segments, flags, weights, persistent, previous, blocks[b]);
  });
  std::fill_n(counts, segments.count, CacheCounts{});
  for (const Block* block = blocks; block != blocks + count; ++block) {
    CacheCounts& total = counts[block->segment];
    const CacheCounts& c = block->counts;
    total.consolidated.writes += c.consolidated.writes;
    total.consolidated.path += c.consolidated.path;
    total.consolidated.squared += c.consolidated.squared;
    total.additions += c.additions;
    total.transient += c.transient;
    total.held += c.held;
  }
}

}  // namespace eos::kernels
