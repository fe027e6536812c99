// R runs of one network in lockstep on one context: a step is one fixed sequence of kernel calls for all of them.
//
// Everything that differs between the runs lies in tables on the device, and so does the number of the step; on CUDA
// the sequence is captured once and replayed without the host until an evaluation is due or the tables are used up. A
// run that ends gives its slot to the next one, without another capture. On the CPU the same code makes the same calls,
// and every run has the bits that it has alone (replica.hpp).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "batch_run.hpp"
#include "eos/kernels/clip.hpp"
#include "eos/kernels/recording.hpp"
#include "replica.hpp"

namespace eos::sim {

/// Bytes of a batch of so many replicas on its device, beside the data set.
std::int64_t batch_bytes(const BatchForm& form, const Network& layout, int replicas);
/// The most replicas that fit into `free` bytes.
int replicas_that_fit(const BatchForm& form, const Network& layout, std::int64_t free);

class ReplicaBatch {
 public:
  /// setup: of any of the runs; form: of any run whose shape() all share. throws Error E304 that says how many replicas
  /// would fit.
  ReplicaBatch(const RunSetup& setup, const BatchForm& form, const kernels::Buffer<std::int32_t>& labels,
               const kernels::Context& context, int replicas);

  int slots() const { return static_cast<int>(runs_.size()); }
  const BatchRun* run(int slot) const { return runs_[at(slot)].get(); }
  /// Starts a run in a slot that is free.
  void put(int slot, std::unique_ptr<BatchRun> run);
  /// Ends the run in a slot and frees it.
  ReplicaResult take(int slot, bool stopped);
  /// Steps until the first run is due, then evaluates and plans on all that are due. Some run must be in a slot.
  void advance();

 private:
  static std::size_t at(int slot) { return static_cast<std::size_t>(slot); }
  void make_tables();
  void make_arrays();
  void record();
  void step();
  void score(bool errors);
  int window() const;
  void fill_tables(int steps);
  void run_steps(int steps);
  void report(int steps, double seconds);
  void evaluate(const std::vector<int>& slots);
  void score_rows(const ResidentInputs& inputs, Activations& activations, int first, int begin, int rows,
                  std::vector<SetScore>& sums);
  std::vector<SetScore> evaluate_set(const ResidentInputs& inputs, Activations& activations, int first);
  float* weights_of(int slot) { return weights_.data() + slot * layout_.parameters(); }

  const RunSetup& setup_;
  const Network& layout_;
  kernels::Context context_;
  kernels::StepDecision decision_;
  kernels::ReplicaUpdate update_;
  kernels::StepShape shape_;
  double clip_ = 0;
  bool accumulates_ = false, has_velocity_ = false, trains_ = false;
  std::vector<std::unique_ptr<BatchRun>> runs_;

  // Tables of the steps to come, and what was found in the steps made.
  kernels::Buffer<kernels::StepControls> controls_;
  kernels::Buffer<std::int32_t> samples_table_, trained_;
  kernels::Buffer<std::uint8_t> certain_;
  kernels::Buffer<std::uint32_t> views_table_, views_;  ///< of all steps and of the present one, with augmentation
  kernels::Buffer<double> fractions_;
  kernels::Buffer<kernels::ReplicaConstants> constants_;
  kernels::Buffer<kernels::ReplicaState> states_;
  kernels::Buffer<float> losses_;
  const std::int32_t* labels_of_set_;

  // The present step.
  kernels::Buffer<std::int32_t> samples_, labels_, correct_tokens_;
  kernels::Buffer<kernels::DropoutDraw> draws_;
  kernels::Buffer<float> row_weights_, scores_, dz_, sent_;  ///< scores: loss, p_true, residual: [3][R][B]
  kernels::Buffer<std::uint8_t> correct_;
  kernels::Buffer<kernels::ReplicaRule> rules_;
  kernels::Buffer<std::int64_t> ranks_;
  kernels::Buffer<kernels::Selection> selection_;
  kernels::Buffer<kernels::UpdateCounts> counts_, totals_;
  kernels::Buffer<kernels::ClipResult> clipped_;
  kernels::Buffer<float> weights_, gradient_, velocity_, second_moment_, accumulator_, statistics_;
  Activations activations_, one_;  ///< of all replicas, and of one that is evaluated alone
  Backward backward_;
  OutputScorer scorer_;
  kernels::Recording single_, several_;

  std::vector<float> host_losses_;
  std::vector<std::int32_t> host_trained_, host_samples_, host_labels_;
  std::vector<kernels::ReplicaState> host_states_;
};

}  // namespace eos::sim
