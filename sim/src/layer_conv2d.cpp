// Convolutions of a network; the winners of a fused max-pooling are one byte a value in the node's saved words.
#include "eos/kernels/conv2d.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

kernels::ConvShape shape_of(const LayerCall& c) {
  const theory::LayerSpec& s = c.node.spec;
  kernels::ConvShape shape;
  shape.replicas = c.replicas, shape.rows = c.rows;
  shape.height = c.node.in.height, shape.width = c.node.in.width, shape.in = c.node.in.channels;
  shape.out = c.node.out.channels;
  shape.kernel_h = shape.kernel_w = s.kernel;
  shape.stride = s.stride, shape.padding = s.padding;
  shape.pool = s.pool > 1 ? s.pool : 0;
  shape.parameter_stride = c.stride;
  return shape;
}

}  // namespace

void conv2d_forward(const LayerCall& c) {
  const kernels::ActivationSpec activation{c.node.spec.activation, static_cast<float>(c.node.spec.leak)};
  kernels::conv2d_forward(c.context, shape_of(c), c.x, c.w, c.b, activation, c.y,
                          reinterpret_cast<std::uint8_t*>(c.saved));
}

void conv2d_backward(const LayerCall& c) {
  const kernels::ConvShape shape = shape_of(c);
  const auto* winners = reinterpret_cast<const std::uint8_t*>(c.saved);
  if (c.want_weights) kernels::conv2d_backward_weights(c.context, shape, c.x, c.dy, winners, c.dw, c.db);
  if (c.want_inputs)
    kernels::conv2d_backward_inputs(c.context, shape, c.sent, winners, c.w, c.x, c.slope_of_x, c.dx);
}

}  // namespace eos::sim
