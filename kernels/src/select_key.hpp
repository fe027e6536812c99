// The sort key of select_threshold on host and device: the bits of |value|, which order like |value| for finite floats.
#pragma once

#include <cstdint>
#include <cstring>

#include "eos/core/philox.hpp"

namespace eos::kernels {

inline constexpr std::uint32_t k_magnitude_mask = 0x7FFFFFFFu;
inline constexpr std::uint32_t k_infinity_key = 0x7F800000u;  ///< larger keys are NaN
inline constexpr std::uint32_t k_select_nothing = 0xFFFFFFFFu;

EOS_HD inline std::uint32_t magnitude_key(float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  return bits & k_magnitude_mask;
}

}  // namespace eos::kernels
