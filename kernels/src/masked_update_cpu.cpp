// Masked and dense updates on the CPU: one pass over the weights that also counts, block by block.
#include <algorithm>
#include <cmath>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "mask_draws.hpp"
#include "select_key.hpp"
#include "simd.hpp"
#include "update_formula.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;
using simd::Ints;
using simd::k_lanes;

constexpr std::int64_t k_block = 4096;       ///< entries whose counts are summed in float; fixed, so that bits are
constexpr std::size_t k_blocks_a_task = 16;  ///< what a thread takes at a time

/// A piece of one segment with its counts.
struct Block {
  std::int64_t begin = 0, size = 0;
  int segment = 0;
  std::int64_t ties = 0;  ///< entries whose key equals the segment's threshold
  UpdateCounts counts;
};

/// Writes, path and squared path of the entries seen so far.
struct Tally {
  Ints writes{};
  Floats path{}, squared{};
  UpdateCounts rest;  ///< of the entries after the last full vector

  [[gnu::always_inline]] void add(Floats before, Floats after) {
    const Floats moved = after - before;
    writes -= after != before;
    path += simd::magnitude(moved);
    squared += moved * moved;
  }
  void add(float before, float after) {
    const float moved = after - before;
    rest.writes += after != before;
    rest.path += static_cast<double>(std::fabs(moved));
    rest.squared += static_cast<double>(moved * moved);
  }
  UpdateCounts total() const {
    return {rest.writes + simd::sum(writes), rest.path + simd::sum(path), rest.squared + simd::sum(squared)};
  }
};

// Which changes are written: each rule answers for a vector and for a single entry at offset i of the block.

struct WriteAll {
  Ints operator()(Floats, std::int64_t) const { return Ints{} - 1; }
  bool operator()(float, std::int64_t) const { return true; }
};

struct WriteAbove {
  float threshold;
  Ints operator()(Floats change, std::int64_t) const { return simd::magnitude(change) > threshold; }
  bool operator()(float change, std::int64_t) const { return std::fabs(change) > threshold; }
};

struct WriteDrawn {
  const std::int32_t* draws;
  std::int32_t limit;
  Ints operator()(Floats, std::int64_t i) const { return simd::load(draws + i) < limit; }
  bool operator()(float, std::int64_t i) const { return draws[i] < limit; }
};

/// Entries above the selection's threshold; those equal to it are counted and left for write_ties.
struct WriteSelected {
  std::int32_t threshold;
  Ints equal{};
  std::int64_t equal_rest = 0;
  Ints operator()(Floats change, std::int64_t) {
    const Ints key = simd::bits(change) & static_cast<std::int32_t>(k_magnitude_mask);
    equal -= key == threshold;
    return key > threshold;
  }
  bool operator()(float change, std::int64_t) {
    const auto key = static_cast<std::int32_t>(magnitude_key(change));
    equal_rest += key == threshold;
    return key > threshold;
  }
  std::int64_t ties() const { return equal_rest + simd::sum(equal); }
};

enum class Source { delta, accumulator, both };  ///< where the change comes from; accumulator: it already holds it

template <Source source, class Rule>
UpdateCounts update_entries(std::int64_t size, const float* delta, float* acc, float* weights, Rule& rule) {
  Tally tally;
  std::int64_t i = 0;
  for (; i + k_lanes <= size; i += k_lanes) {
    Floats change = simd::load((source == Source::accumulator ? acc : delta) + i);
    if constexpr (source == Source::both) change = simd::load(acc + i) + change;
    const Ints selected = rule(change, i);
    // Weights that are not selected are read and stored too: to skip them costs more, in branches that cannot be
    // predicted, than it saves.
    const Floats before = simd::load(weights + i);
    const Floats after = selected ? before + change : before;
    simd::store(weights + i, after);
    if constexpr (source != Source::delta) simd::store(acc + i, selected ? Floats{} : change);
    tally.add(before, after);
  }
  for (; i < size; ++i) {
    const float change = source == Source::accumulator ? acc[i] : source == Source::both ? acc[i] + delta[i] : delta[i];
    const bool selected = rule(change, i);
    if constexpr (source != Source::delta) acc[i] = selected ? 0.0f : change;
    if (!selected) continue;
    const float before = weights[i];
    weights[i] = before + change;
    tally.add(before, weights[i]);
  }
  return tally.total();
}

