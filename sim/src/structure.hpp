// What the structure policies of a run (units, frozen layers, topology) do to its forward and backward passes.
//
// One update: begin() before the backward pass, scope() for it, then the write; in a sparse topology shape() on the
// gradient before it, no write if skips_write(), and finish() after it. backward_macs() and the parameters read are
// those of the update begun last.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/theory/plasticity_spec.hpp"
#include "growth.hpp"
#include "topology.hpp"
#include "unit_groups.hpp"
#include "unit_mask.hpp"

namespace eos::sim {

/// The moment of an update.
struct UpdateTime {
  std::int64_t step = 1;     ///< number of the update, from 1
  double progress = 0;       ///< share of the horizon at which its batch began
  std::int64_t trained = 0;  ///< rows of all updates before it
};

class Structure {
 public:
  /// capacity: the largest batch; epochs: the horizon.
  Structure(const kernels::Context& context, const theory::PlasticitySpec& spec, const Network& layout, int capacity,
            double epochs, std::uint64_t seed);

  /// True where all units and connections learn all the time.
  bool plain() const;
  /// Makes the first connections from the initial weights, and branches that appear later zero.
  void start(kernels::Buffer<float>& weights) {
    topology_.start(weights);
    growth_.start(weights);
  }
  /// What the network computes with.
  const float* forward_weights(const float* weights) const { return topology_.forward_weights(weights); }

  void begin(UpdateTime time, const std::vector<std::int32_t>& labels);
  /// This update goes no deeper than layer `first`.
  void stop_at(int first) { first_layer_ = first; }
  /// Layers below it are frozen, or skipped by this update.
  int first_layer() const { return first_layer_; }
  BackwardScope scope(const Activations& activations);
  /// Flags of parameters that may change, in the context's memory; null: all of the layers that learn.
  const std::uint8_t* learning() const {
    if (growth_.on()) return growth_.learning();
    if (!groups_.all()) return groups_.learning();
    return topology_.sparse() ? topology_.learning() : units_.plastic();
  }
  bool skips_write() const { return skips_write_; }
  /// After the backward pass. SET and RigL rewire here, where the gradient of all connections is at hand.
  void shape(kernels::Buffer<float>& weights, float* gradient, const NamedBuffers& state);
  /// After the write.
  void finish(kernels::Buffer<float>& weights, const NamedBuffers& state);

  /// What the structure itself wrote at this update, by layer.
  const std::vector<kernels::UpdateCounts>& counts() const { return counts_; }
  std::int64_t backward_macs(int rows) const;
  /// Of a forward pass through the layers from `first` on.
  std::int64_t forward_reads(int first = 0) const {
    return topology_.used_parameters(first) - growth_.saved_parameters();
  }
  std::int64_t update_reads() const;  ///< of the backward pass and the write

  Growth& growth() { return growth_; }
  const Growth& growth() const { return growth_; }
  Topology& topology() { return topology_; }
  const Topology& topology() const { return topology_; }

 private:
  kernels::Context context_;
  Network layout_;
  UnitMasks units_;
  Topology topology_;
  UnitGroups groups_;
  Growth growth_;
  std::vector<double> freeze_times_;
  std::vector<kernels::UpdateCounts> counts_;
  UpdateTime time_;
  int first_layer_ = 0;
  bool masks_units_ = false, skips_write_ = false;
};

}  // namespace eos::sim
