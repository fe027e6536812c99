// Steps of replicas on the CPU: plain loops, which are also the specification.
#include <algorithm>

#include "replica_backend.hpp"
#include "replica_formula.hpp"

namespace eos::kernels {

namespace {

void begin_replica(StepShape shape, const StepTables& tables, StepGate gate, const ReplicaState& state, std::int64_t r,
                   const StepRows& out) {
  const std::int64_t step = r * shape.steps + state.step;
  const StepControls& c = tables.controls[step];
  if (out.draws != nullptr) out.draws[r] = {tables.constants[r].seed, 0, static_cast<std::uint32_t>(state.updates)};
  for (int i = 0; i < shape.rows; ++i) {
    const std::int64_t to = r * shape.rows + i;
    const std::int32_t sample = i < c.rows ? tables.samples[step * shape.rows + i] : 0;
    const std::int64_t labels = shape.labels;
    out.samples[to] = sample;
    if (tables.views != nullptr) out.views[to] = i < c.rows ? tables.views[step * shape.rows + i] : 0;
    std::copy_n(tables.labels + sample * labels, labels, out.labels + to * labels);
    std::fill_n(out.weights + to * labels, labels, i < c.rows && gate == StepGate::all ? c.scale : 0.0f);
  }
}

/// One row of the [R][B] arrays.
StepScores scores_of(const StepScores& all, std::int64_t first) {
  return {all.loss + first, all.p_true + first, all.difficulty + first, all.correct + first};
}

/// Sets the weights of the rows of one replica; returns how many are kept.
int gate_rows(StepDecision decision, const StepControls& c, const std::uint8_t* certain, const StepScores& scores,
              float* weights) {
  int kept = 0;
  for (int i = 0; i < c.rows; ++i) {
    bool keep = certain != nullptr && certain[i] != 0;
    if (!keep && decision.gate == StepGate::ranked)
      keep = formula::harder_rows(scores.difficulty, certain, c.rows, i) < c.keep;
    else if (!keep)
      keep = formula::keeps(decision.gate, c.tau, scores, i);
    weights[i] = keep ? 1.0f : 0.0f;
    kept += keep ? 1 : 0;
  }
  const float scale = c.scale > 0 ? c.scale : 1.0f / static_cast<float>(std::max(kept, 1));
  for (int i = 0; i < c.rows; ++i) weights[i] *= scale;
  return kept;
}

void decide_replica(StepShape shape, const StepTables& tables, Segments segments, StepDecision decision,
                    const StepScores& all, const StepRows& rows, const StepOutcome& out, std::int64_t r) {
  ReplicaState& state = out.states[r];
  const std::int64_t step = r * shape.steps + state.step, first = r * shape.rows;
  const StepControls& c = tables.controls[step];
  const std::uint8_t* certain = tables.certain != nullptr ? tables.certain + step * shape.rows : nullptr;
  const StepScores scores = scores_of(all, first);
  const bool was_diverged = state.diverged != 0 || out.rules[r].refused != 0;
  bool bad = was_diverged;
  for (int i = 0; i < c.rows; ++i) bad |= formula::is_bad(scores.loss[i]);
  std::copy_n(scores.loss, c.rows, out.losses + step * shape.rows);
  state.diverged = bad ? 1 : 0;
  const int kept =
      decision.gate == StepGate::all ? c.rows : gate_rows(decision, c, certain, scores, rows.weights + first);
  const bool writes = c.trains != 0 && !bad && kept >= std::max(1, decision.least_kept);
  if (writes) state.updates += 1;
  out.trained[step] = was_diverged ? -1 : writes ? kept : 0;
  out.rules[r] = formula::rule_of(c, tables.constants[r], writes, state.updates);
  for (int l = 0; tables.fractions != nullptr && l < shape.segments; ++l)
    out.ranks[r * shape.segments + l] = writes ? formula::rank_of(tables.fractions[step * shape.segments + l],
                                                                  segments.offsets[l + 1] - segments.offsets[l],
                                                                  tables.constants[r].seed, state.updates, l)
                                               : 0;
  state.step += 1;
}

}  // namespace

void begin_step(const Context& context, StepShape shape, StepTables tables, StepGate gate, const ReplicaState* states,
                StepRows rows) {
  if (context.backend() == Backend::cuda) return cuda::begin_step(context, shape, tables, gate, states, rows);
  for (int r = 0; r < shape.replicas; ++r) begin_replica(shape, tables, gate, states[r], r, rows);
}

void decide_step(const Context& context, StepShape shape, StepTables tables, Segments segments, StepDecision decision,
                 StepScores scores, StepRows rows, StepOutcome outcome) {
  if (context.backend() == Backend::cuda)
    return cuda::decide_step(context, shape, tables, segments, decision, scores, rows, outcome);
  for (int r = 0; r < shape.replicas; ++r) decide_replica(shape, tables, segments, decision, scores, rows, outcome, r);
}

}  // namespace eos::kernels
