#include "plasticity.hpp"

#include <cmath>

#include "eos/core/philox.hpp"

namespace eos::sim {

using kernels::Mask;
using theory::OptimiserKind;
using theory::WriteRule;

Plasticity::Plasticity(const kernels::Context& context, const theory::OptimiserSpec& optimiser,
                       const theory::PlasticitySpec& plasticity, const MlpLayout& layout, std::uint64_t seed)
    : context_(context),
      optimiser_(optimiser),
      spec_(plasticity),
      layout_(layout),
      seed_(seed),
      device_counts_(context, static_cast<std::size_t>(layout.layers())),
      counts_(static_cast<std::size_t>(layout.layers())),
      k_(static_cast<std::size_t>(layout.layers())) {
  const auto size = static_cast<std::size_t>(layout.parameters());
  const bool adam = optimiser.kind == OptimiserKind::adamw;
  if (adam || spec_.rule != WriteRule::all) delta_ = kernels::Buffer<float>(context, size);
  if (adam || optimiser.momentum > 0) velocity_ = kernels::Buffer<float>(context, size);
  if (adam) second_moment_ = kernels::Buffer<float>(context, size);
  if (spec_.accumulate) accumulator_ = kernels::Buffer<float>(context, size);
  if (spec_.rule == WriteRule::top_k)
    selection_ = kernels::Buffer<kernels::Selection>(context, static_cast<std::size_t>(layout.layers()));
}

std::vector<std::pair<std::string, kernels::Buffer<float>*>> Plasticity::state() {
  std::vector<std::pair<std::string, kernels::Buffer<float>*>> all;
  if (velocity_.size() > 0) all.emplace_back("velocity", &velocity_);
  if (second_moment_.size() > 0) all.emplace_back("second_moment", &second_moment_);
  if (accumulator_.size() > 0) all.emplace_back("accumulator", &accumulator_);
  return all;
}

void Plasticity::make_delta(const float* gradient, WriteControls controls, const float* weights) {
  const auto rate = static_cast<float>(controls.learning_rate);
  const auto decay = static_cast<float>(optimiser_.weight_decay);
  if (optimiser_.kind == OptimiserKind::adamw) {
    const kernels::AdamParameters p{rate,
                                    static_cast<float>(optimiser_.beta1),
                                    static_cast<float>(optimiser_.beta2),
                                    static_cast<float>(optimiser_.epsilon),
                                    decay,
                                    controls.step};
    kernels::adamw_delta(context_, layout_.parameters(), p, gradient, weights, velocity_.data(), second_moment_.data(),
                         delta_.data());
    return;
  }
  kernels::sgd_delta(context_, layout_.parameters(), {rate, static_cast<float>(optimiser_.momentum), decay}, gradient,
                     weights, velocity_.data(), delta_.data());
}

void Plasticity::select(WriteControls controls) {
  for (int l = 0; l < layout_.layers(); ++l) {
    // Rounded without bias, so that a small layer is not frozen by a small fraction.
    const auto size = static_cast<double>(layout_.offsets[l + 1] - layout_.offsets[l]);
    const double offset = core::uniform(seed_, {1, static_cast<std::uint32_t>(controls.step),
                                                core::Purpose::weight_mask, static_cast<std::uint32_t>(l)});
    k_[static_cast<std::size_t>(l)] = static_cast<std::int64_t>(std::floor(controls.weight_fraction * size + offset));
  }
  const float* values = spec_.accumulate ? accumulator_.data() : delta_.data();
  kernels::select_threshold(context_, values, layout_.segments(), k_.data(), selection_.data());
}

void Plasticity::apply(const float* gradient, WriteControls controls, float* weights) {
  if (spec_.rule == WriteRule::all && optimiser_.kind == OptimiserKind::sgd) {
    kernels::sgd_update_dense(context_, layout_.segments(),
                              {static_cast<float>(controls.learning_rate), static_cast<float>(optimiser_.momentum),
                               static_cast<float>(optimiser_.weight_decay)},
                              gradient, weights, velocity_.data(), device_counts_.data());
  } else {
    make_delta(gradient, controls, weights);
    kernels::MaskedUpdate update;
    const float* delta = delta_.data();
    update.accumulator = spec_.accumulate ? accumulator_.data() : nullptr;
    switch (spec_.rule) {
      case WriteRule::all:
        break;
      case WriteRule::top_k:
        update.mask = Mask::selection;
        if (spec_.accumulate) {
          kernels::accumulate(context_, layout_.parameters(), delta, accumulator_.data());
          delta = nullptr;  // it is in the accumulator now
        }
        select(controls);
        update.selection = selection_.data();
        break;
      case WriteRule::threshold:
        update.mask = Mask::threshold;
        update.threshold = static_cast<float>(controls.theta);
        break;
      case WriteRule::random:
        update.mask = Mask::random;
        update.probability = static_cast<float>(controls.weight_fraction);
        update.seed = seed_;
        update.step = static_cast<std::uint32_t>(controls.step);
        break;
    }
    kernels::masked_update(context_, layout_.segments(), delta, update, weights, device_counts_.data());
  }
  context_.copy_out(counts_.data(), device_counts_.data(), counts_.size() * sizeof(kernels::UpdateCounts));
}

}  // namespace eos::sim
