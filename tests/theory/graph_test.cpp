#include "eos/theory/graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "eos/core/error.hpp"
#include "eos/core/philox.hpp"
#include "eos/theory/network_words.hpp"

namespace {

using namespace eos::theory;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

DataShape images(int side, int channels, int classes = 10) { return {{side, side, channels, false}, classes, false}; }
DataShape vectors(int inputs, int classes = 10) { return {{1, 1, inputs, false}, classes, false}; }
DataShape text(int tokens, int vocabulary) { return {{tokens, 1, 1, false}, vocabulary, true}; }

NetworkSpec of(Architecture architecture) {
  NetworkSpec spec;
  spec.architecture = architecture;
  return spec;
}

LayerSpec layer(LayerKind kind, int width = 0, const std::string& name = {}) {
  LayerSpec l;
  l.kind = kind, l.width = width, l.name = name;
  return l;
}

NetworkSpec stack(std::vector<LayerSpec> layers) {
  NetworkSpec spec = of(Architecture::layers);
  spec.layers = std::move(layers);
  return spec;
}

std::vector<std::string> shapes(const Graph& graph) {
  std::vector<std::string> list;
  for (int level = 0; level < graph.levels(); ++level) list.push_back(to_string(graph.level(level)));
  return list;
}

std::int64_t forward_macs(const Graph& graph) { return graph_counts(graph, 0).forward_macs; }

/// Forward and backward as three forwards, two operations per MAC.
double conventional_gflop(const Graph& graph, int batch) {
  return 6.0 * static_cast<double>(forward_macs(graph)) * batch * 1e-9;
}

// ---- the networks that measurements are made on

TEST(Graph, pinned_networks_have_their_parameters) {
  NetworkSpec vit = of(Architecture::vit), gpt = of(Architecture::gpt);
  EXPECT_EQ(build_graph(of(Architecture::mlp), images(28, 1)).parameters, 269322);
  EXPECT_EQ(build_graph(of(Architecture::cnn), images(32, 3)).parameters, 113738);
  EXPECT_EQ(build_graph(vit, images(32, 3)).parameters, 546186);
  EXPECT_EQ(build_graph(gpt, text(128, 256)).parameters, 875264);
}

// 0.206, 7.94, 14.9 and 11.7 GFLOP a step at batches of 128, 128, 64 and 16 samples. The last figure counts all pairs
// of tokens; a causal layer multiplies T(T + 1)/2 of the T^2 pairs.
TEST(Graph, pinned_networks_cost_their_operations) {
  EXPECT_NEAR(conventional_gflop(build_graph(of(Architecture::mlp), images(28, 1)), 128), 0.206, 0.0005);
  EXPECT_NEAR(conventional_gflop(build_graph(of(Architecture::cnn), images(32, 3)), 128), 7.94, 0.005);
  EXPECT_NEAR(conventional_gflop(build_graph(of(Architecture::vit), images(32, 3)), 64), 14.9, 0.05);
  Graph gpt = build_graph(of(Architecture::gpt), text(128, 256));
  const std::int64_t causal = forward_macs(gpt);
  for (Node& node : gpt.nodes) {
    if (node.spec.kind == LayerKind::attention) node.forward_macs = 2 * 128 * 128 * 128;
  }
  EXPECT_NEAR(conventional_gflop(gpt, 16), 11.7, 0.05);
  EXPECT_EQ(forward_macs(gpt) - causal, std::int64_t{4} * 128 * 128 * 127) << "4 layers, 2 x 128 x T (T - 1)/2 each";
}

TEST(Graph, shapes_are_those_computed_by_hand) {
  EXPECT_THAT(shapes(build_graph(of(Architecture::cnn), images(28, 1))),
              ElementsAre("28 x 28 x 1", "14 x 14 x 32", "7 x 7 x 64", "3 x 3 x 128", "10"));
  NetworkSpec vit = of(Architecture::vit);
  vit.depth = 1, vit.width = 12, vit.feedforward = 20;
  EXPECT_THAT(shapes(build_graph(vit, images(28, 1))),
              ElementsAre("28 x 28 x 1", "7 x 7 x 12", "50 tokens x 12", "50 tokens x 12",  // patches, class, positions
                          "50 tokens x 12", "50 tokens x 36", "50 tokens x 12", "50 tokens x 12", "50 tokens x 12",
                          "50 tokens x 12", "50 tokens x 20", "50 tokens x 20", "50 tokens x 12", "50 tokens x 12",
                          "50 tokens x 12", "12", "10"));
  const Graph gpt = build_graph(of(Architecture::gpt), text(16, 7));
  EXPECT_EQ(shapes(gpt).back(), "16 tokens x 7");
  EXPECT_EQ(gpt.predictions(), 16);
  const Graph pooled = build_graph(stack({layer(LayerKind::conv2d, 4), layer(LayerKind::average_pool),
                                          layer(LayerKind::global_average_pool), layer(LayerKind::dense)}),
                                   images(9, 2, 3));
  EXPECT_THAT(shapes(pooled), ElementsAre("9 x 9 x 2", "9 x 9 x 4", "7 x 7 x 4", "4", "3"));
  EXPECT_EQ(pooled.nodes[0].forward_macs, 81 * 9 * 2 * 4);
}

TEST(Graph, strides_and_paddings_follow_the_usual_formula) {
  LayerSpec conv = layer(LayerKind::conv2d, 8);
  conv.kernel = 5, conv.stride = 3, conv.padding = 1;
  const Graph g = build_graph(stack({conv, layer(LayerKind::dense)}), images(28, 1));
  EXPECT_EQ(to_string(g.level(1)), "9 x 9 x 8") << "(28 + 2 - 5)/3 + 1";
  EXPECT_EQ(g.blocks[0].rows, 25);
  EXPECT_EQ(g.blocks[1].rows, 9 * 9 * 8);
}

TEST(Graph, a_residual_network_has_nine_weight_layers_and_two_sums) {
  const Graph g = build_graph(of(Architecture::resnet), images(32, 3));
  int sums = 0, weighted = 0;
  for (const Node& node : g.nodes) {
    sums += node.spec.kind == LayerKind::add;
    weighted += node.spec.kind == LayerKind::conv2d || node.spec.kind == LayerKind::dense;
    if (node.spec.kind == LayerKind::add) {
      EXPECT_EQ(g.level(node.with).size(), g.level(node.from).size());
      EXPECT_EQ(node.with, node.from - 4) << "around two convolutions with their norms";
    }
  }
  EXPECT_EQ(sums, 2);
  EXPECT_EQ(weighted, 9);
  // 3x3 convolutions without biases, gains and biases of the norms, the dense layer.
  const std::int64_t in[] = {3, 32, 64, 64, 64, 128, 256, 256}, out[] = {32, 64, 64, 64, 128, 256, 256, 256};
  std::int64_t parameters = 256 * 10 + 10, state = 0;
  for (int i = 0; i < 8; ++i) parameters += 9 * in[i] * out[i] + 2 * out[i], state += 2 * out[i];
  EXPECT_EQ(g.parameters, parameters);
  EXPECT_EQ(g.state, state) << "running means and variances";
  EXPECT_TRUE(g.trains_differently());
  EXPECT_EQ(shapes(g)[shapes(g).size() - 3], "4 x 4 x 256");
}

TEST(Graph, a_tied_head_has_no_weights_of_its_own) {
  NetworkSpec spec = of(Architecture::gpt);
  const Graph own = build_graph(spec, text(128, 256));
  spec.tied = true;
  const Graph tied = build_graph(spec, text(128, 256));
  EXPECT_EQ(own.parameters - tied.parameters, 256 * 128);
  EXPECT_EQ(tied.nodes.back().shared, 0);
  EXPECT_EQ(tied.nodes.back().block, -1);
  EXPECT_EQ(forward_macs(own), forward_macs(tied));
  const auto last = static_cast<int>(tied.blocks.size()) - 1;
  EXPECT_EQ(backward_macs(tied, 0), backward_macs(own, 0));
  EXPECT_EQ(backward_macs(own, last + 1), 128 * 128 * 256) << "own head: the gradient of its weights alone";
  EXPECT_EQ(backward_macs(tied, last), 128 * 128 * 256) << "last norm learns: the gradient of the head's inputs alone";
}

TEST(Graph, chains_of_dense_layers_cost_what_the_closed_form_says) {
  for (const std::vector<int>& hidden : {std::vector<int>{}, {7}, {256, 256}, {5, 4, 3, 2}}) {
    for (const bool biases : {true, false}) {
      NetworkSpec spec;
      spec.hidden = hidden, spec.biases = biases;
      const Graph g = build_graph(spec, images(6, 2, 3));
      std::vector<int> widths{72};
      widths.insert(widths.end(), hidden.begin(), hidden.end());
      widths.push_back(3);
      EXPECT_EQ(g.chain(), widths);
      const NetworkCounts counts = graph_counts(g, 72), closed = mlp_counts(widths, biases);
      EXPECT_EQ(counts.parameters, closed.parameters);
      EXPECT_EQ(counts.forward_macs, closed.forward_macs);
      EXPECT_EQ(counts.backward_macs, closed.backward_macs);
      EXPECT_EQ(counts.input_bytes, 72);
    }
  }
  EXPECT_TRUE(build_graph(of(Architecture::cnn), images(8, 1)).chain().empty());
}

TEST(Graph, dropout_adds_layers_without_parameters) {
  NetworkSpec spec = of(Architecture::gpt);
  const Graph plain = build_graph(spec, text(8, 5));
  spec.dropout = 0.1;
  const Graph g = build_graph(spec, text(8, 5));
  EXPECT_EQ(g.parameters, plain.parameters);
  EXPECT_EQ(g.nodes.size(), plain.nodes.size() + 1 + 2 * 4);
  EXPECT_TRUE(g.trains_differently());
  EXPECT_FALSE(plain.trains_differently());
}

// ---- initial weights

TEST(Graph, initial_weights_have_the_deviations_of_their_papers) {
  const Graph cnn = build_graph(of(Architecture::cnn), images(32, 3));
  EXPECT_DOUBLE_EQ(cnn.blocks[0].deviation, std::sqrt(2.0 / 27));
  EXPECT_DOUBLE_EQ(cnn.blocks[3].deviation, std::sqrt(2.0 / 2048));
  NetworkSpec spec = of(Architecture::gpt);
  spec.initialisation = Initialisation::fan_in, spec.depth = 2;
  const Graph gpt = build_graph(spec, text(128, 256));
  for (const Block& b : gpt.blocks) {
    SCOPED_TRACE(b.name);
    const bool norm = b.name.find("norm") != std::string::npos, table = b.name == "tokens" || b.name == "positions";
    const bool residual = b.name.ends_with("-projection") || b.name.ends_with("-down");
    const double expected = norm ? 0 : table ? 0.02 : std::sqrt(1.0 / static_cast<double>(b.rows)) / (residual ? 2 : 1);
    EXPECT_DOUBLE_EQ(b.deviation, expected);
    EXPECT_EQ(b.mean, norm ? 1 : 0);
  }
}

// ---- GELU

TEST(Graph, gelu_is_a_layer_of_its_own_that_others_see_under_the_same_name) {
  LayerSpec up = layer(LayerKind::dense, 6, "up");
  up.activation = Activation::gelu;
  LayerSpec sum = layer(LayerKind::add);
  sum.with = "up";
  const Graph g = build_graph(stack({up, layer(LayerKind::dense, 6), sum, layer(LayerKind::dense)}), vectors(4));
  EXPECT_EQ(g.nodes[1].spec.name, "up-gelu");
  EXPECT_EQ(g.nodes[1].spec.kind, LayerKind::activation);
  EXPECT_EQ(g.nodes[0].spec.activation, Activation::identity);
  EXPECT_EQ(g.nodes[2].from, 2) << "the layer after it";
  EXPECT_EQ(g.nodes[3].with, 2) << "a reference by name";
  NetworkSpec mlp;
  mlp.activation = Activation::gelu;
  EXPECT_EQ(build_graph(mlp, vectors(4)).nodes.size(), 5u);
  EXPECT_TRUE(build_graph(mlp, vectors(4)).chain().empty());
}

// ---- what is wrong is said

std::vector<eos::core::Diagnostic> problems(const NetworkSpec& spec, const DataShape& data) {
  try {
    build_graph(spec, data);
  } catch (const eos::core::Error& error) {
    return error.diagnostics();
  }
  return {};
}

void expect_problem(const NetworkSpec& spec, const DataShape& data, const char* code, const std::string& part,
                    const std::string& help = {}) {
  SCOPED_TRACE(part);
  const auto found = problems(spec, data);
  ASSERT_EQ(found.size(), 1u) << "one mistake, one message";
  EXPECT_EQ(found[0].code, code);
  EXPECT_THAT(found[0].message, HasSubstr(part));
  EXPECT_THAT(found[0].help, HasSubstr(help));
  EXPECT_TRUE(found[0].code == "E104" || !found[0].help.empty()) << "a range says what is allowed; all else needs help";
}

TEST(GraphErrors, data_of_another_kind) {
  for (const auto architecture : {Architecture::mlp, Architecture::cnn, Architecture::resnet, Architecture::vit})
    expect_problem(of(architecture), text(16, 8), "E107", to_string(architecture) + "\" takes images", "gpt");
  expect_problem(of(Architecture::gpt), images(28, 1), "E107", "\"gpt\" takes tokens", "vit");
}

TEST(GraphErrors, sizes_that_do_not_fit) {
  expect_problem(of(Architecture::cnn), vectors(784), "E107", "pool = 2 does not fit its output of 32",
                 "larger images");
  expect_problem(of(Architecture::cnn), images(6, 1), "E107", "'conv2d3': pool = 2 does not fit its output of 128",
                 "leave the pool out");
  NetworkSpec vit = of(Architecture::vit);
  vit.patch = 5;
  expect_problem(vit, images(28, 1), "E107", "network.patch = 5 does not divide images of 28 x 28 x 1", "divisor");
  LayerSpec pool = layer(LayerKind::max_pool);
  pool.kernel = 30;
  expect_problem(stack({pool, layer(LayerKind::dense)}), images(28, 1), "E107", "windows of 30 x 30 (padding 0)");
  LayerSpec conv = layer(LayerKind::conv2d, 4);
  conv.kernel = 3, conv.padding = 3;
  expect_problem(stack({conv, layer(LayerKind::dense)}), images(28, 1), "E107", "(padding 3)");
  conv = layer(LayerKind::conv2d, 4);
  conv.stride = 0;
  expect_problem(stack({conv, layer(LayerKind::dense)}), images(28, 1), "E104", "stride = 0 must be >= 1");
  expect_problem(stack({layer(LayerKind::conv2d), layer(LayerKind::dense)}), images(8, 1), "E104", "width = 0");
  LayerSpec attention = layer(LayerKind::attention);
  expect_problem(stack({layer(LayerKind::positions), attention, layer(LayerKind::dense)}), vectors(10), "E107",
                 "'attention2': its input of 1 tokens x 10 does not hold query, key and value of 1 equal heads");
  expect_problem(stack({layer(LayerKind::dense, 4)}), vectors(10), "E107", "ends in 4, but the data need 10 outputs",
                 "without a width");
  NetworkSpec words = stack({layer(LayerKind::embedding, 4), layer(LayerKind::select_token), layer(LayerKind::dense)});
  expect_problem(words, text(16, 8), "E107", "8 outputs for every token");
}

TEST(GraphErrors, tokens_that_are_none_or_too_many) {
  expect_problem(stack({layer(LayerKind::embedding, 4), layer(LayerKind::dense)}), images(8, 1), "E107",
                 "embeds token ids, but its input are no tokens");
  LayerSpec table = layer(LayerKind::embedding, 4);
  table.vocabulary = 7;
  expect_problem(stack({table, layer(LayerKind::dense)}), text(16, 8), "E104", "vocabulary = 7 must be >= 8");
}

TEST(GraphErrors, names) {
  LayerSpec sum = layer(LayerKind::add, 0, "sum");
  const LayerSpec first = layer(LayerKind::dense, 5, "first"), last = layer(LayerKind::dense);
  expect_problem(stack({first, sum, last}), vectors(5), "E107", "'sum': add needs `with`");
  sum.with = "frist";
  expect_problem(stack({first, sum, last}), vectors(5), "E106", "'sum' refers to 'frist', which is no layer before it",
                 "first");
  sum.with = "input";
  EXPECT_TRUE(problems(stack({first, sum, last}), vectors(5)).empty());
  expect_problem(stack({first, sum, last}), vectors(4), "E107", "cannot add 5 and 4");
  sum.with = {}, sum.from = "sum";
  expect_problem(stack({first, sum, last}), vectors(5), "E106", "'sum' refers to 'sum'");
  expect_problem(stack({first, first, last}), vectors(5), "E107", "'first': the name is taken");
  LayerSpec branch = layer(LayerKind::dense, 5, "branch");
  branch.from = "input";
  expect_problem(stack({first, branch, last}), vectors(5), "E107", "'first': no other layer uses its output");
  expect_problem(stack({}), vectors(5), "E107", "network.layers is empty");
}

TEST(GraphErrors, shared_tables) {
  LayerSpec head = layer(LayerKind::dense);
  head.with = "words";
  const LayerSpec words = layer(LayerKind::embedding, 4, "words"), wide = layer(LayerKind::dense, 6, "wide");
  EXPECT_TRUE(problems(stack({words, head}), text(16, 8)).empty());
  expect_problem(stack({words, wide, head}), text(16, 8), "E107",
                 "needs weights 6 x 8, but the table of 'words' is 8 x 4");
  head.with = "wide";
  expect_problem(stack({words, wide, head}), text(16, 8), "E107", "'wide' is no embedding whose table it could share");
}

TEST(GraphErrors, several_mistakes_are_all_reported_but_not_their_consequences) {
  LayerSpec conv = layer(LayerKind::conv2d, 4);
  conv.kernel = 99, conv.padding = 0;
  LayerSpec bad = layer(LayerKind::conv2d, -1, "bad");
  bad.from = "input";
  LayerSpec sum = layer(LayerKind::add);
  sum.with = "bad";
  EXPECT_EQ(
      problems(stack({conv, layer(LayerKind::max_pool), bad, sum, layer(LayerKind::dense, 3)}), images(8, 1)).size(),
      2u);
}

// ---- gradients, by brute force

/// Levels that the parameters of `from` and later blocks reach, found by following every path forward.
std::vector<bool> reached(const Graph& graph, int first_block) {
  std::vector<bool> mark(static_cast<std::size_t>(graph.levels()), false);
  const std::function<void(int)> follow = [&](int level) {
    if (mark[static_cast<std::size_t>(level)]) return;
    mark[static_cast<std::size_t>(level)] = true;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n)
      if (graph.nodes[n].from == level || graph.nodes[n].with == level) follow(static_cast<int>(n) + 1);
  };
  for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
    const int own = std::max(graph.nodes[n].block, graph.nodes[n].shared);
    if (own >= 0 && own >= first_block) follow(static_cast<int>(n) + 1);
  }
  return mark;
}

