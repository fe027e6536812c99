#include "topology.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "eos/core/philox.hpp"
#include "eos/kernels/mask.hpp"
#include "unit_mask.hpp"

namespace eos::sim {

using theory::TopologyRule;

namespace {

/// The k candidates of largest score, ties by index; order is lost.
template <class Score>
void keep_best(std::vector<std::int64_t>& candidates, std::int64_t k, Score score) {
  const auto cut = candidates.begin() + std::clamp<std::int64_t>(k, 0, static_cast<std::int64_t>(candidates.size()));
  std::nth_element(candidates.begin(), cut, candidates.end(), [&](std::int64_t a, std::int64_t b) {
    const auto sa = score(a), sb = score(b);
    return sa != sb ? sa > sb : a < b;
  });
  candidates.erase(cut, candidates.end());
}

std::size_t at(std::int64_t i) { return static_cast<std::size_t>(i); }

}  // namespace

Topology::Topology(const kernels::Context& context, const theory::TopologySpec& spec, const Network& layout,
                   std::uint64_t seed)
    : context_(context),
      spec_(spec),
      layout_(layout),
      seed_(seed),
      connections_(theory::layer_connections(spec, layout.widths)) {
  for (int l = 0; l < layout.layers(); ++l) sizes_.push_back(layout.block(l).weights());
  if (!sparse()) {
    connections_.used = connections_.learning = sizes_;
    for (int l = 0; l <= layout.layers(); ++l) backward_macs_.push_back(theory::backward_macs(layout.graph, l));
    return;
  }
  const auto size = at(layout.parameters());
  if (spec.rule == TopologyRule::top_kast) masked_ = kernels::Buffer<float>(context, size);
  used_.assign(size, 1), learns_.assign(size, 1);
  used_on_device_ = kernels::Buffer<std::uint8_t>(context, size);
  learning_on_device_ = kernels::Buffer<std::uint8_t>(context, size);
}

void Topology::upload() {
  used_on_device_.put(used_);
  learning_on_device_.put(learns_);
}

void Topology::rank(int layer, const std::vector<float>& weights) {
  const std::int64_t begin = layout_.offsets[at(layer)], end = layout_.bias_offset(layer);
  std::vector<std::int64_t> best(at(end - begin));
  std::iota(best.begin(), best.end(), begin);
  std::fill(used_.begin() + begin, used_.begin() + end, std::uint8_t{0});
  std::fill(learns_.begin() + begin, learns_.begin() + end, std::uint8_t{0});
  const auto magnitude = [&](std::int64_t i) { return std::fabs(weights[at(i)]); };
  keep_best(best, connections_.learning[at(layer)], magnitude);
  for (const std::int64_t i : best) learns_[at(i)] = 1;
  keep_best(best, connections_.used[at(layer)], magnitude);
  for (const std::int64_t i : best) used_[at(i)] = 1;
}

void Topology::start(kernels::Buffer<float>& weights) {
  if (!sparse()) return;
  std::vector<float> values = weights.get();
  for (int l = 0; l < layout_.layers(); ++l) {
    if (spec_.rule == TopologyRule::top_kast) {
      rank(l, values);
      continue;
    }
    const core::Address address{static_cast<std::uint32_t>(l), 0, core::Purpose::topology, 0};
    const auto flags = random_subset(sizes_[at(l)], connections_.used[at(l)], seed_, address);
    const std::int64_t begin = layout_.offsets[at(l)];
    for (std::int64_t i = 0; i < sizes_[at(l)]; ++i) {
      used_[at(begin + i)] = flags[at(i)];
      if (flags[at(i)] == 0) values[at(begin + i)] = 0;
    }
  }
  if (spec_.rule != TopologyRule::top_kast) {
    learns_ = used_;
    weights.put(values);
  }
  upload();
  follow(weights.data());
}

void Topology::follow(const float* weights) {
  if (masked_.size() == 0) return;
  kernels::apply_masks(context_, {1, layout_.parameters()}, used_on_device_.data(), nullptr, weights, masked_.data());
}

bool Topology::instead_of_write(std::int64_t step, double progress) const {
  const bool moves = spec_.rule == TopologyRule::rigl || spec_.rule == TopologyRule::set;
  return moves && due(step) && theory::drop_fraction(spec_, progress) > 0;
}

void Topology::shape_gradient(const float* weights, float* gradient) {
  if (!sparse()) return;
  kernels::apply_masks(context_, {1, layout_.parameters()}, learning_on_device_.data(), nullptr, gradient, gradient);
  if (spec_.rule != TopologyRule::top_kast || spec_.exploration == 0) return;
  for (int l = 0; l < layout_.layers(); ++l) {
    // lambda w where used and lambda/D w where only learning: lambda/D w on all that learn, less the excess on the
    // used.
    const std::int64_t begin = layout_.offsets[at(l)];
    const kernels::RowShape shape{1, sizes_[at(l)]};
    const double density = static_cast<double>(connections_.used[at(l)]) / static_cast<double>(sizes_[at(l)]);
    const double wide = spec_.exploration / density;
    kernels::add_masked(context_, shape, learning_on_device_.data() + begin, static_cast<float>(wide), weights + begin,
                        gradient + begin);
    kernels::add_masked(context_, shape, used_on_device_.data() + begin, static_cast<float>(spec_.exploration - wide),
                        weights + begin, gradient + begin);
  }
}

void Topology::drop_and_grow(int layer, std::int64_t step, double progress, const std::vector<float>& gradient,
                             std::vector<float>& weights) {
  const std::int64_t begin = layout_.offsets[at(layer)], end = layout_.bias_offset(layer);
  std::vector<std::int64_t> kept, others;
  for (std::int64_t i = begin; i < end; ++i)
    if (used_[at(i)] != 0) kept.push_back(i);
  const auto existing = static_cast<std::int64_t>(kept.size());
  const auto dropped =
      static_cast<std::int64_t>(theory::drop_fraction(spec_, progress) * static_cast<double>(existing));
  keep_best(kept, existing - dropped, [&](std::int64_t i) { return std::fabs(weights[at(i)]); });
  std::fill(used_.begin() + begin, used_.begin() + end, std::uint8_t{0});
  for (const std::int64_t i : kept) used_[at(i)] = 1;
  // What was just dropped may grow again and then keeps its weight, as in the program of Evci et al.
  for (std::int64_t i = begin; i < end; ++i)
    if (used_[at(i)] == 0) others.push_back(i);
  if (spec_.rule == TopologyRule::rigl) {
    keep_best(others, dropped, [&](std::int64_t i) { return std::fabs(gradient[at(i)]); });
  } else {
    const core::Address address{static_cast<std::uint32_t>(layer), static_cast<std::uint32_t>(step),
                                core::Purpose::topology, 0};
    const auto grow = random_subset(static_cast<std::int64_t>(others.size()), dropped, seed_, address);
    std::size_t next = 0;
    std::erase_if(others, [&](std::int64_t) { return grow[next++] == 0; });
  }
  for (const std::int64_t i : others) used_[at(i)] = 1;
  for (std::int64_t i = begin; i < end; ++i)
    if (used_[at(i)] == 0) weights[at(i)] = 0;
}

void Topology::rewire(std::int64_t step, double progress, int first_layer, const float* gradient,
                      kernels::Buffer<float>& weights, const NamedBuffers& state,
                      std::vector<kernels::UpdateCounts>& counts) {
  const bool ranks = spec_.rule == TopologyRule::top_kast;
  if (!instead_of_write(step, progress) && !(ranks && due(step))) return;
  const std::vector<std::uint8_t> learned_before = learns_;
  std::vector<float> values = weights.get(), slopes;
  if (spec_.rule == TopologyRule::rigl) {
    slopes.resize(values.size());
    context_.copy_out(slopes.data(), gradient, slopes.size() * sizeof(float));
  }
  const std::vector<float> before = values;
  for (int l = first_layer; l < layout_.layers(); ++l) {
    if (ranks)
      rank(l, values);
    else
      drop_and_grow(l, step, progress, slopes, values);
    for (std::int64_t i = layout_.offsets[at(l)]; i < layout_.offsets[at(l) + 1]; ++i) {
      const double change = static_cast<double>(values[at(i)]) - before[at(i)];
      counts[at(l)].writes += change != 0;
      counts[at(l)].path += std::fabs(change);
      counts[at(l)].squared += change * change;
    }
  }
  if (!ranks) {
    learns_ = used_;
    weights.put(values);
  }
  for (const auto& [name, buffer] : state) {
    std::vector<float> entries = buffer->get();
    for (std::size_t i = 0; i < entries.size(); ++i)
      if (learns_[i] != learned_before[i]) entries[i] = 0;
    buffer->put(entries);
  }
  upload();
}

std::int64_t Topology::backward_macs(int first_layer, bool rewires) const {
  if (!sparse()) return backward_macs_[at(first_layer)];
  const bool all = rewires && spec_.rule == TopologyRule::rigl;
  return theory::backward_macs(all ? theory::LayerConnections{connections_.used, sizes_} : connections_, first_layer);
}

std::int64_t Topology::used_parameters(int first_layer) const {
  std::int64_t sum = 0;
  for (auto l = at(first_layer); l < sizes_.size(); ++l)
    sum += connections_.used[l] + layout_.offsets[l + 1] - layout_.offsets[l] - sizes_[l];
  return sum;
}

std::int64_t Topology::learning_parameters(int first_layer) const {
  std::int64_t sum = 0;
  for (auto l = at(first_layer); l < sizes_.size(); ++l)
    sum += connections_.learning[l] + layout_.offsets[l + 1] - layout_.offsets[l] - sizes_[l];
  return sum;
}

void Topology::restore(std::vector<std::uint8_t> used, std::vector<std::uint8_t> learns, const float* weights) {
  used_ = std::move(used), learns_ = std::move(learns);
  upload();
  follow(weights);
}

}  // namespace eos::sim
