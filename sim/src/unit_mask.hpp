// Which units keep their back-propagated errors, which are plastic, and what a backward pass then costs.
//
// Fixed sets are drawn from addresses, so they are no state. Sets of a batch are drawn or chosen before or while its
// errors are propagated: begin() once an update, apply() on the errors of each layer from the last to the first.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/core/philox.hpp"
#include "eos/kernels/mask.hpp"
#include "eos/theory/structure_spec.hpp"
#include "network.hpp"

namespace eos::sim {

/// k of `size` entries, uniformly drawn at the addresses (run, step, purpose, .); flags in order of the entries.
std::vector<std::uint8_t> random_subset(std::int64_t size, std::int64_t k, std::uint64_t seed, core::Address address);
/// The same again and again: memory is allocated where a size is larger than all before it.
class SubsetDraw {
 public:
  /// Valid until the next call.
  const std::vector<std::uint8_t>& operator()(std::int64_t size, std::int64_t k, std::uint64_t seed,
                                              core::Address address);

 private:
  std::vector<std::uint32_t> words_;
  std::vector<std::int64_t> order_;
  std::vector<std::uint8_t> flags_;
};

class UnitMasks {
 public:
  /// capacity: the largest batch.
  UnitMasks(const kernels::Context& context, const theory::UnitSpec& spec, const Network& layout, int capacity,
            std::uint64_t seed);

  bool masks_errors() const { return spec_.rule != theory::UnitRule::all; }
  /// Prepares update number `step`; `trained` counts the rows of all updates before it.
  void begin(std::int64_t step, std::int64_t trained, const std::vector<std::int32_t>& labels);
  /// Masks the errors [rows][outputs of layer] in place.
  void apply(int layer, const Activations& activations, float* errors);
  /// Of the update begun last.
  std::int64_t backward_macs(int first_layer) const;

  /// Flags of parameters on paths of plastic units, in the context's memory; null: all.
  const std::uint8_t* plastic() const { return plastic_.size() > 0 ? plastic_.data() : nullptr; }

 private:
  /// The sets of one level.
  struct Level {
    int width = 0;
    double fraction = 1;
    bool masked = false;
    std::int64_t ranked = 0;          ///< units kept by rank
    std::int64_t plastic = 0;         ///< units on paths
    std::vector<std::uint8_t> sets;   ///< [sets][width] flags
    std::vector<std::int64_t> sizes;  ///< [sets] units in each
    kernels::Buffer<std::uint8_t> on_device;
  };
  void draw_fixed(std::size_t level);
  void draw_random(std::size_t level, std::int64_t step, int rows);
  void draw_paths();
  bool known_before() const { return spec_.rule != theory::UnitRule::error; }
  std::int64_t kept(const Level& level, int row) const;

  kernels::Context context_;
  theory::UnitSpec spec_;
  Network layout_;
  std::uint64_t seed_;
  int rows_ = 0;
  std::vector<Level> levels_;
  std::vector<std::int32_t> set_of_row_;
  kernels::Buffer<std::int32_t> set_on_device_;
  kernels::Buffer<float> sums_;  ///< of a unified ranking
  kernels::Buffer<std::uint8_t> plastic_;
};

}  // namespace eos::sim
