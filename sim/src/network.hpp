// Run a graph of layers on the kernels: where parameters lie, forward and backward over rows of a buffer.
//
// Values and gradients are [replicas][rows][height][width][channels]. Level 0 of the activations is the input, level
// n + 1 the output of node n; for a multilayer perceptron nodes, blocks of parameters and layers are the same. Each
// kind of layer is two functions on a LayerCall (layers.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"
#include "eos/kernels/select.hpp"
#include "eos/theory/graph.hpp"

namespace eos::kernels {
struct DropoutDraw;
}

namespace eos::sim {

struct LayerCall;
class RowGate;

struct Network {
  Network() = default;
  /// throws Error of theory::build_graph.
  Network(const theory::NetworkSpec& spec, const theory::DataShape& data);
  /// A chain of dense layers; widths: inputs, hidden layers, classes; at least two.
  explicit Network(std::vector<int> widths, const theory::NetworkSpec& spec = {});

  /// Blocks of parameters, the segments that write policies act on.
  int layers() const { return static_cast<int>(graph.blocks.size()); }
  int nodes() const { return static_cast<int>(graph.nodes.size()); }
  int inputs() const { return static_cast<int>(graph.data.input.size()); }
  int classes() const { return graph.data.outputs; }
  /// Rows of logits of one sample: tokens, or 1.
  int predictions() const { return graph.predictions(); }
  std::int64_t parameters() const { return graph.parameters; }
  const theory::Block& block(int l) const { return graph.blocks[static_cast<std::size_t>(l)]; }
  /// End of the weights of a block; with biases, where these begin.
  std::int64_t bias_offset(int l) const { return block(l).offset + block(l).weights(); }
  std::int64_t columns(int l) const { return block(l).columns; }
  kernels::Segments segments() const { return {layers(), offsets.data()}; }
  /// Dense layers alone: policies on units, sparse topologies, online updates and shallow scores need that.
  bool chain() const { return !widths.empty(); }
  /// Whether node n is a dense layer that does the work of the node behind it in its own forward pass: a sum, whose
  /// summand n + 1 then is never written, or a gelu, whose input n + 1 then holds its slopes.
  bool joined(int n) const { return n >= 0 && n < nodes() && joined_[static_cast<std::size_t>(n)] != 0; }

  /// The branch that begins at level `level` and does not exist when the first `depth` do; null: there is none.
  const theory::Branch* absent_from(int level, int depth) const;
  /// The same for the branch whose sum is level `level`.
  const theory::Branch* absent_to(int level, int depth) const;

  theory::Graph graph;
  std::vector<theory::Branch> branches;  ///< residual, from the input on
  std::vector<std::int64_t> offsets;     ///< [layers + 1] first parameter of each block
  std::vector<int> widths;               ///< of a chain, else empty
  bool biases = true;                    ///< of a chain

 private:
  std::vector<std::uint8_t> joined_;  ///< [nodes]
};

/// Normal weights with the mean and deviation of their block, biases 0 unless random_biases; addressed draws (step:
/// block).
std::vector<float> initial_weights(const Network& network, const theory::NetworkSpec& spec, std::uint64_t seed);
/// Running statistics before training: means 0, variances 1.
std::vector<float> initial_state(const Network& network);

/// train: batch statistics, which also move the running ones, and dropout. score: running statistics, nothing moves.
enum class Mode { train, score };

/// Values of up to `capacity` rows of every replica at every level, and what nodes keep for the backward pass.
class Activations {
 public:
  Activations() = default;
  Activations(const kernels::Context& context, const Network& network, int capacity, int replicas = 1);
  /// From row `first` of the first replica on; several replicas have rows only as a whole (first = 0, all of capacity).
  float* row(int level, int first) { return levels_[at(level)].data() + first * level_size_[at(level)]; }
  const float* row(int level, int first) const { return levels_[at(level)].data() + first * level_size_[at(level)]; }
  /// Words kept by the node that made `level`.
  float* saved(int level, int first) { return saved_[at(level)].data() + first * saved_size_[at(level)]; }
  const float* saved(int level, int first) const { return saved_[at(level)].data() + first * saved_size_[at(level)]; }
  float* notes(int level) { return notes_[at(level)].data(); }
  const float* notes(int level) const { return notes_[at(level)].data(); }
  std::int64_t level_size(int level) const { return level_size_[at(level)]; }
  std::int64_t saved_size(int level) const { return saved_size_[at(level)]; }
  int levels() const { return static_cast<int>(levels_.size()); }
  int capacity() const { return capacity_; }
  int replicas() const { return replicas_; }

