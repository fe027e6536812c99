#include "eos/theory/graph.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "checker.hpp"
#include "network_checks.hpp"

namespace eos::theory {
namespace {

/// Standard deviation of embeddings, positions and class tokens (Radford et al., 2019).
constexpr double k_token_deviation = 0.02;

double deviation(const NetworkSpec& spec, std::int64_t fan_in) {
  const auto n = static_cast<double>(fan_in);
  switch (spec.initialisation) {
    case Initialisation::he:  // He et al., ICCV 2015
      return spec.init_scale * std::sqrt(2 / n);
    case Initialisation::fan_in:
      return spec.init_scale * std::sqrt(1 / n);
    case Initialisation::normal:
      break;
  }
  return spec.init_scale;
}

class Builder {
 public:
  Builder(const NetworkSpec& spec, const DataShape& data) : spec_(spec) { graph_.data = data; }

  Graph build() {
    check_data_kind(spec_, graph_.data.tokens, problems_);
    check_patches();
    problems_.finish();
    for (const LayerSpec& l : expand(spec_, graph_.data)) {
      add(l);
      // The slope of GELU needs the sum: it becomes a layer of its own.
      if (l.activation == Activation::gelu && l.kind != LayerKind::activation) {
        LayerSpec gelu;
        gelu.kind = LayerKind::activation;
        gelu.activation = Activation::gelu;
        gelu.name = graph_.nodes.back().spec.name + "-gelu";
        continued_.back() = true;
        add(gelu);
      }
      ++index_;
    }
    if (std::none_of(unknown_.begin(), unknown_.end(), [](bool b) { return b; })) check_outputs();
    problems_.finish();
    return std::move(graph_);
  }

 private:
  /// Positions at the border that belong to no patch would be lost.
  void check_patches() {
    const Shape& image = graph_.data.input;
    const int side = spec_.patch;
    if (spec_.architecture != Architecture::vit || graph_.data.tokens || side < 1) return;
    if (image.height % side == 0 && image.width % side == 0) return;
    report("E107", fmt::format("network.patch = {} does not divide images of {}", side, to_string(image)),
           "choose a divisor of height and width");
  }

  std::string label(const Node& node) const {
    if (spec_.architecture != Architecture::layers) return fmt::format("network layer '{}'", node.spec.name);
    return fmt::format("network.layers[{}] '{}'", index_, node.spec.name);
  }

  void report(const char* code, std::string message, std::string help = {}) {
    failed_ = true;
    problems_.add(code, std::move(message), std::move(help));
  }
  void wrong(const Node& node, const std::string& text, std::string help) {
    report("E107", fmt::format("{}: {}", label(node), text), std::move(help));
  }

  int level_of(const std::string& name, const Node& node) {
    if (name == "input") return 0;
    std::vector<std::string> names{"input"};
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (graph_.nodes[n].spec.name == name) return static_cast<int>(n) + (continued_[n] ? 2 : 1);
      names.push_back(graph_.nodes[n].spec.name);
    }
    report("E106", fmt::format("{} refers to '{}', which is no layer before it", label(node), name),
           core::suggest(name, names));
    return 0;
  }

  /// The output of this level has no shape, because its layer, or one before it, is wrong.
  bool unknown(int level) const { return level > 0 && unknown_[static_cast<std::size_t>(level - 1)]; }

  void add(const LayerSpec& spec) {
    failed_ = false;
    Node node;
    node.spec = spec;
    if (spec.activation == Activation::gelu && spec.kind != LayerKind::activation)
      node.spec.activation = Activation::identity;
    if (node.spec.name.empty()) node.spec.name = fmt::format("{}{}", to_string(spec.kind), graph_.nodes.size() + 1);
    for (const Node& other : graph_.nodes) {
      if (other.spec.name == node.spec.name) wrong(node, "the name is taken", "give every layer a name of its own");
    }
    node.from = spec.from.empty() ? static_cast<int>(graph_.nodes.size()) : level_of(spec.from, node);
    node.in = node.out = graph_.level(node.from);
    if (!failed_ && !unknown(node.from)) shape(node);
    node.state_offset = graph_.state;
    graph_.state += node.state;
    unknown_.push_back(failed_ || unknown(node.from) || unknown(node.with));
    continued_.push_back(false);
    entry_.push_back(index_);
    graph_.nodes.push_back(node);
  }

