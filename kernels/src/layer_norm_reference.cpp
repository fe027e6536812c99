// Layer normalisation as its equations say it, row by row, accumulating in double.
#include <algorithm>
#include <cmath>

#include "eos/kernels/layer_norm.hpp"

namespace eos::kernels::reference {

template <class Real>
void layer_norm_forward(LayerNormShape shape, double epsilon, const Real* x, const Real* gains, const Real* biases,
                        Real* y, NormStatisticsOf<Real> saved) {
  const std::int64_t width = shape.width;
  for (std::int64_t i = 0; i < shape.replicas * shape.rows; ++i) {
    const Real* row = x + i * width;
    const std::int64_t replica = i / shape.rows;
    double mean = 0, variance = 0;
    for (std::int64_t d = 0; d < width; ++d) mean += row[d] / static_cast<double>(width);
    for (std::int64_t d = 0; d < width; ++d) variance += (row[d] - mean) * (row[d] - mean) / static_cast<double>(width);
    const double inverse = 1 / std::sqrt(variance + epsilon);
    if (saved.mean != nullptr) saved.mean[i] = static_cast<Real>(mean);
    if (saved.inverse_deviation != nullptr) saved.inverse_deviation[i] = static_cast<Real>(inverse);
    for (std::int64_t d = 0; d < width; ++d) {
      y[i * width + d] =
          static_cast<Real>(gains[replica * width + d] * ((row[d] - mean) * inverse) + biases[replica * width + d]);
    }
  }
}

template <class Real>
void layer_norm_backward(LayerNormShape shape, const Real* x, const Real* gains, NormStatisticsOf<Real> saved,
                         const Real* dy, NormGradientsOf<Real> gradients) {
  const std::int64_t width = shape.width;
  const auto normalised = [&](std::int64_t i, std::int64_t d) {
    return (static_cast<double>(x[i * width + d]) - saved.mean[i]) * saved.inverse_deviation[i];
  };
  for (std::int64_t j = 0; gradients.dgains != nullptr && j < shape.replicas * width; ++j) {
    const std::int64_t replica = j / width, d = j % width;
    double gain = 0, bias = 0;
    for (std::int64_t i = replica * shape.rows; i < (replica + 1) * shape.rows; ++i) {
      gain += dy[i * width + d] * normalised(i, d);
      bias += dy[i * width + d];
    }
    gradients.dgains[j] = static_cast<Real>(gain);
    gradients.dbiases[j] = static_cast<Real>(bias);
  }
  for (std::int64_t i = 0; gradients.dx != nullptr && i < shape.replicas * shape.rows; ++i) {
    const Real* gain = gains + i / shape.rows * width;
    double mean = 0, correlation = 0;
    for (std::int64_t d = 0; d < width; ++d) {
      const double g = static_cast<double>(gain[d]) * dy[i * width + d];
      mean += g / static_cast<double>(width);
      correlation += g * normalised(i, d) / static_cast<double>(width);
    }
    for (std::int64_t d = 0; d < width; ++d) {
      const double g = static_cast<double>(gain[d]) * dy[i * width + d];
      gradients.dx[i * width + d] =
          static_cast<Real>(saved.inverse_deviation[i] * (g - mean - normalised(i, d) * correlation));
    }
  }
}

template void layer_norm_forward(LayerNormShape, double, const float*, const float*, const float*, float*,
                                 NormStatisticsOf<float>);
template void layer_norm_forward(LayerNormShape, double, const double*, const double*, const double*, double*,
                                 NormStatisticsOf<double>);
template void layer_norm_backward(LayerNormShape, const float*, const float*, NormStatisticsOf<float>, const float*,
                                  NormGradientsOf<float>);
template void layer_norm_backward(LayerNormShape, const double*, const double*, NormStatisticsOf<double>, const double*,
                                  NormGradientsOf<double>);

}  // namespace eos::kernels::reference
