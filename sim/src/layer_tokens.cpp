// Layers of sequences: embedding, learned positions, class token, choice of the first token, attention.
#include "eos/kernels/attention.hpp"
#include "eos/kernels/embedding.hpp"
#include "eos/kernels/tokens.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

int tokens(const LayerCall& c) { return static_cast<int>(c.node.in.positions()); }

kernels::EmbeddingShape embedding_shape(const LayerCall& c) {
  return {c.replicas, c.rows, tokens(c), c.node.spec.vocabulary, c.node.out.channels, c.stride};
}

kernels::TokensShape tokens_shape(const LayerCall& c) {
  return {c.replicas, c.rows, tokens(c), c.node.in.channels, c.stride};
}

kernels::AttentionShape attention_shape(const LayerCall& c) {
  return {c.replicas, c.rows, tokens(c), c.node.spec.heads, c.node.out.channels, c.node.spec.causal};
}

}  // namespace

void embedding_forward(const LayerCall& c) { kernels::embedding_forward(c.context, embedding_shape(c), c.x, c.w, c.y); }

void embedding_backward(const LayerCall& c) {
  if (c.want_weights) kernels::embedding_backward(c.context, embedding_shape(c), c.x, c.dy, c.dw);
}

void positions_forward(const LayerCall& c) { kernels::add_positions(c.context, tokens_shape(c), c.x, c.w, c.y); }

void positions_backward(const LayerCall& c) {
  if (c.want_weights) kernels::add_positions_backward(c.context, tokens_shape(c), c.dy, c.dw);
  const std::int64_t size = c.node.in.size() * c.rows * c.replicas;
  if (c.want_inputs) c.context.copy(c.dx, c.sent, static_cast<std::size_t>(size) * sizeof *c.dx);
}

void class_token_forward(const LayerCall& c) { kernels::prepend_token(c.context, tokens_shape(c), c.x, c.w, c.y); }

void class_token_backward(const LayerCall& c) {
  float *dtoken = c.want_weights ? c.dw : nullptr, *dx = c.want_inputs ? c.dx : nullptr;
  kernels::prepend_token_backward(c.context, tokens_shape(c), c.dy, dtoken, dx);
}

void select_token_forward(const LayerCall& c) { kernels::select_first_token(c.context, tokens_shape(c), c.x, c.y); }

void select_token_backward(const LayerCall& c) {
  if (c.want_inputs) kernels::select_first_token_backward(c.context, tokens_shape(c), c.sent, c.dx);
}

void attention_forward(const LayerCall& c) {
  kernels::attention_forward(c.context, attention_shape(c), c.x, c.y, c.saved);
}

void attention_backward(const LayerCall& c) {
  if (c.want_inputs) kernels::attention_backward(c.context, attention_shape(c), c.x, c.y, c.saved, c.sent, c.dx);
}

}  // namespace eos::sim
