// What the CPU, CUDA and reference versions of cache_step share.
#pragma once

#include "eos/core/host_device.hpp"
#include "eos/kernels/cache.hpp"

namespace eos::kernels {

inline constexpr std::int64_t k_cache_rows = 64;  ///< rows whose |s| are summed before blocks are; fixes the bits

namespace formula {

/// l + keep s; exactly w when nothing decays.
EOS_HD inline float decayed(float l, float s, float keep, float w) { return keep == 1.0f ? w : l + keep * s; }

}  // namespace formula
}  // namespace eos::kernels
