// Which connections exist and how they are rewired: fixed random networks, SET, RigL, Top-KAST.
//
// Under the first three a connection that does not exist has the stored weight 0. Top-KAST stores all weights; the
// network computes with forward_weights(), the masked ones. Biases always exist. Rewiring is rare and is done on the
// host, so that every backend takes the same decisions from the same numbers.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "eos/kernels/update.hpp"
#include "eos/theory/structure_spec.hpp"
#include "network.hpp"

namespace eos::sim {

/// Optimiser state by name, as Plasticity::state().
using NamedBuffers = std::vector<std::pair<std::string, kernels::Buffer<float>*>>;

class Topology {
 public:
  Topology(const kernels::Context& context, const theory::TopologySpec& spec, const Network& layout,
           std::uint64_t seed);

  const theory::LayerConnections& connections() const { return connections_; }
  bool sparse() const { return spec_.rule != theory::TopologyRule::dense; }
  /// Draws or ranks the first connections and clears the weights of those that do not exist.
  void start(kernels::Buffer<float>& weights);
  /// What the network computes with.
  const float* forward_weights(const float* weights) const { return masked_.size() > 0 ? masked_.data() : weights; }
  /// To be called after every change of the stored weights.
  void follow(const float* weights);

  /// SET and RigL spend the update `step` at a share of the horizon on their connections instead of writing (Evci et
  /// al., algorithm 1).
  bool instead_of_write(std::int64_t step, double progress) const;
  /// Removes what is no gradient of a learning connection; Top-KAST's exploration penalty is added.
  void shape_gradient(const float* weights, float* gradient);
  /// Flags of parameters that may change, in the context's memory; null: all.
  const std::uint8_t* learning() const { return sparse() ? learning_on_device_.data() : nullptr; }
  /// Rewires layers from first_layer on if `step` is due, and says what that wrote, by layer. `gradient` is the
  /// unshaped one. Optimiser state of connections that appear or disappear is cleared.
  void rewire(std::int64_t step, double progress, int first_layer, const float* gradient,
              kernels::Buffer<float>& weights, const NamedBuffers& state, std::vector<kernels::UpdateCounts>& counts);

  /// MACs of one sample backward; where RigL `rewires`, with the weight gradients of all connections.
  std::int64_t backward_macs(int first_layer, bool rewires) const;
  /// Parameters of layers from first_layer on that are used, and that may change.
  std::int64_t used_parameters(int first_layer) const;
  std::int64_t learning_parameters(int first_layer) const;

  /// Flags [parameters] of what is used and what learns: the state of a checkpoint, and its return.
  const std::vector<std::uint8_t>& used() const { return used_; }
  const std::vector<std::uint8_t>& learns() const { return learns_; }
  void restore(std::vector<std::uint8_t> used, std::vector<std::uint8_t> learns, const float* weights);

 private:
  bool due(std::int64_t step) const { return sparse() && step % spec_.interval == 0; }
  void upload();
  void rank(int layer, const std::vector<float>& weights);
  void drop_and_grow(int layer, std::int64_t step, double progress, const std::vector<float>& gradient,
                     std::vector<float>& weights);

  kernels::Context context_;
  theory::TopologySpec spec_;
  Network layout_;
  std::uint64_t seed_;
  theory::LayerConnections connections_;
  std::vector<std::int64_t> sizes_;          ///< weights of each layer
  std::vector<std::int64_t> backward_macs_;  ///< without a topology, by first layer
  std::vector<std::uint8_t> used_, learns_;  ///< [parameters], biases included
  kernels::Buffer<std::uint8_t> used_on_device_, learning_on_device_;
  kernels::Buffer<float> masked_;  ///< Top-KAST: stored weights where used, else 0
};

}  // namespace eos::sim