std::vector<Graph> zoo() {
  NetworkSpec tied = of(Architecture::gpt);
  tied.tied = true, tied.depth = 2, tied.dropout = 0.1;
  LayerSpec sum = layer(LayerKind::add);
  sum.with = "a";
  return {
      build_graph(of(Architecture::mlp), vectors(20)),
      build_graph(of(Architecture::cnn), images(16, 3)),
      build_graph(of(Architecture::resnet), images(16, 3)),
      build_graph(of(Architecture::vit), images(16, 3)),
      build_graph(tied, text(8, 11)),
      build_graph(stack({layer(LayerKind::dense, 6, "a"), layer(LayerKind::dense, 6), sum, layer(LayerKind::dense)}),
                  vectors(9))};
}

TEST(Gradients, are_needed_above_what_learns) {
  for (const Graph& graph : zoo()) {
    const auto blocks = static_cast<int>(graph.blocks.size());
    for (int first = 0; first <= blocks; ++first) {
      const std::vector<bool> needed = needs_gradient(graph, first);
      EXPECT_EQ(needed, reached(graph, first)) << first;
      std::int64_t macs = 0;
      for (const Node& node : graph.nodes) {
        const std::int64_t inputs = node.spec.kind == LayerKind::attention ? 2 * node.forward_macs : node.forward_macs;
        if (node.block >= first || node.shared >= first)
          macs += node.block >= 0 || node.shared >= 0 ? node.forward_macs : 0;
        if (needed[static_cast<std::size_t>(node.from)]) macs += inputs;
      }
      EXPECT_EQ(backward_macs(graph, first), macs) << first;
    }
    EXPECT_EQ(backward_macs(graph, blocks), 0);
  }
}