  void give_block(Node& node, std::int64_t rows, std::int64_t columns, bool biases, double deviation, double mean = 0) {
    Block b;
    b.name = node.spec.name;
    b.node = static_cast<int>(graph_.nodes.size());
    b.offset = graph_.parameters;
    b.rows = rows, b.columns = columns, b.biases = biases;
    b.deviation = deviation * node.spec.gain, b.mean = mean;
    node.block = static_cast<int>(graph_.blocks.size());
    graph_.blocks.push_back(b);
    graph_.parameters += b.size();
  }

  bool at_least(Node& node, const char* what, int value, int low = 1) {
    if (value >= low) return true;
    report("E104", fmt::format("{}: {} = {} must be >= {}", label(node), what, value, low));
    return false;
  }

  /// Positions along one side that windows of `kernel` reach.
  static int reach(int size, const LayerSpec& s, int padding) { return (size + 2 * padding - s.kernel) / s.stride + 1; }

  bool windows(Node& node) {
    LayerSpec& s = node.spec;
    if (!at_least(node, "kernel", s.kernel) || !at_least(node, "stride", s.stride)) return false;
    if (s.padding < 0) s.padding = s.kind == LayerKind::conv2d ? (s.kernel - 1) / 2 : 0;
    node.out.height = reach(node.in.height, s, s.padding);
    node.out.width = reach(node.in.width, s, s.padding);
    const bool fits = node.in.height + 2 * s.padding >= s.kernel && node.in.width + 2 * s.padding >= s.kernel;
    if (!fits || node.in.sequence || s.padding >= s.kernel)
      wrong(
          node,
          fmt::format("windows of {} x {} (padding {}) do not fit its input of {}", s.kernel, s.kernel, s.padding,
                      to_string(node.in)),
          "windows are for images: make the kernel smaller or the image larger, and the padding less than the kernel");
    return fits && !node.in.sequence;
  }

  void shape(Node& node) {
    switch (node.spec.kind) {
      case LayerKind::dense:
        return shape_dense(node);
      case LayerKind::conv2d:
        return shape_conv(node);
      case LayerKind::max_pool:
      case LayerKind::average_pool:
        if (windows(node) && node.spec.kind == LayerKind::max_pool) node.saved = node.out.size();
        return;
      case LayerKind::global_average_pool:
      case LayerKind::global_max_pool:
        node.out = {1, 1, node.in.channels, false};
        if (node.spec.kind == LayerKind::global_max_pool) node.saved = node.out.size();
        return;
      case LayerKind::batch_norm:
        node.notes = node.state = 2 * std::int64_t{node.in.channels};
        give_block(node, 1, node.in.channels, true, 0, 1);
        return;
      case LayerKind::layer_norm:
        node.saved = 2 * (node.in.sequence ? node.in.positions() : 1);
        give_block(node, 1, node.in.sequence ? node.in.channels : node.in.size(), true, 0, 1);
        return;
      case LayerKind::activation:
        return;
      case LayerKind::dropout:
        if (!(node.spec.rate >= 0 && node.spec.rate < 1))
          report("E104", fmt::format("{}: rate = {} is outside [0, 1)", label(node), node.spec.rate));
        return;
      case LayerKind::add:
        return shape_add(node);
      case LayerKind::embedding:
      case LayerKind::positions:
      case LayerKind::class_token:
      case LayerKind::select_token:
      case LayerKind::attention:
        return shape_tokens(node);
    }
  }

  void shape_dense(Node& node) {
    LayerSpec& s = node.spec;
    if (s.width == 0) s.width = graph_.data.outputs;
    if (!at_least(node, "width", s.width)) return;
    const std::int64_t positions = node.in.sequence ? node.in.positions() : 1;
    const std::int64_t rows = node.in.size() / positions;
    node.out = {node.in.sequence ? node.in.height : 1, 1, s.width, node.in.sequence};
    node.forward_macs = positions * rows * s.width;
    if (s.with.empty()) return give_block(node, rows, s.width, s.biases, deviation(spec_, rows));
    const int other = level_of(s.with, node);
    const Node* table = other > 0 ? &graph_.nodes[static_cast<std::size_t>(other - 1)] : nullptr;
    s.biases = false;
    if (failed_) return;
    if (table == nullptr || table->spec.kind != LayerKind::embedding)
      return wrong(node, fmt::format("'{}' is no embedding whose table it could share", s.with),
                   "name a layer of kind \"embedding\" in `with`, or leave `with` out for weights of its own");
    node.shared = table->block;
    const Block& block = graph_.blocks[static_cast<std::size_t>(table->block)];
    if (block.rows != s.width || block.columns != rows)
      wrong(node,
            fmt::format("needs weights {} x {}, but the table of '{}' is {} x {}", rows, s.width, s.with, block.rows,
                        block.columns),
            "a table is shared by layers whose input is as wide as the embedding");
  }

