#include "no_cuda.hpp"
#include "replica_backend.hpp"

namespace eos::kernels::cuda {
void set_products(Context::Cuda&, Products) { no_cuda(); }
Products products(const Context::Cuda&) { no_cuda(); }
std::size_t free_bytes(Context::Cuda&) { no_cuda(); }
std::shared_ptr<Recording::Graph> record(Context::Cuda&, const std::function<void()>&, int) { no_cuda(); }
void replay(Context::Cuda&, const Recording::Graph&) { no_cuda(); }
void begin_step(const Context&, StepShape, StepTables, StepGate, const ReplicaState*, StepRows) { no_cuda(); }
void decide_step(const Context&, StepShape, StepTables, Segments, StepDecision, StepScores, StepRows, StepOutcome) {
  no_cuda();
}
void replica_update(const Context&, int, Segments, ReplicaUpdate, ReplicaRule*, ReplicaArrays) { no_cuda(); }
}  // namespace eos::kernels::cuda
