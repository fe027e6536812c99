// Batch normalisation on the CPU: blocks of rows that fit the caches, eight channels at a time.
#include <fmt/format.h>

#include <algorithm>

#include "batch_norm_formula.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/kernels/batch_norm.hpp"
#include "for_values.hpp"
#include "host_scratch.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;
using simd::k_lanes;
using simd::load;
using simd::store;

typedef float FourFloats __attribute__((vector_size(16)));
typedef double Doubles __attribute__((vector_size(32)));

constexpr std::int64_t k_values_a_block = 16 * 1024;

std::int64_t rows_a_block(BatchNormShape shape) {
  return std::max<std::int64_t>(1, k_values_a_block / std::max(1, shape.channels));
}

void check(BatchNormShape shape, const BatchNormSpec& spec, const float* moved) {
  if (spec.activation.kind != Activation::identity && spec.activation.kind != Activation::relu) {
    throw core::Error("E901", "batch normalisation was asked for an activation other than identity and relu",
                      "use an activation layer after it");
  }
  if (shape.rows == 1 && moved != nullptr) {
    throw core::Error("E901", "batch normalisation in training mode over one row: the variance is undefined",
                      "use batches of at least 2 samples");
  }
}

/// Adds eight values to eight sums in double.
[[gnu::always_inline]] inline void add_to(Doubles (&sum)[2], Floats value) {
  FourFloats half[2];
  std::memcpy(half, &value, sizeof value);
  sum[0] += __builtin_convertvector(half[0], Doubles);
  sum[1] += __builtin_convertvector(half[1], Doubles);
}

/// The first `count` of eight values; the others are 0.
inline Floats load_some(const float* from, int count) {
  float values[k_lanes] = {};
  std::copy_n(from, count, values);
  return load(values);
}

/// first[c] and second[c] get the two sums over rows [begin, end) of what term(row, c, count) makes of channels
/// [c, c + count): a pair of eight values each.
template <class Term>
[[gnu::always_inline]] inline void sum_block(int channels, std::int64_t begin, std::int64_t end, double* sums,
                                             Term term) {
  for (int c = 0; c < channels; c += k_lanes) {
    const int count = std::min<int>(k_lanes, channels - c);
    Doubles first[2] = {}, second[2] = {};
    const auto group = term(c, count);
    for (std::int64_t i = begin; i < end; ++i) group(i, first, second);
    std::memcpy(sums, first, sizeof first);
    std::memcpy(sums + k_lanes, second, sizeof second);
    sums += 2 * k_lanes;
  }
}

/// Two sums over the rows for every channel: blocks in float vectors and double sums, then the blocks in order.
/// term(replica, c, count) gives a function of (row, first, second). finish(replica, channel, first, second) once a
/// channel.
template <class Term, class Finish>
void sum_rows(const Context& context, BatchNormShape shape, Term term, Finish finish) {
  const int groups = (shape.channels + static_cast<int>(k_lanes) - 1) / static_cast<int>(k_lanes);
  const std::int64_t piece = rows_a_block(shape), blocks = (shape.rows + piece - 1) / piece;
  const std::int64_t entries = groups * 2 * k_lanes;
  auto* sums =
      host_scratch<struct BatchNormSumsTag, double>(static_cast<std::size_t>((blocks * shape.replicas + 1) * entries));
  for_pieces(context, blocks * shape.replicas, 1, [&](std::int64_t block, std::int64_t) {
    const std::int64_t replica = block / blocks, begin = block % blocks * piece;
    sum_block(shape.channels, begin, std::min(begin + piece, shape.rows), sums + block * entries,
              [&](int c, int count) { return term(replica, c, count); });
  });
  double* total = sums + blocks * shape.replicas * entries;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    std::fill_n(total, entries, 0.0);
    for (std::int64_t b = 0; b < blocks; ++b) {
      for (std::int64_t e = 0; e < entries; ++e) total[e] += sums[(r * blocks + b) * entries + e];
    }
    for (int c = 0; c < shape.channels; ++c) {
      const double* pair = total + c / k_lanes * 2 * k_lanes + c % k_lanes;
      finish(r, c, pair[0], pair[k_lanes]);
    }
  }
}

/// Calls body(replica, begin, end) on pieces of the rows of every replica.
template <class Body>
void for_row_pieces(const Context& context, BatchNormShape shape, Body body) {
  const std::int64_t piece = rows_a_block(shape), blocks = (shape.rows + piece - 1) / piece;
  for_pieces(context, blocks * shape.replicas, 1, [&](std::int64_t block, std::int64_t) {
    const std::int64_t begin = block % blocks * piece;
    body(block / blocks, begin, std::min(begin + piece, shape.rows));
  });
}

