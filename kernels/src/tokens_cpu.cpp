// Positions, class token and choice of the first token on the CPU: a sample, or a replica of sums, a task.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/kernels/tokens.hpp"

namespace eos::kernels {

namespace {

void check(TokensShape shape) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.tokens < 0 || shape.width < 0) {
    throw core::Error("E901", fmt::format("tokens of negative size: replicas {}, rows {}, tokens {}, width {}",
                                          shape.replicas, shape.rows, shape.tokens, shape.width));
  }
}

std::int64_t sample_size(TokensShape shape) { return std::int64_t{shape.tokens} * shape.width; }

/// Calls body(sample, its replica).
template <class Body>
void for_samples(const Context& context, TokensShape shape, Body body) {
  core::parallel_for(static_cast<std::size_t>(shape.replicas * std::int64_t{shape.rows}), context.threads(),
                     [=](std::size_t task) {
                       const auto sample = static_cast<std::int64_t>(task);
                       body(sample, sample / shape.rows);
                     });
}

/// sums[r] = sum over samples of the first `size` entries of values [R][rows][stride]; sums lie sums_stride apart.
void sum_samples(const Context& context, TokensShape shape, const float* values, std::int64_t stride, std::int64_t size,
                 float* sums, std::int64_t sums_stride) {
  core::parallel_for(static_cast<std::size_t>(shape.replicas), context.threads(), [=](std::size_t replica) {
    const auto r = static_cast<std::int64_t>(replica);
    float* to = sums + r * sums_stride;
    std::fill_n(to, size, 0.0f);
    for (std::int64_t i = r * shape.rows; i < (r + 1) * shape.rows; ++i) {
      for (std::int64_t c = 0; c < size; ++c) to[c] += values[i * stride + c];
    }
  });
}

}  // namespace

void add_positions(const Context& context, TokensShape shape, const float* in, const float* table, float* out) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::add_positions(context, shape, in, table, out);
  const std::int64_t size = sample_size(shape), stride = shape.table_stride();
  for_samples(context, shape, [=](std::int64_t i, std::int64_t r) {
    for (std::int64_t c = 0; c < size; ++c) out[i * size + c] = in[i * size + c] + table[r * stride + c];
  });
}

void add_positions_backward(const Context& context, TokensShape shape, const float* dout, float* dtable) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::add_positions_backward(context, shape, dout, dtable);
  sum_samples(context, shape, dout, sample_size(shape), sample_size(shape), dtable, shape.table_stride());
}

void prepend_token(const Context& context, TokensShape shape, const float* in, const float* token, float* out) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::prepend_token(context, shape, in, token, out);
  const std::int64_t size = sample_size(shape), width = shape.width;
  for_samples(context, shape, [=](std::int64_t i, std::int64_t r) {
    float* to = out + i * (size + width);
    std::copy_n(token + r * shape.token_stride(), width, to);
    std::copy_n(in + i * size, size, to + width);
  });
}

void prepend_token_backward(const Context& context, TokensShape shape, const float* dout, float* dtoken, float* din) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::prepend_token_backward(context, shape, dout, dtoken, din);
  const std::int64_t size = sample_size(shape), width = shape.width;
  if (dtoken != nullptr) sum_samples(context, shape, dout, size + width, width, dtoken, shape.token_stride());
  if (din == nullptr) return;
  for_samples(context, shape, [=](std::int64_t i, std::int64_t) {
    std::copy_n(dout + i * (size + width) + width, size, din + i * size);
  });
}

void select_first_token(const Context& context, TokensShape shape, const float* in, float* out) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::select_first_token(context, shape, in, out);
  const std::int64_t size = sample_size(shape), width = shape.width;
  for_samples(context, shape,
              [=](std::int64_t i, std::int64_t) { std::copy_n(in + i * size, width, out + i * width); });
}

void select_first_token_backward(const Context& context, TokensShape shape, const float* dout, float* din) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::select_first_token_backward(context, shape, dout, din);
  const std::int64_t size = sample_size(shape), width = shape.width;
  for_samples(context, shape, [=](std::int64_t i, std::int64_t) {
    std::copy_n(dout + i * width, width, din + i * size);
    std::fill_n(din + i * size + width, size - width, 0.0f);
  });
}

}  // namespace eos::kernels
