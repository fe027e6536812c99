#include "online_update.hpp"

#include <algorithm>

#include "eos/kernels/outer_update.hpp"

namespace eos::sim {

using theory::WriteRule;

OnlineUpdate::OnlineUpdate(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
                           const theory::PlasticitySpec& plasticity, const Network& layout, int batch)
    : context_(context), layout_(layout), writes_all_(plasticity.rule == WriteRule::all) {
  const bool plain = batch == 1 && optimiser.kind == theory::OptimiserKind::sgd && optimiser.momentum == 0 &&
                     optimiser.weight_decay == 0 && optimiser.clip == 0 && !plasticity.accumulate && layout.chain();
  possible_ = plain && (writes_all_ || plasticity.rule == WriteRule::threshold);
  if (!possible_) return;
  const auto widest = static_cast<std::size_t>(*std::max_element(layout.widths.begin() + 1, layout.widths.end()));
  const theory::LayerSpec& first = layout.graph.nodes.front().spec;
  hidden_ = {first.activation, static_cast<float>(first.leak)};
  from_ = kernels::Buffer<float>(context, widest);
  to_ = kernels::Buffer<float>(context, widest);
  counts_.resize(static_cast<std::size_t>(layout.layers()));
  device_counts_ = kernels::Buffer<kernels::UpdateCounts>(context, counts_.size());
}

// The errors of a layer's inputs are taken before its weights change.
void OnlineUpdate::run(const Activations& a, const float* dz, const float* sent, WriteControls controls,
                       float* weights) {
  const kernels::OuterUpdate update{static_cast<float>(controls.learning_rate), writes_all_,
                                    static_cast<float>(controls.theta)};
  const float* errors = dz;
  for (int l = layout_.layers() - 1; l >= 0; --l) {
    const kernels::DenseShape shape{1, 1, layout_.widths[l], layout_.widths[l + 1]};
    float* w = weights + layout_.offsets[l];
    if (l > 0) {
      kernels::dense_backward_inputs(context_, shape, l + 1 == layout_.layers() ? sent : errors, w, a.row(l, 0),
                                     hidden_, to_.data());
    }
    kernels::outer_update(context_, shape, update, a.row(l, 0), errors, w,
                          layout_.biases ? weights + layout_.bias_offset(l) : nullptr, device_counts_.data() + l);
    std::swap(from_, to_);
    errors = from_.data();
  }
  context_.copy_out(counts_.data(), device_counts_.data(), counts_.size() * sizeof(kernels::UpdateCounts));
}

}  // namespace eos::sim