/// [R][channels] gain * inverse deviation
const float* scales_of(BatchNormShape shape, const float* gains, const float* saved) {
  const std::int64_t channels = shape.channels;
  auto* scale = host_scratch<struct BatchNormScaleTag, float>(static_cast<std::size_t>(shape.replicas * channels));
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    for (std::int64_t c = 0; c < channels; ++c)
      scale[r * channels + c] = gains[r * shape.parameter_stride() + c] * saved[(2 * r + 1) * channels + c];
  }
  return scale;
}

/// Rows [begin, end) of one replica, whose arrays are given. y may be x.
template <bool relu>
void normalise_rows(int channels, std::int64_t begin, std::int64_t end, const float* x, const float* mean,
                    const float* scale, const float* biases, float* y) {
  for (std::int64_t i = begin; i < end; ++i) {
    const float* from = x + i * channels;
    float* to = y + i * channels;
    int c = 0;
    for (; c + k_lanes <= channels; c += k_lanes) {
      const Floats z = formula::batch_norm_sum(load(from + c), load(mean + c), load(scale + c), load(biases + c));
      store(to + c, relu ? (z < 0.0f ? Floats{} : z) : z);
    }
    for (; c < channels; ++c) {
      const float z = formula::batch_norm_sum(from[c], mean[c], scale[c], biases[c]);
      to[c] = relu && z < 0.0f ? 0.0f : z;
    }
  }
}

void normalise(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
               const float* gains, const float* biases, const float* saved, float* y) {
  const float* scale = scales_of(shape, gains, saved);
  const bool relu = spec.activation.kind == Activation::relu;
  for_row_pieces(context, shape, [&](std::int64_t r, std::int64_t begin, std::int64_t end) {
    const std::int64_t channels = shape.channels, first = r * shape.rows * channels;
    (relu ? normalise_rows<true> : normalise_rows<false>)(shape.channels, begin, end, x + first,
                                                          saved + 2 * r * channels, scale + r * channels,
                                                          biases + r * shape.parameter_stride(), y + first);
  });
}

/// Room for statistics that the caller does not want to keep.
float* kept(BatchNormShape shape, float* saved) {
  if (saved != nullptr) return saved;
  return host_scratch<struct BatchNormStatisticsTag, float>(2 * static_cast<std::size_t>(shape.replicas) *
                                                            shape.channels);
}

struct Backward {
  BatchNormShape shape;
  const float *x, *biases, *saved, *dy, *scale;
};

/// The error before the activation and xhat of eight channels.
template <bool relu>
struct BackwardGroup {
  Floats mean, inverse, scale, bias;

  [[gnu::always_inline]] Floats error(Floats x, Floats dy) const {
    return relu ? (formula::batch_norm_sum(x, mean, scale, bias) > 0.0f ? dy : Floats{}) : dy;
  }
  [[gnu::always_inline]] Floats normalised(Floats x) const { return (x - mean) * inverse; }
};

template <bool relu>
BackwardGroup<relu> group_of(const Backward& call, std::int64_t r, int c, int count) {
  const std::int64_t channels = call.shape.channels;
  return {load_some(call.saved + 2 * r * channels + c, count),
          load_some(call.saved + (2 * r + 1) * channels + c, count), load_some(call.scale + r * channels + c, count),
          load_some(call.biases + r * call.shape.parameter_stride() + c, count)};
}

/// Sums of errors (first) and of errors times xhat (second).
template <bool relu, class Finish>
void sum_gradients(const Context& context, const Backward& call, Finish finish) {
  const std::int64_t channels = call.shape.channels;
  const auto term = [&](std::int64_t r, int c, int count) {
    const BackwardGroup<relu> group = group_of<relu>(call, r, c, count);
    const std::int64_t first = r * call.shape.rows * channels + c;
    const float *x = call.x + first, *dy = call.dy + first;
    return [=](std::int64_t i, Doubles(&biases)[2], Doubles(&gains)[2]) {
      const bool whole = count == k_lanes;
      const Floats value = whole ? load(x + i * channels) : load_some(x + i * channels, count);
      const Floats error = group.error(value, whole ? load(dy + i * channels) : load_some(dy + i * channels, count));
      add_to(biases, error);
      add_to(gains, error * group.normalised(value));
    };
  };
  sum_rows(context, call.shape, term, finish);
}

/// dx = scale (error - bias_part - xhat gain_part), rows [begin, end) of replica r. dx may be dy.
template <bool relu>
void write_dx(const Backward& call, std::int64_t r, std::int64_t begin, std::int64_t end, const float* bias_part,
              const float* gain_part, float* dx) {
  const int channels = call.shape.channels;
  for (int c = 0; c < channels; c += static_cast<int>(k_lanes)) {
    const int count = std::min<int>(k_lanes, channels - c);
    const std::int64_t j = r * channels + c, first = r * call.shape.rows * channels + c;
    const BackwardGroup<relu> group = group_of<relu>(call, r, c, count);
    const Floats of_bias = load_some(bias_part + j, count), of_gain = load_some(gain_part + j, count);
    for (std::int64_t at = first + begin * channels; at < first + end * channels; at += channels) {
      const bool whole = count == k_lanes;
      const Floats x = whole ? load(call.x + at) : load_some(call.x + at, count);
      const Floats error = group.error(x, whole ? load(call.dy + at) : load_some(call.dy + at, count));
      const Floats result = group.scale * (error - of_bias - group.normalised(x) * of_gain);
      if (whole) {
        store(dx + at, result);
      } else {
        for (int lane = 0; lane < count; ++lane) dx[at + lane] = result[lane];
      }
    }
  }
}

