// Embedding on the CPU: rows copied forward, added one after the other backward; replicas are spread over threads.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "cuda_backend.hpp"
#include "eos/core/error.hpp"
#include "eos/core/parallel.hpp"
#include "eos/kernels/embedding.hpp"

namespace eos::kernels {

namespace {

void check(EmbeddingShape shape) {
  if (shape.replicas < 0 || shape.rows < 0 || shape.tokens < 0 || shape.vocabulary < 0 || shape.width < 0) {
    throw core::Error("E901", fmt::format("embedding of negative size: replicas {}, rows {}, tokens {}, vocabulary {}, "
                                          "width {}",
                                          shape.replicas, shape.rows, shape.tokens, shape.vocabulary, shape.width));
  }
}

}  // namespace

void embedding_forward(const Context& context, EmbeddingShape shape, const float* tokens, const float* table,
                       float* out) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::embedding_forward(context, shape, tokens, table, out);
  const std::int64_t places = shape.tokens, width = shape.width, stride = shape.table_stride();
  core::parallel_for(static_cast<std::size_t>(shape.replicas * std::int64_t{shape.rows}), context.threads(),
                     [=](std::size_t task) {
                       const auto sample = static_cast<std::int64_t>(task);
                       const float* of_replica = table + sample / shape.rows * stride;
                       for (std::int64_t i = sample * places; i < (sample + 1) * places; ++i)
                         std::copy_n(of_replica + static_cast<std::int64_t>(tokens[i]) * width, width, out + i * width);
                     });
}

void embedding_backward(const Context& context, EmbeddingShape shape, const float* tokens, const float* dout,
                        float* dtable) {
  check(shape);
  if (context.backend() == Backend::cuda) return cuda::embedding_backward(context, shape, tokens, dout, dtable);
  const std::int64_t places = std::int64_t{shape.rows} * shape.tokens, width = shape.width;
  const std::int64_t size = shape.vocabulary * width, stride = shape.table_stride();
  core::parallel_for(static_cast<std::size_t>(shape.replicas), context.threads(), [=](std::size_t replica) {
    const auto r = static_cast<std::int64_t>(replica);
    float* of_replica = dtable + r * stride;
    std::fill_n(of_replica, size, 0.0f);
    for (std::int64_t i = r * places; i < (r + 1) * places; ++i) {
      float* to = of_replica + static_cast<std::int64_t>(tokens[i]) * width;
      for (std::int64_t c = 0; c < width; ++c) to[c] += dout[i * width + c];
    }
  });
}

}  // namespace eos::kernels
