#include "structure.hpp"

#include <algorithm>
#include <cmath>

namespace eos::sim {

Structure::Structure(const kernels::Context& context, const theory::PlasticitySpec& spec, const Network& layout,
                     int capacity, double epochs, std::uint64_t seed)
    : context_(context),
      layout_(layout),
      units_(context, spec.units, layout, capacity, seed),
      topology_(context, spec.topology, layout, seed),
      groups_(context, spec.groups, layout, seed),
      growth_(context, spec.growth, layout),
      freeze_times_(theory::freeze_times(spec.freeze, layout.layers(), epochs)),
      counts_(static_cast<std::size_t>(layout.layers())),
      masks_units_(spec.units.rule != theory::UnitRule::all || spec.units.path > 0) {}

bool Structure::plain() const {
  return !masks_units_ && groups_.all() && !growth_.on() && !topology_.sparse() &&
         !std::isfinite(freeze_times_.front());
}

void Structure::begin(UpdateTime time, const std::vector<std::int32_t>& labels) {
  time_ = time;
  first_layer_ = 0;
  while (first_layer_ < layout_.layers() && time.progress >= freeze_times_[static_cast<std::size_t>(first_layer_)])
    ++first_layer_;
  skips_write_ = topology_.instead_of_write(time.step, time.progress);
  std::fill(counts_.begin(), counts_.end(), kernels::UpdateCounts{});
  groups_.begin(time.step);
  if (masks_units_) units_.begin(time.step, time.trained, labels);
}

BackwardScope Structure::scope(const Activations& activations) {
  BackwardScope scope;
  scope.first_layer = first_layer_;
  scope.columns = groups_.columns();
  if (units_.masks_errors())
    scope.errors = [this, &activations](int layer, float* errors) { units_.apply(layer, activations, errors); };
  return scope;
}

void Structure::shape(kernels::Buffer<float>& weights, float* gradient, const NamedBuffers& state) {
  if (skips_write_)
    topology_.rewire(time_.step, time_.progress, first_layer_, gradient, weights, state, counts_);
  else
    topology_.shape_gradient(weights.data(), gradient);
}

void Structure::finish(kernels::Buffer<float>& weights, const NamedBuffers& state) {
  if (!skips_write_) topology_.rewire(time_.step, time_.progress, first_layer_, nullptr, weights, state, counts_);
  topology_.follow(weights.data());
}

std::int64_t Structure::backward_macs(int rows) const {
  if (masks_units_) return units_.backward_macs(first_layer_);
  const std::int64_t saved = groups_.saved_macs(first_layer_) + growth_.saved_backward();
  return rows * (topology_.backward_macs(first_layer_, skips_write_) - saved);
}

std::int64_t Structure::update_reads() const {
  return topology_.used_parameters(first_layer_) + topology_.learning_parameters(first_layer_) -
         2 * growth_.saved_parameters();
}

}  // namespace eos::sim
