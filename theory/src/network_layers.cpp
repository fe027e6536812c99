// The architectures, written out as layers.
#include <algorithm>
#include <cmath>

#include "eos/theory/graph.hpp"
#include "eos/theory/network_words.hpp"

namespace eos::theory {
namespace {

LayerSpec layer(LayerKind kind, std::string name = {}) {
  LayerSpec l;
  l.kind = kind;
  l.name = std::move(name);
  return l;
}

LayerSpec dense(std::string name, int width, Activation activation = Activation::identity) {
  LayerSpec l = layer(LayerKind::dense, std::move(name));
  l.width = width;
  l.activation = activation;
  return l;
}

void activate_hidden(const NetworkSpec& spec, LayerSpec& l) { l.activation = spec.activation, l.leak = spec.leak; }

std::vector<int> channels_of(const NetworkSpec& spec) {
  if (!spec.channels.empty()) return spec.channels;
  if (spec.architecture == Architecture::resnet) return {32, 64, 128, 256};
  return {32, 64, 128};
}

std::vector<LayerSpec> mlp(const NetworkSpec& spec, int outputs) {
  std::vector<LayerSpec> layers;
  for (int width : spec.hidden) {
    layers.push_back(dense({}, width));
    activate_hidden(spec, layers.back());
  }
  layers.push_back(dense("output", outputs, spec.output));
  for (LayerSpec& l : layers) l.biases = spec.biases;
  return layers;
}

std::vector<LayerSpec> cnn(const NetworkSpec& spec, int outputs) {
  std::vector<LayerSpec> layers;
  for (int width : channels_of(spec)) {
    layers.push_back(layer(LayerKind::conv2d));
    layers.back().width = width;
    layers.back().pool = 2;
    activate_hidden(spec, layers.back());
  }
  layers.push_back(dense("output", outputs));
  return layers;
}

/// Convolution without biases, batch norm with the activation, and a max-pool if asked for.
void add_conv_norm(std::vector<LayerSpec>& layers, const NetworkSpec& spec, const std::string& name, int width,
                   bool pool) {
  LayerSpec conv = layer(LayerKind::conv2d, name);
  conv.width = width;
  conv.biases = false;
  LayerSpec norm = layer(LayerKind::batch_norm, name + "-norm");
  activate_hidden(spec, norm);
  layers.push_back(conv);
  layers.push_back(norm);
  if (!pool) return;
  LayerSpec halve = layer(LayerKind::max_pool, name + "-pool");
  halve.kernel = halve.stride = 2;
  halve.padding = 0;
  layers.push_back(halve);
}

void add_residual(std::vector<LayerSpec>& layers, const NetworkSpec& spec, const std::string& name, int width) {
  const std::string before = layers.back().name;
  add_conv_norm(layers, spec, name + "a", width, false);
  add_conv_norm(layers, spec, name + "b", width, false);
  LayerSpec sum = layer(LayerKind::add, name);
  sum.with = before;
  layers.push_back(sum);
}

// The network of Page, "How to train your ResNet" (myrtle.ai, 2018), with free widths.
std::vector<LayerSpec> resnet(const NetworkSpec& spec, int outputs) {
  std::vector<int> widths = channels_of(spec);
  widths.resize(4, widths.back());
  std::vector<LayerSpec> layers;
  add_conv_norm(layers, spec, "prep", widths[0], false);
  add_conv_norm(layers, spec, "stage1", widths[1], true);
  add_residual(layers, spec, "residual1", widths[1]);
  add_conv_norm(layers, spec, "stage2", widths[2], true);
  add_conv_norm(layers, spec, "stage3", widths[3], true);
  add_residual(layers, spec, "residual3", widths[3]);
  layers.push_back(layer(LayerKind::global_max_pool, "pool"));
  layers.push_back(dense("output", outputs));
  return layers;
}

void add_dropout(std::vector<LayerSpec>& layers, double rate, std::string name) {
  if (rate <= 0) return;
  layers.push_back(layer(LayerKind::dropout, std::move(name)));
  layers.back().rate = rate;
}

/// x + attention(norm(x)), then x + feedforward(norm(x)). Layers that write to the residual stream start smaller by
/// 1/sqrt(2 depth), as in GPT-2 (Radford et al., 2019).
void add_transformer_block(std::vector<LayerSpec>& layers, const NetworkSpec& spec, int index, int feedforward,
                           bool causal) {
  const std::string name = "block" + std::to_string(index + 1);
  const double gain = 1 / std::sqrt(2.0 * spec.depth);
  const std::string before = layers.back().name;
  layers.push_back(layer(LayerKind::layer_norm, name + "-norm1"));
  layers.push_back(dense(name + "-qkv", 3 * spec.width));
  LayerSpec attention = layer(LayerKind::attention, name + "-attention");
  attention.heads = spec.heads;
  attention.causal = causal;
  layers.push_back(attention);
  layers.push_back(dense(name + "-projection", spec.width));
  layers.back().gain = gain;
  add_dropout(layers, spec.dropout, name + "-dropout1");
  LayerSpec sum = layer(LayerKind::add, name + "-middle");
  sum.with = before;
  layers.push_back(sum);
  layers.push_back(layer(LayerKind::layer_norm, name + "-norm2"));
  layers.push_back(dense(name + "-up", feedforward, Activation::gelu));
  layers.push_back(dense(name + "-down", spec.width));
  layers.back().gain = gain;
  add_dropout(layers, spec.dropout, name + "-dropout2");
  sum.name = name, sum.with = name + "-middle";
  layers.push_back(sum);
}

// Dosovitskiy et al., ICLR 2021, at the sizes of the spec.
std::vector<LayerSpec> vit(const NetworkSpec& spec, int outputs) {
  std::vector<LayerSpec> layers;
  LayerSpec patches = layer(LayerKind::conv2d, "patches");
  patches.width = spec.width;
  patches.kernel = patches.stride = spec.patch;
  patches.padding = 0;
  layers.push_back(patches);
  layers.push_back(layer(LayerKind::class_token, "class-token"));
  layers.push_back(layer(LayerKind::positions, "positions"));
  add_dropout(layers, spec.dropout, "dropout");
  for (int i = 0; i < spec.depth; ++i)
    add_transformer_block(layers, spec, i, spec.feedforward > 0 ? spec.feedforward : 2 * spec.width, false);
  layers.push_back(layer(LayerKind::layer_norm, "norm"));
  layers.push_back(layer(LayerKind::select_token, "class"));
  layers.push_back(dense("output", outputs));
  return layers;
}

// Radford et al., 2019 (GPT-2), at the sizes of the spec.
std::vector<LayerSpec> gpt(const NetworkSpec& spec, int outputs) {
  std::vector<LayerSpec> layers;
  layers.push_back(layer(LayerKind::embedding, "tokens"));
  layers.back().width = spec.width;
  layers.push_back(layer(LayerKind::positions, "positions"));
  add_dropout(layers, spec.dropout, "dropout");
  for (int i = 0; i < spec.depth; ++i)
    add_transformer_block(layers, spec, i, spec.feedforward > 0 ? spec.feedforward : 4 * spec.width, true);
  layers.push_back(layer(LayerKind::layer_norm, "norm"));
  layers.push_back(dense("output", outputs));
  layers.back().biases = false;
  if (spec.tied) layers.back().with = "tokens";
  return layers;
}

}  // namespace

const std::vector<std::string>& layer_kind_names() {
  static const std::vector<std::string> names{
      "dense",       "conv2d",       "max-pool",   "average-pool", "global-average-pool", "global-max-pool",
      "batch-norm",  "layer-norm",   "activation", "dropout",      "embedding",           "positions",
      "class-token", "select-token", "attention",  "add"};
  return names;
}

const std::string& to_string(LayerKind kind) { return layer_kind_names()[static_cast<std::size_t>(kind)]; }

const std::vector<std::string>& architecture_names() {
  static const std::vector<std::string> names{"mlp", "cnn", "resnet", "vit", "gpt", "layers"};
  return names;
}

const std::string& to_string(Architecture architecture) {
  return architecture_names()[static_cast<std::size_t>(architecture)];
}

const std::vector<std::string>& activation_names() {
  static const std::vector<std::string> names{"identity", "relu", "leaky-relu", "logistic", "tanh", "gelu"};
  return names;
}

const std::string& to_string(Activation activation) { return activation_names()[static_cast<std::size_t>(activation)]; }

std::vector<LayerSpec> expand(const NetworkSpec& spec, const DataShape& data) {
  switch (spec.architecture) {
    case Architecture::mlp:
      return mlp(spec, data.outputs);
    case Architecture::cnn:
      return cnn(spec, data.outputs);
    case Architecture::resnet:
      return resnet(spec, data.outputs);
    case Architecture::vit:
      return vit(spec, data.outputs);
    case Architecture::gpt:
      return gpt(spec, data.outputs);
    case Architecture::layers:
      break;
  }
  return spec.layers;
}

}  // namespace eos::theory
