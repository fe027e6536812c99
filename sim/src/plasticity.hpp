// Turn gradients into writes: optimiser, write rule, accumulator, and the counts of what was written.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/update.hpp"
#include "eos/theory/ledger.hpp"
#include "mlp.hpp"
#include "open_loop.hpp"

namespace eos::sim {

/// The controls of one update.
struct WriteControls {
  double learning_rate = 0;
  double theta = 0;            ///< threshold, where the rule uses one
  double weight_fraction = 1;  ///< top_k, random
  std::int64_t step = 1;       ///< number of this update, from 1
};

class Plasticity {
 public:
  Plasticity(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
             const theory::PlasticitySpec& plasticity, const MlpLayout& layout, std::uint64_t seed);

  /// Writes to `weights`; the counts of each layer are then in counts().
  void apply(const float* gradient, WriteControls controls, float* weights);
  const std::vector<kernels::UpdateCounts>& counts() const { return counts_; }
  /// Accumulator words touched by one update: every parameter's.
  std::int64_t accumulator_words() const { return spec_.accumulate ? layout_.parameters() : 0; }

  /// Arrays that must survive a checkpoint, by name: velocity or moments, accumulator.
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> state();

 private:
  void make_delta(const float* gradient, WriteControls controls, const float* weights);
  void select(WriteControls controls);

  kernels::Context context_;
  theory::OptimiserSpec optimiser_;
  theory::PlasticitySpec spec_;
  MlpLayout layout_;
  std::uint64_t seed_;
  kernels::Buffer<float> delta_, velocity_, second_moment_, accumulator_;
  kernels::Buffer<kernels::Selection> selection_;
  kernels::Buffer<kernels::UpdateCounts> device_counts_;
  std::vector<kernels::UpdateCounts> counts_;
  std::vector<std::int64_t> k_;
};

}  // namespace eos::sim
