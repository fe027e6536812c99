#include "network.hpp"

#include <algorithm>
#include <utility>

#include "eos/core/philox.hpp"
#include "eos/kernels/activation_layer.hpp"
#include "eos/kernels/columns.hpp"
#include "eos/kernels/elementwise.hpp"
#include "eos/theory/network_memory.hpp"
#include "layers.hpp"
#include "row_gate.hpp"

namespace eos::sim {

namespace {

theory::NetworkSpec chain_spec(const std::vector<int>& widths, theory::NetworkSpec spec) {
  spec.architecture = theory::Architecture::mlp;
  spec.hidden.assign(widths.begin() + 1, widths.end() - 1);
  return spec;
}

theory::DataShape vectors(int inputs, int outputs) {
  theory::DataShape data;
  data.input.channels = inputs;
  data.outputs = outputs;
  return data;
}

std::vector<int> uses_of_levels(const theory::Graph& graph) {
  std::vector<int> uses(static_cast<std::size_t>(graph.levels()), 0);
  for (const theory::Node& node : graph.nodes) {
    for (const int level : {node.from, node.with}) {
      if (level > 0) ++uses[static_cast<std::size_t>(level)];
    }
  }
  return uses;
}

bool is_gelu(const theory::Node& node) {
  return node.spec.kind == theory::LayerKind::activation && node.spec.activation == theory::Activation::gelu;
}

/// Whether `next`, the only node that uses the output of the dense layer `node`, at `level`, can be joined to it.
bool can_join(const theory::Node& node, const theory::Node& next, int level) {
  if (node.spec.kind != theory::LayerKind::dense || node.shared >= 0 ||
      node.spec.activation != theory::Activation::identity || (next.from != level && next.with != level))
    return false;
  return is_gelu(next) ||
         (next.spec.kind == theory::LayerKind::add && next.spec.activation == theory::Activation::identity);
}

}  // namespace

Network::Network(const theory::NetworkSpec& spec, const theory::DataShape& data)
    : graph(theory::build_graph(spec, data)),
      branches(theory::residual_branches(graph)),
      widths(graph.chain()),
      biases(spec.biases),
      joined_(graph.nodes.size()) {
  for (const theory::Block& b : graph.blocks) offsets.push_back(b.offset);
  offsets.push_back(graph.parameters);
  const std::vector<int> uses = uses_of_levels(graph);
  for (std::size_t n = 0; n + 1 < graph.nodes.size(); ++n)
    joined_[n] = uses[n + 1] == 1 && can_join(graph.nodes[n], graph.nodes[n + 1], static_cast<int>(n) + 1) ? 1 : 0;
}

Network::Network(std::vector<int> all_widths, const theory::NetworkSpec& spec)
    : Network(chain_spec(all_widths, spec), vectors(all_widths.front(), all_widths.back())) {}

const theory::Branch* Network::absent_from(int level, int depth) const {
  for (auto b = static_cast<std::size_t>(std::max(0, depth)); depth >= 0 && b < branches.size(); ++b)
    if (branches[b].from == level) return &branches[b];
  return nullptr;
}

const theory::Branch* Network::absent_to(int level, int depth) const {
  for (auto b = static_cast<std::size_t>(std::max(0, depth)); depth >= 0 && b < branches.size(); ++b)
    if (branches[b].to == level) return &branches[b];
  return nullptr;
}

std::vector<float> initial_weights(const Network& network, const theory::NetworkSpec& spec, std::uint64_t seed) {
  std::vector<float> w(static_cast<std::size_t>(network.parameters()), 0.0f);
  for (int l = 0; l < network.layers(); ++l) {
    const theory::Block& block = network.block(l);
    const std::int64_t size = spec.random_biases ? block.size() : block.weights();
    float* layer = w.data() + block.offset;
    if (block.deviation == 0) std::fill_n(layer, size, static_cast<float>(block.mean));
    for (std::int64_t i = 0; i < size && block.deviation > 0; i += 2) {
      const auto pair = core::normal_pair(
          seed, {0, static_cast<std::uint32_t>(l), core::Purpose::initial_weights, static_cast<std::uint32_t>(i / 2)});
      layer[i] = static_cast<float>(block.deviation * pair[0]);
      if (i + 1 < size) layer[i + 1] = static_cast<float>(block.deviation * pair[1]);
    }
  }
  return w;
}

std::vector<float> initial_state(const Network& network) {
  std::vector<float> state(static_cast<std::size_t>(network.graph.state), 0.0f);
  for (const theory::Node& node : network.graph.nodes) {
    const auto variances = state.begin() + node.state_offset + node.state / 2;
    std::fill(variances, variances + node.state / 2, 1.0f);
  }
  return state;
}

Activations::Activations(const kernels::Context& context, const Network& network, int capacity, int replicas)
    : capacity_(capacity), replicas_(replicas) {
  const theory::Graph& graph = network.graph;
  const auto buffer = [&](std::int64_t words) {
    return words > 0 ? kernels::Buffer<float>(context, static_cast<std::size_t>(words)) : kernels::Buffer<float>();
  };
  for (int level = 0; level < graph.levels(); ++level) {
    const theory::Node* node = level > 0 ? &graph.nodes[at(level - 1)] : nullptr;
    level_size_.push_back(graph.level(level).size());
    saved_size_.push_back(node != nullptr ? node->saved : 0);
    const std::int64_t rows = std::int64_t{capacity} * replicas;
    levels_.push_back(buffer(rows * level_size_.back()));
    saved_.push_back(buffer(rows * saved_size_.back()));
    notes_.push_back(buffer(node != nullptr ? replicas * node->notes : 0));
    if (network.joined(level - 1))  // perhaps never written, but moved and stored like others
      context.fill_zero(levels_.back().data(), levels_.back().size() * sizeof(float));
  }
}

namespace {

/// What both directions of a pass give to a node. The functions of a layer change what their direction computes.
LayerCall call_of(const kernels::Context& context, const Network& network, const float* weights, const Activations& a,
                  const Pass& pass, int n) {
  const theory::Node& node = network.graph.nodes[static_cast<std::size_t>(n)];
  auto& own = const_cast<Activations&>(a);  // NOLINT: backward functions read what is theirs
  LayerCall c(context, network, node, pass);
  c.replicas = a.replicas();
  c.rows = pass.rows;
  c.stride = network.parameters();
  c.x = a.row(node.from, pass.first);
  if (node.with >= 0) c.x2 = a.row(node.with, pass.first);
  c.y = own.row(n + 1, pass.first);
  c.saved = own.saved(n + 1, pass.first);
  c.notes = own.notes(n + 1);
  if (pass.state != nullptr) c.state = pass.state + node.state_offset;
  const int index = node.block >= 0 ? node.block : node.shared;
  if (index < 0) return c;
  c.w = weights + network.block(index).offset;
  if (node.block >= 0 && network.block(index).biases) c.b = weights + network.bias_offset(index);
  return c;
}

}  // namespace

void forward(const kernels::Context& context, const Network& network, const float* weights, Activations& a,
             const Pass& pass, int begin, int end) {
  if (end < 0) end = network.nodes();
  for (int n = begin; n < end; ++n) {
    if (const theory::Branch* absent = network.absent_from(n, pass.depth); absent != nullptr) {
      const std::int64_t floats = a.level_size(n) * pass.rows * a.replicas();
      context.copy(a.row(absent->to, pass.first), a.row(n, pass.first),
                   static_cast<std::size_t>(floats) * sizeof(float));
      n = absent->to - 1;
      continue;
    }
    LayerCall c = call_of(context, network, weights, a, pass, n);
    if (network.joined(n)) {
      const theory::Node& next = network.graph.nodes[static_cast<std::size_t>(++n)];
      if (is_gelu(next))
        c.slopes = c.y;
      else
        c.x2 = a.row(next.from == n ? next.with : next.from, pass.first);
      c.y = a.row(n + 1, pass.first);
    }
    layer_functions(c.node.spec.kind).forward(c);
  }
}

void forward(const kernels::Context& context, const Network& network, const float* weights, Activations& a, int first,
             int rows) {
  Pass pass;
  pass.first = first, pass.rows = rows;
  forward(context, network, weights, a, pass);
}

Backward::Backward(const kernels::Context& context, const Network& network, int capacity, int replicas)
    : replicas_(replicas), plan_(theory::plan_gradients(network.graph)), uses_(uses_of_levels(network.graph)) {
  const theory::Graph& graph = network.graph;
  written_.assign(uses_.size(), 0);
  for (const theory::Node& node : graph.nodes) {
    if (node.shared >= 0) shared_ = node.shared;
  }
  slope_done_.assign(uses_.size(), 0);
  const auto make = [&](std::int64_t words) {
    return kernels::Buffer<float>(context, static_cast<std::size_t>(words * replicas));
  };
  for (const std::int64_t words : plan_.words) slots_.push_back(make(words * capacity));
  if (const std::int64_t extra = theory::second_gradient_words(graph, capacity); extra > 0) extra_ = make(extra);
}

namespace {

/// Kinds whose forward ends in an activation of its own, and whose backward starts from errors of the sums.
bool fuses_activation(const theory::Node& node) {
  return node.spec.activation != theory::Activation::identity && node.spec.kind != theory::LayerKind::activation;
}

kernels::ActivationSpec activation_of(const theory::Node& node) {
  return {node.spec.activation, static_cast<float>(node.spec.leak)};
}

/// Of the node that made a level.
bool is_joined_gelu(const Network& network, int level) {
  return network.joined(level - 2) && is_gelu(network.graph.nodes[static_cast<std::size_t>(level - 1)]);
}

}  // namespace

/// One backward pass on its way from the last node to the first.
struct Backward::Course {
  Backward& own;
  const kernels::Context& context;
  const Network& network;
  const Activations& a;
  const Pass& pass;

