// Networks of convolutions and pools: their gradients against differences of their own forward pass.
#include <gtest/gtest.h>

#include <cmath>

#include "../../sim/src/network.hpp"
#include "eos/core/philox.hpp"

namespace eos::sim {
namespace {

using theory::LayerKind;

constexpr int k_rows = 3, k_outputs = 4;

theory::DataShape small_images() {
  theory::DataShape data;
  data.input = {9, 8, 2, false};
  data.outputs = k_outputs;
  return data;
}

std::vector<float> normals(std::size_t size, std::uint32_t stream) {
  std::vector<float> values;
  for (std::uint32_t i = 0; i < size; ++i)
    values.push_back(static_cast<float>(core::normal_pair(7, {stream, 0, core::Purpose::test, i})[0]));
  return values;
}

struct Run {
  kernels::Context context = kernels::Context::cpu();
  Network network;
  Activations a;
  Pass pass;
  std::vector<float> c;  ///< the loss is the sum of c times the outputs

  explicit Run(const theory::NetworkSpec& spec)
      : network(spec, small_images()), a(context, network, k_rows), c(normals(k_rows * k_outputs, 2)) {
    const std::vector<float> x = normals(static_cast<std::size_t>(k_rows * network.graph.data.input.size()), 1);
    std::copy(x.begin(), x.end(), a.row(0, 0));
    pass.rows = k_rows, pass.mode = Mode::train;
  }
  double loss(const std::vector<float>& w) {
    forward(context, network, w.data(), a, pass);
    const float* y = a.row(network.nodes(), 0);
    double sum = 0;
    for (std::size_t i = 0; i < c.size(); ++i) sum += static_cast<double>(c[i]) * y[i];
    return sum;
  }
  std::vector<float> gradient(const std::vector<float>& w) {
    loss(w);
    Backward backward(context, network, k_rows);
    std::vector<float> g(w.size()), dz = c;
    backward.run(context, network, w.data(), a, pass, dz.data(), dz.data(), g.data());
    return g;
  }
};

void expect_gradients(const theory::NetworkSpec& spec) {
  Run run(spec);
  std::vector<float> w = normals(static_cast<std::size_t>(run.network.parameters()), 3);
  for (float& value : w) value *= 0.3f;
  const std::vector<float> gradient = run.gradient(w);
  double largest = 0;
  for (const float g : gradient) largest = std::max(largest, std::fabs(static_cast<double>(g)));
  EXPECT_GT(largest, 0.1);
  std::size_t kinks = 0;
  constexpr float k_step = 2e-3f;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const float kept = w[i];
    w[i] = kept + k_step;
    const double above = run.loss(w), high = w[i];
    w[i] = kept - k_step;
    const double below = run.loss(w), low = w[i];
    w[i] = kept;
    // Losses of a few units in single precision carry about 1e-6, over a step of 4e-3; the few parameters whose step
    // changes the winner of a pool see part of another slope.
    const double error = std::fabs((above - below) / (high - low) - gradient[i]);
    ASSERT_LT(error, 0.05 * largest) << "parameter " << i;
    kinks += error > 1e-3 * largest ? 1 : 0;
  }
  EXPECT_LT(kinks, w.size() / 10);
}

theory::LayerSpec layer(LayerKind kind, int width = 0) {
  theory::LayerSpec spec;
  spec.kind = kind, spec.width = width;
  if (kind == LayerKind::conv2d) spec.activation = theory::Activation::tanh;
  return spec;
}

TEST(ImageNetwork, pooled_convolutions_have_the_gradients_of_their_forward_pass) {
  theory::NetworkSpec spec;
  spec.architecture = theory::Architecture::cnn;
  spec.channels = {5, 8};
  spec.activation = theory::Activation::tanh;
  expect_gradients(spec);
}

TEST(ImageNetwork, every_kind_of_pool_has_the_gradients_of_its_forward_pass) {
  for (const LayerKind last : {LayerKind::global_max_pool, LayerKind::global_average_pool}) {
    theory::NetworkSpec spec;
    spec.architecture = theory::Architecture::layers;
    theory::LayerSpec overlapping = layer(LayerKind::max_pool), halves = layer(LayerKind::average_pool);
    overlapping.kernel = 3, overlapping.stride = 2, overlapping.padding = 1;
    halves.kernel = 2, halves.stride = 1, halves.padding = 0;
    theory::LayerSpec strided = layer(LayerKind::conv2d, 8);
    strided.stride = 2, strided.biases = false;
    spec.layers = {layer(LayerKind::conv2d, 4), overlapping, strided, halves, layer(last), layer(LayerKind::dense)};
    expect_gradients(spec);
  }
}

}  // namespace
}  // namespace eos::sim
