// What happens to tokens besides attention: learned positions, a class token in front, and the choice of the first.
//
// add_positions:       out[r][i][t] = in[r][i][t] + table[r][t];   dtable[r][t] = sum_i dout[r][i][t], din = dout
// prepend_token:       out[r][i][0] = token[r], out[r][i][1 + t] = in[r][i][t];   dtoken[r] = sum_i dout[r][i][0],
//                      din[r][i][t] = dout[r][i][1 + t]
// select_first_token:  out[r][i] = in[r][i][0];   din[r][i][0] = dout[r][i], 0 elsewhere
// Source: Vaswani et al. 2017 (positions added to embeddings), Dosovitskiy et al. 2021, "An image is worth 16 x 16
// words", eq. 1 and 4 (learned positions, class token). Shapes: in [R][rows][tokens][width]; table [R][tokens][width],
// token [R][width]; prepend_token puts out tokens + 1 a sample. Guarantees: sums over samples are added in float in
// order of rows, all else are copies or single additions, so bits are the same on every backend and for any threads(),
// and those of a sample the same in any batch. add_positions may run in place (out = in). Gradients are overwritten. No
// allocation after the first calls. Thread-safe. Example: tests/kernels/tokens_test.cpp.
#pragma once

#include <cstdint>

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct TokensShape {
  int replicas = 1;
  int rows = 0;             ///< samples per replica
  int tokens = 0;           ///< of a sample, before any is added or chosen
  int width = 0;            ///< of a token
  std::int64_t stride = 0;  ///< floats between the tables or class tokens of replicas; 0: their size

  std::int64_t table_stride() const { return stride > 0 ? stride : std::int64_t{tokens} * width; }
  std::int64_t token_stride() const { return stride > 0 ? stride : width; }
};

void add_positions(const Context& context, TokensShape shape, const float* in, const float* table, float* out);
/// The gradient of the table; that of the input is dout itself.
void add_positions_backward(const Context& context, TokensShape shape, const float* dout, float* dtable);

void prepend_token(const Context& context, TokensShape shape, const float* in, const float* token, float* out);
/// dtoken or din may be null where nobody needs it.
void prepend_token_backward(const Context& context, TokensShape shape, const float* dout, float* dtoken, float* din);

void select_first_token(const Context& context, TokensShape shape, const float* in, float* out);
void select_first_token_backward(const Context& context, TokensShape shape, const float* dout, float* din);

/// Plain loops over host arrays; sums in double. Scalar is float or double.
namespace reference {
template <class Scalar>
void add_positions(TokensShape shape, const Scalar* in, const Scalar* table, Scalar* out);
template <class Scalar>
void add_positions_backward(TokensShape shape, const Scalar* dout, Scalar* dtable);
template <class Scalar>
void prepend_token(TokensShape shape, const Scalar* in, const Scalar* token, Scalar* out);
template <class Scalar>
void prepend_token_backward(TokensShape shape, const Scalar* dout, Scalar* dtoken, Scalar* din);
template <class Scalar>
void select_first_token(TokensShape shape, const Scalar* in, Scalar* out);
template <class Scalar>
void select_first_token_backward(TokensShape shape, const Scalar* dout, Scalar* din);
}  // namespace reference

}  // namespace eos::kernels
