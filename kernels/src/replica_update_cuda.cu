// Updates of replicas on CUDA: one pass over the parameters by blocks of 4096 entries of a segment, one block a segment
// that takes ties and adds up, one thread a replica for its totals. Changes that are ranked are made and selected
// before.
#include <vector>

#include "masked_update.cuh"
#include "replica_backend.hpp"
#include "replica_formula.hpp"
#include "update_formula.hpp"

namespace eos::kernels::cuda {

namespace {

__device__ bool rests(const ReplicaRule& rule) { return rule.writes == 0 || rule.refused != 0; }

/// The change that the optimiser of a replica makes at entry i of the arrays.
struct Optimiser {
  UpdateMethod method;
  ReplicaArrays a;

  __device__ float change(const ReplicaRule& rule, formula::AdamCorrection correction, std::int64_t i) const {
    const float g = a.gradient[i], w = a.weights[i];
    if (method == UpdateMethod::adamw)
      return formula::adamw_step(formula::adam_parameters(rule), correction, g, w, a.velocity[i], a.second_moment[i]);
    const SgdParameters p = formula::sgd_parameters(method, rule);
    const float v = formula::sgd_velocity(p, g, w, a.velocity != nullptr ? a.velocity[i] : 0.0f);
    if (a.velocity != nullptr) a.velocity[i] = v;
    return -p.learning_rate * formula::sgd_direction(p, g, w, v);
  }
  __device__ formula::AdamCorrection correction(const ReplicaRule& rule) const {
    if (method != UpdateMethod::adamw) return {1.0f, 1.0f};
    return formula::adam_correction(formula::adam_parameters(rule));
  }
};

/// Changes to be ranked: in the accumulator, or in the place of the gradient. grid: (blocks, replicas)
__global__ void make_changes(std::int64_t size, Optimiser optimiser, ReplicaRule* rules) {
  ReplicaRule& rule = rules[blockIdx.y];
  if (rule.writes == 0) return;
  const ReplicaRule own = rule;
  const formula::AdamCorrection correction = optimiser.correction(own);
  const ReplicaArrays& a = optimiser.a;
  bool nan = false;
  for (std::int64_t j = blockIdx.x * std::int64_t{blockDim.x} + threadIdx.x; j < size;
       j += std::int64_t{gridDim.x} * blockDim.x) {
    const std::int64_t i = blockIdx.y * size + j;
    float change = optimiser.change(own, correction, i);
    if (a.accumulator != nullptr) change = a.accumulator[i] + change;
    (a.accumulator != nullptr ? a.accumulator : a.gradient)[i] = change;
    nan |= change != change;
  }
  if (nan) rule.refused = 1;
}

/// grid: (blocks of the largest segment, segments, replicas)
__global__ void write_blocks(const std::int64_t* offsets, std::int64_t size, ReplicaUpdate update, Optimiser optimiser,
                             const ReplicaRule* rules, BlockResult* results) {
  const ReplicaRule rule = rules[blockIdx.z];
  const std::int64_t first = offsets[blockIdx.y] + std::int64_t{blockIdx.x} * k_block;
  if (rests(rule) || first >= offsets[blockIdx.y + 1]) return;
  const std::int64_t begin = blockIdx.z * size + first;
  const std::int64_t end = begin + smaller(k_block, offsets[blockIdx.y + 1] - first);
  const std::int64_t segment = blockIdx.z * std::int64_t{gridDim.y} + blockIdx.y;
  const formula::AdamCorrection correction = optimiser.correction(rule);
  const ReplicaArrays& a = optimiser.a;
  const bool ranked = update.mask == Mask::selection;
  const std::uint32_t bar = ranked ? a.selection[segment].threshold : 0;
  BlockResult mine{};
  for (std::int64_t i = begin + threadIdx.x; i < end; i += k_threads) {
    float change;
    if (ranked) {
      change = a.accumulator != nullptr ? a.accumulator[i] : a.gradient[i];
    } else {
      change = optimiser.change(rule, correction, i);
      if (a.accumulator != nullptr) change = a.accumulator[i] + change;
    }
    bool selected = true;
    if (ranked) {
      const std::uint32_t key = magnitude_key(change);
      mine.ties += key == bar;
      selected = key > bar;
    } else if (update.mask == Mask::threshold) {
      selected = fabsf(change) > rule.threshold;
    }
    if (a.accumulator != nullptr) a.accumulator[i] = selected ? 0.0f : change;
    if (!selected) continue;
    const float before = a.weights[i], after = before + change;
    a.weights[i] = after;
    count_change(mine.counts, before, after);
  }
  const BlockResult total = sum_over_block(mine);
  if (threadIdx.x == 0) results[segment * gridDim.x + blockIdx.x] = total;
}

/// grid: (segments, replicas)
__global__ void finish_segments(const std::int64_t* offsets, std::int64_t size, ReplicaUpdate update, ReplicaArrays a,
                                const ReplicaRule* rules, std::int64_t blocks, const BlockResult* results) {
  const std::int64_t segment = blockIdx.y * std::int64_t{gridDim.x} + blockIdx.x, start = blockIdx.y * size;
  UpdateCounts total{};
  if (!rests(rules[blockIdx.y]))
    total = finish_segment(
        {a.gradient, a.accumulator, a.weights}, start + offsets[blockIdx.x], start + offsets[blockIdx.x + 1],
        update.mask == Mask::selection ? a.selection + segment : nullptr, results + segment * blocks);
  if (threadIdx.x == 0) a.counts[segment] = total;
}

__global__ void add_totals(int replicas, int segments, ReplicaArrays a, const ReplicaRule* rules) {
  const int r = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (r >= replicas || rests(rules[r])) return;
  formula::add_counts(segments, a.counts + std::int64_t{r} * segments, a.totals + std::int64_t{r} * (segments + 1));
}

/// The segments of all replicas, one after the other.
std::vector<std::int64_t> all_offsets(int replicas, Segments segments) {
  const std::int64_t size = segments.offsets[segments.count];
  std::vector<std::int64_t> offsets{0};
  for (std::int64_t r = 0; r < replicas; ++r)
    for (int l = 1; l <= segments.count; ++l) offsets.push_back(r * size + segments.offsets[l]);
  return offsets;
}

}  // namespace

void replica_update(const Context& context, int replicas, Segments segments, ReplicaUpdate update, ReplicaRule* rules,
                    ReplicaArrays arrays) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  if (replicas == 0 || segments.count == 0) return;
  const std::int64_t size = segments.offsets[segments.count];
  const Optimiser optimiser{update.method, arrays};
  const auto count = static_cast<unsigned>(segments.count), many = static_cast<unsigned>(replicas);
  if (update.mask == Mask::selection) {
    const dim3 grid(std::min(grid_size(size), 1024u), many);
    make_changes<<<grid, k_threads, 0, state.stream>>>(size, optimiser, rules);
    EOS_CUDA_CHECK(cudaGetLastError());
    const std::vector<std::int64_t> offsets = all_offsets(replicas, segments);
    select_replicas(context, arrays.accumulator != nullptr ? arrays.accumulator : arrays.gradient,
                    {replicas * segments.count, offsets.data()}, segments.count, arrays.ranks, rules, arrays.selection);
  }
  const std::int64_t* offsets = state.device_offsets(segments);
  const std::int64_t blocks = blocks_of_largest(segments);
  const auto cells = static_cast<std::size_t>(blocks) * count * many;
  auto* results = static_cast<BlockResult*>(state.scratch(Scratch::update_blocks, cells * sizeof(BlockResult)));
  write_blocks<<<dim3(static_cast<unsigned>(blocks), count, many), k_threads, 0, state.stream>>>(
      offsets, size, update, optimiser, rules, results);
  EOS_CUDA_CHECK(cudaGetLastError());
  finish_segments<<<dim3(count, many), k_threads, 0, state.stream>>>(offsets, size, update, arrays, rules, blocks,
                                                                     results);
  EOS_CUDA_CHECK(cudaGetLastError());
  add_totals<<<(many + k_threads - 1) / k_threads, k_threads, 0, state.stream>>>(replicas, segments.count, arrays,
                                                                                 rules);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