  void shape_conv(Node& node) {
    LayerSpec& s = node.spec;
    if (!at_least(node, "width", s.width) || !windows(node)) return;
    const std::int64_t rows = std::int64_t{s.kernel} * s.kernel * node.in.channels;
    node.out.channels = s.width;
    node.forward_macs = node.out.positions() * rows * s.width;
    give_block(node, rows, s.width, s.biases, deviation(spec_, rows));
    if (s.pool == 0 || s.pool == 1) return;
    if (s.pool != 2) {
      report("E104", fmt::format("{}: pool = {} must be 0 or 2; larger windows are a max-pool", label(node), s.pool));
      return;
    }
    if (node.out.height < s.pool || node.out.width < s.pool)
      return wrong(node, fmt::format("pool = {} does not fit its output of {}", s.pool, to_string(node.out)),
                   "leave the pool out (pool = 0), take fewer layers that shrink, or larger images");
    node.out.height /= s.pool, node.out.width /= s.pool;
    node.saved = (node.out.size() + 3) / 4;  // one byte each
  }

  void shape_add(Node& node) {
    if (node.spec.with.empty())
      return wrong(node, "add needs `with`, the name of its second summand", "name a layer before it, or \"input\"");
    node.with = level_of(node.spec.with, node);
    const Shape& other = graph_.level(node.with);
    if (failed_ || unknown(node.with)) return;
    if (other.size() != node.in.size() || other.channels != node.in.channels)
      wrong(node, fmt::format("cannot add {} and {}", to_string(node.in), to_string(other)),
            "summands have equal sizes: bring one to that of the other by a layer");
  }

  void shape_tokens(Node& node) {
    LayerSpec& s = node.spec;
    const auto tokens = static_cast<int>(node.in.positions());
    node.out = {tokens, 1, node.in.channels, true};
    const double spread = k_token_deviation;
    switch (s.kind) {
      case LayerKind::embedding:
        if (!graph_.data.tokens || node.from != 0)
          return wrong(node, "embeds token ids, but its input are no tokens",
                       "put it first, and train on tokens: data.name = \"text\" or \"markov\"");
        if (s.vocabulary == 0) s.vocabulary = graph_.data.outputs;
        if (!at_least(node, "width", s.width) || !at_least(node, "vocabulary", s.vocabulary, graph_.data.outputs))
          return;
        node.out.channels = s.width;
        return give_block(node, s.vocabulary, s.width, false, spread);
      case LayerKind::positions:
        return give_block(node, tokens, node.in.channels, false, spread);
      case LayerKind::class_token:
        node.out.height = tokens + 1;
        return give_block(node, 1, node.in.channels, false, spread);
      case LayerKind::select_token:
        node.out = {1, 1, node.in.channels, false};
        return;
      default:
        break;
    }
    node.out.channels = node.in.channels / 3;
    if (!at_least(node, "heads", s.heads)) return;
    if (node.in.channels % (3 * s.heads) != 0)
      return wrong(node,
                   fmt::format("its input of {} does not hold query, key and value of {} equal heads",
                               to_string(node.in), s.heads),
                   "put a dense layer of width 3 * width before it, width a multiple of heads");
    node.saved = std::int64_t{s.heads} * tokens;
    const std::int64_t t = tokens, pairs = s.causal ? t * (t + 1) / 2 : t * t;
    node.forward_macs = 2 * pairs * node.out.channels;
  }

  void check_used() {
    std::vector<bool> used(static_cast<std::size_t>(graph_.levels()), false);
    used.back() = true;
    for (const Node& node : graph_.nodes) {
      used[static_cast<std::size_t>(node.from)] = true;
      if (node.with >= 0) used[static_cast<std::size_t>(node.with)] = true;
    }
    for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
      if (!used[n + 1]) {
        index_ = entry_[n];
        wrong(graph_.nodes[n], "no other layer uses its output",
              "remove it, or name it in `from` or `with` of another");
      }
    }
  }

