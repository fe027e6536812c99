// Softmax cross-entropy on the CPU: exponentials of many samples at a time in one vectorised loop, then one pass a
// sample.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "exp_formula.hpp"
#include "host_scratch.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

constexpr std::int64_t k_values_at_a_time = 4096;  ///< exponentials held at once: 16 kB
constexpr std::int64_t k_values_a_task = 16 * k_values_at_a_time;

struct SampleSums {
  float rest = 0;     ///< sum of e^(z - max) over all classes but the winner, whose term is 1
  float squares = 0;  ///< sum of squares over all classes but the true one
};

/// Sums in eight lanes, then the lanes in order.
float lane_sum(const float* values, int count, bool squared) {
  simd::Floats lanes{};
  int c = 0;
  for (; c + simd::k_lanes <= count; c += simd::k_lanes) {
    const simd::Floats value = simd::load(values + c);
    lanes += squared ? value * value : value;
  }
  for (int lane = 0; c < count; ++c, ++lane) lanes[lane] += squared ? values[c] * values[c] : values[c];
  float total = 0;
  for (int lane = 0; lane < simd::k_lanes; ++lane) total += lanes[lane];
  return total;
}

/// Place of the first maximum; 0 if the maximum is NaN.
int first_maximum(const float* z, int classes) {
  float top = z[0];
  int c = 0;
  if (classes >= simd::k_lanes) {
    simd::Floats best = simd::load(z);
    for (c = simd::k_lanes; c + simd::k_lanes <= classes; c += simd::k_lanes) {
      const simd::Floats value = simd::load(z + c);
      best = value > best ? value : best;
    }
    for (int lane = 0; lane < simd::k_lanes; ++lane) top = best[lane] > top ? best[lane] : top;
  }
  for (; c < classes; ++c) top = z[c] > top ? z[c] : top;
  for (c = 0; c < classes; ++c) {
    if (z[c] == top) return c;
  }
  return 0;
}

/// The terms of winner and true class are left out of the sums and not subtracted, so that 1 - p keeps its digits.
SampleSums sums_of(float* e, int classes, int winner, int label) {
  SampleSums sums;
  const float at_winner = e[winner];  // 1, or NaN, which must reach the loss
  e[winner] = 0;
  sums.rest = lane_sum(e, classes, false) + (at_winner - 1);
  e[winner] = at_winner;
  const float at_label = e[label];
  e[label] = 0;
  sums.squares = lane_sum(e, classes, true);
  e[label] = at_label;
  return sums;
}

struct Call {
  int classes;
  const float* logits;
  const std::int32_t* labels;
  const float* weight;
  float scale;
  SoftmaxOutputs out;
  float smoothing;
};

/// dz += factor epsilon (onehot - 1 / classes), which turns p - onehot into p - q.
void smooth(const Call& call, float factor, int label, float* dz) {
  const float share = factor * (call.smoothing / static_cast<float>(call.classes));
  for (int c = 0; c < call.classes; ++c) dz[c] -= share;
  dz[label] += factor * call.smoothing;
}

/// `below` is the mean distance of the logits from the largest; used by label smoothing alone.
void finish_sample(const Call& call, std::int64_t i, float* e, int winner, float below) {
  const int label = call.labels[i];
  const float* z = call.logits + i * call.classes;
  const float below_top = z[label] - z[winner];
  const SampleSums sums = sums_of(e, call.classes, winner, label);
  const float total = 1.0f + sums.rest;
  const float others = label == winner ? sums.rest : total - e[label];  // sum over the wrong classes
  const SoftmaxOutputs& out = call.out;
  if (out.loss != nullptr && call.smoothing == 0) out.loss[i] = std::log1p(sums.rest) - below_top;
  if (out.loss != nullptr && call.smoothing != 0) {
    out.loss[i] = std::log1p(sums.rest) - ((1 - call.smoothing) * below_top + call.smoothing * below);
  }
  if (out.p_true != nullptr) out.p_true[i] = e[label] / total;
  if (out.residual != nullptr) out.residual[i] = std::sqrt(sums.squares + others * others) / total;
  if (out.correct != nullptr) out.correct[i] = winner == label;
  if (out.dz == nullptr) return;
  const float scale = call.scale * (call.weight != nullptr ? call.weight[i] : 1.0f), factor = scale / total;
  float* dz = out.dz + i * call.classes;
  for (int c = 0; c < call.classes; ++c) dz[c] = factor * e[c];
  dz[label] = -factor * others;
  if (call.smoothing != 0) smooth(call, scale, label, dz);
}

/// Samples [begin, end).
void run_samples(const Call& call, std::int64_t begin, std::int64_t end) {
  const std::int64_t at_a_time = std::max<std::int64_t>(1, k_values_at_a_time / call.classes);
  float* e = host_scratch<struct ExponentialTag, float>(static_cast<std::size_t>(at_a_time) * call.classes);
  int* winners = host_scratch<struct WinnerTag, int>(static_cast<std::size_t>(at_a_time));
  float* below = host_scratch<struct BelowTag, float>(static_cast<std::size_t>(at_a_time));
  for (std::int64_t first = begin; first < end; first += at_a_time) {
    const std::int64_t rows = std::min(at_a_time, end - first);
    for (std::int64_t i = 0; i < rows; ++i) {
      const float* z = call.logits + (first + i) * call.classes;
      winners[i] = first_maximum(z, call.classes);
      const float top = z[winners[i]];
      for (int c = 0; c < call.classes; ++c) e[i * call.classes + c] = z[c] - top;
      const bool smoothed = call.smoothing != 0;
      below[i] = smoothed ? lane_sum(e + i * call.classes, call.classes, false) / static_cast<float>(call.classes) : 0;
    }
    for (std::int64_t j = 0; j < rows * call.classes; ++j) e[j] = formula::exp_of_nonpositive(e[j]);
    for (std::int64_t i = 0; i < rows; ++i) {
      finish_sample(call, first + i, e + i * call.classes, winners[i], below[i]);
    }
  }
}

}  // namespace

void softmax_xent(const Context& context, SoftmaxShape shape, const float* logits, const std::int32_t* labels,
                  const float* weight, float scale, SoftmaxOutputs out, float smoothing) {
  if (!(smoothing >= 0 && smoothing <= 1)) {
    throw core::Error("E901", fmt::format("label smoothing {}: it is at least 0 and at most 1", smoothing));
  }
  if (context.backend() == Backend::cuda) {
    return cuda::softmax_xent(context, shape, logits, labels, weight, scale, out, smoothing);
  }
  const std::int64_t samples = static_cast<std::int64_t>(shape.replicas) * shape.rows;
  if (samples == 0 || shape.classes == 0) return;
  const Call call{shape.classes, logits, labels, weight, scale, out, smoothing};
  const std::int64_t a_task = std::max<std::int64_t>(1, k_values_a_task / shape.classes);
  core::parallel_for(static_cast<std::size_t>((samples + a_task - 1) / a_task), context.threads(),
                     [&](std::size_t task) {
                       const std::int64_t begin = static_cast<std::int64_t>(task) * a_task;
                       run_samples(call, begin, std::min(begin + a_task, samples));
                     });
}

}  // namespace eos::kernels
