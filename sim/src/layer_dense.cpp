// Dense layers: of every token of a sequence, or of all values of a sample at once.
#include "eos/kernels/dense.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

int positions(const LayerCall& c) { return c.node.in.sequence ? static_cast<int>(c.node.in.positions()) : 1; }

kernels::DenseShape shape_of(const LayerCall& c) {
  const int tokens = positions(c);
  const auto in = static_cast<int>(c.node.in.size() / tokens);
  return {c.replicas, c.rows * tokens, in, c.node.out.channels, c.stride};
}

/// x t^T with the table t [out][in] of an embedding: the product that gives a dense layer's input gradient.
kernels::DenseShape shape_of_tied(const LayerCall& c) {
  const kernels::DenseShape s = shape_of(c);
  return {s.replicas, s.rows, s.out, s.in, s.stride};
}

kernels::ActivationSpec activation(const LayerCall& c) {
  return {c.node.spec.activation, static_cast<float>(c.node.spec.leak)};
}

}  // namespace

void dense_forward(const LayerCall& c) {
  if (c.node.shared >= 0)
    return kernels::dense_backward_inputs(c.context, shape_of_tied(c), c.x, c.w, nullptr, {}, c.y);
  const kernels::ActivationSpec kind = c.slopes != nullptr ? kernels::Activation::gelu : activation(c);
  kernels::dense_forward(c.context, shape_of(c), c.x, c.w, c.b, kind, c.y, {c.x2, c.slopes});
}

void dense_backward(const LayerCall& c) {
  if (c.node.shared >= 0) {
    if (c.want_weights) kernels::dense_backward_weights(c.context, shape_of_tied(c), c.dy, c.x, c.dw, nullptr);
    if (c.want_inputs) kernels::dense_forward(c.context, shape_of_tied(c), c.sent, c.w, nullptr, {}, c.dx);
    return;
  }
  if (c.want_weights) kernels::dense_backward_weights(c.context, shape_of(c), c.x, c.dy, c.dw, c.db);
  const float* x = c.slopes_of_x != nullptr ? c.slopes_of_x : c.x;
  if (c.want_inputs) kernels::dense_backward_inputs(c.context, shape_of(c), c.sent, c.w, x, c.slope_of_x, c.dx);
}

}  // namespace eos::sim
