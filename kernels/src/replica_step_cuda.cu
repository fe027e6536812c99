// Steps of replicas on CUDA: one thread block a replica.
#include <cstdint>

#include "cuda_state.hpp"
#include "replica_backend.hpp"
#include "replica_formula.hpp"

namespace eos::kernels::cuda {

namespace {

__global__ void begin_kernel(StepShape shape, StepTables tables, StepGate gate, const ReplicaState* states,
                             StepRows out) {
  const std::int64_t r = blockIdx.x, step = r * shape.steps + states[r].step;
  const StepControls c = tables.controls[step];
  if (threadIdx.x == 0 && out.draws != nullptr)
    out.draws[r] = {tables.constants[r].seed, 0, static_cast<std::uint32_t>(states[r].updates)};
  const std::int64_t labels = shape.labels, size = shape.rows * labels;
  for (std::int64_t j = threadIdx.x; j < size; j += k_threads) {
    const std::int64_t i = j / labels, label = j % labels;
    const std::int32_t sample = i < c.rows ? tables.samples[step * shape.rows + i] : 0;
    if (label == 0) out.samples[r * shape.rows + i] = sample;
    if (label == 0 && tables.views != nullptr)
      out.views[r * shape.rows + i] = i < c.rows ? tables.views[step * shape.rows + i] : 0;
    out.labels[r * size + j] = tables.labels[sample * labels + label];
    out.weights[r * size + j] = i < c.rows && gate == StepGate::all ? c.scale : 0.0f;
  }
}

/// Sets the weights of the rows of one replica by the whole block; returns how many are kept.
__device__ int gate_rows(StepDecision decision, const StepControls& c, const std::uint8_t* certain,
                         const StepScores& scores, float* weights) {
  int kept = 0;
  for (int base = 0; base < c.rows; base += k_threads) {
    const int i = base + static_cast<int>(threadIdx.x);
    bool keep = i < c.rows && certain != nullptr && certain[i] != 0;
    if (i < c.rows && !keep)
      keep = decision.gate == StepGate::ranked ? formula::harder_rows(scores.difficulty, certain, c.rows, i) < c.keep
                                               : formula::keeps(decision.gate, c.tau, scores, i);
    if (i < c.rows) weights[i] = keep ? 1.0f : 0.0f;
    kept += __syncthreads_count(keep);
  }
  const float scale = c.scale > 0 ? c.scale : 1.0f / static_cast<float>(kept > 1 ? kept : 1);
  for (int i = static_cast<int>(threadIdx.x); i < c.rows; i += k_threads) weights[i] *= scale;
  return kept;
}

__global__ void decide_kernel(StepShape shape, StepTables tables, const std::int64_t* offsets, StepDecision decision,
                              StepScores all, StepRows rows, StepOutcome out) {
  const std::int64_t r = blockIdx.x, first = r * shape.rows;
  const ReplicaState state = out.states[r];
  const std::int64_t step = r * shape.steps + state.step;
  const StepControls c = tables.controls[step];
  const std::uint8_t* certain = tables.certain != nullptr ? tables.certain + step * shape.rows : nullptr;
  const StepScores scores{all.loss + first, all.p_true + first, all.difficulty + first, all.correct + first};
  const bool was_diverged = state.diverged != 0 || out.rules[r].refused != 0;
  bool bad = was_diverged;
  for (int i = static_cast<int>(threadIdx.x); i < c.rows; i += k_threads) {
    bad |= formula::is_bad(scores.loss[i]);
    out.losses[step * shape.rows + i] = scores.loss[i];
  }
  bad = __syncthreads_or(bad) != 0;  // all threads have read the state, too
  const int kept =
      decision.gate == StepGate::all ? c.rows : gate_rows(decision, c, certain, scores, rows.weights + first);
  const int least = decision.least_kept > 1 ? decision.least_kept : 1;
  const bool writes = c.trains != 0 && !bad && kept >= least;
  const std::int64_t updates = state.updates + (writes ? 1 : 0);
  const ReplicaConstants constants = tables.constants[r];
  for (int l = static_cast<int>(threadIdx.x); tables.fractions != nullptr && l < shape.segments; l += k_threads)
    out.ranks[r * shape.segments + l] = writes
                                            ? formula::rank_of(tables.fractions[step * shape.segments + l],
                                                               offsets[l + 1] - offsets[l], constants.seed, updates, l)
                                            : 0;
  if (threadIdx.x != 0) return;
  out.trained[step] = was_diverged ? -1 : writes ? kept : 0;
  out.rules[r] = formula::rule_of(c, constants, writes, updates);
  out.states[r] = {updates, state.step + 1, bad ? 1 : 0};
}

}  // namespace

void begin_step(const Context& context, StepShape shape, StepTables tables, StepGate gate, const ReplicaState* states,
                StepRows rows) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  begin_kernel<<<static_cast<unsigned>(shape.replicas), k_threads, 0, state.stream>>>(shape, tables, gate, states,
                                                                                      rows);
  EOS_CUDA_CHECK(cudaGetLastError());
}

void decide_step(const Context& context, StepShape shape, StepTables tables, Segments segments, StepDecision decision,
                 StepScores scores, StepRows rows, StepOutcome outcome) {
  Context::Cuda& state = *context.cuda_state();
  state.use();
  const std::int64_t* offsets = state.device_offsets(segments);
  decide_kernel<<<static_cast<unsigned>(shape.replicas), k_threads, 0, state.stream>>>(shape, tables, offsets, decision,
                                                                                       scores, rows, outcome);
  EOS_CUDA_CHECK(cudaGetLastError());
}

}  // namespace eos::kernels::cuda
