// [network], [[network.layers]].
#include "eos/theory/network_words.hpp"
#include "toml_schema.hpp"

namespace eos::io {
namespace {

constexpr Range k_width{1, 1 << 20};
constexpr Range k_width_or_none{0, 1 << 20};
constexpr Range k_side{1, 4096};

void bind_units(Binder& b, theory::NetworkSpec& n) {
  // An output unit is no gelu; the others are refused with a reason by the checks of a run.
  const std::vector<std::string>& all = theory::activation_names();
  b.choice({"activation", "", "of hidden units; vit and gpt: always gelu"}, n.activation, all);
  b.number({"leak", "1", "activation leaky-relu: slope below 0"}, n.leak, k_below_one);
  b.choice({"output", "", "mlp: of output units; logistic with loss squared only"}, n.output,
           {all.begin(), all.end() - 1});
}

void bind_loss(Binder& b, theory::NetworkSpec& n) {
  b.choice({"loss", "", "cross-entropy after a softmax, or half the squared distance from the targets"}, n.loss,
           {"cross-entropy", "squared"});
  b.number({"target_low", "1", "loss squared: target of wrong classes"}, n.target_low, k_any);
  b.number({"target_high", "1", "loss squared: target of the right class"}, n.target_high, k_any);
  b.number(
      {"label_smoothing", "1", "loss cross-entropy: share of the target spread evenly over all classes, when learning"},
      n.label_smoothing, k_below_one);
  b.flag({"output_slope", "",
          "false: errors sent to hidden layers omit the slope of logistic outputs (program of Li & van Rossum 2020)"},
         n.output_slope);
}

void bind_initial(Binder& b, theory::NetworkSpec& n) {
  b.flag({"biases", "", "mlp: false: units without biases"}, n.biases);
  b.flag({"random_biases", "", "mlp: biases start like the weights of their layer; else at 0"}, n.random_biases);
  b.choice({"initialisation", "", "standard deviation of weights: sqrt(2 / fan_in), sqrt(1 / fan_in), or 1"},
           n.initialisation, {"he", "fan-in", "normal"});
  b.number({"init_scale", "1", "times that standard deviation"}, n.init_scale, k_positive);
}

void bind_sizes(Binder& b, theory::NetworkSpec& n) {
  b.integers({"hidden", "1", "mlp: widths of the hidden layers; [] is a linear classifier"}, n.hidden, k_width);
  b.integers({"channels", "1", "cnn: of its convolutions; resnet: of its four stages; []: 32, 64, 128 (and 256)"},
             n.channels, k_width);
  b.integer({"patch", "pixels", "vit: side of a patch; divides height and width"}, n.patch, k_side);
  b.integer({"width", "1", "vit, gpt: features of a token"}, n.width, k_width);
  b.integer({"depth", "1", "vit, gpt: transformer blocks"}, n.depth, Range{1, 1000});
  b.integer({"heads", "1", "vit, gpt: of attention; divides width"}, n.heads, k_width);
  b.integer({"feedforward", "1", "vit, gpt: hidden units of a block; 0: 2 width for vit, 4 width for gpt"},
            n.feedforward, k_width_or_none);
  b.flag({"tied", "", "gpt: the output layer shares the embedding's table"}, n.tied);
  b.number({"dropout", "1", "vit, gpt: after embedding, attention and feedforward"}, n.dropout, k_below_one);
}

void bind_layer_sizes(Binder& b, theory::LayerSpec& l) {
  b.integer({"width", "1",
             "dense: units (0: one for every class or token of the data); conv2d: channels; embedding: features"},
            l.width, k_width_or_none);
  b.integer({"vocabulary", "tokens", "embedding: rows of its table; 0: as many as the data have"}, l.vocabulary,
            k_width_or_none);
  b.integer({"kernel", "pixels", "conv2d and pools: side of a window"}, l.kernel, k_side);
  b.integer({"stride", "pixels", "conv2d and pools: between windows"}, l.stride, k_side);
  b.integer({"padding", "pixels", "zeros around the image; -1: (kernel - 1) / 2 for conv2d, 0 for pools"}, l.padding,
            Range{-1, 4096});
  b.integer({"pool", "pixels", "conv2d: 2: max-pooling of 2 x 2 windows after it; 0: none"}, l.pool, Range{0, 2});
  b.integer({"heads", "1", "attention"}, l.heads, k_width);
  b.flag({"causal", "", "attention: tokens see those before them and themselves"}, l.causal);
}

void bind_layer(Binder& b, theory::LayerSpec& l) {
  b.choice({"kind", "", "what it computes; docs/networks.md", true}, l.kind, theory::layer_kind_names());
  b.text({"name", "", "by which other layers refer to it; empty: its kind and number"}, l.name);
  b.text({"from", "", "layer whose output it takes, or input; empty: the one before it"}, l.from);
  b.text({"with", "", "add: layer of the second summand; dense: embedding whose table it shares"}, l.with);
  bind_layer_sizes(b, l);
  b.flag({"biases", "", "dense, conv2d"}, l.biases);
  b.choice({"activation", "", "dense, conv2d, batch-norm, activation: of the sums"}, l.activation,
           theory::activation_names());
  b.number({"leak", "1", "activation leaky-relu: slope below 0"}, l.leak, k_below_one);
  b.number({"rate", "1", "dropout: probability that a value is dropped"}, l.rate, k_below_one);
  b.number({"gain", "1", "times the standard deviation of initial weights"}, l.gain, k_positive);
}

}  // namespace

void bind_network(Binder& b, theory::NetworkSpec& n) {
  b.choice({"architecture", "", "docs/networks.md; layers: the list [[network.layers]]"}, n.architecture,
           theory::architecture_names());
  bind_sizes(b, n);
  bind_units(b, n);
  bind_loss(b, n);
  bind_initial(b, n);
  b.tables({"layers", "", "one layer of architecture layers, each taking the output of the one before it"}, n.layers,
           bind_layer);
}

}  // namespace eos::io