template <bool relu>
void backward(const Context& context, const Backward& call, StatisticsOf statistics, NormGradients gradients) {
  const std::int64_t size = std::int64_t{call.shape.replicas} * call.shape.channels;
  auto* bias_part = host_scratch<struct BatchNormPartsTag, float>(2 * static_cast<std::size_t>(size));
  float* gain_part = bias_part + size;
  std::fill_n(bias_part, 2 * size, 0.0f);
  if (statistics == StatisticsOf::batch || gradients.dgains != nullptr) {
    const auto n = static_cast<double>(call.shape.rows);
    sum_gradients<relu>(context, call, [&](std::int64_t r, int c, double bias, double gain) {
      const std::int64_t parameter = r * call.shape.parameter_stride() + c, j = r * call.shape.channels + c;
      if (gradients.dgains != nullptr) gradients.dgains[parameter] = static_cast<float>(gain);
      if (gradients.dbiases != nullptr) gradients.dbiases[parameter] = static_cast<float>(bias);
      if (statistics == StatisticsOf::fixed) return;
      bias_part[j] = static_cast<float>(bias / n), gain_part[j] = static_cast<float>(gain / n);
    });
  }
  if (gradients.dx == nullptr) return;
  for_row_pieces(context, call.shape, [&](std::int64_t r, std::int64_t begin, std::int64_t end) {
    write_dx<relu>(call, r, begin, end, bias_part, gain_part, gradients.dx);
  });
}

}  // namespace

void batch_norm_train(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                      const float* gains, const float* biases, float* y, float* saved, float* running) {
  check(shape, spec, running);
  if (context.backend() == Backend::cuda) {
    return cuda::batch_norm_train(context, shape, spec, x, gains, biases, y, saved, running);
  }
  if (shape.rows == 0) return;
  float* statistics = kept(shape, saved);
  const std::int64_t channels = shape.channels;
  const auto term = [&](std::int64_t r, int c, int count) {
    const float* from = x + r * shape.rows * channels + c;
    return [=](std::int64_t i, Doubles(&sums)[2], Doubles(&squares)[2]) {
      const Floats value = count == k_lanes ? load(from + i * channels) : load_some(from + i * channels, count);
      FourFloats half[2];
      std::memcpy(half, &value, sizeof value);
      const Doubles low = __builtin_convertvector(half[0], Doubles), high = __builtin_convertvector(half[1], Doubles);
      sums[0] += low, sums[1] += high;
      squares[0] += low * low, squares[1] += high * high;
    };
  };
  sum_rows(context, shape, term, [&](std::int64_t r, int c, double sum, double squares) {
    formula::finish_statistics(sum, squares, static_cast<double>(shape.rows), spec, shape.channels,
                               statistics + 2 * r * channels + c,
                               running == nullptr ? nullptr : running + r * shape.running_stride() + c);
  });
  normalise(context, shape, spec, x, gains, biases, statistics, y);
}

void batch_norm_evaluate(const Context& context, BatchNormShape shape, const BatchNormSpec& spec, const float* x,
                         const float* gains, const float* biases, const float* running, float* y, float* saved) {
  check(shape, spec, nullptr);
  if (context.backend() == Backend::cuda) {
    return cuda::batch_norm_evaluate(context, shape, spec, x, gains, biases, running, y, saved);
  }
  float* statistics = kept(shape, saved);
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    const float* own = running + r * shape.running_stride();
    float* to = statistics + 2 * r * shape.channels;
    std::copy_n(own, shape.channels, to);
    for (int c = shape.channels; c < 2 * shape.channels; ++c) to[c] = formula::inverse_deviation(own[c], spec.epsilon);
  }
  normalise(context, shape, spec, x, gains, biases, statistics, y);
}

void batch_norm_backward(const Context& context, BatchNormShape shape, const BatchNormSpec& spec,
                         StatisticsOf statistics, const float* x, const float* gains, const float* biases,
                         const float* saved, const float* dy, NormGradients gradients) {
  check(shape, spec, nullptr);
  if (context.backend() == Backend::cuda) {
    return cuda::batch_norm_backward(context, shape, spec, statistics, x, gains, biases, saved, dy, gradients);
  }
  const Backward call{shape, x, biases, saved, dy, scales_of(shape, gains, saved)};
  if (spec.activation.kind == Activation::relu) return backward<true>(context, call, statistics, gradients);
  backward<false>(context, call, statistics, gradients);
}

}  // namespace eos::kernels