template <class Rule>
UpdateCounts update_block(const Block& block, const float* delta, float* acc, float* weights, Rule& rule) {
  weights += block.begin;
  const float* from = delta == nullptr ? nullptr : delta + block.begin;
  if (acc == nullptr) return update_entries<Source::delta>(block.size, from, nullptr, weights, rule);
  acc += block.begin;
  if (delta == nullptr) return update_entries<Source::accumulator>(block.size, nullptr, acc, weights, rule);
  return update_entries<Source::both>(block.size, from, acc, weights, rule);
}

void update_block(const MaskedUpdate& u, const float* delta, float* weights, Block& block) {
  float* acc = u.accumulator;
  switch (u.mask) {
    case Mask::all: {
      WriteAll rule;
      block.counts = update_block(block, delta, acc, weights, rule);
      return;
    }
    case Mask::threshold: {
      WriteAbove rule{u.threshold};
      block.counts = update_block(block, delta, acc, weights, rule);
      return;
    }
    case Mask::random: {
      alignas(64) std::int32_t draws[k_block];
      draw_mask(u, block.begin, block.size, draws);
      WriteDrawn rule{draws, static_cast<std::int32_t>(formula::draw_limit(u.probability))};
      block.counts = update_block(block, delta, acc, weights, rule);
      return;
    }
    case Mask::selection: {
      const std::uint32_t threshold = std::min(u.selection[block.segment].threshold, k_magnitude_mask);
      WriteSelected rule{static_cast<std::int32_t>(threshold)};
      block.counts = update_block(block, delta, acc, weights, rule);
      block.ties = rule.ties();
      return;
    }
  }
}

/// Writes the first `ties` entries of the block whose key equals the threshold. They are still unwritten, and an
/// accumulator holds their change.
void write_ties(const MaskedUpdate& u, const float* delta, float* weights, std::uint32_t threshold, std::int64_t ties,
                Block& block) {
  float* acc = u.accumulator;
  Tally tally;
  for (std::int64_t i = block.begin; ties > 0 && i < block.begin + block.size; ++i) {
    const float change = acc != nullptr ? acc[i] : delta[i];
    if (magnitude_key(change) != threshold) continue;
    const float before = weights[i];
    weights[i] = before + change;
    if (acc != nullptr) acc[i] = 0.0f;
    tally.add(before, weights[i]);
    --ties;
  }
  const UpdateCounts more = tally.total();
  block.counts = {block.counts.writes + more.writes, block.counts.path + more.path,
                  block.counts.squared + more.squared};
}

/// Ties are few and must be taken in index order: one thread, only blocks that hold some.
void write_all_ties(const MaskedUpdate& u, const float* delta, float* weights, Block* blocks, std::size_t count) {
  int segment = -1;
  std::int64_t left = 0;
  for (std::size_t b = 0; b < count; ++b) {
    Block& block = blocks[b];
    const Selection selection = u.selection[block.segment];
    if (block.segment != segment) segment = block.segment, left = selection.ties;
    if (selection.threshold == 0 || selection.threshold > k_magnitude_mask) continue;  // zero changes are not written
    const std::int64_t taken = std::min(left, block.ties);
    if (taken > 0) write_ties(u, delta, weights, selection.threshold, taken, block);
    left -= taken;
  }
}

