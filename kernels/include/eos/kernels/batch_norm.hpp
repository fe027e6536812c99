// Batch normalisation: every channel brought to mean 0 and variance 1 over a batch and its positions, then stretched
// and shifted; with an optional ReLU in the same pass.
//
// Training: m = mean_n x, v = mean_n (x - m)^2, s = 1 / sqrt(v + epsilon), xhat = (x - m) s,
//   y = act(gain xhat + bias); running mean += momentum (m - running mean), running variance += momentum (v n/(n - 1) -
//   running variance). Evaluation: m and v are the running ones, and nothing is changed.
// Backward, with g = dy act': dbias = sum_n g, dgain = sum_n g xhat, and
//   dx = gain s (g - dbias / n - xhat dgain / n)   (statistics of the batch)   or   gain s g   (fixed statistics).
// Source: Ioffe & Szegedy, "Batch normalization", ICML 2015, algorithms 1 and 2, and the gradients of section 3; the
// momentum form and the unbiased running variance are those of PyTorch's BatchNorm2d. ReLU passes where y > 0; it is
// computed again in backward, so that y need not be kept.
// Shapes: x, y, dy, dx [R][rows][channels] with rows = samples x height x width of one replica; gains, biases
// and their gradients [R][channels] (stride apart), saved [R][2][channels]: m and s; running [R][2][channels]
// (state_stride apart): means and variances. Guarantees: statistics are summed in double in an order that the shape
// alone fixes: independent of threads(); the variance loses at most rows 2^-53 (m / deviation)^2 of its size. In
// evaluation a sample has the same bits alone and anywhere in any batch, and on every backend; in training it depends
// on its batch, by definition. NaN passes through its channel. No allocation after the first calls. Thread-safe. Bytes
// per entry: 12 forward in training, 8 in evaluation, 20 backward. Plain reference: namespace reference, for float and
// double. Example: tests/kernels/batch_norm_test.cpp.
#pragma once

#include "eos/kernels/activation.hpp"
#include "eos/kernels/layer_norm.hpp"

namespace eos::kernels {

struct BatchNormShape {
  int replicas = 1;
  std::int64_t rows = 0;  ///< samples x height x width of one replica
  int channels = 0;
  /// Floats between the gains of two replicas, and biases and gradients likewise; 0: channels.
  std::int64_t stride = 0;
  std::int64_t state_stride = 0;  ///< floats between the running statistics of two replicas; 0: 2 channels

  EOS_HD std::int64_t parameter_stride() const { return stride > 0 ? stride : channels; }
  EOS_HD std::int64_t running_stride() const { return state_stride > 0 ? state_stride : 2 * std::int64_t{channels}; }
};

struct BatchNormSpec {
  float epsilon = 1e-5f;
  float momentum = 0.1f;      ///< weight of the new batch in the running statistics
  ActivationSpec activation;  ///< identity or relu
};

enum class StatisticsOf {
  batch,  ///< the saved statistics are those of this batch and move with x
  fixed   ///< constants, as in evaluation
};

/// Statistics of the batch. `running` may be null: then nothing outlives the batch. `saved` is for backward and may be
/// null. y may be x. throws Error E901 for an activation other
/// than identity and relu, and for running statistics of one row, whose variance is undefined.
void batch_norm_train(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                      const float* gains, const float* biases, float* y, float* saved, float* running);
/// Running statistics, which are only read. `saved` as above (then backward runs with StatisticsOf::fixed).
void batch_norm_evaluate(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                         const float* gains, const float* biases, const float* running, float* y, float* saved);
/// rows = 0 gives gradients of zero. dx may be dy, but not x.
void batch_norm_backward(const Context& context, BatchNormShape shape, const BatchNormSpec& spec,
                         StatisticsOf statistics, const float* x, const float* gains, const float* biases,
                         const float* saved, const float* dy, NormGradients gradients);

namespace reference {
template <class Real>
void batch_norm_train(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                      const Real* biases, Real* y, Real* saved, Real* running);
template <class Real>
void batch_norm_evaluate(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                         const Real* biases, const Real* running, Real* y, Real* saved);
template <class Real>
void batch_norm_backward(BatchNormShape shape, const BatchNormSpec& spec, StatisticsOf statistics, const Real* x,
                         const Real* gains, const Real* biases, const Real* saved, const Real* dy,
                         NormGradientsOf<Real> gradients);
}  // namespace reference

}  // namespace eos::kernels
