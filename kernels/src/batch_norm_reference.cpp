// Batch normalisation as its equations say it, channel by channel, accumulating in double.
#include <cmath>

#include "eos/kernels/batch_norm.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

namespace {

/// Calls body(replica, channel, at(row)).
template <class Body>
void for_channels(BatchNormShape shape, Body body) {
  for (std::int64_t j = 0; j < std::int64_t{shape.replicas} * shape.channels; ++j) {
    const std::int64_t first = j / shape.channels * shape.rows * shape.channels + j % shape.channels;
    body(j / shape.channels, j % shape.channels, [=](std::int64_t row) { return first + row * shape.channels; });
  }
}

}  // namespace

template <class Real>
void batch_norm_evaluate(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                         const Real* biases, const Real* running, Real* y, Real* saved) {
  for_channels(shape, [&](std::int64_t r, std::int64_t c, auto at) {
    const double mean = running[r * shape.running_stride() + c];
    const double variance = running[r * shape.running_stride() + shape.channels + c];
    const double inverse = 1 / std::sqrt(variance + spec.epsilon);
    if (saved != nullptr) saved[2 * r * shape.channels + c] = static_cast<Real>(mean);
    if (saved != nullptr) saved[(2 * r + 1) * shape.channels + c] = static_cast<Real>(inverse);
    const double gain = gains[r * shape.parameter_stride() + c], bias = biases[r * shape.parameter_stride() + c];
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      y[at(i)] = static_cast<Real>(activate(spec.activation, gain * ((x[at(i)] - mean) * inverse) + bias));
    }
  });
}

template <class Real>
void batch_norm_train(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                      const Real* biases, Real* y, Real* saved, Real* running) {
  const auto n = static_cast<double>(shape.rows);
  for_channels(shape, [&](std::int64_t r, std::int64_t c, auto at) {
    if (shape.rows == 0) return;
    double mean = 0, variance = 0;
    for (std::int64_t i = 0; i < shape.rows; ++i) mean += x[at(i)] / n;
    for (std::int64_t i = 0; i < shape.rows; ++i) variance += (x[at(i)] - mean) * (x[at(i)] - mean) / n;
    const double inverse = 1 / std::sqrt(variance + spec.epsilon);
    if (saved != nullptr) saved[2 * r * shape.channels + c] = static_cast<Real>(mean);
    if (saved != nullptr) saved[(2 * r + 1) * shape.channels + c] = static_cast<Real>(inverse);
    const double gain = gains[r * shape.parameter_stride() + c], bias = biases[r * shape.parameter_stride() + c];
    const auto move = [&](Real& value, double to) { value = static_cast<Real>(value + spec.momentum * (to - value)); };
    if (running != nullptr) {
      Real* own = running + r * shape.running_stride() + c;
      move(own[0], mean), move(own[shape.channels], variance * n / (n - 1));
    }
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      y[at(i)] = static_cast<Real>(activate(spec.activation, gain * ((x[at(i)] - mean) * inverse) + bias));
    }
  });
}

template <class Real>
void batch_norm_backward(BatchNormShape shape, const BatchNormSpec& spec, StatisticsOf statistics, const Real* x,
                         const Real* gains, const Real* biases, const Real* saved, const Real* dy,
                         NormGradientsOf<Real> gradients) {
  const auto n = static_cast<double>(shape.rows);
  for_channels(shape, [&](std::int64_t r, std::int64_t c, auto at) {
    const double mean = saved[2 * r * shape.channels + c], inverse = saved[(2 * r + 1) * shape.channels + c];
    const std::int64_t j = r * shape.parameter_stride() + c;
    const auto normalised = [&](std::int64_t i) { return (static_cast<double>(x[at(i)]) - mean) * inverse; };
    const auto error = [&](std::int64_t i) {
      return dy[at(i)] * slope(spec.activation, activate(spec.activation, gains[j] * normalised(i) + biases[j]));
    };
    double bias = 0, gain = 0;
    for (std::int64_t i = 0; i < shape.rows; ++i) bias += error(i), gain += error(i) * normalised(i);
    if (gradients.dgains != nullptr) gradients.dgains[j] = static_cast<Real>(gain);
    if (gradients.dbiases != nullptr) gradients.dbiases[j] = static_cast<Real>(bias);
    if (statistics == StatisticsOf::fixed) bias = gain = 0;
    for (std::int64_t i = 0; gradients.dx != nullptr && i < shape.rows; ++i) {
      gradients.dx[at(i)] = static_cast<Real>(gains[j] * inverse * (error(i) - bias / n - normalised(i) * gain / n));
    }
  });
}

#define EOS_BATCH_NORM_REFERENCE(Real)                                                                               \
  template void batch_norm_train(BatchNormShape, const BatchNormSpec&, const Real*, const Real*, const Real*, Real*, \
                                 Real*, Real*);                                                                      \
  template void batch_norm_evaluate(BatchNormShape, const BatchNormSpec&, const Real*, const Real*, const Real*,     \
                                    const Real*, Real*, Real*);                                                      \
  template void batch_norm_backward(BatchNormShape, const BatchNormSpec&, StatisticsOf, const Real*, const Real*,    \
                                    const Real*, const Real*, const Real*, NormGradientsOf<Real>);
EOS_BATCH_NORM_REFERENCE(float)
EOS_BATCH_NORM_REFERENCE(double)
#undef EOS_BATCH_NORM_REFERENCE

}  // namespace eos::kernels::reference