  const theory::Node& node(int level) const { return network.graph.nodes[at(level - 1)]; }
  static std::size_t at(int i) { return static_cast<std::size_t>(i); }
  std::int64_t floats(int level) const { return a.level_size(level) * pass.rows * own.replicas_; }
  bool needed(int level) const { return level > 0 && own.needed_[at(level)]; }

  /// Where the gradient of a level that is needed is to be written: its slot, or aside if the slot is in use.
  float* target(int level) const { return own.written_[at(level)] ? own.extra_.data() : own.slot(level); }
  /// After target() was written.
  void arrived(int level) const {
    if (own.written_[at(level)])
      kernels::add(context, floats(level), own.slot(level), own.extra_.data(), own.slot(level));
    own.written_[at(level)] = 1;
  }

  /// The derivative of a sum is passed on as it is.
  void pass_on(int level, const float* dy) const {
    if (!needed(level)) return;
    if (own.written_[at(level)])
      kernels::add(context, floats(level), own.slot(level), dy, own.slot(level));
    else if (own.slot(level) != dy)
      context.copy(own.slot(level), dy, static_cast<std::size_t>(floats(level)) * sizeof *dy);
    own.written_[at(level)] = 1;
  }

  /// The derivative of a joined gelu, unless its consumer has multiplied it by the slopes already.
  void pass_gelu(int level, float* dy) const {
    const int from = node(level).from;
    if (!needed(from) || own.slope_done_[at(level)]) return pass_on(from, dy);
    kernels::multiply(context, floats(level), a.row(from, pass.first), dy, target(from));
    arrived(from);
  }