/// Blocks of all segments; the array belongs to the calling thread.
Block* make_blocks(Segments segments, std::size_t& count) {
  count = 0;
  for (int s = 0; s < segments.count; ++s) {
    count += static_cast<std::size_t>((segments.offsets[s + 1] - segments.offsets[s] + k_block - 1) / k_block);
  }
  Block* blocks = host_scratch<struct BlockTag, Block>(count);
  Block* next = blocks;
  for (int s = 0; s < segments.count; ++s) {
    for (std::int64_t begin = segments.offsets[s]; begin < segments.offsets[s + 1]; begin += k_block) {
      *next++ = Block{begin, std::min(k_block, segments.offsets[s + 1] - begin), s, 0, {}};
    }
  }
  return blocks;
}

template <class Body>
void for_blocks(const Context& context, Block* blocks, std::size_t count, Body body) {
  const std::size_t tasks = (count + k_blocks_a_task - 1) / k_blocks_a_task;
  core::parallel_for(tasks, context.threads(), [&](std::size_t task) {
    const std::size_t end = std::min(count, (task + 1) * k_blocks_a_task);
    for (std::size_t b = task * k_blocks_a_task; b < end; ++b) body(blocks[b]);
  });
}

void add_up(Segments segments, const Block* blocks, std::size_t count, UpdateCounts* counts) {
  std::fill_n(counts, segments.count, UpdateCounts{});
  for (const Block* block = blocks; block != blocks + count; ++block) {
    UpdateCounts& total = counts[block->segment];
    total.writes += block->counts.writes;
    total.path += block->counts.path;
    total.squared += block->counts.squared;
  }
}

UpdateCounts sgd_block(SgdParameters p, std::int64_t size, const float* gradient, float* weights, float* velocity) {
  Tally tally;
  std::int64_t i = 0;
  for (; i + k_lanes <= size; i += k_lanes) {
    const Floats before = simd::load(weights + i);
    const Floats old = velocity != nullptr ? simd::load(velocity + i) : Floats{};
    const Floats g = simd::load(gradient + i);
    const Floats v = formula::sgd_velocity(p, g, before, old);
    if (velocity != nullptr) simd::store(velocity + i, v);
    const Floats after = before + -p.learning_rate * formula::sgd_direction(p, g, before, v);
    simd::store(weights + i, after);
    tally.add(before, after);
  }
  for (; i < size; ++i) {
    const float before = weights[i];
    const float v = formula::sgd_velocity(p, gradient[i], before, velocity != nullptr ? velocity[i] : 0.0f);
    if (velocity != nullptr) velocity[i] = v;
    weights[i] = before + -p.learning_rate * formula::sgd_direction(p, gradient[i], before, v);
    tally.add(before, weights[i]);
  }
  return tally.total();
}

}  // namespace

void masked_update(const Context& context, Segments segments, const float* delta, MaskedUpdate update, float* weights,
                   UpdateCounts* counts) {
  if (delta == nullptr && update.accumulator == nullptr) {
    throw core::Error("E901", "masked_update was given neither a delta nor an accumulator");
  }
  if (update.mask == Mask::selection && update.selection == nullptr) {
    throw core::Error("E901", "masked_update was asked to follow a selection but was given none");
  }
  if (context.backend() == Backend::cuda) return cuda::masked_update(context, segments, delta, update, weights, counts);
  std::size_t count = 0;
  Block* blocks = make_blocks(segments, count);
  for_blocks(context, blocks, count, [&](Block& block) { update_block(update, delta, weights, block); });
  if (update.mask == Mask::selection) write_all_ties(update, delta, weights, blocks, count);
  add_up(segments, blocks, count, counts);
}

void sgd_update_dense(const Context& context, Segments segments, SgdParameters p, const float* gradient, float* weights,
                      float* velocity, UpdateCounts* counts) {
  if (context.backend() == Backend::cuda) {
    return cuda::sgd_update_dense(context, segments, p, gradient, weights, velocity, counts);
  }
  std::size_t count = 0;
  Block* blocks = make_blocks(segments, count);
  for_blocks(context, blocks, count, [&](Block& block) {
    block.counts = sgd_block(p, block.size, gradient + block.begin, weights + block.begin,
                             velocity != nullptr ? velocity + block.begin : nullptr);
  });
  add_up(segments, blocks, count, counts);
}

}  // namespace eos::kernels
