// Where the backward pass of an update stops (theory::LayerGate): blocks below are not computed, not written, and their
// optimiser state rests.
//
// ratio: the progress of block l is the mean over recent updates of what its gradient promises, rate |g_l|^2. SGD has
// one rate for all blocks; AdamW and Muon move every weight by about as much whatever its gradient, a rate of
// sqrt(weights) / |g_l|. Costs of an update are the forward passes it takes, the MACs of the backward pass, and what
// its writes have cost lately, by block, at the prices of the run.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/clip.hpp"
#include "eos/theory/layer_depth.hpp"
#include "eos/theory/training_spec.hpp"
#include "network.hpp"

namespace eos::sim {

class LayerGate {
 public:
  LayerGate(const kernels::Context& context, const theory::TrainingSpec& spec, const theory::PlasticitySpec& effective,
            const Network& network, std::uint64_t seed);

  bool on() const { return rule_ != theory::LayerGate::none; }
  /// First block that learns at update `step` (from 1) of `rows` samples. `frozen` blocks do not learn anyway;
  /// `forward_cost` J are spent on the update before its backward pass; `whole`: a phase on all data.
  int choose(std::int64_t step, int rows, int frozen, double forward_cost, bool whole);
  /// After the update: its gradient, and what it did by block.
  void note(const float* gradient, const std::vector<theory::Ledger>& changes);

  /// Running means; must survive a checkpoint.
  std::vector<double> sums() const;
  void restore(const std::vector<double>& sums);

 private:
  struct Means {
    double seen = 0, progress = 0, writing = 0;  ///< samples; progress and J of writes of an update, times its samples
  };
  int draw(std::int64_t step, int frozen) const;
  void inspect();
  theory::LayerDepth best() const;

  kernels::Context context_;
  theory::LayerGate rule_;
  double share_;
  bool adaptive_rate_;  ///< AdamW, Muon
  theory::PriceList prices_;
  Network network_;
  std::uint64_t seed_;
  std::vector<std::int64_t> backward_macs_;  ///< of a sample, by first block
  std::vector<Means> means_;
  kernels::Buffer<kernels::ClipResult> norms_;
  std::vector<kernels::ClipResult> host_norms_;
  int first_ = 0, frozen_ = 0, rows_ = 0;  ///< of the present update, as forward_cost_
  double forward_cost_ = 0;
  double updates_ = 0, surplus_ = 0;              ///< updates since the last full pass; its surplus
  double passes_ = 0, change_ = 0, between_ = 0;  ///< full passes; sums of |change of surplus| and of updates
};

}  // namespace eos::sim
