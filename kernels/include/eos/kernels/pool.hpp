// Pooling over places of an image, channels last: maximum and average, over windows or over the whole image.
//
// Per image, place (i, j) and channel c, over the window u in [0, kernel_h), v in [0, kernel_w) at (i stride + u -
// padding, j stride + v - padding):
//
//   max_pool       y = the largest x of the window inside the image; winners = u * kernel_w + v of the first of equals
//   average_pool   y = sum of x over the window / (kernel_h kernel_w), x = 0 outside the image
//
// Backward: dx = (sum over windows of the derivative by x) * act'(x), where x is the output of the previous layer (as
// in dense.hpp). Shapes: x, dx [images][height][width][channels], y, dy, winners
// [images][out_height][out_width][channels]. Fast version: images are spread over threads, loops over channels
// innermost; one thread a value on CUDA. Guarantees: an image has the same bits alone and anywhere in any batch, on any
// number of threads; sums run in row-major order of places. NaN passes through: a window with NaNs has a NaN as its
// maximum, its last one in row-major order. No allocation. Thread-safe. Example: tests/kernels/pool_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct PoolShape {
  std::int64_t images = 0;  ///< of all replicas
  int height = 0, width = 0, channels = 0;
  int kernel_h = 2, kernel_w = 2;
  int stride = 2;
  int padding = 0;  ///< smaller than the kernel, so that no window is empty

  int out_height() const { return (height + 2 * padding - kernel_h) / stride + 1; }
  int out_width() const { return (width + 2 * padding - kernel_w) / stride + 1; }

  /// One window that is the whole image.
  static PoolShape global(std::int64_t images, int height, int width, int channels) {
    return {images, height, width, channels, height, width, 1, 0};
  }
};

/// throws Error E901 for an impossible shape, as do the others.
void max_pool_forward(const Context& context, PoolShape shape, const float* x, float* y, std::int32_t* winners);
void max_pool_backward(const Context& context, PoolShape shape, const float* dy, const std::int32_t* winners,
                       const float* x, ActivationSpec activation_of_x, float* dx);
void average_pool_forward(const Context& context, PoolShape shape, const float* x, float* y);
void average_pool_backward(const Context& context, PoolShape shape, const float* dy, const float* x,
                           ActivationSpec activation_of_x, float* dx);

/// Plain loops over host arrays, accumulating in double. Real is float or double.
namespace reference {
template <class Real>
void max_pool_forward(PoolShape shape, const Real* x, Real* y, std::int32_t* winners);
template <class Real>
void max_pool_backward(PoolShape shape, const Real* dy, const std::int32_t* winners, const Real* x,
                       ActivationSpec activation_of_x, Real* dx);
template <class Real>
void average_pool_forward(PoolShape shape, const Real* x, Real* y);
template <class Real>
void average_pool_backward(PoolShape shape, const Real* dy, const Real* x, ActivationSpec activation_of_x, Real* dx);
}  // namespace reference

}  // namespace eos::kernels