TEST(Gradients, a_frozen_prefix_of_a_chain_saves_what_the_closed_form_says) {
  const Graph g = build_graph(of(Architecture::mlp), vectors(784));
  EXPECT_EQ(backward_macs(g, 0), 784 * 256 + 2 * (256 * 256 + 256 * 10));
  EXPECT_EQ(backward_macs(g, 1), 256 * 256 + 2 * 256 * 10);
  EXPECT_EQ(backward_macs(g, 2), 256 * 10);
}

/// Runs the backward pass on slots that hold the number of the level whose gradient lies there.
void expect_no_gradient_is_overwritten(const Graph& graph) {
  const GradientPlan plan = plan_gradients(graph);
  std::vector<int> holds(plan.words.size(), -1);
  std::vector<bool> begun(static_cast<std::size_t>(graph.levels()), false), done = begun;
  const auto write = [&](int level) {
    if (level <= 0) return;
    const auto slot = plan.slot[static_cast<std::size_t>(level)];
    ASSERT_GE(slot, 0);
    ASSERT_GE(plan.words[static_cast<std::size_t>(slot)], graph.level(level).size());
    int& owner = holds[static_cast<std::size_t>(slot)];
    if (begun[static_cast<std::size_t>(level)]) {
      ASSERT_EQ(owner, level) << "a second summand comes, but the first is gone";
    } else if (owner >= 0) {
      ASSERT_TRUE(done[static_cast<std::size_t>(owner)]) << owner << " is still to be read";
    }
    owner = level, begun[static_cast<std::size_t>(level)] = true;
  };
  write(graph.levels() - 1);
  for (int n = static_cast<int>(graph.nodes.size()) - 1; n >= 0; --n) {
    const Node& node = graph.nodes[static_cast<std::size_t>(n)];
    const auto own = static_cast<std::size_t>(n + 1);
    ASSERT_TRUE(begun[own]);
    const auto handed_over = [&](int level) {  // by an add, as it is, or by an activation, which works in place
      return (node.spec.kind == LayerKind::add || node.spec.kind == LayerKind::activation) && level > 0 &&
             plan.slot[static_cast<std::size_t>(level)] == plan.slot[own];
    };
    for (const int level : {node.from, node.with}) {
      if (!handed_over(level)) write(level);
    }
    // A layer reads its gradient while it writes those of its inputs.
    ASSERT_EQ(holds[static_cast<std::size_t>(plan.slot[own])], n + 1);
    done[own] = true;
    for (const int level : {node.from, node.with}) {
      if (handed_over(level)) write(level);
    }
  }
  EXPECT_EQ(plan.slot[0], -1);
}

