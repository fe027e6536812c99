// Reductions within a warp that the output layers share.
#pragma once

#include <climits>
#include <cmath>

namespace eos::kernels::cuda {

inline constexpr unsigned k_all_lanes = 0xFFFFFFFFu;
inline constexpr int k_warp = 32;

__device__ inline float sum_over_lanes(float value) {
  for (int offset = k_warp / 2; offset > 0; offset /= 2) value += __shfl_xor_sync(k_all_lanes, value, offset);
  return value;
}

/// Place of the first maximum among the classes of one sample.
__device__ inline int first_maximum(const float* z, int classes, int lane) {
  float top = -INFINITY;
  int winner = INT_MAX;
  if (lane < classes) top = z[lane], winner = lane;
  for (int c = lane + k_warp; c < classes; c += k_warp) {
    if (z[c] > top) top = z[c], winner = c;
  }
  for (int offset = k_warp / 2; offset > 0; offset /= 2) {
    const float other = __shfl_xor_sync(k_all_lanes, top, offset);
    const int place = __shfl_xor_sync(k_all_lanes, winner, offset);
    if (other > top || (other == top && place < winner)) top = other, winner = place;
  }
  return __shfl_sync(k_all_lanes, winner, 0);
}

}  // namespace eos::kernels::cuda
