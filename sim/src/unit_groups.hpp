// Which groups of units get a weight gradient at an update (theory::GroupSpec).
//
// Dense layers and convolutions choose; the parameters of all other blocks always learn.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/theory/structure_spec.hpp"
#include "network.hpp"
#include "unit_mask.hpp"

namespace eos::sim {

class UnitGroups {
 public:
  UnitGroups(const kernels::Context& context, const theory::GroupSpec& spec, const Network& network,
             std::uint64_t seed);

  bool all() const { return spec_.rule == theory::GroupRule::all; }
  /// Chooses for update number `step`, from 1.
  void begin(std::int64_t step);
  /// Of the update begun last; null: all columns of every block.
  const ColumnChoice* columns() const { return all() ? nullptr : &choice_; }
  /// Flags of parameters that learn, in the context's memory; null: all.
  const std::uint8_t* learning() const { return all() ? nullptr : flags_.data(); }
  /// MACs of one sample's weight gradients that are not computed, for blocks from first_block on.
  std::int64_t saved_macs(int first_block) const;

 private:
  void choose(int block, std::int64_t step);

  theory::GroupSpec spec_;
  Network network_;
  std::uint64_t seed_;
  ColumnChoice choice_;
  SubsetDraw draw_;
  std::vector<std::uint8_t> taken_;  ///< flags of the groups of a block
  std::vector<std::uint8_t> host_flags_;
  kernels::Buffer<std::uint8_t> flags_;
};

}  // namespace eos::sim
