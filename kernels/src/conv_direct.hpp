// Convolution without a matrix of patches: a matrix product whose left operand is read from a zero-padded image.
//
// The row of op(A) that belongs to a place is kernel_h pieces of kernel_w * in neighbouring floats, one padded image
// row apart: in each step of the register kernel of sgemm_fma.cpp six places read one such float each. Every sum is one
// chain of fused multiply-adds in the order of w, started at 0.
#pragma once

#include <cstdint>

namespace eos::kernels {

struct DirectConv {
  const float* image = nullptr;           ///< padded
  const std::int32_t* offsets = nullptr;  ///< where in the image the patch of each place begins
  std::int64_t places = 0;
  std::int64_t pieces = 0, length = 0, pitch = 0;  ///< of a patch: `pieces` times `length` floats, `pitch` apart
  const float* panels = nullptr;                   ///< of pack_panels
  std::int64_t out = 0;
  const float* bias = nullptr;  ///< [out] or null
  bool relu = false;
  float* result = nullptr;  ///< [places][out]
};

void direct_conv(const DirectConv& p);

/// Floats that packed weights take.
std::int64_t packed_size(std::int64_t patch, std::int64_t out);
/// [out / 16][patch][16] from [patch][out]; channels beyond the last are zero.
void pack_panels(const float* w, std::int64_t patch, std::int64_t out, float* panels);

}  // namespace eos::kernels
