// Attention on the CPU: one head of one sample at a time, six rows of scores at a time forward, a few more backward.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "attention_products.hpp"
#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "host_scratch.hpp"
#include "simd_exp.hpp"

namespace eos::kernels {

namespace {

using attention::multiply;
using attention::multiply_panels;
using attention::Result;
using simd::Floats;
using simd::k_lanes;

/// Queries whose probabilities are held at once in the backward pass: a multiple of the rows of a block, large enough
/// that sums over them are worth loading and storing, small enough for the L2 cache.
constexpr std::int64_t k_tile = 96;

void check(const Context& context, AttentionShape shape) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.tokens < 0 || shape.heads < 1 || shape.width < 0 ||
      shape.width % shape.heads != 0) {
    throw core::Error("E901", fmt::format("attention over {} x {} samples of {} tokens of width {} with {} heads",
                                          shape.replicas, shape.rows, shape.tokens, shape.width, shape.heads));
  }
  if (context.backend() == Backend::cuda && shape.width / shape.heads > 128) {
    throw core::Error(
        "E901", fmt::format("attention heads of width {} on CUDA, where 128 is the most", shape.width / shape.heads));
  }
}

std::int64_t round_up(std::int64_t size, std::int64_t unit) { return (size + unit - 1) / unit * unit; }

/// One head of one sample. Rows of q, k, v are `stride` apart.
struct Head {
  std::int64_t tokens, size;
  std::int64_t line;    ///< tokens, rounded up to whole panels: the length of a row of scores in working memory
  std::int64_t padded;  ///< size, rounded up to whole registers: the length of a token in working memory
  std::int64_t stride, width;
  float scale;
  bool causal;
  const float *q, *k, *v;
  std::int64_t index;  ///< among the heads of the sample
  std::int64_t next;   ///< tokens from here to the next sample; 0 for the last

  std::int64_t seen(std::int64_t i) const { return causal ? i + 1 : tokens; }
};

/// [tokens][padded] from rows `stride` apart; what lies between size and padded becomes 0.
void pack_tokens(const Head& head, const float* from, std::int64_t stride, float* to) {
  const std::int64_t whole = head.size / k_lanes * k_lanes;
  for (std::int64_t i = 0; i < head.tokens; ++i, from += stride, to += head.padded) {
    for (std::int64_t c = 0; c < whole; c += k_lanes) simd::store(to + c, simd::load(from + c));
    for (std::int64_t c = whole; c < head.padded; ++c) to[c] = c < head.size ? from[c] : 0.0f;
  }
}

/// Panels [line / 16][size][16] of the transpose.
void pack_panels(const Head& head, const float* from, float* panels) {
  for (std::int64_t j = 0; j < head.tokens; j += k_panel_columns, panels += head.size * k_panel_columns)
    pack_panel_transposed(head.size, from + j * head.stride, head.stride, head.tokens - j, panels);
}

Floats larger(Floats a, Floats b) { return a > b ? a : b; }

float maximum(Floats best) {
  best = larger(best, __builtin_shuffle(best, simd::Ints{4, 5, 6, 7, 0, 1, 2, 3}));
  best = larger(best, __builtin_shuffle(best, simd::Ints{2, 3, 0, 1, 6, 7, 4, 5}));
  return larger(best, __builtin_shuffle(best, simd::Ints{1, 0, 3, 2, 5, 4, 7, 6}))[0];
}

/// Halves, quarters and eighths added in a fixed tree.
float sum_of(Floats lanes) {
  lanes += __builtin_shuffle(lanes, simd::Ints{4, 5, 6, 7, 0, 1, 2, 3});
  lanes += __builtin_shuffle(lanes, simd::Ints{2, 3, 0, 1, 6, 7, 4, 5});
  return lanes[0] + lanes[1];
}

/// What lies behind the first `count` values, up to a whole register, becomes `value`; gives its end.
std::int64_t fill_register(float* values, std::int64_t count, float value) {
  const std::int64_t end = round_up(count, k_lanes);
  if (end == count) return end;
  const auto left = static_cast<std::int32_t>(count - (end - k_lanes));
  const simd::Ints lane{0, 1, 2, 3, 4, 5, 6, 7};
  float* last = values + end - k_lanes;
  simd::store(last, lane < left ? simd::load(last) : simd::broadcast(value));
  return end;
}

