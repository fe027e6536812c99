// Which residual branches of a network exist, and what the others save.
//
// A branch that does not exist passes its input on; its last weights are zero until it appears, so that this is what it
// would compute. The number of branches changes between batches only.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/context.hpp"
#include "eos/theory/structure_spec.hpp"
#include "network.hpp"

namespace eos::sim {

class Growth {
 public:
  /// throws Error E107 when the network has no residual branches.
  Growth(const kernels::Context& context, const theory::GrowthSpec& spec, const Network& network);

  bool on() const { return spec_.on(); }
  /// Clears the last weights of the branches that appear later.
  void start(kernels::Buffer<float>& weights) const;
  /// Makes the network what it is at a share of the horizon; true when it changed.
  bool advance(double progress);
  /// Branches that exist; -1: all of them always have.
  int depth() const { return on() ? depth_ : -1; }
  /// Flags of the parameters that exist, in the context's memory; null: all.
  const std::uint8_t* learning() const { return resting_.empty() ? nullptr : flags_.data(); }
  /// [layers] 1 for blocks of branches that do not exist; empty: all exist.
  const std::vector<std::uint8_t>& resting() const { return resting_; }
  /// What passes through the present network save, per sample; words of parameters that do not exist.
  std::int64_t saved_forward() const { return saved_.forward_macs; }
  std::int64_t saved_backward() const { return saved_.backward_macs; }
  std::int64_t saved_parameters() const { return saved_.parameters; }

 private:
  theory::GrowthSpec spec_;
  const Network* network_;
  int depth_ = 0;
  theory::NetworkCounts saved_;
  std::vector<std::uint8_t> resting_, host_flags_;
  kernels::Buffer<std::uint8_t> flags_;
};

}  // namespace eos::sim