 private:
  static std::size_t at(int level) { return static_cast<std::size_t>(level); }
  int capacity_ = 0, replicas_ = 1;
  std::vector<std::int64_t> level_size_, saved_size_;
  std::vector<kernels::Buffer<float>> levels_, saved_, notes_;
};

/// The rows of a pass, and what their draws depend on.
struct Pass {
  int first = 0, rows = 0;
  Mode mode = Mode::score;
  float* state = nullptr;  ///< running statistics [replicas][graph.state]; may be null without any
  /// For dropout, in the context's memory: ids [replicas][rows], and where the draws of each replica begin.
  const std::int32_t* samples = nullptr;
  const kernels::DropoutDraw* draws = nullptr;
  int depth = -1;  ///< residual branches that exist, the others pass their input on; -1: all
};

/// Fills levels begin + 1 .. end from level begin (end < 0: all), for the rows of `pass`. A joined node and the one
/// behind it are not parted.
void forward(const kernels::Context& context, const Network& network, const float* weights, Activations& a,
             const Pass& pass, int begin = 0, int end = -1);
/// The same in Mode::score of a network without state.
void forward(const kernels::Context& context, const Network& network, const float* weights, Activations& a, int first,
             int rows);

/// Columns of blocks (units, channels) whose weight gradient is wanted; a block without an entry: all.
struct ColumnChoice {
  ColumnChoice() = default;
  ColumnChoice(const kernels::Context& context, const Network& network);
  void upload();

  std::vector<std::vector<std::int32_t>> of_block;
  kernels::Buffer<std::int32_t> on_device;  ///< of_block, each at starts[block]
  std::vector<std::int64_t> starts;
  std::vector<std::int32_t> on_host;  ///< what upload() copies
};

/// How far a backward pass goes, and what is done to the errors on the way.
struct BackwardScope {
  int first_layer = 0;  ///< blocks below it get no gradient
  /// Changes the errors d loss / d (sums of the units) [rows][outputs of layer] before they are used; null: nothing.
  /// Chains only.
  std::function<void(int layer, float* errors)> errors;
  /// Weight gradients of other columns are 0 and cost nothing; one replica only. null: all.
  const ColumnChoice* columns = nullptr;
  /// Leaves rows of dense layers out; one replica only, not together with columns. null: all rows.
  RowGate* rows = nullptr;
};

/// Gradients of sum_i loss_i over the rows of a pass, from dz = d loss / d (sums of the output units).
class Backward {
 public:
  Backward() = default;
  Backward(const kernels::Context& context, const Network& network, int capacity, int replicas = 1);
  /// gradient [replicas][parameters] is overwritten from scope.first_layer on. `sent` is the error of the outputs that
  /// the layers below see; usually dz. dz is changed only by scope.errors. `pass` is that of the forward pass, from
  /// row 0.
  void run(const kernels::Context& context, const Network& network, const float* weights, const Activations& a,
           const Pass& pass, float* dz, const float* sent, float* gradient, const BackwardScope& scope = {});

 private:
  struct Course;
  void start(const Network& network, int first_layer);
  bool fuses_slope(const Network& network, int consumer) const;
  void run_layer(LayerCall& call, float* gradient, const BackwardScope& scope);
  void run_columns(LayerCall& call, const ColumnChoice& columns);
  float* take_winners(const LayerCall& call, theory::Node& slim, const std::int32_t* chosen, int count);
  float* slot(int level) {
    return slots_[static_cast<std::size_t>(plan_.slot[static_cast<std::size_t>(level)])].data();
  }

  int replicas_ = 1;
  int shared_ = -1;  ///< block that two nodes use
  theory::GradientPlan plan_;
  std::vector<int> uses_;                           ///< of each level, by nodes
  std::vector<kernels::Buffer<float>> slots_;       ///< [replicas][capacity][words of the slot] each
  kernels::Buffer<float> extra_;                    ///< a second gradient of a level or table, before it is added
  std::vector<std::uint8_t> written_, slope_done_;  ///< by level
  kernels::Buffer<float> some_errors_, some_weights_, some_notes_;  ///< of chosen columns
  theory::Node slim_node_;  ///< a layer of chosen columns; kept for the memory of its names
  int first_layer_ = -1;
  std::vector<bool> needed_;  ///< by level, for first_layer_
};

}  // namespace eos::sim
