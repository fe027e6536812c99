// Two-dimensional convolution (cross-correlation) with fused bias, activation and 2 x 2 max-pooling; channels last.
//
// Per replica r, image b, place (i, j) and channel o, with x = 0 outside the image:
//
//   z[b][i][j][o] = b[o] + sum_{u, v, c} x[b][i stride + u - padding][j stride + v - padding][c] w[u][v][c][o]
//   y = act(z), or with pool = 2 the largest act(z) of each window of 2 x 2 places (an odd last row or column of sums
//   is left out); `winners` then says which one it was, 2 * row + column within the window, the first one of equals.
//
// dz is the derivative of the loss by the sums z, with pooling by the winning sums alone (all others have none), in the
// shape of y:  dw[u][v][c][o] = sum over b, i, j of x[...] dz,  db = sum of dz,
// dx = (sum over u, v, o of dz w) * act'(x), where x is the output of the previous layer (as in dense.hpp).
// Shapes: x, dx [R][rows][height][width][in], w, dw [R][kernel_h][kernel_w][in][out], b, db [R][out],
// y, dz [R][rows][out_height][out_width][out], winners the same within an image, but images winner_bytes() apart;
// replicas of parameters may lie further apart.
//
// Fast version on the CPU: the forward pass reads its operand from the (zero-padded) image itself, no matrix of patches
// is written. After pooling at most a quarter of the sums have a derivative, and images that were left out have none:
// the backward passes visit only the non-zero entries of dz where they are few (src/conv_sparse.hpp). On CUDA matrices
// of patches and cuBLASLt products over the replicas, a bounded number of images at a time.
// Guarantees: CPU results are independent of threads(), and an image has the same bits in y and dx alone and anywhere
// in any batch. No allocation after the first calls. Thread-safe. NaN passes through sums and pooling. FLOPs: 2 R rows
// kernel_h kernel_w in out per place each for y, dw, dx. Example: tests/kernels/conv2d_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct ConvShape {
  int replicas = 1;
  int rows = 0;  ///< images per replica
  int height = 0, width = 0, in = 0;
  int out = 0;
  int kernel_h = 1, kernel_w = 1;
  int stride = 1;
  int padding = 0;  ///< rows and columns of zeros on each side
  int pool = 0;     ///< 0: none, 2: max-pooling over 2 x 2 places with stride 2

  std::int64_t parameter_stride = 0;  ///< floats between replicas of w and dw, and of b and db; 0: without gaps

  std::int64_t weight_stride() const {
    return parameter_stride > 0 ? parameter_stride : std::int64_t{kernel_h} * kernel_w * in * out;
  }
  std::int64_t bias_stride() const { return parameter_stride > 0 ? parameter_stride : out; }
  int sum_height() const { return (height + 2 * padding - kernel_h) / stride + 1; }  ///< before pooling
  int sum_width() const { return (width + 2 * padding - kernel_w) / stride + 1; }
  int out_height() const { return pool == 2 ? sum_height() / 2 : sum_height(); }
  int out_width() const { return pool == 2 ? sum_width() / 2 : sum_width(); }
  /// Winners of an image, one byte each, up to whole words of four.
  std::int64_t winner_bytes() const { return (std::int64_t{out_height()} * out_width() * out + 3) / 4 * 4; }
};

/// b may be null (no biases). winners is written only with pooling and may be null otherwise. throws Error E901 for an
/// impossible shape: negative sizes, a kernel larger than the padded image, stride < 1, padding not smaller than the
/// kernel, pool not 0 or 2.
void conv2d_forward(const Context& context, ConvShape shape, const float* x, const float* w, const float* b,
                    ActivationSpec activation, float* y, std::uint8_t* winners);
/// dw and db are overwritten; db may be null. rows = 0 gives zeros.
void conv2d_backward_weights(const Context& context, ConvShape shape, const float* x, const float* dz,
                             const std::uint8_t* winners, float* dw, float* db);
/// dx is overwritten; act' from the output value x.
void conv2d_backward_inputs(const Context& context, ConvShape shape, const float* dz, const std::uint8_t* winners,
                            const float* w, const float* x, ActivationSpec activation_of_x, float* dx);

/// Plain loops over host arrays that accumulate in double: the specification. Real is float or double.
namespace reference {
template <class Real>
void conv2d_forward(ConvShape shape, const Real* x, const Real* w, const Real* b, ActivationSpec activation, Real* y,
                    std::uint8_t* winners);
template <class Real>
void conv2d_backward_weights(ConvShape shape, const Real* x, const Real* dz, const std::uint8_t* winners, Real* dw,
                             Real* db);
template <class Real>
void conv2d_backward_inputs(ConvShape shape, const Real* dz, const std::uint8_t* winners, const Real* w, const Real* x,
                            ActivationSpec activation_of_x, Real* dx);
}  // namespace reference

}  // namespace eos::kernels
