// Train networks under a TrainingSpec and count everything: the one training engine of eos.
//
// One stream position after the other: present? -> forward -> keep? -> collect -> backward -> update -> write?; see
// docs/training.md for the exact order and the conventions of every count. Replicas (seeds) are independent runs that
// are spread over threads. Results depend on the spec alone: not on threads, packing, device order, or kill and resume.
#pragma once

#include <string>
#include <vector>

#include "eos/core/dataset.hpp"
#include "eos/core/progress.hpp"
#include "eos/core/sink.hpp"
#include "eos/sim/data.hpp"
#include "eos/sim/measured_energy.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::sim {

/// goal: the accuracy of TrainingSpec::goal was reached; no_improvement: its patience ended the run.
enum class RunStatus { complete, stopped, diverged, goal, no_improvement };
std::string to_string(RunStatus status);

struct TrainOptions {
  std::string device = "cpu";         ///< a name as in kernels/device.hpp
  int threads = 1;                    ///< replicas run in parallel on up to so many cores
  core::Sink* checkpoints = nullptr;  ///< resumed from and written to, if given; removed when all replicas are done
  bool keep_weights = false;          ///< ReplicaResult::weights_at is filled; not across kill and resume
  std::string checkpoint_name = "checkpoint";  ///< one table NAME-0, NAME-1, ... a replica
  MeterOptions meter;            ///< what measures joules, provenance only
  theory::CarbonFactors carbon;  ///< what a joule emits
};

/// One evaluation of one replica.
struct EpochRow {
  double epoch = 0;       ///< stream positions offered / training samples
  double step = 0;        ///< optimiser updates
  double train_loss = 0;  ///< mean over samples forwarded since the last row
  double validation_loss = 0, validation_accuracy = 0;
  double test_loss = 0, test_accuracy = 0;
  double data_fraction = 1;     ///< kept for back-propagation / seen since the last row
  double present_fraction = 1;  ///< seen / offered since the last row
  double weight_fraction = 1;   ///< writes / (steps * parameters) since the last row
  double learning_rate = 0;     ///< at the row
  double direct_writes = 0;     ///< direct_0: parameters that differ from their initial value
  double direct_path = 0;       ///< direct_1 = M_min: sum |w - w(0)|, the straight way
  double seconds = 0;           ///< wall time of training since the start, without evaluation; provenance only
  theory::Ledger ledger;        ///< cumulative
};

/// The straight way from the initial weights to the final ones, of one layer (van Rossum & Pache, PLoS Comput Biol
/// 2024).
struct DirectCost {
  std::int64_t writes = 0;
  double path = 0;
};

/// One recorded update (every record_every-th).
struct StepRow {
  std::int64_t step = 0;
  double epoch = 0, learning_rate = 0, loss = 0, data_fraction = 1, weight_fraction = 1, theta = 0, cache_theta = 0;
};

struct ReplicaResult {
  std::uint64_t seed = 0;
  RunStatus status = RunStatus::complete;
  std::vector<EpochRow> epochs;
  std::vector<StepRow> steps;
  std::vector<theory::Ledger> layers;          ///< writes, path_length and path_squared by layer
  std::vector<DirectCost> direct;              ///< by layer
  std::vector<float> weights;                  ///< final, [parameters]
  std::vector<std::vector<float>> weights_at;  ///< at each row of `epochs`, if asked for
};

struct TrainResult {
  theory::TrainingSpec spec;
  theory::NetworkCounts counts;
  std::string data_name, data_origin, device;
  int train_samples = 0;
  std::vector<ReplicaResult> replicas;
  MeasuredEnergy energy;  ///< joules of all replicas, evaluation included
};

/// throws Error on bad input (E501: the checkpoint belongs to another run); divergence and a requested stop are
/// statuses.
TrainResult train(const theory::TrainingSpec& spec, const TaskData& data, core::Progress& progress,
                  const TrainOptions& options = {});

/// The EOS-1 table of a run: train_loss, validation_accuracy, test_accuracy, data_fraction, weight_fraction,
/// learning_rate, samples_seen, samples_backward, writes, path_length, energy, ... along `epoch` (with several seeds
/// along `replica`, `epoch`), energy by term and the ledger; finer rows along `step`; writes by layer; the scalars
/// effective_epochs (back-propagated samples / training samples) and cost_ratio (MACs with scoring / MACs of dense
/// training over the same horizon); group `schedule`: the realised controls; group `provenance`: wall time and measured joules.
/// Rows that a stopped or diverged replica does not have are NaN, or -1 for integers.
core::Dataset to_dataset(const TrainResult& result);

}  // namespace eos::sim
