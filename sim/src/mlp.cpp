#include "mlp.hpp"

#include <algorithm>
#include <cmath>

#include "eos/core/philox.hpp"
#include "eos/kernels/dense.hpp"

namespace eos::sim {

using kernels::Activation;

MlpLayout::MlpLayout(std::vector<int> all_widths) : widths(std::move(all_widths)) {
  offsets.push_back(0);
  for (int l = 0; l < layers(); ++l) offsets.push_back(offsets.back() + (std::int64_t{widths[l]} + 1) * widths[l + 1]);
}

std::int64_t MlpLayout::bias_offset(int layer) const {
  return offsets[layer] + std::int64_t{widths[layer]} * widths[layer + 1];
}

std::vector<float> initial_weights(const MlpLayout& layout, double init_scale, std::uint64_t seed) {
  std::vector<float> w(static_cast<std::size_t>(layout.parameters()), 0.0f);
  for (int l = 0; l < layout.layers(); ++l) {
    const double scale = init_scale * std::sqrt(2.0 / layout.widths[l]);
    const std::int64_t size = layout.bias_offset(l) - layout.offsets[l];
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
}

void mlp_forward(const kernels::Context& context, const MlpLayout& layout, const float* weights, Activations& a,
                 int first, int rows) {
  for (int l = 0; l < layout.layers(); ++l) {
    const bool last = l + 1 == layout.layers();
    kernels::dense_forward(context, {1, rows, layout.widths[l], layout.widths[l + 1]}, a.row(l, first),
                           weights + layout.offsets[l], weights + layout.bias_offset(l),
                           last ? Activation::identity : Activation::relu, a.row(l + 1, first));
  }
}

MlpBackward::MlpBackward(const kernels::Context& context, const MlpLayout& layout, int capacity) {
  const int widest = *std::max_element(layout.widths.begin() + 1, layout.widths.end());
  from_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest) * capacity);
  to_ = kernels::Buffer<float>(context, static_cast<std::size_t>(widest) * capacity);
}

void MlpBackward::run(const kernels::Context& context, const MlpLayout& layout, const float* weights,
                      const Activations& a, int rows, const float* dz, float* gradient) {
  const float* upper = dz;
  for (int l = layout.layers() - 1; l >= 0; --l) {
    const kernels::DenseShape shape{1, rows, layout.widths[l], layout.widths[l + 1]};
    kernels::dense_backward_weights(context, shape, a.row(l, 0), upper, gradient + layout.offsets[l],
                                    gradient + layout.bias_offset(l));
    if (l == 0) break;  // nobody needs the gradient of the input data
    kernels::dense_backward_inputs(context, shape, upper, weights + layout.offsets[l], a.row(l, 0), Activation::relu,
                                   to_.data());
    std::swap(from_, to_);
    upper = from_.data();
  }
}

}  // namespace eos::sim
