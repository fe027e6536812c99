#include "mlp.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/kernels/dense.hpp"

namespace eos::sim {

MlpLayout::MlpLayout(std::vector<int> all_widths, const theory::NetworkSpec& network)
    : widths(std::move(all_widths)),
      biases(network.biases),
      hidden(network.activation, static_cast<float>(network.leak)),
      output(network.output) {
  offsets.push_back(0);
  for (int l = 0; l < layers(); ++l)
    offsets.push_back(offsets.back() + (std::int64_t{widths[l]} + (biases ? 1 : 0)) * widths[l + 1]);
}

std::int64_t MlpLayout::bias_offset(int layer) const {
  return offsets[layer] + std::int64_t{widths[layer]} * widths[layer + 1];
}

namespace {

double deviation(theory::Initialisation kind, int fan_in) {
  switch (kind) {
    case theory::Initialisation::he:  // He et al., ICCV 2015
      return std::sqrt(2.0 / fan_in);
    case theory::Initialisation::fan_in:
      return std::sqrt(1.0 / fan_in);
    case theory::Initialisation::normal:
      break;
  }
  return 1;
}

}  // namespace

std::vector<float> initial_weights(const MlpLayout& layout, const theory::NetworkSpec& network, std::uint64_t seed) {
  std::vector<float> w(static_cast<std::size_t>(layout.parameters()), 0.0f);
  for (int l = 0; l < layout.layers(); ++l) {
    const double scale = network.init_scale * deviation(network.initialisation, layout.widths[l]);
    const std::int64_t end = network.random_biases ? layout.offsets[l + 1] : layout.bias_offset(l);
    const std::int64_t size = end - layout.offsets[l];
    float* layer = w.data() + layout.offsets[l];
    for (std::int64_t i = 0; i < size; i += 2) {
      const auto pair = core::normal_pair(
          seed, {0, static_cast<std::uint32_t>(l), core::Purpose::initial_weights, static_cast<std::uint32_t>(i / 2)});
      layer[i] = static_cast<float>(scale * pair[0]);
      if (i + 1 < size) layer[i + 1] = static_cast<float>(scale * pair[1]);
    }
  }
  return w;
}

Activations::Activations(const kernels::Context& context, const MlpLayout& layout, int capacity)
    : capacity_(capacity), widths_(layout.widths) {
  for (int width : widths_) levels_.emplace_back(context, static_cast<std::size_t>(width) * capacity);
  if (layout.biases) return;
  const auto widest = static_cast<std::size_t>(*std::max_element(widths_.begin(), widths_.end()));
  zeros_ = kernels::Buffer<float>(context, std::vector<float>(widest, 0.0f));
}

void mlp_forward(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                 int first, int rows) {
  mlp_forward_layers(context, layout, weights, a, first, rows, 0, layout.layers());
}

void mlp_forward_layers(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                        int first, int rows, int begin, int end) {
  for (int l = begin; l < end; ++l) {
    kernels::dense_forward(context, {1, rows, layout.widths[l], layout.widths[l + 1]}, a.row(l, first),
                           weights + layout.offsets[l], layout.biases ? weights + layout.bias_offset(l) : a.zeros(),
                           layout.activation(l), a.row(l + 1, first));
  }
}

MlpBackward::MlpBackward(const kernels::Context& context, const MlpLayout& layout, int capacity) {
  const int widest = *std::max_element(layout.widths.begin() + 1, layout.widths.end());
  from_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest) * capacity);
  to_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest) * capacity);
  if (!layout.biases) no_biases_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest));
}

void MlpBackward::run(const kernels::Context& context, const MlpLayout& layout, const float* weights,
                      const Activations& a, int rows, float* dz, const float* sent, float* gradient,
                      const BackwardScope& scope) {
  float* mine = dz;           // what the weights of a layer see
  const float* upper = sent;  // what is passed on
  for (int l = layout.layers() - 1; l >= scope.first_layer; --l) {
    if (scope.errors) scope.errors(l, mine);
    const kernels::DenseShape shape{1, rows, layout.widths[l], layout.widths[l + 1]};
    kernels::dense_backward_weights(context, shape, a.row(l, 0), mine, gradient + layout.offsets[l],
                                    layout.biases ? gradient + layout.bias_offset(l) : no_biases_.data());
    if (l == scope.first_layer) break;  // nobody needs the errors below, be it of the input data
    kernels::dense_backward_inputs(context, shape, upper, weights + layout.offsets[l], a.row(l, 0), layout.hidden,
                                   to_.data());
    std::swap(from_, to_);
    upper = mine = from_.data();
  }
}

}  // namespace eos::sim
