// Layer normalisation: every row of features brought to mean 0 and variance 1, then stretched and shifted.
//
// m = mean_d x, s = 1 / sqrt(mean_d (x - m)^2 + epsilon), xhat = (x - m) s, y = gain xhat + bias. Source: Ba, Kiros &
// Hinton, "Layer normalization", arXiv:1607.06450 (2016), eq. 4 (epsilon as usual; 1e-5). Backward, with g = gain dy:
//   dx = s (g - mean_d g - xhat mean_d (g xhat)),   dgain = sum_rows dy xhat,   dbias = sum_rows dy.
// Shapes: x, y, dy, dx [R][rows][width], gains, biases and their gradients [R][width] (stride apart), saved
// [R][rows][2]: m and s of every row.
// Guarantees: forward and dx of a row depend on that row alone, so a sample has the same bits alone and anywhere in any
// batch; sums over rows are taken in float within fixed blocks of 64 rows and in double across them: independent of
// threads(). NaN passes through its row. No allocation after the first calls. Thread-safe. Bytes per entry: 8 forward,
// 12 backward. Plain reference: namespace reference, for float and double, accumulating in double. Example:
// tests/kernels/layer_norm_test.cpp.
#pragma once

#include <cstdint>

#include "eos/core/host_device.hpp"
#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct LayerNormShape {
  int replicas = 1;
  std::int64_t rows = 0;  ///< positions of all samples of a replica
  int width = 0;          ///< features of a position
  /// Floats between the gains of two replicas, and biases and gradients likewise; 0: width.
  std::int64_t stride = 0;

  EOS_HD std::int64_t parameter_stride() const { return stride > 0 ? stride : width; }
};

/// Where backward writes (overwriting). dgains and dbiases may both be null, and so may dx: what is null is not
/// computed. dx may be dy.
template <class Real>
struct NormGradientsOf {
  Real* dx = nullptr;
  Real* dgains = nullptr;
  Real* dbiases = nullptr;
};
using NormGradients = NormGradientsOf<float>;

/// `saved` may be null where no backward pass follows. y may be x.
void layer_norm_forward(const Context& context, LayerNormShape shape, float epsilon, const float* x, const float* gains,
                        const float* biases, float* y, float* saved);
/// rows = 0 gives gradients of zero.
void layer_norm_backward(const Context& context, LayerNormShape shape, const float* x, const float* gains,
                         const float* saved, const float* dy, NormGradients gradients);

namespace reference {
template <class Real>
void layer_norm_forward(LayerNormShape shape, double epsilon, const Real* x, const Real* gains, const Real* biases,
                        Real* y, Real* saved);
template <class Real>
void layer_norm_backward(LayerNormShape shape, const Real* x, const Real* gains, const Real* saved, const Real* dy,
                         NormGradientsOf<Real> gradients);
}  // namespace reference

}  // namespace eos::kernels