void fill_zeros(float* values, std::int64_t begin, std::int64_t end) {
  for (; begin < end; begin += k_lanes) simd::store(values + begin, Floats{});
}

/// Scores without scale become probabilities times their sum, with zeros behind up to `end`; gives the sum and the log
/// of all.
struct RowSum {
  float sum, log;
};
RowSum exponentials(const Head& head, std::int64_t seen, std::int64_t end, float* row) {
  const std::int64_t count = fill_register(row, seen, -std::numeric_limits<float>::infinity());
  Floats best = simd::load(row);
  for (std::int64_t j = k_lanes; j < count; j += k_lanes) best = larger(best, simd::load(row + j));
  const float shift = maximum(best) * head.scale;
  const Floats scale = simd::broadcast(head.scale), minus_shift = simd::broadcast(-shift);
  Floats lanes{};
  for (std::int64_t j = 0; j < count; j += k_lanes) {
    const Floats e = simd::exp_of_nonpositive(simd::multiply_add(simd::load(row + j), scale, minus_shift));
    simd::store(row + j, e);
    lanes += e;
  }
  fill_zeros(row, count, end);
  const float sum = sum_of(lanes);
  return {sum, shift + std::log(sum)};
}

/// While query i is worked on, its share of the next sample is asked for, in the order of memory; `here` is where the
/// head's part of an array of rows of `stride` floats begins.
void prefetch(const Head& head, std::int64_t i, const float* here, std::int64_t stride) {
  constexpr std::int64_t k_cache_line = 16;
  const std::int64_t share = stride * head.size / head.width, query = head.index * head.tokens + i;
  const float* from = here - head.index * head.size + head.next * stride + query * share;
  for (std::int64_t c = 0; c < share; c += k_cache_line) __builtin_prefetch(from + c, 0, 2);
}

/// From working memory to where the rows are wanted.
void unpack(const Head& head, std::int64_t tokens, const float* from, float* to, std::int64_t stride) {
  for (std::int64_t i = 0; i < tokens; ++i, from += head.padded, to += stride) {
    std::int64_t c = 0;
    for (; c + k_lanes <= head.size; c += k_lanes) simd::store(to + c, simd::load(from + c));
    for (; c < head.size; ++c) to[c] = from[c];
  }
}

/// Products with rows of `padded` floats: into `to` at once if they are no longer than wanted, else by way of `aside`.
template <Result result>
void multiply_tokens(const Head& head, int rows, const float* a, const float* tokens, std::int64_t k,
                     const float* factors, float* aside, float* to, std::int64_t stride) {
  const bool direct = head.size == head.padded;
  const attention::Sums sums{direct ? to : aside, direct ? stride : head.padded, factors};
  multiply<true, result>(rows, {a, head.line, 1}, tokens, head.padded, k, head.padded, sums);
  if (!direct) unpack(head, rows, aside, to, stride);
}

void forward(const Head& head, float* out, float* lse) {
  const auto line = static_cast<std::size_t>(head.line), size = static_cast<std::size_t>(head.size);
  const auto tokens = static_cast<std::size_t>(head.tokens), padded = static_cast<std::size_t>(head.padded);
  float* keys = host_scratch<struct KeysTag, float>(line * size);
  float* values = host_scratch<struct ValuesTag, float>(tokens * padded);
  float* scores = host_scratch<struct ScoresTag, float>(k_block_rows * line);
  float* aside = host_scratch<struct SumsTag, float>(k_block_rows * padded);
  pack_panels(head, head.k, keys);
  pack_tokens(head, head.v, head.stride, values);
  for (std::int64_t i0 = 0; i0 < head.tokens;) {
    const int rows = next_rows(head.tokens - i0);
    const std::int64_t columns = head.seen(i0 + rows - 1), end = round_up(columns, k_lanes);
    multiply_panels(rows, {head.q + i0 * head.stride, head.stride, 1}, keys, head.size, end, {scores, head.line});
    float inverse[k_block_rows];
    for (int i = 0; i < rows; ++i) {
      prefetch(head, i0 + i, head.q, head.stride);
      const RowSum sum = exponentials(head, head.seen(i0 + i), end, scores + i * head.line);
      inverse[i] = 1 / sum.sum;
      lse[i0 + i] = sum.log;
    }
    multiply_tokens<Result::scale>(head, rows, scores, values, columns, inverse, aside, out + i0 * head.width,
                                   head.width);
    i0 += rows;
  }
}

