#include "network_checks.hpp"

#include <algorithm>
#include <initializer_list>

#include "eos/theory/data_shape.hpp"
#include "eos/theory/network_words.hpp"
#include "spec_checks.hpp"

namespace eos::theory {
namespace {

using Architectures = std::initializer_list<Architecture>;
using Kinds = std::initializer_list<LayerKind>;

constexpr auto mlp = Architecture::mlp, cnn = Architecture::cnn, resnet = Architecture::resnet, vit = Architecture::vit,
               gpt = Architecture::gpt;

template <class Value>
bool among(Value value, std::initializer_list<Value> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

/// "mlp" or "cnn".
template <class Value>
std::string either(std::initializer_list<Value> values) {
  std::string text;
  std::size_t left = values.size();
  for (const Value value : values) {
    text += fmt::format("\"{}\"", to_string(value));
    if (--left > 0) text += left > 1 ? ", " : " or ";
  }
  return text;
}

/// Says which architectures a key belongs to when it is set for another one.
struct KeyCheck {
  const NetworkSpec& network;
  Checker& checker;

  void belongs(const char* key, bool is_usual, Architectures owners, const char* else_help = "remove it") const {
    if (is_usual || among(network.architecture, owners)) return;
    checker.add("E107",
                fmt::format("network.{} is for architecture = {}, but network.architecture = \"{}\"", key,
                            either(owners), to_string(network.architecture)),
                fmt::format("set network.architecture = {}, or {}", either(owners), else_help));
  }
};

void check_keys(const NetworkSpec& n, Checker& c) {
  const NetworkSpec usual;
  const KeyCheck key{n, c};
  const bool layers = n.architecture == Architecture::layers;
  const char* in_layers = layers ? "set it in the layers" : "remove it";
  key.belongs("hidden", n.hidden == usual.hidden, {mlp});
  const bool blocks = among(n.architecture, {vit, gpt});
  key.belongs("activation", n.activation == usual.activation || (blocks && n.activation == Activation::gelu),
              {mlp, cnn, resnet}, blocks ? "remove it: transformer blocks use gelu" : in_layers);
  key.belongs("leak", n.leak == usual.leak, {mlp, cnn, resnet}, in_layers);
  key.belongs("output", n.output == usual.output, {mlp}, in_layers);
  key.belongs("biases", n.biases, {mlp}, in_layers);
  key.belongs("random_biases", !n.random_biases, {mlp});
  key.belongs("channels", n.channels.empty(), {cnn, resnet}, in_layers);
  key.belongs("patch", n.patch == usual.patch, {vit});
  key.belongs("width", n.width == usual.width, {vit, gpt}, in_layers);
  key.belongs("depth", n.depth == usual.depth, {vit, gpt});
  key.belongs("heads", n.heads == usual.heads, {vit, gpt}, in_layers);
  key.belongs("feedforward", n.feedforward == 0, {vit, gpt});
  key.belongs("tied", !n.tied, {gpt},
              layers ? "give the last dense layer `with`, the name of the embedding" : in_layers);
  key.belongs("dropout", n.dropout == 0, {vit, gpt}, layers ? "add layers of kind \"dropout\"" : in_layers);
  key.belongs("layers", n.layers.empty(), {Architecture::layers});
}

void check_sizes(const NetworkSpec& n, Checker& c) {
  const auto list = [&](const char* key, const std::vector<int>& values, const char* what) {
    for (int value : values)
      if (value < 1) c.add("E104", fmt::format("network.{} contains {}; {} are >= 1", key, value, what));
  };
  list("hidden", n.hidden, "widths");
  list("channels", n.channels, "numbers of channels");
  c.at_least("network.patch", n.patch, 1);
  c.at_least("network.width", n.width, 1);
  c.at_least("network.depth", n.depth, 1);
  c.at_least("network.heads", n.heads, 1);
  c.at_least("network.feedforward", n.feedforward, 0);
  c.range("network.dropout", n.dropout, 0, 1, false, true);
  c.at_least("network.init_scale", n.init_scale, 0, true);
  c.range("network.leak", n.leak, 0, 1, false, true);
  if (n.architecture == resnet && n.channels.size() > 4) {
    c.add("E107", fmt::format("network.channels has {} entries; a resnet has four stages", n.channels.size()),
          "e.g. channels = [32, 64, 128, 256]");
  }
  if (among(n.architecture, {vit, gpt}) && n.heads >= 1 && n.width % n.heads != 0) {
    c.add("E107", fmt::format("network.heads = {} does not divide network.width = {}", n.heads, n.width),
          "every head takes an equal part of the features of a token");
  }
}

void check_loss(const NetworkSpec& n, Checker& c) {
  const bool logistic = n.output == Activation::logistic;
  if (!logistic && n.output != Activation::identity) {
    c.add("E107", fmt::format("network.output = \"{}\" must be \"identity\" or \"logistic\"", to_string(n.output)),
          "choose \"identity\" for a softmax or linear outputs, \"logistic\" for targets in (0, 1)");
  }
  if (logistic && n.loss == Loss::cross_entropy) {
    c.add("E107", "network.output = \"logistic\", but network.loss = \"cross-entropy\" takes a softmax of the outputs",
          "set loss = \"squared\" or output = \"identity\"");
  }
  if (!n.output_slope && !logistic) {
    c.add("E107", "network.output_slope = false leaves out a slope that only logistic outputs have",
          "set output = \"logistic\" and loss = \"squared\"");
  }
  if (n.loss == Loss::squared && !(n.target_low < n.target_high)) {
    c.add("E104", fmt::format("network.target_low = {} is not below target_high = {}", n.target_low, n.target_high));
  }
  c.range("network.label_smoothing", n.label_smoothing, 0, 1, false, true);
  if (n.label_smoothing > 0 && n.loss == Loss::squared) {
    c.add("E107", "network.label_smoothing is for the cross-entropy, but network.loss = \"squared\"",
          "set target_low and target_high instead");
  }
}

/// The keys of one entry of network.layers that its kind does not use.
void check_layer(const LayerSpec& l, std::size_t index, Checker& c) {
  const LayerSpec usual;
  using K = LayerKind;
  const auto belongs = [&](const char* key, bool is_usual, Kinds owners) {
    if (is_usual || among(l.kind, owners)) return;
    c.add("E107",
          fmt::format("network.layers[{}].{} is for layers of kind {}, but this one is \"{}\"", index, key,
                      either(owners), to_string(l.kind)),
          "remove it");
  };
  const auto name = [&](const char* key) { return fmt::format("network.layers[{}].{}", index, key); };
  belongs("with", l.with.empty(), {K::add, K::dense});
  belongs("width", l.width == 0, {K::dense, K::conv2d, K::embedding});
  belongs("vocabulary", l.vocabulary == 0, {K::embedding});
  belongs("kernel", l.kernel == usual.kernel, {K::conv2d, K::max_pool, K::average_pool});
  belongs("stride", l.stride == 1, {K::conv2d, K::max_pool, K::average_pool});
  belongs("padding", l.padding == -1, {K::conv2d, K::max_pool, K::average_pool});
  belongs("pool", l.pool == 0, {K::conv2d});
  belongs("heads", l.heads == 1, {K::attention});
  belongs("causal", !l.causal, {K::attention});
  belongs("biases", l.biases, {K::dense, K::conv2d});
  belongs("activation", l.activation == usual.activation, {K::dense, K::conv2d, K::batch_norm, K::activation});
  belongs("rate", l.rate == 0, {K::dropout});
  belongs("gain", l.gain == 1, {K::dense, K::conv2d, K::embedding, K::positions, K::class_token});
  c.range(name("leak").c_str(), l.leak, 0, 1, false, true);
  c.range(name("rate").c_str(), l.rate, 0, 1, false, true);
  c.at_least(name("gain").c_str(), l.gain, 0, true);
}

void check_layers(const NetworkSpec& n, Checker& c) {
  if (n.architecture != Architecture::layers) return;
  if (n.layers.empty()) {
    c.add("E107", "network.layers is empty, but network.architecture = \"layers\"",
          "add tables [[network.layers]], or choose another architecture");
  }
  for (std::size_t i = 0; i < n.layers.size(); ++i) check_layer(n.layers[i], i, c);
}

/// Dense layers one after the other, without nodes of their own for activations. The shape of the data decides the
/// rest: graph.hpp, chain().
bool chain(const NetworkSpec& n) {
  if (n.architecture == mlp) return n.activation != Activation::gelu;
  return n.architecture == Architecture::layers &&
         std::all_of(n.layers.begin(), n.layers.end(), [](const LayerSpec& l) {
           return l.kind == LayerKind::dense && l.with.empty() && l.from.empty() && l.activation != Activation::gelu;
         });
}

/// What chooses units and connections knows vectors alone.
void check_chain(const TrainingSpec& s, Checker& c) {
  const NetworkSpec& n = s.network;
  if (chain(n)) return;
  const std::string why = n.architecture == mlp
                              ? "network.activation = \"gelu\" is a layer between"
                              : fmt::format("network.architecture = \"{}\" has others", to_string(n.architecture));
  const auto needs = [&](const std::string& what, const char* help) {
    c.add("E107", fmt::format("{} needs a chain of dense layers, but {}", what, why), help);
  };
  const PlasticitySpec& p = s.plasticity;
  const char* all = "set rule = \"all\" and path = 0, or network.architecture = \"mlp\" with another activation";
  if (p.units.rule != UnitRule::all) needs("plasticity.units.rule, which masks errors of units,", all);
  if (p.units.path > 0) needs("plasticity.units.path, which chooses units,", all);
  if (p.topology.rule != TopologyRule::dense) {
    needs("plasticity.topology.rule, which removes connections,",
          "set rule = \"dense\"; weights are still chosen by plasticity.rule");
  }
  if (s.selection.score == Score::shallow) {
    needs("selection.score = \"shallow\", which looks at the first hidden layer,",
          "set score = \"current\", \"stale\" or \"proxy\"");
  }
}

}  // namespace

void check_data_kind(const NetworkSpec& n, bool tokens, Checker& c) {
  if (n.architecture == Architecture::layers) return;
  const std::string& name = to_string(n.architecture);
  if (tokens && n.architecture != gpt) {
    c.add("E107", fmt::format("network.architecture = \"{}\" takes images or vectors, but the data are tokens", name),
          "set network.architecture = \"gpt\", or list layers that begin with an embedding");
  }
  if (!tokens && n.architecture == gpt) {
    c.add("E107", fmt::format("network.architecture = \"{}\" takes tokens, but the data are images or vectors", name),
          "set network.architecture = \"vit\" (images), or data.name = \"text\"");
  }
}

void check_network(const TrainingSpec& s, Checker& c) {
  const NetworkSpec& n = s.network;
  Checker own;
  check_keys(n, own);
  check_sizes(n, own);
  check_loss(n, own);
  check_layers(n, own);
  if (n.random_biases && !n.biases)
    own.add("E107", "network.random_biases = true, but network.biases = false", "remove one of the two");
  check_data_kind(n, s.data.is_text(), own);
  check_chain(s, own);
  try {
    own.finish();
    if (const auto shape = known_shape(s.data)) build_graph(n, *shape);
  } catch (const core::Error& error) {
    c.adopt(error);
  }
}

}  // namespace eos::theory
