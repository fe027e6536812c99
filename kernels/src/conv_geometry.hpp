// Sizes of a convolution in 64 bits, and the zero-padded copy of an image that its kernels walk over.
#pragma once

#include <algorithm>
#include <cstdint>

#include "eos/kernels/conv2d.hpp"

namespace eos::kernels {

/// An image and the zeros around it.
struct PaddedImage {
  std::int64_t height, width, channels;
  std::int64_t above, left;  ///< rows and columns of zeros on each side
  std::int64_t padded_height() const { return height + 2 * above; }
  std::int64_t padded_width() const { return width + 2 * left; }
  std::int64_t size() const { return padded_height() * padded_width() * channels; }
};

/// One replica of a convolution.
struct ConvGeometry {
  explicit ConvGeometry(const ConvShape& s)
      : rows(s.rows),
        height(s.height),
        width(s.width),
        in(s.in),
        out(s.out),
        kernel_h(s.kernel_h),
        kernel_w(s.kernel_w),
        stride(s.stride),
        padding(s.padding),
        sum_height(s.sum_height()),
        sum_width(s.sum_width()),
        out_height(s.out_height()),
        out_width(s.out_width()),
        pooled(s.pool == 2) {}

  std::int64_t rows, height, width, in, out, kernel_h, kernel_w, stride, padding;
  std::int64_t sum_height, sum_width, out_height, out_width;
  bool pooled;

  std::int64_t patch() const { return kernel_h * kernel_w * in; }
  std::int64_t weights() const { return patch() * out; }
  std::int64_t image() const { return height * width * in; }
  std::int64_t padded_height() const { return height + 2 * padding; }
  std::int64_t padded_width() const { return width + 2 * padding; }
  std::int64_t sums() const { return sum_height * sum_width; }    ///< places of an image before pooling
  std::int64_t places() const { return out_height * out_width; }  ///< and after it
  std::int64_t outputs() const { return out_height * out_width * out; }
  std::int64_t winner_bytes() const { return (outputs() + 3) / 4 * 4; }  ///< of an image
  PaddedImage padded() const { return {height, width, in, padding, padding}; }
};

/// [blocks][padded height][padded width][block] from [height][width][channels]: blocks of neighbouring channels one
/// after the other; zeros around and behind the last channel. A block of all channels keeps the order of the image.
inline void pad_image(const PaddedImage& size, const float* image, std::int64_t block, float* to) {
  const std::int64_t channels = size.channels, margin = size.above * size.padded_width() * block;
  for (std::int64_t c = 0; c < channels; c += block) {
    const std::int64_t here = std::min(block, channels - c);
    to = std::fill_n(to, margin, 0.0f);
    for (std::int64_t i = 0; i < size.height; ++i) {
      to = std::fill_n(to, size.left * block, 0.0f);
      const float* from = image + i * size.width * channels + c;
      if (block == channels) {
        to = std::copy_n(from, size.width * channels, to);
      } else {
        for (std::int64_t j = 0; j < size.width; ++j, from += channels) {
          to = std::copy_n(from, here, to);
          to = std::fill_n(to, block - here, 0.0f);
        }
      }
      to = std::fill_n(to, size.left * block, 0.0f);
    }
    to = std::fill_n(to, margin, 0.0f);
  }
}

}  // namespace eos::kernels