/// Working memory of the backward pass of one head.
struct BackwardMemory {
  float *keys, *values;             ///< panels
  float *q, *k, *dout;              ///< [tokens][padded]
  float *probability, *derivative;  ///< [k_tile][line]
  float* dq;                        ///< [k_block_rows][padded]
  float *dk, *dv;                   ///< [tokens][padded]
  explicit BackwardMemory(const Head& head) {
    const auto panels = static_cast<std::size_t>(head.line * head.size);
    const auto packed = static_cast<std::size_t>(head.tokens * head.padded);
    const auto tile = static_cast<std::size_t>(k_tile * head.line);
    keys = host_scratch<struct KeysTag, float>(panels), values = host_scratch<struct ValuePanelsTag, float>(panels);
    q = host_scratch<struct QueryTag, float>(packed), k = host_scratch<struct KeyTag, float>(packed);
    dout = host_scratch<struct OutTag, float>(packed);
    probability = host_scratch<struct ProbabilityTag, float>(tile);
    derivative = host_scratch<struct DerivativeTag, float>(tile);
    dq = host_scratch<struct SumsTag, float>(k_block_rows * static_cast<std::size_t>(head.padded));
    dk = host_scratch<struct KeySumsTag, float>(packed), dv = host_scratch<struct ValueSumsTag, float>(packed);
    pack_panels(head, head.k, keys), pack_panels(head, head.v, values);
    pack_tokens(head, head.q, head.stride, q), pack_tokens(head, head.k, head.stride, k);
  }
};

/// A row of probabilities from scores, and of p (do . v - mean) / sqrt(d) from do . v, with zeros behind up to `end`.
void differentiate(const Head& head, std::int64_t seen, std::int64_t end, float log_sum, float mean, float* p,
                   float* d) {
  const Floats scale = simd::broadcast(head.scale), minus_log = simd::broadcast(-log_sum);
  const Floats minus_mean = simd::broadcast(-mean * head.scale);
  const std::int64_t count = round_up(seen, k_lanes);
  for (std::int64_t j = 0; j < count; j += k_lanes) {
    const Floats e = simd::exp_of_nonpositive(simd::multiply_add(simd::load(p + j), scale, minus_log));
    simd::store(p + j, e);
    simd::store(d + j, e * simd::multiply_add(simd::load(d + j), scale, minus_mean));
  }
  fill_register(p, seen, 0), fill_register(d, seen, 0);
  fill_zeros(p, count, end), fill_zeros(d, count, end);
}

float dot(const float* a, const float* b, std::int64_t size) {
  Floats lanes{};
  std::int64_t c = 0;
  for (; c + k_lanes <= size; c += k_lanes) lanes += simd::load(a + c) * simd::load(b + c);
  for (; c < size; ++c) lanes[c % k_lanes] += a[c] * b[c];
  return sum_of(lanes);
}

struct BackwardArrays {
  const float *out, *lse, *dout;
  float* dqkv;
};

/// Probabilities and derivatives of queries [i0, i0 + rows), at row `at` of a tile that sees `end` keys, and the
/// gradient of the queries.
void backward_rows(const Head& head, const BackwardArrays& arrays, const BackwardMemory& m, std::int64_t i0, int rows,
                   std::int64_t at, std::int64_t end) {
  const std::int64_t seen = head.seen(i0 + rows - 1), columns = round_up(seen, k_lanes);
  const std::int64_t line = head.line, padded = head.padded;
  float *p = m.probability + at * line, *d = m.derivative + at * line;
  multiply_panels(rows, {m.q + i0 * padded, padded, 1}, m.keys, head.size, columns, {p, line});
  multiply_panels(rows, {m.dout + i0 * padded, padded, 1}, m.values, head.size, columns, {d, line});
  for (int i = 0; i < rows; ++i) {
    for (const float* from : {head.q, static_cast<const float*>(arrays.dqkv)})
      prefetch(head, i0 + i, from, head.stride);
    for (const float* from : {arrays.out, arrays.dout}) prefetch(head, i0 + i, from, head.width);
    const float mean = dot(m.dout + (i0 + i) * padded, arrays.out + (i0 + i) * head.width, head.size);
    differentiate(head, head.seen(i0 + i), end, arrays.lse[i0 + i], mean, p + i * line, d + i * line);
  }
  multiply_tokens<Result::write>(head, rows, d, m.k, seen, nullptr, m.dq, arrays.dqkv + i0 * head.stride, head.stride);
}

