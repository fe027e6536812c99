// Turn gradients into writes: optimiser, write rule, accumulator or transient part, and the counts of what was written.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/clip.hpp"
#include "eos/kernels/update.hpp"
#include "eos/theory/ledger.hpp"
#include "network.hpp"
#include "open_loop.hpp"
#include "synaptic_cache.hpp"

namespace eos::sim {

/// The controls of one update.
struct WriteControls {
  double learning_rate = 0;
  double theta = 0;            ///< threshold, where the rule uses one
  double weight_fraction = 1;  ///< top_k, random, fixed
  std::int64_t step = 1;       ///< number of this update, from 1
  int first_layer = 0;         ///< layers below it are frozen: neither they nor their state move
  /// Flags of parameters that may change, in the context's memory; null: all. Their changes are 0 for every rule.
  const std::uint8_t* learning = nullptr;
  const std::vector<std::uint8_t>* resting = nullptr;  ///< [layers] 1: does not exist, has no accumulator; null: none
  bool plain = false;  ///< with an accumulator: everything is written at once, past it
};

/// Norms at one update.
struct UpdateNorms {
  double gradient = 0;  ///< after clipping
  double change = 0;    ///< what the optimiser made of it; not measured for SGD
  double held = 0;      ///< the accumulator afterwards
};

class Plasticity {
 public:
  /// masked: controls may flag which parameters learn.
  Plasticity(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
             const theory::PlasticitySpec& plasticity, double upkeep, const Network& layout, std::uint64_t seed,
             bool masked = false);

  /// Before the first update.
  void start(const kernels::Buffer<float>& weights) { cache_.start(weights); }
  /// Writes to `weights`; the counts of each layer are then in changes(). With a cache, call settle() next. The
  /// gradient is clipped in place: its norm is that of all layers that are not frozen, whatever will be written.
  void apply(float* gradient, WriteControls controls, float* weights);
  /// The same for an update that was written elsewhere, with its counts.
  void note(const std::vector<kernels::UpdateCounts>& counts, const WriteControls& controls);
  /// An update that writes nothing, instead of apply().
  void skip();
  bool caches() const { return cache_.active(); }
  /// With a cache: a batch ended, `presentations` samples after the last. What apply() and others have changed since
  /// goes into transient parts; these are consolidated, maintained and decay.
  void settle(bool updated, std::int64_t presentations, float* weights);
  /// Of the last apply() or settle(), by layer: writes, path, transient path, accumulator words, maintenance.
  const std::vector<theory::Ledger>& changes() const { return changes_; }
  /// What is still transient, counted as if it were consolidated now, by layer.
  std::vector<theory::Ledger> rest(const kernels::Buffer<float>& weights) const { return cache_.rest(weights); }
  /// ThresholdFrom::energy: of the last apply(); zero if there was none or they are not finite.
  UpdateNorms norms() const { return norms_; }
  double cache_threshold() const { return cache_.threshold(); }

  /// Arrays that must survive a checkpoint, by name: velocity or moments, accumulator. A cache has its own.
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> state();
  SynapticCache& cache() { return cache_; }

 private:
  void clip(float* gradient, int first_layer);
  void measure(float* gradient, int first_layer);
  void make_delta(const float* gradient, WriteControls controls, const float* weights);
  void make_muon_delta(const float* gradient, WriteControls controls, const float* weights);
  void make_entry_delta(theory::OptimiserKind kind, float rate, std::int64_t step, std::int64_t begin, std::int64_t end,
                        const float* gradient, const float* weights);
  kernels::SgdParameters sgd(float rate) const;
  std::vector<std::int64_t> ranks(WriteControls controls) const;
  void keep_first(WriteControls controls, const float* weights);
  void write(const float* gradient, WriteControls controls, float* weights);
  void write_drawn(WriteControls controls, kernels::MaskedUpdate update, float* weights);

  kernels::Context context_;
  theory::OptimiserSpec optimiser_;
  theory::PlasticitySpec spec_;
  Network layout_;
  std::uint64_t seed_;
  std::vector<std::int64_t> sizes_;  ///< weights of each layer
  kernels::Buffer<float> delta_, velocity_, second_moment_, accumulator_;
  std::vector<int> muon_blocks_;  ///< whose weights Muon moves
  kernels::Buffer<float> muon_;   ///< its working memory
  kernels::Buffer<kernels::ClipResult> clipped_, measured_;
  UpdateNorms norms_;
  kernels::Buffer<kernels::Selection> selection_;
  kernels::Buffer<kernels::UpdateCounts> device_counts_;
  std::vector<kernels::UpdateCounts> counts_;
  SynapticCache cache_;
  std::vector<theory::Ledger> changes_;
};

}  // namespace eos::sim
