// Pooling layers of a network; the winners of a maximum are the node's saved words.
#include "eos/kernels/pool.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

using theory::LayerKind;

kernels::PoolShape shape_of(const LayerCall& c) {
  const theory::LayerSpec& s = c.node.spec;
  const theory::Shape& in = c.node.in;
  const std::int64_t images = std::int64_t{c.replicas} * c.rows;
  if (s.kind == LayerKind::global_max_pool || s.kind == LayerKind::global_average_pool)
    return kernels::PoolShape::global(images, in.height, in.width, in.channels);
  return {images, in.height, in.width, in.channels, s.kernel, s.kernel, s.stride, s.padding};
}

std::int32_t* winners(const LayerCall& c) { return reinterpret_cast<std::int32_t*>(c.saved); }

}  // namespace

void max_pool_forward(const LayerCall& c) {
  kernels::max_pool_forward(c.context, shape_of(c), c.x, c.y, winners(c));
}
void max_pool_backward(const LayerCall& c) {
  if (c.want_inputs)
    kernels::max_pool_backward(c.context, shape_of(c), c.sent, winners(c), c.x, c.slope_of_x, c.dx);
}

void average_pool_forward(const LayerCall& c) { kernels::average_pool_forward(c.context, shape_of(c), c.x, c.y); }
void average_pool_backward(const LayerCall& c) {
  if (c.want_inputs) kernels::average_pool_backward(c.context, shape_of(c), c.sent, c.x, c.slope_of_x, c.dx);
}

}  // namespace eos::sim
