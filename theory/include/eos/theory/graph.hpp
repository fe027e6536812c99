// Turn a network spec into a graph of nodes: shapes, where parameters lie, and what a pass costs.
//
// Nodes are in an order in which each comes after its inputs. Level 0 is the input of the network, level n + 1 the
// output of node n. The parameters of a network are one vector of blocks, one for every node that has any: weights
// [rows][columns], then biases [columns]. dense: [in][out]; conv2d: [kernel * kernel * in][out]; norms: [1][channels]
// gains; embedding [vocabulary][width], positions [tokens][width] and class token [1][width] without biases.
//
// Costs per sample: a weight of a block costs `uses` MACs forward (positions it is applied at); attention costs
// 2 D per pair of tokens that see each other. Backward: a block that learns costs its forward MACs again, and so does
// the gradient of an input that somebody needs; attention's is twice its forward. Biases, norms, pools and lookups cost
// none.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "eos/theory/ledger.hpp"
#include "eos/theory/network_spec.hpp"

namespace eos::theory {

struct Shape {
  int height = 1, width = 1, channels = 1;
  bool sequence = false;  ///< positions are tokens: dense layers act on each of them

  std::int64_t positions() const { return std::int64_t{height} * width; }
  std::int64_t size() const { return positions() * channels; }
  bool operator==(const Shape&) const = default;
};
/// "28 x 28 x 1", "128 tokens x 64", "10".
std::string to_string(const Shape& shape);

/// What a network is built for.
struct DataShape {
  Shape input;
  int outputs = 10;     ///< classes, or the vocabulary of tokens
  bool tokens = false;  ///< inputs are ids; every token is predicted
};

struct Node {
  LayerSpec spec;
  int from = 0;   ///< level of the input
  int with = -1;  ///< level of the second summand; -1: none
  Shape in, out;
  int block = -1;                 ///< own parameters; -1: none
  int shared = -1;                ///< block of the embedding whose table a tied dense layer uses
  std::int64_t forward_macs = 0;  ///< per sample
  std::int64_t saved = 0;         ///< words per sample kept for the backward pass beside the output
  std::int64_t notes = 0;         ///< words per batch kept for the backward pass
  std::int64_t state = 0;         ///< words that outlive a batch but are no parameters: running statistics
  std::int64_t state_offset = 0;
};

struct Block {
  std::string name;
  int node = 0;
  std::int64_t offset = 0;  ///< of its first weight among the parameters
  std::int64_t rows = 0, columns = 0;
  bool biases = false;
  double deviation = 0;  ///< of initial weights
  double mean = 0;       ///< of initial weights: 1 for gains

  std::int64_t weights() const { return rows * columns; }
  std::int64_t size() const { return weights() + (biases ? columns : 0); }
};

struct Graph {
  DataShape data;
  std::vector<Node> nodes;
  std::vector<Block> blocks;
  std::int64_t parameters = 0;
  std::int64_t state = 0;  ///< words of running statistics

  const Shape& level(int l) const { return l == 0 ? data.input : nodes[static_cast<std::size_t>(l - 1)].out; }
  int levels() const { return static_cast<int>(nodes.size()) + 1; }
  /// Predictions of one sample: tokens, or 1.
  int predictions() const;
  /// Widths of a chain of dense layers on plain vectors, inputs first; empty for every other network.
  std::vector<int> chain() const;
  /// A training pass is not the scoring pass of the same rows: batch norm or dropout.
  bool trains_differently() const;
};

/// A residual branch f of level `to` = x + f(x), x the level `from`: nodes from .. to - 1, the last of which adds. What
/// f does to x ends in the weights of block `last`.
struct Branch {
  int from = 0, to = 0;
  int first_block = 0, end_block = 0;  ///< its blocks
  int last = 0;
  std::int64_t parameters = 0;
  std::int64_t forward_macs = 0, backward_macs = 0;  ///< per sample, where all of the network learns
};
/// Branches that could be left out without changing a shape, and whose last layer can make f zero (dense or
/// convolution without an activation, dropout behind it allowed), from the input on.
std::vector<Branch> residual_branches(const Graph& graph);

/// throws Error E104, E106, E107: every layer whose sizes do not fit, by name, with the shapes.
Graph build_graph(const NetworkSpec& spec, const DataShape& data);
/// The layers that an architecture stands for.
std::vector<LayerSpec> expand(const NetworkSpec& spec, const DataShape& data);

/// For every level: whether its gradient is needed when blocks below first_block are frozen.
std::vector<bool> needs_gradient(const Graph& graph, int first_block);
/// MACs of one sample's backward pass through blocks from first_block on.
std::int64_t backward_macs(const Graph& graph, int first_block);
NetworkCounts graph_counts(const Graph& graph, std::int64_t input_bytes);

/// Where gradients of levels lie. Levels whose gradients are never alive together share a slot; so do an add and the
/// first of its inputs that has no gradient yet, because an add hands its own over instead of copying it.
struct GradientPlan {
  std::vector<int> slot;            ///< by level; -1: level 0
  std::vector<std::int64_t> words;  ///< of each slot, per sample
  std::int64_t total() const;
};
GradientPlan plan_gradients(const Graph& graph);
/// Words per sample of all levels and of what nodes keep.
std::int64_t activation_words(const Graph& graph);

}  // namespace eos::theory