  void check_outputs() {
    if (graph_.nodes.empty()) return report("E107", "network.layers is empty", "give at least one dense layer");
    check_used();
    const Node& last = graph_.nodes.back();
    index_ = entry_.back();
    const bool every_token = graph_.data.tokens;
    const std::int64_t wanted = every_token ? graph_.data.input.positions() : 1;
    if (last.out.channels == graph_.data.outputs && last.out.positions() == wanted) return;
    wrong(last,
          fmt::format("the network ends in {}, but the data need {} outputs{}", to_string(last.out),
                      graph_.data.outputs, every_token ? " for every token" : ""),
          "end with a dense layer without a width");
  }

  NetworkSpec spec_;
  Graph graph_;
  Checker problems_;
  std::size_t index_ = 0;           ///< of the present entry of the list of layers
  std::vector<std::size_t> entry_;  ///< by node: its entry
  bool failed_ = false;             ///< the present layer
  std::vector<bool> unknown_;       ///< by node
  std::vector<bool> continued_;     ///< by node: the next one is its activation, others see that one's output
};

}  // namespace

std::string to_string(const Shape& s) {
  if (s.sequence) return fmt::format("{} tokens x {}", s.positions(), s.channels);
  if (s.positions() > 1) return fmt::format("{} x {} x {}", s.height, s.width, s.channels);
  return fmt::format("{}", s.channels);
}

int Graph::predictions() const { return static_cast<int>(nodes.back().out.positions()); }

std::vector<int> Graph::chain() const {
  std::vector<int> widths{static_cast<int>(data.input.size())};
  for (std::size_t n = 0; n < nodes.size(); ++n) {
    const Node& node = nodes[n];
    if (node.spec.kind != LayerKind::dense || node.in.sequence || node.from != static_cast<int>(n) || node.shared >= 0)
      return {};
    widths.push_back(node.spec.width);
  }
  return widths;
}

bool Graph::trains_differently() const {
  return std::any_of(nodes.begin(), nodes.end(), [](const Node& n) {
    return n.spec.kind == LayerKind::batch_norm || (n.spec.kind == LayerKind::dropout && n.spec.rate > 0);
  });
}

Graph build_graph(const NetworkSpec& spec, const DataShape& data) { return Builder(spec, data).build(); }

std::vector<bool> needs_gradient(const Graph& graph, int first_block) {
  std::vector<bool> needed(static_cast<std::size_t>(graph.levels()), false);
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    const auto at = [&](int level) { return level >= 0 && needed[static_cast<std::size_t>(level)]; };
    needed[n + 1] =
        node.block >= first_block || (node.shared >= 0 && node.shared >= first_block) || at(node.from) || at(node.with);
  }
  return needed;
}

namespace {

/// learns: its weights; passes: the gradient of its input is needed.
std::int64_t backward_macs(const Node& node, bool learns, bool passes) {
  std::int64_t macs = learns ? node.forward_macs : 0;
  if (passes) macs += node.spec.kind == LayerKind::attention ? 2 * node.forward_macs : node.forward_macs;
  return macs;
}

/// Block whose weights make level `level` without an activation; -1: there is none.
int last_weights(const Graph& graph, int level) {
  const auto node_of = [&](int l) -> const Node& { return graph.nodes[static_cast<std::size_t>(l - 1)]; };
  while (node_of(level).spec.kind == LayerKind::dropout && node_of(level).from > 0) level = node_of(level).from;
  const Node& node = node_of(level);
  const bool linear = node.spec.kind == LayerKind::dense || node.spec.kind == LayerKind::conv2d;
  return linear && node.spec.activation == Activation::identity ? node.block : -1;
}

/// The branch whose sum is node n; to = 0: it is none.
Branch branch_at(const Graph& graph, int n) {
  const Node& add = graph.nodes[static_cast<std::size_t>(n)];
  Branch b;
  if (add.spec.kind != LayerKind::add || add.spec.activation != Activation::identity) return b;
  b.from = std::min(add.from, add.with);
  if (b.from < 1 || std::max(add.from, add.with) != n) return b;
  b.first_block = static_cast<int>(graph.blocks.size());
  for (int i = b.from; i < n; ++i) {
    const Node& node = graph.nodes[static_cast<std::size_t>(i)];
    if (node.from < b.from || (node.with >= 0 && node.with < b.from) || node.shared >= 0 || node.state > 0) return b;
    b.forward_macs += node.forward_macs;
    b.backward_macs += backward_macs(node, node.block >= 0, true);
    if (node.block < 0) continue;
    b.first_block = std::min(b.first_block, node.block), b.end_block = std::max(b.end_block, node.block + 1);
    b.parameters += graph.blocks[static_cast<std::size_t>(node.block)].size();
  }
  for (std::size_t i = static_cast<std::size_t>(n) + 1; i < graph.nodes.size(); ++i) {
    for (const int level : {graph.nodes[i].from, graph.nodes[i].with})
      if (level > b.from && level <= n) return b;
  }
  b.last = last_weights(graph, n);
  if (b.last >= b.first_block && b.end_block > 0) b.to = n + 1;
  return b;
}

}  // namespace

