// Embedding as plain loops: what every fast version is held to.
#include <cstdint>
#include <vector>

#include "eos/kernels/embedding.hpp"

namespace eos::kernels::reference {

template <class Scalar>
void embedding_forward(EmbeddingShape shape, const Scalar* tokens, const Scalar* table, Scalar* out) {
  const std::int64_t places = std::int64_t{shape.rows} * shape.tokens;
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    for (std::int64_t i = r * places; i < (r + 1) * places; ++i) {
      const Scalar* row = table + r * shape.table_stride() + static_cast<std::int64_t>(tokens[i]) * shape.width;
      for (std::int64_t c = 0; c < shape.width; ++c) out[i * shape.width + c] = row[c];
    }
  }
}

template <class Scalar>
void embedding_backward(EmbeddingShape shape, const Scalar* tokens, const Scalar* dout, Scalar* dtable) {
  const std::int64_t places = std::int64_t{shape.rows} * shape.tokens, width = shape.width;
  const std::int64_t table = shape.vocabulary * width, stride = shape.table_stride();
  for (std::int64_t r = 0; r < shape.replicas; ++r) {
    std::vector<double> sums(static_cast<std::size_t>(table));
    for (std::int64_t i = r * places; i < (r + 1) * places; ++i) {
      const auto row = static_cast<std::int64_t>(tokens[i]);
      for (std::int64_t c = 0; c < width; ++c) sums[row * width + c] += static_cast<double>(dout[i * width + c]);
    }
    for (std::int64_t e = 0; e < table; ++e) dtable[r * stride + e] = static_cast<Scalar>(sums[e]);
  }
}

template void embedding_forward(EmbeddingShape, const float*, const float*, float*);
template void embedding_forward(EmbeddingShape, const double*, const double*, double*);
template void embedding_backward(EmbeddingShape, const float*, const float*, float*);
template void embedding_backward(EmbeddingShape, const double*, const double*, double*);

}  // namespace eos::kernels::reference
