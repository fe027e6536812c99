// Layer and batch normalisation. Gains and biases are one block: [1][channels] and biases.
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/batch_norm.hpp"
#include "eos/kernels/layer_norm.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

constexpr float k_epsilon = 1e-5f;

kernels::ActivationSpec activation_of(const LayerCall& c) {
  return {c.node.spec.activation, static_cast<float>(c.node.spec.leak)};
}

void activate(const LayerCall& c) {
  const kernels::ActivationSpec activation = activation_of(c);
  if (activation.kind == kernels::Activation::identity) return;
  const std::int64_t size = c.node.out.size() * c.rows * c.replicas;
  kernels::activation_forward(c.context, size, activation, c.y, c.y);
}

/// One pass where the errors for parameters and for inputs are the same, else one for each.
template <class Backward>
void run_backward(const LayerCall& c, Backward backward) {
  const kernels::NormGradients parameters{nullptr, c.dw, c.db}, inputs{c.dx, nullptr, nullptr};
  if (c.want_weights && c.want_inputs && c.sent == c.dy) return backward(c.dy, {c.dx, c.dw, c.db});
  if (c.want_weights) backward(c.dy, parameters);
  if (c.want_inputs) backward(c.sent, inputs);
}

/// Rows of features are the tokens of a sequence, or whole samples.
kernels::LayerNormShape layer_shape(const LayerCall& c) {
  const std::int64_t tokens = c.node.in.sequence ? c.node.in.positions() : 1;
  return {c.replicas, c.rows * tokens, static_cast<int>(c.node.in.size() / tokens), c.stride};
}

kernels::BatchNormShape batch_shape(const LayerCall& c) {
  return {c.replicas, c.rows * c.node.in.positions(), c.node.in.channels, c.stride, c.network.graph.state};
}

kernels::BatchNormSpec batch_spec(const LayerCall& c) {
  kernels::BatchNormSpec spec;
  spec.epsilon = k_epsilon;
  if (c.node.spec.activation == kernels::Activation::relu) spec.activation = kernels::Activation::relu;
  return spec;
}

}  // namespace

void layer_norm_forward(const LayerCall& c) {
  kernels::layer_norm_forward(c.context, layer_shape(c), k_epsilon, c.x, c.w, c.b, c.y, c.saved);
  activate(c);
}

void layer_norm_backward(const LayerCall& c) {
  run_backward(c, [&](const float* dy, kernels::NormGradients gradients) {
    kernels::layer_norm_backward(c.context, layer_shape(c), c.x, c.w, c.saved, dy, gradients);
  });
}

void batch_norm_forward(const LayerCall& c) {
  const kernels::BatchNormSpec spec = batch_spec(c);
  if (c.pass.mode == Mode::train) {
    kernels::batch_norm_train(c.context, batch_shape(c), spec, c.x, c.w, c.b, c.y, c.notes, c.state);
  } else {
    kernels::batch_norm_evaluate(c.context, batch_shape(c), spec, c.x, c.w, c.b, c.state, c.y, c.notes);
  }
  if (spec.activation.kind == kernels::Activation::identity) activate(c);
}

// The errors that arrive are already those of the sums before the activation.
void batch_norm_backward(const LayerCall& c) {
  kernels::BatchNormSpec spec = batch_spec(c);
  spec.activation = kernels::Activation::identity;
  const auto statistics = c.pass.mode == Mode::train ? kernels::StatisticsOf::batch : kernels::StatisticsOf::fixed;
  run_backward(c, [&](const float* dy, kernels::NormGradients gradients) {
    kernels::batch_norm_backward(c.context, batch_shape(c), spec, statistics, c.x, c.w, c.b, c.notes, dy, gradients);
  });
}

}  // namespace eos::sim
