// Batch normalisation as its equations say it, channel by channel, accumulating in double.
#include <cmath>

#include "eos/kernels/batch_norm.hpp"
#include "reference_activation.hpp"

namespace eos::kernels::reference {

namespace {

/// Calls body(replica, channel, index of the channel among all, at(row)).
template <class Body>
void for_channels(BatchNormShape shape, Body body) {
  for (std::int64_t j = 0; j < std::int64_t{shape.replicas} * shape.channels; ++j) {
    const std::int64_t first = j / shape.channels * shape.rows * shape.channels + j % shape.channels;
    body(j, [=](std::int64_t row) { return first + row * shape.channels; });
  }
}

}  // namespace

template <class Real>
void batch_norm_evaluate(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                         const Real* biases, const Real* running_mean, const Real* running_variance, Real* y,
                         NormStatisticsOf<Real> saved) {
  for_channels(shape, [&](std::int64_t j, auto at) {
    const double mean = running_mean[j];
    const double inverse = 1 / std::sqrt(static_cast<double>(running_variance[j]) + spec.epsilon);
    if (saved.mean != nullptr) saved.mean[j] = static_cast<Real>(mean);
    if (saved.inverse_deviation != nullptr) saved.inverse_deviation[j] = static_cast<Real>(inverse);
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      y[at(i)] = static_cast<Real>(activate(spec.activation, gains[j] * ((x[at(i)] - mean) * inverse) + biases[j]));
    }
  });
}

template <class Real>
void batch_norm_train(BatchNormShape shape, const BatchNormSpec& spec, const Real* x, const Real* gains,
                      const Real* biases, Real* y, NormStatisticsOf<Real> saved, RunningStatisticsOf<Real> running) {
  const auto n = static_cast<double>(shape.rows);
  for_channels(shape, [&](std::int64_t j, auto at) {
    if (shape.rows == 0) return;
    double mean = 0, variance = 0;
    for (std::int64_t i = 0; i < shape.rows; ++i) mean += x[at(i)] / n;
    for (std::int64_t i = 0; i < shape.rows; ++i) variance += (x[at(i)] - mean) * (x[at(i)] - mean) / n;
    const double inverse = 1 / std::sqrt(variance + spec.epsilon);
    if (saved.mean != nullptr) saved.mean[j] = static_cast<Real>(mean);
    if (saved.inverse_deviation != nullptr) saved.inverse_deviation[j] = static_cast<Real>(inverse);
    const auto move = [&](Real& value, double to) { value = static_cast<Real>(value + spec.momentum * (to - value)); };
    if (running.mean != nullptr) move(running.mean[j], mean);
    if (running.variance != nullptr) move(running.variance[j], variance * n / (n - 1));
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      y[at(i)] = static_cast<Real>(activate(spec.activation, gains[j] * ((x[at(i)] - mean) * inverse) + biases[j]));
    }
  });
}

template <class Real>
void batch_norm_backward(BatchNormShape shape, const BatchNormSpec& spec, StatisticsOf statistics, const Real* x,
                         const Real* gains, const Real* biases, NormStatisticsOf<Real> saved, const Real* dy,
                         NormGradientsOf<Real> gradients) {
  const auto n = static_cast<double>(shape.rows);
  for_channels(shape, [&](std::int64_t j, auto at) {
    const double inverse = saved.inverse_deviation[j];
    const auto normalised = [&](std::int64_t i) { return (static_cast<double>(x[at(i)]) - saved.mean[j]) * inverse; };
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
                                 NormStatisticsOf<Real>, RunningStatisticsOf<Real>);                                 \
  template void batch_norm_evaluate(BatchNormShape, const BatchNormSpec&, const Real*, const Real*, const Real*,     \
                                    const Real*, const Real*, Real*, NormStatisticsOf<Real>);                        \
  template void batch_norm_backward(BatchNormShape, const BatchNormSpec&, StatisticsOf, const Real*, const Real*,    \
                                    const Real*, NormStatisticsOf<Real>, const Real*, NormGradientsOf<Real>);
EOS_BATCH_NORM_REFERENCE(float)
EOS_BATCH_NORM_REFERENCE(double)
#undef EOS_BATCH_NORM_REFERENCE

}  // namespace eos::kernels::reference
