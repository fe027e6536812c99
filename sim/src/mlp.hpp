// A multilayer perceptron on the kernels: where parameters lie, forward and backward over rows of a buffer.
//
// Layers in order, each W [in][out] followed by b [out] (if there are biases), in one flat vector. Level 0 of the
// activations is the input, level l the output of layer l - 1, the last level the outputs of the network.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "eos/kernels/activation.hpp"
#include "eos/kernels/context.hpp"
#include "eos/kernels/select.hpp"
#include "eos/theory/training_spec.hpp"

namespace eos::sim {

struct MlpLayout {
  MlpLayout() = default;
  /// widths: inputs, hidden layers, classes; at least two.
  explicit MlpLayout(std::vector<int> widths, const theory::NetworkSpec& network = {});

  int layers() const { return static_cast<int>(widths.size()) - 1; }
  int inputs() const { return widths.front(); }
  int classes() const { return widths.back(); }
  std::int64_t parameters() const { return offsets.back(); }
  /// End of W; with biases, where b begins.
  std::int64_t bias_offset(int layer) const;
  kernels::ActivationSpec activation(int layer) const { return layer + 1 == layers() ? output : hidden; }
  kernels::Segments segments() const { return {layers(), offsets.data()}; }

  std::vector<int> widths;
  std::vector<std::int64_t> offsets;  ///< [layers + 1] first parameter of each layer
  bool biases = true;
  kernels::ActivationSpec hidden{theory::Activation::relu}, output;
};

/// Normal weights with the standard deviation of NetworkSpec::initialisation, biases 0 unless random_biases; addressed
/// draws (step: layer).
std::vector<float> initial_weights(const MlpLayout& layout, const theory::NetworkSpec& network, std::uint64_t seed);

/// Activations of up to `capacity` rows at every level, row-major.
class Activations {
 public:
  Activations() = default;
  Activations(const kernels::Context& context, const MlpLayout& layout, int capacity);
  float* row(int level, int first) { return levels_[level].data() + std::int64_t{first} * widths_[level]; }
  const float* row(int level, int first) const { return levels_[level].data() + std::int64_t{first} * widths_[level]; }
  int capacity() const { return capacity_; }
  /// Zeros in place of biases that a network has not.
  const float* zeros() const { return zeros_.data(); }

 private:
  int capacity_ = 0;
  std::vector<int> widths_;
  std::vector<kernels::Buffer<float>> levels_;
  kernels::Buffer<float> zeros_;
};

/// Fills levels 1.. of rows [first, first + rows) from level 0.
void mlp_forward(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                 int first, int rows);
/// Layers [begin, end) only: fills levels begin + 1 .. end.
void mlp_forward_layers(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                        int first, int rows, int begin, int end);

/// How far a backward pass goes, and what is done to the errors on the way.
struct BackwardScope {
  int first_layer = 0;  ///< layers below it get no gradient
  /// Changes the errors d loss / d (sums of the units) [rows][outputs of layer] before they are used; null: nothing.
  std::function<void(int layer, float* errors)> errors;
};

/// Gradients of sum_i loss_i over rows [0, rows), from dz = d loss / d (sums of the output units) [rows][classes].
class MlpBackward {
 public:
  MlpBackward() = default;
  MlpBackward(const kernels::Context& context, const MlpLayout& layout, int capacity);
  /// gradient [parameters] is overwritten from scope.first_layer on. `sent` is the error of the outputs that the layers
  /// below see; usually dz. dz is changed only by scope.errors.
  void run(const kernels::Context& context, const MlpLayout& layout, const float* weights, const Activations& a,
           int rows, float* dz, const float* sent, float* gradient, const BackwardScope& scope = {});

 private:
  kernels::Buffer<float> from_, to_;  // [capacity][widest layer] each
  kernels::Buffer<float> no_biases_;  // where gradients of biases go that a network has not
};

}  // namespace eos::sim
