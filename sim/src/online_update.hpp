// The update from a single sample, written straight to the weights: no gradient is stored, zeros of the inputs are
// skipped, and writes are counted as they happen. The same weights and counts as Backward and Plasticity give.
// A policy that changes errors or gradients on their way needs these two: they are not seen here.
#pragma once

#include <vector>

#include "eos/kernels/update.hpp"
#include "network.hpp"
#include "plasticity.hpp"

namespace eos::sim {

class OnlineUpdate {
 public:
  OnlineUpdate(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
               const theory::PlasticitySpec& plasticity, const Network& layout, int batch);

  /// Online training (batch 1) by plain SGD that writes everything, or what exceeds a threshold; nothing has to be kept
  /// for later. A single row that is left of a larger batch goes the usual way, as in a batch of replicas: the sums of
  /// the path would otherwise be taken in another order.
  bool takes(int rows) const { return possible_ && rows == 1; }
  /// pre: takes(1). Row 0 of `a` and its dz and `sent` as in Backward::run.
  void run(const Activations& a, const float* dz, const float* sent, WriteControls controls, float* weights);
  const std::vector<kernels::UpdateCounts>& counts() const { return counts_; }

 private:
  kernels::Context context_;
  Network layout_;
  bool possible_ = false, writes_all_ = true;
  kernels::ActivationSpec hidden_;
  kernels::Buffer<float> from_, to_;  // errors of a layer
  kernels::Buffer<kernels::UpdateCounts> device_counts_;
  std::vector<kernels::UpdateCounts> counts_;
};

}  // namespace eos::sim
