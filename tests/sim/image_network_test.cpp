// Networks of convolutions and pools: their gradients against differences of the same network in double precision.
//
// A maximum has a kink where two values of a window are equal, and a difference over a kink is no slope. Differences of
// the network itself, in single precision, need steps of about 1e-3 to stand out from rounding, and such steps make
// other values win in some windows. In double precision a step of 1e-6 is enough; that no winner changes is checked.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "../../sim/src/network.hpp"
#include "eos/core/philox.hpp"
#include "eos/kernels/conv2d.hpp"
#include "eos/kernels/pool.hpp"

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

/// The forward pass of a chain by the plain loops of kernels::reference, in double precision.
class PlainChain {
 public:
  PlainChain(const theory::Graph& graph, const std::vector<float>& x) : graph_(graph), x_(x.begin(), x.end()) {}

  /// The sum of c times the outputs.
  double loss(const std::vector<double>& w, const std::vector<float>& c) {
    winners.clear(), longest_sum = 0;
    std::vector<double> values = x_;
    for (const theory::Node& node : graph_.nodes) values = layer(node, w.data(), values);
    double sum = 0;
    for (std::size_t i = 0; i < c.size(); ++i) sum += c[i] * values[i];
    return sum;
  }
  std::vector<std::int32_t> winners;  ///< of all windows of the last pass
  std::int64_t longest_sum = 0;       ///< terms of all sums that follow each other, from the inputs to the loss

 private:
  std::vector<double> layer(const theory::Node& node, const double* all, const std::vector<double>& in) {
    const double *w = nullptr, *b = nullptr;
    if (node.block >= 0) {
      const theory::Block& block = graph_.blocks[static_cast<std::size_t>(node.block)];
      w = all + block.offset;
      b = block.biases ? w + block.weights() : nullptr;
      longest_sum += block.rows + 1;
    }
    std::vector<double> out(static_cast<std::size_t>(k_rows * node.out.size()));
    if (node.spec.kind == LayerKind::conv2d) convolve(node, in, w, b, out);
    if (node.spec.kind == LayerKind::dense) multiply(node, in, w, b, out);
    if (node.spec.kind != LayerKind::conv2d && node.spec.kind != LayerKind::dense) pool(node, in, out);
    return out;
  }
  void convolve(const theory::Node& node, const std::vector<double>& in, const double* w, const double* b,
                std::vector<double>& out) {
    const theory::LayerSpec& s = node.spec;
    kernels::ConvShape shape;
    shape.rows = k_rows;
    shape.height = node.in.height, shape.width = node.in.width, shape.in = node.in.channels;
    shape.out = node.out.channels, shape.kernel_h = shape.kernel_w = s.kernel;
    shape.stride = s.stride, shape.padding = s.padding, shape.pool = s.pool > 1 ? s.pool : 0;
    std::vector<std::uint8_t> won(
        shape.pool > 0 ? static_cast<std::size_t>(k_rows) * ((out.size() / k_rows + 3) / 4 * 4) : 0);
    kernels::reference::conv2d_forward(shape, in.data(), w, b, {s.activation, 0}, out.data(), won.data());
    winners.insert(winners.end(), won.begin(), won.end());
  }
  static void multiply(const theory::Node& node, const std::vector<double>& in, const double* w, const double* b,
                       std::vector<double>& out) {
    const auto wide = static_cast<std::size_t>(node.in.size()), columns = static_cast<std::size_t>(node.out.size());
    for (std::size_t r = 0; r < k_rows; ++r) {
      for (std::size_t o = 0; o < columns; ++o) {
        double sum = b[o];
        for (std::size_t i = 0; i < wide; ++i) sum += in[r * wide + i] * w[i * columns + o];
        out[r * columns + o] = sum;
      }
    }
  }
  void pool(const theory::Node& node, const std::vector<double>& in, std::vector<double>& out) {
    const theory::LayerSpec& s = node.spec;
    const bool global = s.kind == LayerKind::global_max_pool || s.kind == LayerKind::global_average_pool;
    const theory::Shape& i = node.in;
    const kernels::PoolShape shape =
        global ? kernels::PoolShape::global(k_rows, i.height, i.width, i.channels)
               : kernels::PoolShape{k_rows, i.height, i.width, i.channels, s.kernel, s.kernel, s.stride, s.padding};
    if (s.kind == LayerKind::average_pool || s.kind == LayerKind::global_average_pool) {
      longest_sum += std::int64_t{shape.kernel_h} * shape.kernel_w;
      return kernels::reference::average_pool_forward(shape, in.data(), out.data());
    }
    std::vector<std::int32_t> won(out.size());
    kernels::reference::max_pool_forward(shape, in.data(), out.data(), won.data());
    winners.insert(winners.end(), won.begin(), won.end());
  }

