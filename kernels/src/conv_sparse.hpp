// Backward passes of a convolution that visit only the non-zero derivatives of its sums.
//
// After 2 x 2 pooling at most one sum in four has a derivative. A non-zero dz of channel o at a place adds dz times the
// patch at that place to dw[..][o], and dz times w[..][o] to the gradient of the patch. A patch is cut into slabs: rows
// of neighbouring floats (kernel_w pixels of a block of channels) that fit the registers together. For the weights, a
// slab of dw for one o stays in registers while the patches of its non-zeros pass by; for the inputs, a slab of the
// gradient at one place stays there while the weights of its non-zero channels pass by. In both the operand of each
// multiply-add is read from the L1 cache, and blocks of channels are chosen so that it stays there.
#pragma once

#include <cstdint>

#include "conv_geometry.hpp"

namespace eos::kernels {

/// Rows of floats that are worked on together.
struct ConvSlab {
  std::int64_t block;       ///< of channels
  std::int64_t kernel_row;  ///< the first
  std::int64_t rows;        ///< neighbouring kernel rows
  std::int64_t first;       ///< float of the row where the slab begins
  std::int64_t registers;   ///< of 8 floats, a row
  std::int64_t begin;       ///< floats of all slabs before this one, per output channel
  std::int64_t size() const { return rows * registers * 8; }
};

/// How images and patches are cut.
struct ConvSlabs {
  std::int64_t block = 0, blocks = 0;  ///< channels of a block, number of blocks
  std::int64_t pitch = 0, plane = 0;   ///< floats of a padded row and of a padded image of one block
  std::int64_t row = 0;                ///< floats of a patch row: kernel_w block
  std::int64_t count = 0;
  std::int64_t floats = 0;          ///< of all slabs of one output channel
  const ConvSlab* slabs = nullptr;  ///< in the calling thread's working memory until its next cut
};
ConvSlabs cut_slabs(const ConvGeometry& g);

/// dw of images [begin, end), overwritten. winners is null without pooling.
void sparse_weights(const ConvGeometry& g, const float* x, const float* dz, const std::uint8_t* winners,
                    std::int64_t begin, std::int64_t end, float* dw);

/// Floats that sparse_inputs wants from turn_weights.
std::int64_t turned_size(const ConvGeometry& g);
/// [slab][out][size of the slab] from w.
void turn_weights(const ConvGeometry& g, const float* w, float* turned);
/// dx of one image, without the slope of its activation.
void sparse_inputs(const ConvGeometry& g, const float* dz, const std::uint8_t* winners, const float* turned, float* dx);

/// Share of non-zero entries.
double density_of(const float* values, std::int64_t size);

}  // namespace eos::kernels
