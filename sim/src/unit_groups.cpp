#include "unit_groups.hpp"

#include <algorithm>
#include <cmath>

namespace eos::sim {

using theory::GroupRule;

namespace {

bool chooses(const Network& network, int block) {
  const theory::LayerKind kind = network.graph.nodes[static_cast<std::size_t>(network.block(block).node)].spec.kind;
  return kind == theory::LayerKind::dense || kind == theory::LayerKind::conv2d;
}

}  // namespace

UnitGroups::UnitGroups(const kernels::Context& context, const theory::GroupSpec& spec, const Network& network,
                       std::uint64_t seed)
    : spec_(spec), network_(network), seed_(seed) {
  if (all()) return;
  choice_ = ColumnChoice(context, network);
  host_flags_.assign(static_cast<std::size_t>(network.parameters()), 1);
  flags_ = kernels::Buffer<std::uint8_t>(context, host_flags_.size());
  for (int l = 0; l < network.layers(); ++l)
    choice_.of_block[static_cast<std::size_t>(l)].reserve(static_cast<std::size_t>(network.columns(l)));
}

void UnitGroups::choose(int block, std::int64_t step) {
  const auto units = static_cast<int>(network_.columns(block));
  const int groups = (units + spec_.width - 1) / spec_.width;
  const auto chosen = std::clamp(static_cast<int>(std::llround(spec_.fraction * groups)), 1, groups);
  if (spec_.rule == GroupRule::cyclic) {
    const auto first = static_cast<int>((step - 1) * chosen % groups);
    taken_.assign(static_cast<std::size_t>(groups), 0);
    for (int i = 0; i < chosen; ++i) taken_[static_cast<std::size_t>((first + i) % groups)] = 1;
  } else {
    taken_ =
        draw_(groups, chosen, seed_,
              {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(step), core::Purpose::unit_choice, 0});
  }
  std::vector<std::int32_t>& columns = choice_.of_block[static_cast<std::size_t>(block)];
  columns.clear();
  for (int unit = 0; unit < units; ++unit) {
    if (taken_[static_cast<std::size_t>(unit / spec_.width)] != 0) columns.push_back(unit);
  }
  const theory::Block& b = network_.block(block);
  std::uint8_t* flags = host_flags_.data() + b.offset;
  for (std::int64_t i = 0; i < b.size(); ++i) flags[i] = taken_[static_cast<std::size_t>(i % units / spec_.width)];
}

void UnitGroups::begin(std::int64_t step) {
  if (all()) return;
  for (int l = 0; l < network_.layers(); ++l)
    if (chooses(network_, l)) choose(l, step);
  choice_.upload();
  flags_.put(host_flags_);
}

std::int64_t UnitGroups::saved_macs(int first_block) const {
  std::int64_t saved = 0;
  for (int l = first_block; l < network_.layers() && !all(); ++l) {
    if (!chooses(network_, l)) continue;
    const theory::Node& node = network_.graph.nodes[static_cast<std::size_t>(network_.block(l).node)];
    const auto learning = static_cast<std::int64_t>(choice_.of_block[static_cast<std::size_t>(l)].size());
    saved += node.forward_macs / network_.columns(l) * (network_.columns(l) - learning);
  }
  return saved;
}

}  // namespace eos::sim
