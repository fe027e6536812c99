// Embedding: a row of a table for every token, and the gradient of the table.
//
// out[r][i][t] = table[r][token(r, i, t)];  dtable[r][v] = sum of dout[r][i][t] over the places that hold token v.
// Shapes: tokens [R][rows][tokens] of floats that hold integers in [0, vocabulary) exactly (below 2^24): the caller
// answers for that, data are checked where they are loaded. table and dtable [R][vocabulary][width], out and dout
// [R][rows][tokens][width]. Guarantees: forward copies bits; dtable is overwritten, and each of its entries added in
// float in order of rows and tokens, so that it has the same bits on every backend and for any threads(). No
// allocation after the first calls. Thread-safe. Bytes: 8 R rows tokens width each way. Example:
// tests/kernels/embedding_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct EmbeddingShape {
  int replicas = 1;
  int rows = 0;             ///< samples per replica
  int tokens = 0;           ///< of a sample
  int vocabulary = 0;       ///< rows of the table
  int width = 0;            ///< of a token
  std::int64_t stride = 0;  ///< floats between the tables of replicas; 0: vocabulary * width

  std::int64_t table_stride() const { return stride > 0 ? stride : std::int64_t{vocabulary} * width; }
};

void embedding_forward(const Context& context, EmbeddingShape shape, const float* tokens, const float* table,
                       float* out);
void embedding_backward(const Context& context, EmbeddingShape shape, const float* tokens, const float* dout,
                        float* dtable);

/// Plain loops over host arrays; sums in double. Scalar is float or double.
namespace reference {
template <class Scalar>
void embedding_forward(EmbeddingShape shape, const Scalar* tokens, const Scalar* table, Scalar* out);
template <class Scalar>
void embedding_backward(EmbeddingShape shape, const Scalar* tokens, const Scalar* dout, Scalar* dtable);
}  // namespace reference

}  // namespace eos::kernels
