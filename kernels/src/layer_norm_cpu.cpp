// Layer normalisation on the CPU: a row stays in the first-level cache while its statistics and its result are taken.
#include <algorithm>
#include <cmath>

#include "cuda_backend.hpp"
#include "eos/kernels/layer_norm.hpp"
#include "for_values.hpp"
#include "host_scratch.hpp"
#include "simd.hpp"

namespace eos::kernels {

namespace {

using simd::Floats;
using simd::k_lanes;
using simd::load;

constexpr std::int64_t k_block = 64;  ///< rows whose contributions to dgains and dbiases are summed in float

/// Sum over c of f(in[c]...): four times eight lanes, in an order that depends on the width alone.
template <class F, class... In>
[[gnu::always_inline]] inline float sum_over(int width, F f, const In*... in) {
  Floats sums[4] = {};
  int c = 0;
  for (; c + 4 * k_lanes <= width; c += 4 * k_lanes) {
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) sums[j] += f(load(in + c + j * k_lanes)...);
  }
  for (; c + k_lanes <= width; c += k_lanes) sums[0] += f(load(in + c)...);
  float lanes[k_lanes];
  simd::store(lanes, (sums[0] + sums[1]) + (sums[2] + sums[3]));
  for (int lane = 0; c < width; ++c, ++lane) lanes[lane] += f(in[c]...);
  return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
}

/// out[c] = f(in[c]...); `out` may be one of the inputs.
template <class F, class... In>
[[gnu::always_inline]] inline void map_row(int width, float* out, F f, const In*... in) {
  int c = 0;
  for (; c + k_lanes <= width; c += k_lanes) simd::store(out + c, f(load(in + c)...));
  for (; c < width; ++c) out[c] = f(in[c]...);
}

struct Forward {
  LayerNormShape shape;
  float epsilon;
  const float *x, *gains, *biases;
  float* y;
  float* saved;
};

void forward_row(const Forward& call, std::int64_t i) {
  const int width = call.shape.width;
  const float* x = call.x + i * width;
  const std::int64_t parameters = i / call.shape.rows * call.shape.parameter_stride();
  const auto size = static_cast<float>(width);
  const float mean = sum_over(
                         width, [](auto v) { return v; }, x) /
                     size;
  const float variance = sum_over(
                             width, [mean](auto v) { return (v - mean) * (v - mean); }, x) /
                         size;
  const float inverse = 1.0f / std::sqrt(variance + call.epsilon);
  if (call.saved != nullptr) call.saved[2 * i] = mean, call.saved[2 * i + 1] = inverse;
  map_row(
      width, call.y + i * width, [=](auto v, auto gain, auto bias) { return (v - mean) * inverse * gain + bias; }, x,
      call.gains + parameters, call.biases + parameters);
}

struct Backward {
  LayerNormShape shape;
  const float *x, *gains;
  const float* saved;
  const float* dy;
  NormGradients gradients;
  float* sums;  ///< [R][blocks][2][width], or null
};

void add_to_sums(int width, float mean, float inverse, const float* x, const float* dy, float* sums) {
  map_row(
      width, sums, [=](auto sum, auto v, auto error) { return sum + error * ((v - mean) * inverse); }, sums, x, dy);
  map_row(
      width, sums + width, [](auto sum, auto error) { return sum + error; }, sums + width, dy);
}

void backward_row(const Backward& call, std::int64_t i, const float* gains) {
  const int width = call.shape.width;
  const float *x = call.x + i * width, *dy = call.dy + i * width;
  const float m = call.saved[2 * i], s = call.saved[2 * i + 1];
  const auto size = static_cast<float>(width);
  const float mean = sum_over(
                         width, [](auto error, auto gain) { return error * gain; }, dy, gains) /
                     size;
  const float correlation =
      sum_over(
          width, [=](auto error, auto gain, auto v) { return error * gain * ((v - m) * s); }, dy, gains, x) /
      size;
  map_row(
      width, call.gradients.dx + i * width,
      [=](auto error, auto gain, auto v) { return s * (error * gain - mean - (v - m) * s * correlation); }, dy, gains,
      x);
}

/// Blocks are numbered through all replicas.
void backward_block(const Backward& call, std::int64_t block, std::int64_t blocks) {
  const int width = call.shape.width;
  const std::int64_t replica = block / blocks, begin = block % blocks * k_block;
  const std::int64_t end = std::min(begin + k_block, call.shape.rows), first_row = replica * call.shape.rows;
  float* sums = call.sums == nullptr ? nullptr : call.sums + block * 2 * width;
  if (sums != nullptr) std::fill_n(sums, 2 * width, 0.0f);
  for (std::int64_t i = first_row + begin; i < first_row + end; ++i) {
    if (sums != nullptr) {  // first, because dx may be dy
      add_to_sums(width, call.saved[2 * i], call.saved[2 * i + 1], call.x + i * width, call.dy + i * width, sums);
    }
    if (call.gradients.dx != nullptr) backward_row(call, i, call.gains + replica * call.shape.parameter_stride());
  }
}

void finish_sums(const Backward& call, std::int64_t blocks) {
  const std::int64_t width = call.shape.width;
  auto* total = host_scratch<struct LayerNormTotalTag, double>(static_cast<std::size_t>(2 * width));
  for (std::int64_t r = 0; r < call.shape.replicas; ++r) {
    std::fill_n(total, 2 * width, 0.0);
    for (std::int64_t b = 0; b < blocks; ++b) {
      const float* sums = call.sums + (r * blocks + b) * 2 * width;
      for (std::int64_t j = 0; j < 2 * width; ++j) total[j] += static_cast<double>(sums[j]);
    }
    for (std::int64_t d = 0; d < width; ++d) {
      call.gradients.dgains[r * call.shape.parameter_stride() + d] = static_cast<float>(total[d]);
      call.gradients.dbiases[r * call.shape.parameter_stride() + d] = static_cast<float>(total[width + d]);
    }
  }
}

}  // namespace

void layer_norm_forward(const Context& context, LayerNormShape shape, float epsilon, const float* x, const float* gains,
                        const float* biases, float* y, float* saved) {
  if (context.backend() == Backend::cuda) {
    return cuda::layer_norm_forward(context, shape, epsilon, x, gains, biases, y, saved);
  }
  const Forward call{shape, epsilon, x, gains, biases, y, saved};
  for_pieces(context, shape.replicas * shape.rows, k_block, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) forward_row(call, i);
  });
}

void layer_norm_backward(const Context& context, LayerNormShape shape, const float* x, const float* gains,
                         const float* saved, const float* dy, NormGradients gradients) {
  if (context.backend() == Backend::cuda) {
    return cuda::layer_norm_backward(context, shape, x, gains, saved, dy, gradients);
  }
  const std::int64_t blocks = (shape.rows + k_block - 1) / k_block, all = blocks * shape.replicas;
  Backward call{shape, x, gains, saved, dy, gradients, nullptr};
  if (gradients.dgains != nullptr) {
    call.sums = host_scratch<struct LayerNormSumsTag, float>(static_cast<std::size_t>(all) * 2 * shape.width);
  }
  for_pieces(context, all, 1, [&](std::int64_t block, std::int64_t) { backward_block(call, block, blocks); });
  if (gradients.dgains != nullptr) finish_sums(call, blocks);
}

}  // namespace eos::kernels