/// What the queries [q0, q0 + tile) give to the gradients of keys and values [begin, end): all of it so far, or more.
template <Result result>
void multiply_keys(const Head& head, const BackwardMemory& m, std::int64_t q0, std::int64_t tile, std::int64_t begin,
                   std::int64_t end) {
  const std::int64_t line = head.line, padded = head.padded;
  for (std::int64_t j0 = begin; j0 < end;) {
    const int rows = next_rows(end - j0);
    const std::int64_t from = head.causal ? std::max<std::int64_t>(0, j0 - q0) : 0;  // queries that see key j0
    const std::int64_t query = (q0 + from) * padded, key = j0 * padded, place = from * line + j0;
    multiply<false, result>(rows, {m.probability + place, 1, line}, m.dout + query, padded, tile - from, padded,
                            {m.dv + key, padded});
    multiply<false, result>(rows, {m.derivative + place, 1, line}, m.q + query, padded, tile - from, padded,
                            {m.dk + key, padded});
    j0 += rows;
  }
}

void backward(const Head& head, const BackwardArrays& arrays) {
  const BackwardMemory m(head);
  pack_tokens(head, arrays.dout, head.width, m.dout);
  for (std::int64_t q0 = 0, known = 0; q0 < head.tokens; q0 += k_tile) {
    const std::int64_t tile = std::min(k_tile, head.tokens - q0), end = q0 + tile, keys = head.seen(end - 1);
    for (std::int64_t i0 = q0; i0 < end;) {
      const int rows = next_rows(end - i0);
      backward_rows(head, arrays, m, i0, rows, i0 - q0, round_up(keys, k_lanes));
      i0 += rows;
    }
    multiply_keys<Result::add>(head, m, q0, tile, 0, known);
    multiply_keys<Result::write>(head, m, q0, tile, known, keys);
    known = keys;
  }
  unpack(head, head.tokens, m.dk, arrays.dqkv + head.width, head.stride);
  unpack(head, head.tokens, m.dv, arrays.dqkv + 2 * head.width, head.stride);
}

/// Calls body(head, where the head's part of an array [sample][token][width] begins, and of [sample][head][token]) for
/// the heads of all samples, one sample a task.
template <class Body>
void for_heads(const Context& context, AttentionShape shape, const float* qkv, Body body) {
  const std::int64_t tokens = shape.tokens, width = shape.width, size = width / shape.heads;
  const auto samples = static_cast<std::size_t>(std::int64_t{shape.replicas} * shape.rows);
  if (tokens == 0 || width == 0 || samples == 0) return;
  const auto run = [&](std::size_t task) {
    const auto sample = static_cast<std::int64_t>(task);
    for (std::int64_t h = 0; h < shape.heads; ++h) {
      Head head;
      head.tokens = tokens, head.size = size, head.causal = shape.causal;
      head.line = round_up(tokens, k_panel_columns), head.padded = round_up(size, k_lanes);
      head.stride = 3 * width, head.width = width;
      head.scale = 1 / std::sqrt(static_cast<float>(size));
      head.q = qkv + sample * tokens * head.stride + h * size;
      head.k = head.q + width, head.v = head.k + width;
      head.index = h, head.next = task + 1 == samples ? 0 : tokens;
      body(head, sample * tokens * width + h * size, (sample * shape.heads + h) * tokens);
    }
  };
  core::parallel_for(samples, context.threads(), run);
}

}  // namespace

void attention_forward(const Context& context, AttentionShape shape, const float* qkv, float* out, float* lse) {
  check(context, shape);
  if (context.backend() == Backend::cuda) return cuda::attention_forward(context, shape, qkv, out, lse);
  for_heads(context, shape, qkv,
            [=](const Head& head, std::int64_t place, std::int64_t row) { forward(head, out + place, lse + row); });
}

void attention_backward(const Context& context, AttentionShape shape, const float* qkv, const float* out,
                        const float* lse, const float* dout, float* dqkv) {
  check(context, shape);
  if (context.backend() == Backend::cuda) return cuda::attention_backward(context, shape, qkv, out, lse, dout, dqkv);
  for_heads(context, shape, qkv, [=](const Head& head, std::int64_t place, std::int64_t row) {
    backward(head, {out + place, lse + row, dout + place, dqkv + (head.q - qkv)});
  });
}

}  // namespace eos::kernels
