// Normalisation, activation, dropout and residual layers within a network: gradients and modes.
#include <gtest/gtest.h>

#include <cmath>

#include "../../sim/src/network.hpp"
#include "eos/core/philox.hpp"
#include "eos/kernels/dropout.hpp"

namespace eos::sim::testing {
namespace {

using theory::LayerKind;
using theory::LayerSpec;

constexpr int k_rows = 8, k_inputs = 5, k_outputs = 4;

LayerSpec layer(LayerKind kind, const char* name, int width = 0, theory::Activation activation = {}) {
  LayerSpec spec;
  spec.kind = kind, spec.name = name, spec.width = width, spec.activation = activation;
  return spec;
}

/// dense, batch norm + tanh (smooth, for the sake of differences), dropout, dense, residual sum, layer norm, gelu,
/// dense.
Network make_network() {
  theory::NetworkSpec spec;
  spec.architecture = theory::Architecture::layers;
  spec.layers = {layer(LayerKind::dense, "first", 6),
                 layer(LayerKind::batch_norm, "norm", 0, theory::Activation::tanh),
                 layer(LayerKind::dropout, "drop"),
                 layer(LayerKind::dense, "second", 6),
                 layer(LayerKind::add, "sum"),
                 layer(LayerKind::layer_norm, "rows"),
                 layer(LayerKind::activation, "gelu", 0, theory::Activation::gelu),
                 layer(LayerKind::dense, "last", k_outputs)};
  spec.layers[2].rate = 0.3;
  spec.layers[4].with = "norm";
  theory::DataShape data;
  data.input.channels = k_inputs;
  data.outputs = k_outputs;
  return Network(spec, data);
}

std::vector<float> normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values(size);
  for (std::size_t i = 0; i < size; ++i)
    values[i] =
        static_cast<float>(core::normal_pair(5, {stream, 0, core::Purpose::test, static_cast<std::uint32_t>(i)})[0]);
  return values;
}

struct Setting {
  Network network = make_network();
  kernels::Context context = kernels::Context::cpu();
  Activations a{context, network, k_rows};
  std::vector<float> weights = initial_weights(network, {}, 3), state = initial_state(network);
  std::vector<float> errors = normals(k_rows * k_outputs, 2);
  std::vector<std::int32_t> samples{9, 8, 7, 6, 5, 4, 3, 2};
  std::vector<kernels::DropoutDraw> draws{{1, 2, 3}};

  Setting() {
    const std::vector<float> x = normals(k_rows * k_inputs, 1);
    std::copy(x.begin(), x.end(), a.row(0, 0));
    for (std::size_t i = 0; i < weights.size(); ++i) weights[i] += 0.1f * normals(weights.size(), 4)[i];
  }
  Pass pass(Mode mode) {
    Pass p;
    p.rows = k_rows, p.mode = mode, p.state = state.data(), p.samples = samples.data(), p.draws = draws.data();
    return p;
  }
  /// sum of outputs times errors; the running statistics stay.
  double objective(Mode mode) {
    const std::vector<float> before = state;
    forward(context, network, weights.data(), a, pass(mode));
    state = before;
    double sum = 0;
    for (int i = 0; i < k_rows * k_outputs; ++i) sum += double{a.row(network.nodes(), 0)[i]} * errors[i];
    return sum;
  }
};

TEST(LayerKinds, gradient_of_a_network_equals_differences) {
  for (const Mode mode : {Mode::train, Mode::score}) {
    Setting s;
    s.objective(mode);
    std::vector<float> gradient(s.weights.size()), dz = s.errors;
    Backward backward(s.context, s.network, k_rows);
    backward.run(s.context, s.network, s.weights.data(), s.a, s.pass(mode), dz.data(), dz.data(), gradient.data());
    for (std::size_t i = 0; i < s.weights.size(); ++i) {
      // Outputs in single precision, some 2e-6 in sum, over a step of 8e-3: 3e-4; curvature step^2 stays below 1e-3.
      const float step = 4e-3f, before = s.weights[i];
      s.weights[i] = before + step;
      const double up = s.objective(mode);
      s.weights[i] = before - step;
      const double down = s.objective(mode);
      s.weights[i] = before;
      EXPECT_NEAR(gradient[i], (up - down) / (2.0 * step), 2e-3 + 1e-3 * std::fabs(gradient[i])) << i;
    }
  }
}

TEST(LayerKinds, scoring_leaves_the_statistics_and_drops_nothing) {
  Setting s;
  const std::vector<float> before = s.state;
  forward(s.context, s.network, s.weights.data(), s.a, s.pass(Mode::score));
  EXPECT_EQ(s.state, before);
  const int drop = 3;
  EXPECT_TRUE(std::equal(s.a.row(drop, 0), s.a.row(drop, 0) + k_rows * 6, s.a.row(drop - 1, 0)));
  forward(s.context, s.network, s.weights.data(), s.a, s.pass(Mode::train));
  EXPECT_NE(s.state, before);
  EXPECT_FALSE(std::equal(s.a.row(drop, 0), s.a.row(drop, 0) + k_rows * 6, s.a.row(drop - 1, 0)));
}

}  // namespace
}  // namespace eos::sim::testing
