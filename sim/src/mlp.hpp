// A multilayer perceptron on the kernels: where parameters lie, forward and backward over rows of a buffer.
//
// Layers in order, each W [in][out] followed by b [out], in one flat vector. Hidden layers use relu, the last is
// linear. Level 0 of the activations is the input, level l the output of layer l - 1, the last level the logits.
#pragma once

#include <cstdint>
#include <vector>

#include "eos/kernels/context.hpp"
#include "eos/kernels/select.hpp"

namespace eos::sim {

struct MlpLayout {
  MlpLayout() = default;
  /// widths: inputs, hidden layers, classes; at least two.
  explicit MlpLayout(std::vector<int> widths);

  int layers() const { return static_cast<int>(widths.size()) - 1; }
  int inputs() const { return widths.front(); }
  int classes() const { return widths.back(); }
  std::int64_t parameters() const { return offsets.back(); }
  std::int64_t bias_offset(int layer) const;
  kernels::Segments segments() const { return {layers(), offsets.data()}; }

  std::vector<int> widths;
  std::vector<std::int64_t> offsets;  ///< [layers + 1] first parameter of each layer
};

/// Weights N(0, init_scale^2 2 / fan_in) (He et al., ICCV 2015), biases 0; addressed draws (step: layer).
std::vector<float> initial_weights(const MlpLayout& layout, double init_scale, std::uint64_t seed);

/// Activations of up to `capacity` rows at every level, row-major.
class Activations {
 public:
  Activations() = default;
  Activations(const kernels::Context& context, const MlpLayout& layout, int capacity);
  float* row(int level, int first) { return levels_[level].data() + std::int64_t{first} * widths_[level]; }
  const float* row(int level, int first) const { return levels_[level].data() + std::int64_t{first} * widths_[level]; }
  int capacity() const { return capacity_; }

 private:
  int capacity_ = 0;
  std::vector<int> widths_;
  std::vector<kernels::Buffer<float>> levels_;
};

/// Fills levels 1.. of rows [first, first + rows) from level 0.
void mlp_forward(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                 int first, int rows);

/// Gradients of sum_i loss_i over rows [0, rows), from dz = d loss / d logits [rows][classes].
class MlpBackward {
 public:
  MlpBackward() = default;
  MlpBackward(const kernels::Context& context, const MlpLayout& layout, int capacity);
  /// gradient [parameters] is overwritten.
  void run(const kernels::Context& context, const MlpLayout& layout, const float* weights, const Activations& a,
           int rows, const float* dz, float* gradient);

 private:
  kernels::Buffer<float> from_, to_;  // [capacity][widest hidden layer] each
};

}  // namespace eos::sim