  const theory::Graph& graph_;
  std::vector<double> x_;
};

std::vector<float> gradient_of(const Network& network, const std::vector<float>& x, const std::vector<float>& w,
                               const std::vector<float>& c) {
  const kernels::Context context = kernels::Context::cpu();
  Activations a(context, network, k_rows);
  Pass pass;
  pass.rows = k_rows, pass.mode = Mode::train;
  std::copy(x.begin(), x.end(), a.row(0, 0));
  forward(context, network, w.data(), a, pass);
  Backward backward(context, network, k_rows);
  std::vector<float> g(w.size()), dz = c;
  backward.run(context, network, w.data(), a, pass, dz.data(), dz.data(), g.data());
  return g;
}

struct Case {
  const Network network;
  const std::vector<float> x, c;
  std::vector<float> weights;

  explicit Case(const theory::NetworkSpec& spec)
      : network(spec, small_images()),
        x(normals(static_cast<std::size_t>(k_rows * network.graph.data.input.size()), 1)),
        c(normals(k_rows * k_outputs, 2)),
        weights(normals(static_cast<std::size_t>(network.parameters()), 3)) {
    for (float& value : weights) value *= 0.3f;
  }
};

struct Slope {
  double value;
  bool crosses_a_kink;
};

/// Central difference by parameter i.
Slope slope_of(PlainChain& plain, const Case& one, std::vector<double>& w, std::size_t i, double step,
               const std::vector<std::int32_t>& winners) {
  const double kept = w[i];
  w[i] = kept + step;
  const double above = plain.loss(w, one.c);
  bool crosses = plain.winners != winners;
  w[i] = kept - step;
  const double below = plain.loss(w, one.c);
  crosses = crosses || plain.winners != winners;
  w[i] = kept;
  return {(above - below) / (2 * step), crosses};
}

void expect_gradients(const theory::NetworkSpec& spec) {
  const Case one(spec);
  const std::vector<float> gradient = gradient_of(one.network, one.x, one.weights, one.c);
  PlainChain plain(one.network.graph, one.x);
  std::vector<double> w(one.weights.begin(), one.weights.end()), slopes;
  plain.loss(w, one.c);
  const std::vector<std::int32_t> winners = plain.winners;
  int kinks = 0;
  double largest = 0;
  for (std::size_t i = 0; i < w.size(); ++i) {
    const Slope slope = slope_of(plain, one, w, i, 1e-6, winners);
    ASSERT_FALSE(slope.crosses_a_kink) << "parameter " << i;
    slopes.push_back(slope.value);
    largest = std::max(largest, std::fabs(slope.value));
    kinks += slope_of(plain, one, w, i, 2e-3, winners).crosses_a_kink ? 1 : 0;
  }
  EXPECT_GT(largest, 0.1);
  EXPECT_GT(kinks, 0) << "steps that single precision would need";
  // Sums of n terms in single precision are off by at most n 2^-24 of their terms, those of a gradient going forth and
  // back through the network; the terms are about as large as the largest gradient. The differences are good to 1e-9.
  const double rounding = std::ldexp(2.0 * static_cast<double>(plain.longest_sum), -24);
  for (std::size_t i = 0; i < w.size(); ++i) ASSERT_NEAR(gradient[i], slopes[i], rounding * largest) << i;
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
