// Layers that act on every value by itself: activation, dropout, and the sum of two levels.
#include "eos/core/error.hpp"
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/dropout.hpp"
#include "eos/kernels/elementwise.hpp"
#include "layers.hpp"

namespace eos::sim {

namespace {

std::int64_t values(const LayerCall& c) { return c.node.out.size() * c.rows * c.replicas; }

kernels::ActivationSpec activation_of(const LayerCall& c) {
  return {c.node.spec.activation, static_cast<float>(c.node.spec.leak)};
}

/// The mask of a sample, on values in either direction; nothing is dropped in scoring.
void drop(const LayerCall& c, const float* in, float* out) {
  const auto rate = static_cast<float>(c.node.spec.rate);
  if (c.pass.mode == Mode::score || rate == 0) {
    return c.context.copy(out, in, static_cast<std::size_t>(values(c)) * sizeof *in);
  }
  if (c.pass.samples == nullptr || c.pass.draws == nullptr) {
    throw core::Error("E901",
                      "a training pass through dropout layer " + c.node.spec.name + " without samples or draws");
  }
  const auto site = static_cast<std::uint32_t>(&c.node - c.network.graph.nodes.data());
  kernels::dropout(c.context, {c.replicas, c.rows, c.node.out.size()}, {rate, site}, c.pass.draws, c.pass.samples, in,
                   out);
}

}  // namespace

void activation_forward(const LayerCall& c) {
  kernels::activation_forward(c.context, values(c), activation_of(c), c.x, c.y);
}

void activation_backward(const LayerCall& c) {
  if (!c.want_inputs) return;
  const float* kept = c.node.spec.activation == kernels::Activation::gelu ? c.x : c.y;
  kernels::activation_backward(c.context, values(c), activation_of(c), kept, c.sent, c.dx);
}

void dropout_forward(const LayerCall& c) { drop(c, c.x, c.y); }

void dropout_backward(const LayerCall& c) {
  if (c.want_inputs) drop(c, c.sent, c.dx);
}

// Its backward pass is the network's: the error goes to both summands as it is.
void add_forward(const LayerCall& c) {
  kernels::add(c.context, values(c), c.x, c.x2, c.y);
  if (c.node.spec.activation == kernels::Activation::identity) return;
  kernels::activation_forward(c.context, values(c), activation_of(c), c.y, c.y);
}

}  // namespace eos::sim
