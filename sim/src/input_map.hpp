// From the bytes of samples to what a network sees: scaled, centred or standardised, noisy, and augmented while
// training.
#pragma once

#include <cstdint>

#include "eos/kernels/augment.hpp"
#include "eos/sim/data.hpp"

namespace eos::sim {

/// Which presentation each row is, for the draws of its augmentation.
struct Presentation {
  const std::uint32_t* views =
      nullptr;  ///< [rows], in the context's memory; null: as evaluation sees them, never augmented
  std::uint64_t seed = 0;
  const kernels::DropoutDraw* replicas =
      nullptr;  ///< their seeds, for rows of several replicas, in the context's memory
  int rows_of_replica = 1;
};

class InputMap {
 public:
  InputMap(const kernels::Context& context, const theory::DataSpec& spec, const TaskData& data);

  /// Rows source[index[i]]; index in the context's memory.
  void gather(const std::uint8_t* source, const std::int32_t* index, int rows, Presentation presentation,
              float* to) const;
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