TEST(Gradients, that_are_alive_together_never_share_memory) {
  for (const Graph& graph : zoo()) expect_no_gradient_is_overwritten(graph);
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    std::uint32_t draws = 0;
    const auto below = [&](int n) {
      return static_cast<int>(eos::core::uniform(seed, {draws++, 0, eos::core::Purpose::test, 0}) * n);
    };
    Graph graph;
    graph.data.input.channels = 1 + below(50);
    const int nodes = 1 + below(30);
    for (int n = 0; n < nodes; ++n) {
      Node node;
      node.from = n, node.out.channels = 1 + below(50);
      if (below(3) == 0) {
        node.with = below(n + 1);
        if (below(2) == 0) std::swap(node.from, node.with);
        if (below(2) == 0) node.spec.kind = LayerKind::add;
      } else if (below(3) == 0) {
        node.spec.kind = LayerKind::activation, node.out.channels = graph.level(n).channels;
      }
      graph.nodes.push_back(node);
    }
    expect_no_gradient_is_overwritten(graph);
    if (HasFatalFailure()) FAIL() << "seed " << seed;
  }
}

TEST(Gradients, of_a_chain_need_two_slots) {
  const GradientPlan plan = plan_gradients(build_graph(of(Architecture::mlp), vectors(784)));
  EXPECT_EQ(plan.words.size(), 2u);
  EXPECT_LE(plan.total(), 2 * 256);
}

TEST(Activations, are_counted_with_what_layers_keep) {
  NetworkSpec spec;
  spec.hidden = {30};
  EXPECT_EQ(activation_words(build_graph(spec, vectors(20))), 20 + 30 + 10);
  LayerSpec conv = layer(LayerKind::conv2d, 4);
  conv.pool = 2;
  EXPECT_EQ(activation_words(build_graph(stack({conv, layer(LayerKind::dense)}), images(8, 1))), 64 + 64 + 64 / 4 + 10)
      << "a byte for every maximum says where it was";
}

}  // namespace
