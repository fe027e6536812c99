// Train many runs of one network in lockstep: seeds, rates, schedules and rules differ, the step is shared.
//
// Many small networks fill a GPU that one cannot: a step of all of them is one captured sequence of kernels, the runs
// differ by tables on the device, and a run that ends gives its place to the next. Results are those of train(): on the
// CPU every number has the same bits for any number of replicas and threads, except that runs with batch 1 add up path
// and path_squared in another order; on CUDA matrix products of several replicas may sum in another order than those of
// one, so results repeat at the same `replicas` and otherwise agree to rounding. What cannot be batched: see
// batchable(). Memory: batch_bytes() of replica_batch.hpp predicts it, and Error E304 says how many replicas would fit.
// Example: tests/sim/batch_test.cpp.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "eos/sim/train.hpp"

namespace eos::sim {

struct BatchOptions {
  std::string device = "cpu";  ///< a name as in kernels/device.hpp
  int replicas = 0;            ///< runs in lockstep; 0: 64 on CUDA, or as many as fit; one a thread on the CPU
  int threads = 1;             ///< of the CPU; each steps a batch of its own
  bool keep_weights = false;   ///< ReplicaResult::weights_at is filled
  /// Called as soon as a run has ended, stopped ones excepted, one call at a time: its place in the results.
  std::function<void(std::size_t, const ReplicaResult&)> finished = {};
};

/// Whether train_batched() can train a spec; if not, `reason` says why. What a step does must not hang on feedback that
/// the host computes: selection looks at present scores alone and shrinks its batches, writes are all, top-k within
/// layers or by threshold (with or without an accumulator), the optimiser is SGD or AdamW.
bool batchable(const theory::TrainingSpec& spec, const TaskData& data, std::string* reason = nullptr);

/// One result for every seed of every spec, in this order. Specs of different networks, batches, gates or rules are
/// trained one group after the other. A requested stop ends all runs with RunStatus::stopped.
/// throws Error E107 for a spec that is not batchable, E304, and those of train().
std::vector<ReplicaResult> train_batched(const std::vector<theory::TrainingSpec>& specs, const TaskData& data,
                                         core::Progress& progress, const BatchOptions& options = {});

}  // namespace eos::sim
