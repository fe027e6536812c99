// Gather images from a byte data set into a float batch: standardised channel by channel, and augmented at random.
//
// gather_images: out[i][y][x][c] = scale[c] * source[index[i]][y'][x'][c] - shift[c], source uint8
//                [samples][height][width][channels]; (y', x') = (y, flip ? width - 1 - x : x) + (dy, dx), a zero byte
//                outside of the image (as a random crop of the image padded by zeros); then noise as in gather_rows;
//                then zeros in the square of cutout (DeVries & Taylor, arXiv 1708.04552, 2017: of the standardised
//                image, so that its mean hardly moves), whose middle is any pixel with equal probability and which may
//                reach out of the image.
// Draws: one address (seed, run, step: view[i], augmentation, index[i]). Word 0 < flip reflects, words 1 and 2 are dy
// and dx, uniform on [-translate, translate], word 3 is the middle of the square. So a sample that is gathered twice
// with the same view looks the same both times, wherever it lies in a batch. Guarantees: bit-identical everywhere; no
// allocation after the first call of a shape; 1 byte read and 4 written an entry.
#pragma once

#include <cstdint>

#include "eos/core/host_device.hpp"
#include "eos/kernels/dropout.hpp"
#include "eos/kernels/gather.hpp"

namespace eos::kernels {

struct ImageShape {
  int height = 1, width = 1, channels = 1;

  EOS_HD std::int64_t size() const { return std::int64_t{height} * width * channels; }
};

/// From bytes to inputs, [channels] each in the context's memory. E.g. scale 1 / (255 deviation), shift mean /
/// deviation.
struct ImageTransform {
  const float* scale = nullptr;
  const float* shift = nullptr;
  InputNoise noise;
};

struct Augmentation {
  float flip = 0;     ///< probability
  int translate = 0;  ///< pixels
  int cutout = 0;     ///< pixels
  std::uint64_t seed = 0;
  std::uint32_t run = 0;
  /// [rows] in the context's memory: which presentation of its sample a row is. null: images as they are.
  const std::uint32_t* view = nullptr;
  /// Rows of several replicas, `rows_of_replica` each: their seeds are those of replicas[row / rows_of_replica], in the
  /// context's memory. null: all have `seed`.
  const DropoutDraw* replicas = nullptr;
  int rows_of_replica = 1;
};

/// throws Error E901 without scale and shift, for noise without a pool, and for negative sizes.
/// Example: tests/kernels/augment_test.cpp.
void gather_images(const Context& context, const std::uint8_t* source, ImageShape shape, const std::int32_t* index,
                   int rows, ImageTransform transform, Augmentation augmentation, float* out);

namespace reference {
void gather_images(const std::uint8_t* source, ImageShape shape, const std::int32_t* index, int rows,
                   ImageTransform transform, Augmentation augmentation, float* out);
}  // namespace reference

}  // namespace eos::kernels
