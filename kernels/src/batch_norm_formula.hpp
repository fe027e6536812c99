// Batch normalisation of one value, the same bits on host and device.
#pragma once

#include <cmath>

#include "eos/core/host_device.hpp"
#include "eos/kernels/batch_norm.hpp"

namespace eos::kernels::formula {

EOS_HD inline float inverse_deviation(float variance, float epsilon) { return 1.0f / sqrtf(variance + epsilon); }

/// gain xhat + bias before the activation; `scale` = gain * inverse deviation. Value may be eight floats.
template <class Value>
EOS_HD inline Value batch_norm_sum(Value x, Value mean, Value scale, Value bias) {
  return (x - mean) * scale + bias;
}

/// Mean, inverse deviation and running statistics of a channel from its sums of x and x^2 over n rows.
EOS_HD inline void finish_statistics(double sum, double squares, double n, const BatchNormSpec& spec, std::int64_t j,
                                     NormStatistics saved, RunningStatistics running) {
  const double mean = sum / n;
  const double difference = squares / n - mean * mean;
  const double variance = difference < 0 ? 0 : difference;  // rounding; NaN stays
  saved.mean[j] = static_cast<float>(mean);
  saved.inverse_deviation[j] = static_cast<float>(1 / sqrt(variance + static_cast<double>(spec.epsilon)));
  const auto momentum = static_cast<double>(spec.momentum);
  if (running.mean != nullptr) {
    running.mean[j] = static_cast<float>(running.mean[j] + momentum * (mean - running.mean[j]));
  }
  if (running.variance != nullptr) {
    running.variance[j] =
        static_cast<float>(running.variance[j] + momentum * (variance * (n / (n - 1)) - running.variance[j]));
  }
}

}  // namespace eos::kernels::formula