std::vector<Branch> residual_branches(const Graph& graph) {
  std::vector<Branch> branches;
  for (int n = 0; n < static_cast<int>(graph.nodes.size()); ++n) {
    const Branch b = branch_at(graph, n);
    if (b.to > 0 && (branches.empty() || b.from >= branches.back().to)) branches.push_back(b);
  }
  return branches;
}

std::int64_t backward_macs(const Graph& graph, int first_block) {
  const std::vector<bool> needed = needs_gradient(graph, first_block);
  std::int64_t macs = 0;
  for (const Node& node : graph.nodes) {
    const int block = node.block >= 0 ? node.block : node.shared;
    macs += backward_macs(node, block >= first_block, needed[static_cast<std::size_t>(node.from)]);
  }
  return macs;
}

NetworkCounts graph_counts(const Graph& graph, std::int64_t input_bytes) {
  NetworkCounts counts;
  counts.parameters = graph.parameters;
  for (const Node& node : graph.nodes) counts.forward_macs += node.forward_macs;
  counts.backward_macs = backward_macs(graph, 0);
  counts.input_bytes = input_bytes;
  return counts;
}

std::int64_t GradientPlan::total() const { return std::accumulate(words.begin(), words.end(), std::int64_t{0}); }

// A gradient is alive from the backward pass of the last node that uses the level to that of the node that made it. An
// add hands its own over to one of its inputs, where no other gradient of that input came before; so does an
// activation, which works in place.
GradientPlan plan_gradients(const Graph& graph) {
  const auto levels = static_cast<std::size_t>(graph.levels());
  GradientPlan plan;
  plan.slot.assign(levels, -1);
  std::vector<bool> busy;
  const auto take = [&](std::size_t level) {
    if (level == 0 || plan.slot[level] >= 0) return;
    std::size_t best = busy.size();
    for (std::size_t s = 0; s < busy.size(); ++s) {
      if (!busy[s] && (best == busy.size() || plan.words[s] > plan.words[best])) best = s;
    }
    if (best == busy.size()) busy.push_back(false), plan.words.push_back(0);
    busy[best] = true;
    plan.words[best] = std::max(plan.words[best], graph.level(static_cast<int>(level)).size());
    plan.slot[level] = static_cast<int>(best);
  };
  take(levels - 1);
  for (std::size_t n = graph.nodes.size(); n-- > 0;) {
    const Node& node = graph.nodes[n];
    const int own = plan.slot[n + 1];
    bool handed = false;
    for (const int level : {node.from, node.with}) {
      if (handed || own < 0 || level <= 0 || plan.slot[static_cast<std::size_t>(level)] >= 0 ||
          (node.spec.kind != LayerKind::add && node.spec.kind != LayerKind::activation))
        continue;
      plan.slot[static_cast<std::size_t>(level)] = own;
      auto& words = plan.words[static_cast<std::size_t>(own)];
      words = std::max(words, graph.level(level).size());
      handed = true;
    }
    take(static_cast<std::size_t>(node.from));
    if (node.with >= 0) take(static_cast<std::size_t>(node.with));
    if (own >= 0 && !handed) busy[static_cast<std::size_t>(own)] = false;
  }
  return plan;
}

std::int64_t activation_words(const Graph& graph) {
  std::int64_t words = graph.data.input.size();
  for (const Node& node : graph.nodes) words += node.out.size() + node.saved;
  return words;
}

}  // namespace eos::theory
