#include "synaptic_cache.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace eos::sim {

using kernels::Trigger;
using theory::CacheVariant;

SynapticCache::SynapticCache(const kernels::Context& context, const theory::CacheSpec& spec, double upkeep,
                             const Network& layout)
    : context_(context), spec_(spec), upkeep_(upkeep), layout_(layout) {
  if (!active()) return;
  const auto layers = static_cast<std::size_t>(layout.layers()), size = static_cast<std::size_t>(layout.parameters());
  for (int l = 0; l < layout.layers(); ++l) neurons_.push_back(layout.columns(l));
  theta_.resize(layers);
  persistent_ = kernels::Buffer<float>(context, size);
  previous_ = kernels::Buffer<float>(context, size);
  device_counts_ = kernels::Buffer<kernels::CacheCounts>(context, layers);
  counts_.resize(layers);
  squared_.resize(layers);
}

void SynapticCache::start(const kernels::Buffer<float>& weights) {
  if (!active()) return;
  persistent_.put(weights.get());
  previous_.put(weights.get());
}

// D, the mean squared update per presentation and weight. Presentations without an update count: they lower it as the
// probability p does in eta sqrt(3p/c).
void SynapticCache::measure(const std::vector<kernels::UpdateCounts>* update, std::int64_t presentations) {
  const double forget = std::exp(-static_cast<double>(presentations) / spec_.window);
  presented_ = forget * presented_ + static_cast<double>(presentations);
  for (std::size_t l = 0; l < squared_.size(); ++l)
    squared_[l] = forget * squared_[l] + (update != nullptr ? (*update)[l].squared : 0.0);
}

/// Sets the thresholds and says what they are compared with.
Trigger SynapticCache::decide(std::int64_t presentations) {
  if (spec_.trigger == theory::CacheTrigger::clock) {
    since_ += static_cast<double>(presentations);
    theta_.assign(theta_.size(), std::numeric_limits<float>::infinity());
    if (since_ < theory::cache_interval(spec_, upkeep_)) return Trigger::synapse;
    since_ = 0;
    return Trigger::all;
  }
  const bool network = spec_.statistics == theory::CacheStatistics::network;
  const double all = std::accumulate(squared_.begin(), squared_.end(), 0.0);
  for (std::size_t l = 0; l < theta_.size(); ++l) {
    const std::int64_t size = network ? layout_.parameters() : layout_.offsets[l + 1] - layout_.offsets[l];
    const double weights = presented_ * static_cast<double>(size);
    const double mean_square = weights > 0 ? (network ? all : squared_[l]) / weights : 0.0;
    theta_[l] = static_cast<float>(theory::cache_threshold(spec_, mean_square, upkeep_));
  }
  if (spec_.variant == CacheVariant::local_local) return Trigger::synapse;
  return spec_.variant == CacheVariant::local_global ? Trigger::neuron_any : Trigger::neuron_sum;
}

void SynapticCache::step(const std::vector<kernels::UpdateCounts>* update, std::int64_t presentations, float* weights,
                         std::vector<theory::Ledger>& layers) {
  measure(update, presentations);
  kernels::CacheStep step;
  step.trigger = decide(presentations);
  step.theta = theta_.data();
  step.neurons = neurons_.data();
  const auto n = static_cast<double>(presentations);
  // n presentations of upkeep on what is left after consolidation, each followed by its decay: a geometric series.
  double held_presentations = n;
  if (spec_.tau > 0) {
    step.keep = static_cast<float>(std::exp(-n / spec_.tau));
    held_presentations = std::expm1(-n / spec_.tau) / std::expm1(-1 / spec_.tau);
  }
  kernels::cache_step(context_, layout_.segments(), step, weights, persistent_.data(), previous_.data(),
                      device_counts_.data());
  context_.copy_out(counts_.data(), device_counts_.data(), counts_.size() * sizeof(kernels::CacheCounts));
  for (std::size_t l = 0; l < counts_.size(); ++l) {
    const kernels::CacheCounts& c = counts_[l];
    layers[l].writes += c.consolidated.writes;
    layers[l].path_length += c.consolidated.path;
    layers[l].path_squared += c.consolidated.squared;
    layers[l].transient_path += c.transient;
    layers[l].accumulator_updates += c.additions;
    layers[l].maintenance += held_presentations * c.held;
  }
}

std::vector<theory::Ledger> SynapticCache::rest(const kernels::Buffer<float>& weights) const {
  std::vector<theory::Ledger> layers(static_cast<std::size_t>(layout_.layers()));
  if (!active()) return layers;
  const std::vector<float> w = weights.get(), l = persistent_.get();
  for (std::size_t layer = 0; layer < layers.size(); ++layer)
    for (auto i = static_cast<std::size_t>(layout_.offsets[layer]);
         i < static_cast<std::size_t>(layout_.offsets[layer + 1]); ++i) {
      const double s = static_cast<double>(w[i]) - static_cast<double>(l[i]);
      layers[layer].writes += s != 0;
      layers[layer].path_length += std::abs(s);
      layers[layer].path_squared += s * s;
    }
  return layers;
}

std::vector<double> SynapticCache::sums() const {
  std::vector<double> sums{presented_, since_};
  sums.insert(sums.end(), squared_.begin(), squared_.end());
  return sums;
}

void SynapticCache::restore(const std::vector<double>& sums, const kernels::Buffer<float>& weights) {
  presented_ = sums[0], since_ = sums[1];
  std::copy(sums.begin() + 2, sums.end(), squared_.begin());
  previous_.put(weights.get());  // nothing moves a weight between two steps
}

}  // namespace eos::sim
