// The transient part of weights: when it is consolidated, what it costs, and how it decays (docs/training.md).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "eos/kernels/cache.hpp"
#include "eos/theory/ledger.hpp"
#include "eos/theory/plasticity_spec.hpp"
#include "network.hpp"

namespace eos::sim {

class SynapticCache {
 public:
  SynapticCache() = default;  ///< none
  /// `upkeep`: c of theory::cache_upkeep.
  SynapticCache(const kernels::Context& context, const theory::CacheSpec& spec, double upkeep, const Network& layout);

  bool active() const { return spec_.on(); }
  /// All of `weights` is persistent.
  void start(const kernels::Buffer<float>& weights);
  /// The end of a batch: `update` is what an update has just changed by layer, or null if there was none; then
  /// `presentations` samples' worth of upkeep and decay. Adds to the ledgers of the layers.
  void step(const std::vector<kernels::UpdateCounts>* update, std::int64_t presentations, float* weights,
            std::vector<theory::Ledger>& layers);
  /// What consolidating everything now would count, by layer.
  std::vector<theory::Ledger> rest(const kernels::Buffer<float>& weights) const;
  /// Threshold of the first layer at the last step; 0 for a clock.
  double threshold() const { return theta_.empty() || !std::isfinite(theta_[0]) ? 0.0 : theta_[0]; }

  /// What must survive a checkpoint: the persistent weights, and the running sums.
  kernels::Buffer<float>& persistent() { return persistent_; }
  std::vector<double> sums() const;
  void restore(const std::vector<double>& sums, const kernels::Buffer<float>& weights);

 private:
  void measure(const std::vector<kernels::UpdateCounts>* update, std::int64_t presentations);
  kernels::Trigger decide(std::int64_t presentations);

  kernels::Context context_;
  theory::CacheSpec spec_;
  double upkeep_ = 0;
  Network layout_;
  std::vector<std::int64_t> neurons_;
  std::vector<float> theta_;
  kernels::Buffer<float> persistent_, previous_;
  kernels::Buffer<kernels::CacheCounts> device_counts_;
  std::vector<kernels::CacheCounts> counts_;
  std::vector<double> squared_;  ///< sum of squared updates by layer, forgetting over `window` presentations
  double presented_ = 0;         ///< presentations, forgetting as fast
  double since_ = 0;             ///< presentations since the clock last fired
};

}  // namespace eos::sim
