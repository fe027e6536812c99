// Multi-head scaled dot-product attention over the tokens of a sample, and its gradient.
//
// For every replica, row (sample) and head h, with q, k, v the head's part of each token and d = width / heads:
//   s_ij = q_i . k_j / sqrt(d),  p_ij = exp(s_ij - l_i),  l_i = ln sum_j exp(s_ij),  o_i = sum_j p_ij v_j
// with j over all tokens, or over j <= i where causal. Source: Vaswani et al. 2017, "Attention is all you need", eq. 1
// and section 3.2.2. The backward pass keeps l alone and recomputes p (Dao et al. 2022, "FlashAttention", algorithm 4):
//   dv_j = sum_i p_ij do_i,  g_ij = p_ij (do_i . v_j - do_i . o_i),  dq_i = sum_j g_ij k_j / sqrt(d),  dk_j likewise.
// Shapes: qkv and dqkv [R][rows][tokens][3 width] (q, k, v one after the other, heads side by side in each), out and
// dout [R][rows][tokens][width], lse [R][rows][heads][tokens]. Nothing of tokens x tokens is stored: the CPU holds a
// few rows of scores at a time, CUDA one tile. Guarantees: a sample has the same bits alone and anywhere in any batch,
// and on the CPU for any threads(); where causal, a token's output does not depend on later tokens (while these are
// finite). dqkv is overwritten. NaN passes through. No allocation after the first calls. Thread-safe.
// FLOPs: 4 R rows tokens^2 width forward and 10 backward, about half of them where causal. CUDA: heads up to 128 wide.
// Example: tests/kernels/attention_test.cpp.
#pragma once

#include "eos/kernels/context.hpp"

namespace eos::kernels {

struct AttentionShape {
  int replicas = 1;
  int rows = 0;    ///< samples per replica
  int tokens = 0;  ///< of a sample
  int heads = 1;
  int width = 0;  ///< of a token: heads times the width of a head
  bool causal = false;
};

/// throws Error E901 for a width that is not a multiple of heads, or (CUDA) heads wider than 128.
void attention_forward(const Context& context, AttentionShape shape, const float* qkv, float* out, float* lse);
/// out and lse are those of the forward pass.
void attention_backward(const Context& context, AttentionShape shape, const float* qkv, const float* out,
                        const float* lse, const float* dout, float* dqkv);

/// Plain loops over host arrays, computing in double: the specification. Scalar is float or double.
namespace reference {
template <class Scalar>
void attention_forward(AttentionShape shape, const Scalar* qkv, Scalar* out, Scalar* lse);
template <class Scalar>
void attention_backward(AttentionShape shape, const Scalar* qkv, const Scalar* out, const Scalar* lse,
                        const Scalar* dout, Scalar* dqkv);
}  // namespace reference

}  // namespace eos::kernels
