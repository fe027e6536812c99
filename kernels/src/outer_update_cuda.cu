// Rank-one update on CUDA: blocks of 4096 weights or biases that also count, then one block a replica adds up.
#include <cstdint>

#include "cuda_state.hpp"
#include "update_counts.cuh"

namespace eos::kernels::cuda {

namespace {

constexpr int k_block = 4096;  ///< entries of a thread block, fixed so that sums are

struct Layer {
  OuterUpdate update;
  std::int64_t in, out;
  const float* x;
  const float* dz;
  float* w;
  float* b;
};

/// grid: (blocks of a replica, replicas). The bias is a row of w whose input is 1.
__global__ void update_blocks(Layer layer, UpdateCounts* results) {
  const std::int64_t replica = blockIdx.y, weights = layer.in * layer.out;
  const std::int64_t begin = std::int64_t{blockIdx.x} * k_block, all = weights + (layer.b != nullptr ? layer.out : 0);
  const std::int64_t end = begin + k_block < all ? begin + k_block : all;
  UpdateCounts mine{};
  for (std::int64_t i = begin + threadIdx.x; i < end; i += k_threads) {
    const std::int64_t row = i / layer.out, column = i % layer.out;
    const float x = row < layer.in ? layer.x[replica * layer.in + row] : 1.0f;
    if (x == 0.0f) continue;
    const float change = -layer.update.learning_rate * (x * layer.dz[replica * layer.out + column]);
    if (!layer.update.all && !(fabsf(change) > layer.update.threshold)) continue;
    float* weight = row < layer.in ? layer.w + replica * weights + i : layer.b + replica * layer.out + column;
    const float before = *weight, after = before + change;
    *weight = after;
    count_change(mine, before, after);
  }
  const UpdateCounts total = sum_over_block(mine);
  if (threadIdx.x == 0) results[replica * gridDim.x + blockIdx.x] = total;
}

__global__ void add_up(const UpdateCounts* results, int blocks, UpdateCounts* counts) {
  UpdateCounts mine{};
  for (int b = static_cast<int>(threadIdx.x); b < blocks; b += k_threads) {
    add(mine, results[std::int64_t{blockIdx.x} * blocks + b]);
  }
  const UpdateCounts total = sum_over_block(mine);
  if (threadIdx.x == 0) counts[blockIdx.x] = total;
}

}  // namespace

void outer_update(const Context& context, DenseShape shape, OuterUpdate update, const float* x, const float* dz,
                  float* w, float* b, UpdateCounts* counts) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (shape.replicas == 0) return;
  const Layer layer{update, shape.in, shape.out, x, dz, w, b};
  const std::int64_t entries = (layer.in + 1) * layer.out;
  const std::int64_t blocks = entries == 0 ? 1 : (entries + k_block - 1) / k_block;
  const dim3 grid(static_cast<unsigned>(blocks), static_cast<unsigned>(shape.replicas));
  auto* results = static_cast<UpdateCounts*>(state.scratch(
      Scratch::update_blocks,
      static_cast<std::size_t>(blocks) * static_cast<std::size_t>(shape.replicas) * sizeof(UpdateCounts)));
  update_blocks<<<grid, k_threads, 0, state.stream>>>(layer, results);
  EOS_CUDA_CHECK(cudaGetLastError());
  add_up<<<static_cast<unsigned>(shape.replicas), k_threads, 0, state.stream>>>(results, static_cast<int>(blocks),
                                                                                counts);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
