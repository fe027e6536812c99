// Masked and dense updates on CUDA: one pass over the weights by blocks of 4096 entries that also count, then one block
// a segment takes the ties in index order and adds up. No float is added atomically: every sum has a fixed order.
#include <algorithm>
#include <cstdint>

#include "cuda_state.hpp"
#include "masked_update.cuh"
#include "select_key.hpp"
#include "update_formula.hpp"

namespace eos::kernels::cuda {

namespace {

/// The change of one masked entry: written, kept in the accumulator, or dropped.
struct MaskedBody {
  const float* delta;
  MaskedUpdate update;
  std::uint32_t draw_limit;
  float* weights;

  __device__ bool selects(float change, std::int64_t i, int segment, std::int64_t& ties) const {
    switch (update.mask) {
      case Mask::all:
        return true;
      case Mask::threshold:
        return fabsf(change) > update.threshold;
      case Mask::random: {
        const formula::MaskDraw d = formula::mask_draw(update, i);
        return formula::mask_words(update, d.run, d.index).v[d.word] >> 8 < draw_limit;
      }
      case Mask::selection:
        break;
    }
    const std::uint32_t key = magnitude_key(change), threshold = update.selection[segment].threshold;
    ties += key == threshold;
    return key > threshold;
  }

  __device__ void operator()(std::int64_t i, int segment, BlockResult& result) const {
    float* acc = update.accumulator;
    float change = 0;
    if (acc == nullptr) {
      change = delta[i];
    } else {
      change = delta != nullptr ? acc[i] + delta[i] : acc[i];
    }
    const bool selected = selects(change, i, segment, result.ties);
    if (acc != nullptr) acc[i] = selected ? 0.0f : change;
    if (!selected) return;
    const float before = weights[i], after = before + change;
    weights[i] = after;
    count_change(result.counts, before, after);
  }
};

/// Plain or momentum SGD on one entry.
struct SgdBody {
  SgdParameters p;
  const float* gradient;
  float* weights;
  float* velocity;
  __device__ void operator()(std::int64_t i, int, BlockResult& result) const {
    const float before = weights[i];
    const float v = formula::sgd_velocity(p, gradient[i], before, velocity != nullptr ? velocity[i] : 0.0f);
    if (velocity != nullptr) velocity[i] = v;
    const float after = before + -p.learning_rate * formula::sgd_direction(p, gradient[i], before, v);
    weights[i] = after;
    count_change(result.counts, before, after);
  }
};

/// grid: (blocks of the largest segment, segments)
template <class Body>
__global__ void update_blocks(const std::int64_t* offsets, Body body, BlockResult* results) {
  const int segment = static_cast<int>(blockIdx.y);
  const std::int64_t begin = offsets[segment] + std::int64_t{blockIdx.x} * k_block;
  const std::int64_t end = smaller(begin + k_block, offsets[segment + 1]);
  if (begin >= end) return;
  BlockResult mine{};
  for (std::int64_t i = begin + threadIdx.x; i < end; i += k_threads) body(i, segment, mine);
  const BlockResult total = sum_over_block(mine);
  if (threadIdx.x == 0) results[std::int64_t{segment} * gridDim.x + blockIdx.x] = total;
}

/// One block a segment: ties, then the sum over the segment's blocks.
__global__ void finish_masked(const std::int64_t* offsets, MaskedBody body, const BlockResult* results,
                              std::int64_t blocks_a_segment, UpdateCounts* counts) {
  const int segment = static_cast<int>(blockIdx.x);
  const Selection* selection = body.update.mask == Mask::selection ? body.update.selection + segment : nullptr;
  const UpdateCounts total = finish_segment({body.delta, body.update.accumulator, body.weights}, offsets[segment],
                                            offsets[segment + 1], selection, results + segment * blocks_a_segment);
  if (threadIdx.x == 0) counts[segment] = total;
}

/// Runs `body` over all entries, then ties and sums; `finish` tells the second kernel what to do.
template <class Body>
void run(const Context& context, Segments segments, Body body, MaskedBody finish, UpdateCounts* counts) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (segments.count == 0) return;
  const std::int64_t* offsets = state.device_offsets(segments);
  const std::int64_t blocks = blocks_of_largest(segments);
  auto* results = static_cast<BlockResult*>(
      state.scratch(Scratch::update_blocks,
                    static_cast<std::size_t>(blocks) * static_cast<std::size_t>(segments.count) * sizeof(BlockResult)));
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(segments.count));
  update_blocks<<<grid, k_threads, 0, state.stream>>>(offsets, body, results);
  EOS_CUDA_CHECK(cudaGetLastError());
  finish_masked<<<static_cast<unsigned>(segments.count), k_threads, 0, state.stream>>>(offsets, finish, results, blocks,
                                                                                       counts);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace

void masked_update(const Context& context, Segments segments, const float* delta, MaskedUpdate update, float* weights,
                   UpdateCounts* counts) {
  const MaskedBody body{delta, update, formula::draw_limit(update.probability), weights};
  run(context, segments, body, body, counts);
}

void sgd_update_dense(const Context& context, Segments segments, SgdParameters p, const float* gradient, float* weights,
                      float* velocity, UpdateCounts* counts) {
  run(context, segments, SgdBody{p, gradient, weights, velocity}, MaskedBody{nullptr, MaskedUpdate{}, 0, weights},
      counts);
}

}  // namespace eos::kernels::cuda
