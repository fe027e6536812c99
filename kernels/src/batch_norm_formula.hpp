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

/// Mean, inverse deviation and running statistics of a channel from its sums of x and x^2 over n rows. `saved` and
/// `running` (or null) are those of the channel: their second values lie `channels` further on.
EOS_HD inline void finish_statistics(double sum, double squares, double n, const BatchNormSpec& spec, int channels,
                                     float* saved, float* running) {
  const double mean = sum / n;
  const double difference = squares / n - mean * mean;
  const double variance = difference < 0 ? 0 : difference;  // rounding; NaN stays
  saved[0] = static_cast<float>(mean);
  saved[channels] = static_cast<float>(1 / sqrt(variance + static_cast<double>(spec.epsilon)));
  if (running == nullptr) return;
  const double momentum = spec.momentum, unbiased = variance * (n / (n - 1));
  running[0] = static_cast<float>(running[0] + momentum * (mean - running[0]));
  running[channels] = static_cast<float>(running[channels] + momentum * (unbiased - running[channels]));
}

}  // namespace eos::kernels::formula
