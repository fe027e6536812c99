// From the bytes of samples to what a network sees: scaled, centred or standardised, noisy, and augmented while
// training.
#pragma once

#include <cstdint>

#include "eos/kernels/augment.hpp"
#include "eos/sim/data.hpp"

namespace eos::sim {

class InputMap {
 public:
  InputMap(const kernels::Context& context, const theory::DataSpec& spec, const TaskData& data);

  /// Rows source[index[i]]. views [rows], like index in the context's memory: which presentation each row is, for the
  /// draws of its augmentation, keyed by `seed`; null: as evaluation sees them, never augmented.
  void gather(const std::uint8_t* source, const std::int32_t* index, int rows, const std::uint32_t* views,
              std::uint64_t seed, float* to) const;
  bool augments() const { return augments_; }

 private:
  kernels::Context context_;
  kernels::ImageShape shape_;
  bool augments_ = false;
  kernels::Augmentation augmentation_;
  kernels::Buffer<float> noise_pool_;
  kernels::InputTransform transform_;     ///< of all channels alike
  kernels::Buffer<float> scale_, shift_;  ///< by channel; empty: transform_ does
};

}  // namespace eos::sim
