// State a network: an architecture with its sizes, or a list of layers.
//
// Plain values; defaults are also those of the TOML keys in [network]. graph.hpp turns a spec and the shape of the data
// into nodes with shapes, parameters and costs. Conventions: images are height x width x channels; a sequence of T
// tokens is an image of height T and width 1 whose channels are the features of a token.
#pragma once

#include <string>
#include <vector>

#include "eos/theory/activation.hpp"

namespace eos::theory {

/// Cross-entropy after a softmax, or half the squared distance of the outputs from the targets.
enum class Loss { cross_entropy, squared };
/// Standard deviation of the initial weights, times init_scale: he sqrt(2/fan_in), fan_in sqrt(1/fan_in), normal 1.
enum class Initialisation { he, fan_in, normal };

enum class Architecture {
  mlp,
  cnn,     ///< [conv 3x3, activation, max-pool 2] for every entry of channels, then a dense layer
  resnet,  ///< nine layers: conv, conv+pool, residual pair, conv+pool, conv+pool, residual pair, global max-pool, dense
  vit,     ///< patches, class token, learned positions, pre-norm transformer blocks, class token to a dense layer
  gpt,     ///< token embedding, learned positions, causal pre-norm blocks, norm, dense layer to the vocabulary
  layers   ///< NetworkSpec::layers
};

enum class LayerKind {
  dense,     ///< y = act(x w + b): of every token of a sequence, of all values of an image
  conv2d,    ///< zero padding, y = act(sum + b), then max-pooling of pool x pool windows if pool > 1
  max_pool,  ///< windows of kernel x kernel, stride apart
  average_pool,
  global_average_pool,
  global_max_pool,
  batch_norm,  ///< over all positions and samples of a batch, by channel (Ioffe & Szegedy, ICML 2015)
  layer_norm,  ///< over the channels of a position (Ba, Kiros & Hinton, 2016)
  activation,
  dropout,
  embedding,     ///< token ids to rows of a table
  positions,     ///< adds a learned vector to every position
  class_token,   ///< a learned token before the others
  select_token,  ///< the first token
  attention,     ///< query, key, value (concatenated along channels) to their mixture
  add            ///< `from` + `with`
};
/// "dense", "conv2d", "max-pool", ... in the order of LayerKind.
const std::vector<std::string>& layer_kind_names();
const std::string& to_string(LayerKind kind);

struct LayerSpec {
  LayerKind kind = LayerKind::dense;
  std::string name;    ///< by which others refer to it; empty: made from the kind
  std::string from;    ///< whose output it takes; empty: of the layer before it; "input": the data
  std::string with;    ///< add: the second summand; dense: an embedding whose table it shares, transposed
  int width = 0;       ///< dense: units; conv2d: channels; embedding: features
  int vocabulary = 0;  ///< embedding; 0: that of the data
  int kernel = 3, stride = 1;
  int padding = -1;  ///< -1: (kernel - 1) / 2
  int pool = 0;      ///< conv2d
  int heads = 1;
  bool causal = false;
  bool biases = true;
  Activation activation = Activation::identity;
  double leak = 0.1;
  double rate = 0;  ///< dropout
  double gain = 1;  ///< times the standard deviation of the initial weights
};

struct NetworkSpec {
  Architecture architecture = Architecture::mlp;
  std::vector<int> hidden{256, 256};         ///< mlp: widths of hidden layers; inputs and classes come from the data
  Activation activation = Activation::relu;  ///< of hidden units
  double leak = 0.1;                         ///< slope of leaky_relu below 0
  Activation output = Activation::identity;  ///< identity or logistic (squared loss only)
  Loss loss = Loss::cross_entropy;
  double target_low = 0, target_high = 1;  ///< squared loss: targets of wrong and right classes
  double label_smoothing = 0;              ///< cross-entropy (Szegedy et al., CVPR 2016), [0, 1)
  /// false: errors sent to the hidden layers omit the slope of the output units, as in the program of Li & van Rossum
  /// (eLife 2020): not the gradient of the squared error.
  bool output_slope = true;
  bool biases = true;          ///< mlp
  bool random_biases = false;  ///< mlp: biases start like weights, as weights from a constant unit do; else 0
  Initialisation initialisation = Initialisation::he;
  double init_scale = 1;

  std::vector<int> channels;      ///< cnn; resnet: four; empty: 32, 64, 128 (and 256)
  int patch = 4;                  ///< vit: side of a patch
  int width = 128;                ///< vit, gpt: features of a token
  int depth = 4;                  ///< vit, gpt: transformer blocks
  int heads = 4;                  ///< vit, gpt
  int feedforward = 0;            ///< vit, gpt: hidden units of a block; 0: 2 width for vit, 4 width for gpt
  bool tied = false;              ///< gpt: the output layer shares the embedding's table
  double dropout = 0;             ///< vit, gpt: after embedding, attention and feedforward
  std::vector<LayerSpec> layers;  ///< architecture layers
};

}  // namespace eos::theory
