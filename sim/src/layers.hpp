// One node of a network at work: what every kind of layer gets, and the table of their functions.
//
// To add a kind of layer: state its shapes in theory/graph.cpp, write a pair of functions here in layer_NAME.cpp, and
// enter them in layer_functions(). forward() fills y (and saved, notes) from x; backward() overwrites dw, db where
// want_weights and dx where want_inputs. `dy` is d loss / d y, or, for kinds with a fused activation (dense, conv2d,
// batch norm), d loss / d (sums before it): the slope is applied once, by the consumer if `slope_of_x` asks for it and
// the kind supports it, else by the network.
#pragma once

#include "eos/kernels/activation.hpp"
#include "network.hpp"

namespace eos::sim {

struct LayerCall {
  LayerCall(const kernels::Context& on, const Network& of, const theory::Node& at, const Pass& in)
      : context(on), network(of), node(at), pass(in) {}

  const kernels::Context& context;
  const Network& network;
  const theory::Node& node;
  const Pass& pass;
  int replicas = 1;
  int rows = 0;             ///< samples of each replica
  std::int64_t stride = 0;  ///< floats between replicas of w, b, dw and db

  const float* x = nullptr;   ///< [replicas][rows][in]
  const float* x2 = nullptr;  ///< add, or dense with a sum joined to it: second summand
  float* y = nullptr;         ///< [replicas][rows][out]; backward: as forward left it
  float* slopes = nullptr;    ///< dense: [replicas][rows][out], slopes of the gelu that is joined to it
  float* saved = nullptr;     ///< [replicas][rows][node.saved]
  float* notes = nullptr;     ///< [replicas][node.notes]
  float* state = nullptr;     ///< [replicas][graph.state] from this node's words on; null: none
  const float* w = nullptr;
  const float* b = nullptr;  ///< null where there are none

  // backward
  const float* dy = nullptr;
  const float* sent = nullptr;  ///< what dx is made from; usually dy
  float* dx = nullptr;
  float* dw = nullptr;
  float* db = nullptr;  ///< null where there are no biases
  bool want_weights = false, want_inputs = false;
  kernels::ActivationSpec slope_of_x;  ///< dx *= act'(x)
  const float* slopes_of_x = nullptr;  ///< dx *= these, where slope_of_x is gelu
};

struct LayerFunctions {
  void (*forward)(const LayerCall&);
  void (*backward)(const LayerCall&);
  bool multiplies_slope = false;  ///< backward() honours slope_of_x
};

const LayerFunctions& layer_functions(theory::LayerKind kind);

void dense_forward(const LayerCall& c);
void dense_backward(const LayerCall& c);
void conv2d_forward(const LayerCall& c);
void conv2d_backward(const LayerCall& c);
void max_pool_forward(const LayerCall& c);
void max_pool_backward(const LayerCall& c);
void average_pool_forward(const LayerCall& c);
void average_pool_backward(const LayerCall& c);
void batch_norm_forward(const LayerCall& c);
void batch_norm_backward(const LayerCall& c);
void layer_norm_forward(const LayerCall& c);
void layer_norm_backward(const LayerCall& c);
void activation_forward(const LayerCall& c);
void activation_backward(const LayerCall& c);
void dropout_forward(const LayerCall& c);
void dropout_backward(const LayerCall& c);
void add_forward(const LayerCall& c);

void embedding_forward(const LayerCall& c);
void embedding_backward(const LayerCall& c);
void positions_forward(const LayerCall& c);
void positions_backward(const LayerCall& c);
void class_token_forward(const LayerCall& c);
void class_token_backward(const LayerCall& c);
void select_token_forward(const LayerCall& c);
void select_token_backward(const LayerCall& c);
void attention_forward(const LayerCall& c);
void attention_backward(const LayerCall& c);

}  // namespace eos::sim
