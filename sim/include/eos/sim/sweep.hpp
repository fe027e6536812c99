// Plan a sweep: what its runs will take, how many replicas share a device, and which runs make a chunk of work.
//
// Nothing here changes a result: order, ids and numbers of runs come from the sweep file; time, memory and replicas
// decide how the work is cut, and are measured on the machine that plans.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "eos/sim/data.hpp"
#include "eos/sim/train.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::sim {

/// Raised when a release changes the numbers of unchanged runs: results of both must not meet in one sweep.
inline constexpr int k_numerics_version = 1;

/// What one run takes.
struct RunForecast {
  double seconds = 0;             ///< wall time, evaluations included
  double energy = 0;              ///< J of the run's price list, as if it went on as it begins
  std::int64_t macs = 0;          ///< of the forward and backward passes of all its positions
  std::int64_t memory_bytes = 0;  ///< of the run, without data
};

/// From two short stretches of training, a fraction of a second each, on a device as in TrainOptions. Time is that of
/// the stretches' difference, so that set-up does not count; evaluations are charged by their forward passes.
RunForecast forecast(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device);
/// What is known without running: multiply-adds and memory.
RunForecast counted(const theory::TrainingSpec& spec, const TaskData& data);

/// Bytes of the sets of a task.
std::int64_t data_bytes(const TaskData& data);

/// The fewest replicas in lockstep whose run-steps a second are within 5 % of the best, among powers of two up to
/// `most`. `throughput` measures run-steps a second at a number of replicas.
int choose_replicas(int most, const std::function<double(int)>& throughput);
/// The same for what fits into the device's memory, measured by training short stretches of `spec` in batches. Set-up
/// and capture do not count, as in forecast().
int choose_replicas(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device);

/// Consecutive runs of one group that take about `chunk_seconds` together; one run that takes longer is alone.
struct RunRange {
  std::int64_t first = 0, count = 0;
  double seconds = 0;
};
/// pre: `group` and `seconds` one entry a run, runs of a group consecutive.
std::vector<RunRange> pack_chunks(const std::vector<int>& group, const std::vector<double>& seconds,
                                  double chunk_seconds);

/// One seed of a spec as the table of a result: what train() would have returned, for a replica trained in a batch.
TrainResult result_of(const theory::TrainingSpec& spec, const TaskData& data, const std::string& device_name,
                      const ReplicaResult& replica);

}  // namespace eos::sim