  /// From d loss / d (output) to d loss / d (sums) where no consumer has done it.
  void apply_slope(int level, float* dy) const {
    if (!fuses_activation(node(level)) || own.slope_done_[at(level)]) return;
    kernels::activation_backward(context, floats(level), activation_of(node(level)), a.row(level, pass.first), dy, dy);
  }
};

void Backward::start(const Network& network, int first_layer) {
  if (first_layer != first_layer_) needed_ = theory::needs_gradient(network.graph, first_layer);
  first_layer_ = first_layer;
  std::fill(written_.begin(), written_.end(), std::uint8_t{0});
}

// Whose gradient a consumer may turn into that of the sums: the only one that uses it.
bool Backward::fuses_slope(const Network& network, int consumer) const {
  const theory::Node& node = network.graph.nodes[static_cast<std::size_t>(consumer)];
  if (node.from == 0 || uses_[static_cast<std::size_t>(node.from)] != 1) return false;
  if (is_joined_gelu(network, node.from)) return node.spec.kind == theory::LayerKind::dense && node.shared < 0;
  return fuses_activation(network.graph.nodes[static_cast<std::size_t>(node.from - 1)]) &&
         layer_functions(node.spec.kind).multiplies_slope;
}

void Backward::run(const kernels::Context& context, const Network& network, const float* weights, const Activations& a,
                   const Pass& pass, float* dz, const float* sent, float* gradient, const BackwardScope& scope) {
  start(network, scope.first_layer);
  const Course course{*this, context, network, a, pass};
  for (int n = network.nodes() - 1; n >= 0; --n) {
    const int level = n + 1;
    if (!needed_[static_cast<std::size_t>(level)]) continue;
    const bool last = level == network.nodes();
    float* dy = last ? dz : slot(level);
    if (const theory::Branch* absent = network.absent_to(level, pass.depth); absent != nullptr) {
      course.pass_on(absent->from, dy);
      n = absent->from;
      continue;
    }
    if (!last) course.apply_slope(level, dy);
    if (scope.errors) scope.errors(n, dy);
    const theory::Node& node = network.graph.nodes[static_cast<std::size_t>(n)];
    if (node.spec.kind == theory::LayerKind::add) {
      course.pass_on(node.from, dy);
      course.pass_on(node.with, dy);
      continue;
    }
    if (is_joined_gelu(network, level)) {
      course.pass_gelu(level, dy);
      continue;
    }
    LayerCall c = call_of(context, network, weights, a, pass, n);
    c.dy = dy, c.sent = last ? sent : dy;
    c.want_inputs = course.needed(node.from);
    if (c.want_inputs) c.dx = course.target(node.from);
    if (fuses_slope(network, n)) {
      c.slope_of_x = activation_of(course.node(node.from));
      slope_done_[static_cast<std::size_t>(node.from)] = 1;
      if (is_joined_gelu(network, node.from)) c.slopes_of_x = a.row(course.node(node.from).from, pass.first);
    }
    run_layer(c, gradient, scope);
    if (c.want_inputs) course.arrived(node.from);
  }
}

// A table that a dense layer shares has two gradients: that of the dense layer comes first.
void Backward::run_layer(LayerCall& c, float* gradient, const BackwardScope& scope) {
  const int index = c.node.block >= 0 ? c.node.block : c.node.shared;
  c.want_weights = index >= 0 && index >= scope.first_layer;
  if (c.want_weights) {
    c.dw = gradient + c.network.block(index).offset;
    if (c.node.block >= 0 && c.network.block(index).biases) c.db = gradient + c.network.bias_offset(index);
  }
  const bool some = scope.columns != nullptr && c.want_weights && c.node.block >= 0 &&
                    !scope.columns->of_block[static_cast<std::size_t>(index)].empty();
  if (some) return run_columns(c, *scope.columns);
  const bool second = c.want_weights && c.node.block >= 0 && index == shared_;
  float* first = c.dw;
  const std::int64_t stride = c.stride, size = index >= 0 ? c.network.block(index).size() : 0;
  if (second) c.dw = extra_.data(), c.stride = size;
  if (scope.rows != nullptr && c.node.spec.kind == theory::LayerKind::dense)
    scope.rows->run(c);
  else
    layer_functions(c.node.spec.kind).backward(c);
  for (int r = 0; second && r < replicas_; ++r)
    kernels::add(c.context, size, first + r * stride, extra_.data() + r * size, first + r * stride);
}

namespace {

void ensure(const kernels::Context& context, kernels::Buffer<float>& buffer, std::int64_t words) {
  const auto size = static_cast<std::size_t>(words);
  if (buffer.size() < size) buffer = kernels::Buffer<float>(context, size);
}

}  // namespace

// Winners of pooled convolutions are bytes; those of a sample fill whole words.
float* Backward::take_winners(const LayerCall& c, theory::Node& slim, const std::int32_t* chosen, int count) {
  const std::int64_t positions = c.node.out.positions(), width = c.node.out.channels;
  slim.saved = (positions * count + 3) / 4;
  ensure(c.context, some_notes_, c.rows * slim.saved);
  const auto* from = reinterpret_cast<const std::uint8_t*>(c.saved);
  auto* to = reinterpret_cast<std::uint8_t*>(some_notes_.data());
  const bool together = positions * width % 4 == 0 && positions * count % 4 == 0;
  for (int row = 0; row < (together ? 1 : c.rows); ++row)
    kernels::gather_columns(c.context, together ? c.rows * positions : positions, static_cast<int>(width), chosen,
                            count, from + row * 4 * c.node.saved, to + row * 4 * slim.saved);
  return some_notes_.data();
}

// The layer works as if it had the chosen columns alone; then these go to their places.
void Backward::run_columns(LayerCall& c, const ColumnChoice& columns) {
  const auto block = static_cast<std::size_t>(c.node.block);
  const theory::Block& b = c.network.block(c.node.block);
  const auto width = static_cast<int>(b.columns), count = static_cast<int>(columns.of_block[block].size());
  const std::int32_t* chosen = columns.on_device.data() + columns.starts[block];
  theory::Node& slim = slim_node_;
  slim = c.node;
  slim.out.channels = slim.spec.width = count;
  const std::int64_t errors = c.rows * c.node.out.positions();
  ensure(c.context, some_errors_, errors * width);
  ensure(c.context, some_weights_, b.size());
  kernels::gather_columns(c.context, errors, width, chosen, count, c.dy, some_errors_.data());
  LayerCall part(c.context, c.network, slim, c.pass);
  part.rows = c.rows, part.x = c.x, part.w = c.w, part.b = c.b, part.saved = c.saved;
  if (c.node.saved > 0) part.saved = take_winners(c, slim, chosen, count);
  part.dy = part.sent = some_errors_.data();
  part.want_weights = true;
  part.dw = some_weights_.data();
  if (c.db != nullptr) part.db = some_weights_.data() + b.rows * count;
  layer_functions(c.node.spec.kind).backward(part);
  kernels::scatter_columns(c.context, b.rows, width, chosen, count, part.dw, c.dw);
  if (c.db != nullptr) kernels::scatter_columns(c.context, 1, width, chosen, count, part.db, c.db);
  c.want_weights = false;
  if (c.want_inputs) layer_functions(c.node.spec.kind).backward(c);
}

ColumnChoice::ColumnChoice(const kernels::Context& context, const Network& network)
    : of_block(static_cast<std::size_t>(network.layers())) {
  std::int64_t all = 0;
  for (int l = 0; l < network.layers(); ++l) starts.push_back(all), all += network.columns(l);
  on_host.resize(static_cast<std::size_t>(all));
  on_device = kernels::Buffer<std::int32_t>(context, on_host.size());
}

void ColumnChoice::upload() {
  for (std::size_t l = 0; l < of_block.size(); ++l)
    std::copy(of_block[l].begin(), of_block[l].end(), on_host.begin() + starts[l]);
  on_device.put(on_host);
}

}  // namespace eos::sim
