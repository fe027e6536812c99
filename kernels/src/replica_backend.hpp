// What the CUDA half of steps of replicas, recordings and device questions offers; see cuda_backend.hpp.
#pragma once

#include "eos/kernels/device.hpp"
#include "eos/kernels/recording.hpp"
#include "eos/kernels/replica_step.hpp"
#include "eos/kernels/replica_update.hpp"

namespace eos::kernels::cuda {

void set_products(Context::Cuda& state, Products products);
Products products(const Context::Cuda& state);
std::size_t free_bytes(Context::Cuda& state);

std::shared_ptr<Recording::Graph> record(Context::Cuda& state, const std::function<void()>& calls, int times);
void replay(Context::Cuda& state, const Recording::Graph& graph);

void begin_step(const Context& context, StepShape shape, StepTables tables, StepGate gate, const ReplicaState* states,
                StepRows rows);
void decide_step(const Context& context, StepShape shape, StepTables tables, Segments segments, StepDecision decision,
                 StepScores scores, StepRows rows, StepOutcome outcome);
/// The selection of the segments of all replicas, by ranks in device memory; rules that rest select nothing.
void select_replicas(const Context& context, const float* values, Segments segments, int segments_a_replica,
                     const std::int64_t* ranks, const ReplicaRule* rules, Selection* selection);
void replica_update(const Context& context, int replicas, Segments segments, ReplicaUpdate update, ReplicaRule* rules,
                    ReplicaArrays arrays);

}  // namespace eos::kernels::cuda
