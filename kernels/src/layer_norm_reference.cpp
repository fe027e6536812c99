// Layer normalisation as its equations say it, row by row, accumulating in double.
#include <algorithm>
#include <cmath>

#include "eos/kernels/layer_norm.hpp"

namespace eos::kernels::reference {

template <class Real>
void layer_norm_forward(LayerNormShape shape, double epsilon, const Real* x, const Real* gains, const Real* biases,
                        Real* y, Real* saved) {
  const std::int64_t width = shape.width;
  for (std::int64_t i = 0; i < shape.replicas * shape.rows; ++i) {
    const Real* row = x + i * width;
    const std::int64_t replica = i / shape.rows;
    double mean = 0, variance = 0;
    for (std::int64_t d = 0; d < width; ++d) mean += row[d] / static_cast<double>(width);
    for (std::int64_t d = 0; d < width; ++d) variance += (row[d] - mean) * (row[d] - mean) / static_cast<double>(width);
    const double inverse = 1 / std::sqrt(variance + epsilon);
    if (saved != nullptr) saved[2 * i] = static_cast<Real>(mean), saved[2 * i + 1] = static_cast<Real>(inverse);
    for (std::int64_t d = 0; d < width; ++d) {
      y[i * width + d] = static_cast<Real>(gains[replica * shape.parameter_stride() + d] * ((row[d] - mean) * inverse) +
                                           biases[replica * shape.parameter_stride() + d]);
    }
  }
}

template <class Real>
void layer_norm_backward(LayerNormShape shape, const Real* x, const Real* gains, const Real* saved, const Real* dy,
                         NormGradientsOf<Real> gradients) {
  const std::int64_t width = shape.width;
  const auto normalised = [&](std::int64_t i, std::int64_t d) {
    return (static_cast<double>(x[i * width + d]) - saved[2 * i]) * saved[2 * i + 1];
  };
  for (std::int64_t j = 0; gradients.dgains != nullptr && j < shape.replicas * width; ++j) {
    const std::int64_t replica = j / width, d = j % width;
    double gain = 0, bias = 0;
    for (std::int64_t i = replica * shape.rows; i < (replica + 1) * shape.rows; ++i) {
      gain += dy[i * width + d] * normalised(i, d);
      bias += dy[i * width + d];
    }
    gradients.dgains[replica * shape.parameter_stride() + d] = static_cast<Real>(gain);
    gradients.dbiases[replica * shape.parameter_stride() + d] = static_cast<Real>(bias);
  }
  for (std::int64_t i = 0; gradients.dx != nullptr && i < shape.replicas * shape.rows; ++i) {
    const Real* gain = gains + i / shape.rows * shape.parameter_stride();
    double mean = 0, correlation = 0;
    for (std::int64_t d = 0; d < width; ++d) {
      const double g = static_cast<double>(gain[d]) * dy[i * width + d];
      mean += g / static_cast<double>(width);
      correlation += g * normalised(i, d) / static_cast<double>(width);
    }
    for (std::int64_t d = 0; d < width; ++d) {
      const double g = static_cast<double>(gain[d]) * dy[i * width + d];
      gradients.dx[i * width + d] = static_cast<Real>(saved[2 * i + 1] * (g - mean - normalised(i, d) * correlation));
    }
  }
}

template void layer_norm_forward(LayerNormShape, double, const float*, const float*, const float*, float*, float*);
template void layer_norm_forward(LayerNormShape, double, const double*, const double*, const double*, double*, double*);
template void layer_norm_backward(LayerNormShape, const float*, const float*, const float*, const float*,
                                  NormGradientsOf<float>);
template void layer_norm_backward(LayerNormShape, const double*, const double*, const double*, const double*,
                                  NormGradientsOf<double>);

}  // namespace eos::kernels::reference
